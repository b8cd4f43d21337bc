"""With what a run was made: versions, and a digest of the code, which changes in between too."""

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
SUFFIXES: Final = (".py", ".csv", ".sql")  # what a run can depend on
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


@cache
def code_digest() -> str:
    """Return a digest over the sources of all packages, as hex.

    Unlike a commit it knows of changes that nobody committed, and it needs no repository. Reading
    all sources takes some hundredths of a second, once in a process.
    """
    digest = blake2b(digest_size=DIGEST_SIZE)
    for package in PACKAGES:
        spec = find_spec(package)
        assert spec is not None
        assert spec.origin is not None
        root = Path(spec.origin).parent
        for path in sorted(path for path in root.rglob("*") if path.suffix in SUFFIXES):
            content = path.read_bytes()
            name = f"{package}/{path.relative_to(root).as_posix()}"
            digest.update(f"{name} {len(content)}\n".encode())
            digest.update(content)
    return digest.hexdigest()
