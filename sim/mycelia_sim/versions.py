"""With what a run was made: versions, and a hash of the code, which changes in between too."""

from __future__ import annotations

import platform
import sqlite3
from functools import cache
from hashlib import blake2b
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Final

PACKAGES: Final = ("mycelia_protocol", "mycelia_node", "mycelia_sim")
HASH_SIZE: Final = 8


def versions() -> dict[str, str]:
    """Return what summary.json says about the software."""
    return {
        "mycelia": version("mycelia"),
        "code": code_hash(),
        "python": platform.python_version(),
        "cryptography": version("cryptography"),
        "aiohttp": version("aiohttp"),
        "sqlite": sqlite3.sqlite_version,
        "platform": platform.platform(),
    }


@cache
def code_hash() -> str:
    """Return a hash, as hex, over the source of all three packages as it lies on disk."""
    digest = blake2b(digest_size=HASH_SIZE)
    for package in PACKAGES:
        spec = find_spec(package)
        assert spec is not None
        assert spec.submodule_search_locations
        root = Path(spec.submodule_search_locations[0])
        for path in sorted(root.rglob("*.py")):
            digest.update(f"{package}/{path.relative_to(root).as_posix()}\0".encode())
            digest.update(blake2b(path.read_bytes()).digest())
    return digest.hexdigest()
