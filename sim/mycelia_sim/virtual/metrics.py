"""How fast records spread in a virtual run, how fast they could have, and what it cost.

Every latency is also told as stretch over the earliest possible arrival under the same faults. For
large runs the oracle is asked about some of the records, evenly over time, and the counts say so.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from mycelia_sim.measured import Metric, percentile, summary_of
from mycelia_sim.timeline import Latency
from mycelia_sim.virtual.loop import MS
from mycelia_sim.virtual.oracle import NEVER
from mycelia_sim.virtual.schedule import oracle_of
from mycelia_sim.virtual.watch import PAYLOAD, Tally

if TYPE_CHECKING:
    from mycelia_sim.evidence import Evidence
    from mycelia_sim.virtual.custody import Journey
    from mycelia_sim.virtual.world import World

ORACLE_STEPS_MAX: Final = 4_000_000  # some seconds
WINDOWS_MAX: Final = 60
WINDOW_MS_MIN: Final = 1_000
RECONCILING: Final = ("heads", "want", "records")


@dataclass(frozen=True, slots=True)
class Pair:
    """One record and one node that is not its author; all times in virtual us.

    Attributes:
        at_us: when it was on the node's disk, None if never.
        earliest_us: when it could have been.
    """

    born_us: int
    at_us: int | None
    earliest_us: int


@dataclass(frozen=True, slots=True)
class Spread:
    """How the sampled records spread.

    Attributes:
        records: journeys that could be sampled.
        sampled: those that were.
    """

    pairs: list[Pair]
    records: int
    sampled: int


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
        pairs += _pairs(journey, nodes, earliest, without)
    return Spread(pairs, len(journeys), len(journeys[::step]))


def _pairs(
    journey: Journey, nodes: list[str], earliest: list[int], without: set[str]
) -> Iterator[Pair]:
    arrivals, born_us = journey.arrivals, journey.born_us
    for node, earliest_us in zip(nodes, earliest, strict=True):
        if node not in without:
            yield Pair(born_us, arrivals.get(node), earliest_us)


def metrics_of(world: World, spread: Spread) -> tuple[dict[str, Metric], dict[str, object]]:
    """Return the metrics of a run, and the counts on which they rest."""
    came = [pair for pair in spread.pairs if pair.at_us is not None]
    latencies = sorted(((pair.at_us or 0) - pair.born_us) / MS for pair in came)
    stretches = sorted(_stretch(pair) for pair in came if pair.earliest_us > pair.born_us)
    tally = world.watch.marks.get("settled", world.watch.tally)
    nodes, records = len(world.nodes), len(world.journeys) + len(world.gone)
    deliveries = sum(len(journey.arrivals) - 1 for journey in world.journeys.values())
    payloads = tally.records.total()
    control = sum(size for name, size in tally.bytes.items() if name not in PAYLOAD)
    wanted = records * (nodes - 1)
    metrics: dict[str, Metric] = {
        "latency": summary_of(latencies, 1),
        "stretch": summary_of(stretches, 3),
        "redundancy": round(payloads / wanted - 1, 3) if wanted else None,
        "control_bytes": round(control / (records * nodes), 1) if records else None,
        "heal_excess": _heal_excess(world, spread),
        "bytes_per_difference": _bytes_per_difference(world, tally),
        "verifications_per_record": (
            round(tally.verifications / deliveries, 3) if deliveries else None
        ),
    }
    counts: dict[str, object] = {
        "records": spread.records,
        "records_sampled": spread.sampled,
        "pairs": len(spread.pairs),
        "pairs_undelivered": len(spread.pairs) - len(came),
        "pairs_before_oracle": sum((pair.at_us or 0) < pair.earliest_us for pair in came),
        "frames": dict(sorted(tally.frames.items())),
        "bytes": dict(sorted(tally.bytes.items())),
        "verifications": tally.verifications,
    }
    return metrics, counts


def _stretch(pair: Pair) -> float:
    assert pair.at_us is not None
    return (pair.at_us - pair.born_us) / (pair.earliest_us - pair.born_us)


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


def _heal_excess(world: World, spread: Spread) -> float | None:
    """Return how much later (ms) than it had to be all was everywhere after the last heal."""
    healed_us = last_heal_us(world)
    if healed_us is None:
        return None
    last_us = earliest_us = healed_us
    for pair in spread.pairs:
        if pair.born_us <= healed_us and pair.earliest_us < NEVER:
            if pair.at_us is None:
                return None
            last_us = max(last_us, pair.at_us)
            earliest_us = max(earliest_us, pair.earliest_us)
    return round((last_us - earliest_us) / MS, 1)


def _bytes_per_difference(world: World, tally: Tally) -> float | None:
    """Return what reconciling after the last heal took for each record that came by it."""
    before = world.watch.marks.get("healed", Tally())
    records = tally.records["records"] - before.records["records"]
    size = sum(tally.bytes[name] - before.bytes[name] for name in RECONCILING)
    return round(size / records, 1) if records > 0 else None


def series(world: World, spread: Spread) -> tuple[Latency, ...]:
    """Return latency and stretch of records by when they were born."""
    length_ms = max(1, world.elapsed_ms)
    window_ms = max(WINDOW_MS_MIN, -(-length_ms // WINDOWS_MAX))
    windows: dict[int, list[Pair]] = defaultdict(list)
    for pair in spread.pairs:
        windows[max(0, pair.born_us - world.began_us) // MS // window_ms].append(pair)
    return tuple(
        _window(number * window_ms, windows.get(number, []))
        for number in range(length_ms // window_ms + 1)
    )


def _window(at_ms: int, pairs: list[Pair]) -> Latency:
    """Return the percentiles of one window; what never arrived counts as endless."""
    waits = sorted((p.at_us - p.born_us) / MS for p in pairs if p.at_us is not None)
    endless = [float("inf")] * (len(pairs) - len(waits))
    stretches = sorted(
        _stretch(p) for p in pairs if p.at_us is not None and p.earliest_us > p.born_us
    )

    def rank(share: float) -> int | None:
        value = percentile([*waits, *endless], share) if pairs else float("inf")
        return None if value == float("inf") else round(value)

    def stretch(share: float) -> float | None:
        return round(percentile(stretches, share), 3) if stretches else None

    return Latency(at_ms, rank(0.5), rank(0.9), rank(0.99), stretch(0.5), stretch(0.99))
