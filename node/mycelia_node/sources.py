"""A digest of a program's own code, which changes with every line of it."""

from collections.abc import Iterable
from functools import cache
from hashlib import blake2b
from importlib.util import find_spec
from pathlib import Path
from typing import Final

SUFFIXES: Final = (".py", ".csv", ".sql")  # what a run can depend on


@cache
def sources_digest(packages: tuple[str, ...], size: int) -> bytes:
    """Return a digest of so many bytes over the sources of some packages.

    Unlike a version or a commit it knows of changes that nobody numbered or committed. Reading all
    sources takes some hundredths of a second, once in a process.
    """
    digest = blake2b(digest_size=size)
    for package in packages:
        root = _folder(package)
        for path in _sources(root):
            content = path.read_bytes()
            name = f"{package}/{path.relative_to(root).as_posix()}"
            digest.update(f"{name} {len(content)}\n".encode())
            digest.update(content)
    return digest.digest()


def _sources(root: Path) -> Iterable[Path]:
    return sorted(path for path in root.rglob("*") if path.suffix in SUFFIXES)


def _folder(package: str) -> Path:
    spec = find_spec(package)
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent
