"""Which code runs: a sweep is worth something only if the same code played all its seeds."""

from __future__ import annotations

import platform
from dataclasses import asdict, dataclass
from importlib.metadata import version

from mycelia_sim.versions import code_digest


@dataclass(frozen=True, slots=True)
class Build:
    """What the outcome of a seed may depend on besides its plan.

    Attributes:
        code: digest over the sources.
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
