"""What a home needs before anything can run on it."""

import os

from mycelia_node.config import Config, check_name, load_config
from mycelia_node.config_edit import create_config, default_name, set_value
from mycelia_node.home import Home
from mycelia_node.keys import load_or_create_seed
from mycelia_protocol.charter import Charter
from mycelia_protocol.limits import SALT_SIZE


def prepare(home: Home, name: str | None) -> tuple[Config, bytes]:
    """Make what is missing in a created and locked home; return its settings and seed.

    Args:
        name: what the node is to be called; None keeps its name, or gives it the machine's.

    Raises:
        ConfigError, HomeError: see there.
    """
    wanted = check_name(name) if name is not None else None
    create_config(home, wanted or default_name())
    config = load_config(home)
    if not config.node.name or (wanted is not None and wanted != config.node.name):
        config = set_value(home, "node", "name", wanted or default_name())
    return config, load_or_create_seed(home)


def new_charter(name: str, founder: bytes, now_ms: int) -> Charter:
    """Return the founding document of a new commons."""
    return Charter(name, founder, now_ms, os.urandom(SALT_SIZE))
