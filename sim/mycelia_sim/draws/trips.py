"""Who carries a stick from whom to whom."""

from __future__ import annotations

from mycelia_sim.draws.choosing import City, Draws, draw_some
from mycelia_sim.draws.once import Once
from mycelia_sim.errors import ScenarioError
from mycelia_sim.fault import Carry
from mycelia_sim.plan import Trip


def trip(once: Once, effect: Carry, city: City) -> Trip:
    """Return one way of a stick; where it begins and ends is drawn, never the same.

    Raises: ScenarioError when there are too few nodes.
    """
    ends = []
    for name, selector in (("from", effect.source), ("to", effect.target)):
        draws = Draws(once.draws.seed, f"{once.draws.name}/{name}")
        pool = [one for one in city.nodes(selector, draws) if one not in ends]
        if not pool:
            raise ScenarioError("a stick is to go from somebody to somebody else")
        ends += draw_some(pool, 1, draws.stream("one"))
    return Trip(once.id, once.at_ms, once.until_ms, *ends)
