"""The command `mycelia`. Importing this imports click and little else."""

from mycelia_node.cli.group import main

__all__ = ["main"]
