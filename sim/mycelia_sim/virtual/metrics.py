"""How fast records spread in a virtual run, how fast they could have, and what it cost.

Every latency is also told as stretch over the earliest possible arrival under the same faults. For
large runs the oracle is asked about some of the records, evenly over time, and the counts say so.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final

from mycelia_node.tally import Tally
from mycelia_sim.doubles import double_allocations
from mycelia_sim.measured import METRICS, Metric
from mycelia_sim.reach import granted_in_cut
from mycelia_sim.spread import Pair, Spread, cost_of, heal_excess, pairs_of, speed_of
from mycelia_sim.virtual.loop import MS
from mycelia_sim.virtual.oracle import NEVER
from mycelia_sim.virtual.schedule import oracle_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mycelia_sim.evidence import Evidence
    from mycelia_sim.virtual.custody import Journey
    from mycelia_sim.virtual.world import World

ORACLE_STEPS_MAX: Final = 4_000_000  # some seconds
SHAPED_US: Final = 2_000_000  # so long after that all neighbours have said what they spare


def spread_of(world: World, evidence: Evidence) -> Spread:
    """Ask the oracle about the records of a run.

    A record is left out where its author lost it and got it back: nobody knows then from where it
    spread. So is a pair whose node was robbed of the record by a fault.
    """
    oracle = oracle_of(world)
    journeys = sorted(
        (journey.born_us, record_id, journey)
        for record_id, journey in world.journeys.items()
        if journey.arrivals.get(journey.author) == journey.born_us
    )
    step = max(1, -(-oracle.cost * len(journeys) // ORACLE_STEPS_MAX))
    robbed: dict[str, set[str]] = defaultdict(set)
    for node, records in evidence.taken.items():
        for record in records:
            robbed[record].add(node)
    pairs: list[Pair] = []
    nodes = list(world.nodes)
    for born_us, record_id, journey in journeys[::step]:
        earliest = oracle.arrivals(journey.author, born_us)
        without = robbed.get(record_id.hex(), set()) | {journey.author}
        arrivals = ((node, journey.arrivals.get(node)) for node in nodes)
        pairs += pairs_of(born_us, arrivals, earliest, without)
    return Spread(pairs, len(journeys), len(journeys[::step]))


def metrics_of(
    world: World, spread: Spread, evidence: Evidence
) -> tuple[dict[str, Metric], dict[str, object]]:
    """Return the metrics of a run, and the counts on which they rest."""
    tally = world.watch.marks.get("settled", world.watch.tally)
    speed, pairs = speed_of(spread)
    cost, frames = cost_of(
        tally,
        world.watch.marks.get("healed", Tally()),
        nodes=len(world.nodes),
        records=len(world.journeys) + len(world.gone),
        deliveries=sum(len(journey.arrivals) - 1 for journey in world.journeys.values()),
    )
    found = {**speed, **cost, "heal_excess": heal_excess(spread, last_heal_us(world))}
    found["redundancy_warm"] = redundancy_warm(
        world.journeys, world.watch.copies, nodes=len(world.nodes)
    )
    found["granted_in_cut"] = granted_in_cut(evidence)
    found["set_full"] = evidence.set_full.to_json() if evidence.facts.acknowledged else None
    found |= double_allocations(evidence)
    return {name: found[name] for name in METRICS}, {**pairs, **frames}


def redundancy_warm(
    journeys: Mapping[bytes, Journey], copies: Mapping[bytes, int], *, nodes: int
) -> float | None:
    """Return the redundancy of records whose author's tree had taken its shape before.

    Each author's first record finds its way along every link, and shows which of them to spare.

    Args:
        copies: how often nodes received each record.

    Returns:
        None if there is no such record.
    """
    settled_us: dict[str, int] = {}  # author -> since when a record of it had been everywhere
    received = wanted = 0
    for record_id, journey in sorted(journeys.items(), key=lambda item: item[1].born_us):
        if settled_us.get(journey.author, NEVER) + SHAPED_US <= journey.born_us:
            received += copies.get(record_id, 0)
            wanted += nodes - 1
        if len(journey.arrivals) == nodes:
            at_us = max(journey.arrivals.values())
            settled_us[journey.author] = min(settled_us.get(journey.author, NEVER), at_us)
    return round(received / wanted - 1, 3) if wanted else None


def last_heal_us(world: World) -> int | None:
    """Return when the last cut ended, None if there was none, or one never ended."""
    plan, facts = world.plan, world.facts
    if not plan.cuts or not all(cut.is_lifted for cut in facts.cuts.values()):
        return None
    return world.began_us + max(cut.until_ms for cut in plan.cuts) * MS


def caught_up_ms(world: World) -> int | None:
    """Return how long after the last heal each node held all that was on any disk at that moment.

    None if some node never did, or if there was no heal.
    """
    healed_us = last_heal_us(world)
    if healed_us is None or not all(node.is_up for node in world.nodes.values()):
        return None
    last_us = healed_us
    for journey in world.journeys.values():
        if journey.born_us <= healed_us:
            if len(journey.arrivals) < len(world.nodes):
                return None
            last_us = max(last_us, *journey.arrivals.values())
    return (last_us - healed_us) // MS
