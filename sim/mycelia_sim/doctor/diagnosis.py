"""Asks the probes of every backend, and says which backends work."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from mycelia_sim.doctor import live, switch, virtual
from mycelia_sim.doctor.finding import Finding, Probe

# A new backend adds its probe here.
PROBES: Final[dict[str, Probe]] = {
    "virtual": virtual.probe,
    "live": live.probe,
    "switch": switch.probe,
}


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """One backend on this machine."""

    backend: str
    findings: tuple[Finding, ...]

    @property
    def works(self) -> bool:
        """Whether everything that it needs is there."""
        return all(finding.is_ok for finding in self.findings if finding.is_needed)


def diagnose(say: Callable[[str], None]) -> list[Diagnosis]:
    """Ask all probes.

    Args:
        say: is told which backend is looked at.
    """
    found = []
    for backend, probe in PROBES.items():
        say(f"looking at {backend}")
        found.append(Diagnosis(backend, tuple(probe())))
    return found
