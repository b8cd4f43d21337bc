"""Which code runs: a sweep is worth something only if the same code played all its seeds."""

from __future__ import annotations

import platform
from dataclasses import asdict, dataclass
from hashlib import blake2b
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Final

PACKAGES: Final = ("mycelia_protocol", "mycelia_node", "mycelia_sim")
SUFFIXES: Final = (".py", ".csv", ".sql")  # what a run can depend on
DIGEST_SIZE: Final = 8


@dataclass(frozen=True, slots=True)
class Build:
    """What the outcome of a seed may depend on besides its plan.

    Attributes:
        code: digest over the sources; unlike a commit it knows of changes that nobody committed,
            and it needs no repository.
    """

    mycelia: str
    code: str
    python: str
    cryptography: str

    def differences(self, other: Build) -> str:
        """Return in words where another build differs, "" if it does not."""
        mine, theirs = asdict(self), asdict(other)
        return ", ".join(
            f"{name} {theirs[name]} instead of {mine[name]}"
            for name in mine
            if mine[name] != theirs[name]
        )


def this_build() -> Build:
    """Return what runs here; it reads all sources, which takes some hundredths of a second."""
    python = f"{platform.python_implementation()} {platform.python_version()}"
    return Build(version("mycelia"), code_digest(), python, version("cryptography"))


def code_digest() -> str:
    """Return a digest over the sources of all packages, as hex."""
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
