"""With what a run was made: versions, and a digest of the code, which changes in between too."""

from __future__ import annotations

import platform
import sqlite3
from importlib.metadata import version
from typing import Final

from mycelia_node.sources import sources_digest

PACKAGES: Final = ("mycelia_protocol", "mycelia_node", "mycelia_sim")
DIGEST_SIZE: Final = 8


def versions() -> dict[str, str]:
    """Return what summary.json says about the software."""
    return {
        "mycelia": version("mycelia"),
        "code": code_digest(),
        "python": platform.python_version(),
        "cryptography": version("cryptography"),
        "aiohttp": version("aiohttp"),
        "sqlite": sqlite3.sqlite_version,
        "platform": platform.platform(),
    }


def code_digest() -> str:
    """Return a digest over the sources of all packages, as hex."""
    return sources_digest(PACKAGES, DIGEST_SIZE).hex()
