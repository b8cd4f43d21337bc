"""Which families of faults a scenario can bring about, in the words in which runs count them."""

from __future__ import annotations

from collections.abc import Iterator

from mycelia_sim.fault import Carry, Clog, Crash, Degrade, Fault, Partition, Upset
from mycelia_sim.scenario import LinkQuality, Scenario
from mycelia_sim.sometimes import DISK_WORDS

QUALITIES = ("jitter", "loss", "duplicate", "reorder", "rate")  # latency is in every link


def families_of(scenario: Scenario) -> tuple[str, ...]:
    """Return the families that some seed of a scenario may have, in order of their names."""
    found = {family for fault in scenario.faults for family in _of(fault)}
    if any(_is_poor(quality) for quality in scenario.link.values()):
        found.add("degrade")
    if scenario.nodes.clock_offset is not None:
        found.add("clock_bump")
    if scenario.nodes.clock_drift_ppm is not None:
        found.add("clock_drift")
    found.update(name for adversary in scenario.adversaries for name in adversary.behaviours)
    return tuple(sorted(found))


def _of(fault: Fault) -> Iterator[str]:
    match fault.effect:
        case Partition() | Clog():
            yield fault.do
        case Degrade():
            yield "degrade"
        case Crash(disk=disk):
            yield DISK_WORDS.get(disk, disk)
        case Upset() | Carry():
            yield fault.do


def _is_poor(quality: LinkQuality) -> bool:
    return any(getattr(quality, name) is not None for name in QUALITIES)
