"""The commands of `mycelia sim`, a module each; `mycelia_sim.cli` imports one when it is used."""
