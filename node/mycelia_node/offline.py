"""Entering a commons while no daemon runs: the home is locked, written, and let go."""

from collections.abc import Callable
from typing import Any

from mycelia_node.clock import Clock
from mycelia_node.errors import RequestError
from mycelia_node.home import Home
from mycelia_node.setup import new_charter, prepare
from mycelia_protocol.charter import Charter
from mycelia_protocol.crypto import public_key
from mycelia_protocol.identity import to_text


def enter(home: Home, name: str | None, use: Callable[[bytes], Charter]) -> dict[str, Any]:
    """Make what is missing in a home, enter a commons with its seed, and say which.

    Raises:
        NodeError: the home is in use or in a commons already, or entering failed.
    """
    home.create()
    with home.locked():
        if home.charter.exists():
            raise RequestError(
                f"The node at {home.path} is in a commons already.",
                "One home is one node in one commons; name another --home.",
                code="in-commons",
                status=409,
            )
        config, seed = prepare(home, name)
        charter = use(seed)
        return {
            "commons": {"id": to_text("commons", charter.commons), "name": charter.name},
            "node": {"key": to_text("key", public_key(seed)), "name": config.node.name},
        }


def found_commons(home: Home, seed: bytes, name: str) -> Charter:
    """Write the founding document of a new commons."""
    charter = new_charter(name, public_key(seed), Clock().now_ms())
    home.write_private(home.charter, charter.encode())
    return charter
