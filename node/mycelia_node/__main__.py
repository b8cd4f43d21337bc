"""`python -m mycelia_node` is `mycelia`."""

from mycelia_node.cli import main

main(prog_name="mycelia")
