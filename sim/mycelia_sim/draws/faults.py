"""What the faults of a scenario come to in one run: cuts, kills, shapes and troubles.

Each fault draws from streams of its own, named by its key, and each occurrence from streams of that
occurrence. So the plan without a fault is the plan with it, less what that fault brought. There is
one thing that faults see of each other: whoever is down can't be killed. The later one is left out
then; it comes back when the earlier one is taken away, and nothing else changes.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from mycelia_sim.draws import lines, trips, upsets
from mycelia_sim.draws.choosing import City
from mycelia_sim.draws.once import Once, occurrences
from mycelia_sim.errors import ScenarioError
from mycelia_sim.fault import Carry, Clog, Crash, Degrade, Fault, Partition, Upset
from mycelia_sim.plan import Cut, Kill, Shape, Trip, Trouble


@dataclass(slots=True)
class Resolved:
    """All that the faults of one run come to."""

    cuts: list[Cut] = field(default_factory=list)
    kills: list[Kill] = field(default_factory=list)
    shapes: list[Shape] = field(default_factory=list)
    troubles: list[Trouble] = field(default_factory=list)
    trips: list[Trip] = field(default_factory=list)


def resolve(
    faults: Iterable[Fault], city: City, seed: int, end_ms: int, settled_ms: int
) -> Resolved:
    """Draw all faults of a run that ends after `end_ms`.

    Args:
        settled_ms: until when nodes may settle after that; trips go on so long.

    Raises: ScenarioError when a selector names nobody, or a fault happens too often.
    """
    found = Resolved()
    for fault in faults:
        try:
            is_trip = isinstance(fault.effect, Carry)
            for once in occurrences(fault, seed, settled_ms if is_trip else end_ms):
                _add(once, city, found)
        except ScenarioError as error:
            raise ScenarioError(f"fault {fault.name}: {error}") from None
    found.kills, found.troubles = upsets.without_overlaps(found.kills, found.troubles)
    return found


def _add(once: Once, city: City, found: Resolved) -> None:
    match once.fault.effect:
        case Partition() as effect:
            found.cuts.append(lines.partition(once, effect, city))
        case Clog() as effect:
            found.cuts += lines.clogs(once, effect, city)
        case Degrade() as effect:
            found.shapes.append(lines.degrade(once, effect, city))
        case Crash() as effect:
            found.kills += upsets.kills(once, effect, city)
        case Upset() as effect:
            found.troubles += upsets.troubles(once, effect, city)
        case Carry() as effect:
            found.trips.append(trips.trip(once, effect, city))
