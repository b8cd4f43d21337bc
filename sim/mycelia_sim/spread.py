"""How fast records spread, and how fast they could have: pairs of a record and a node.

The same arithmetic for every backend; who was where when is for each of them to find out.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from mycelia_node.tally import Tally
from mycelia_sim.measured import Metric, percentile, summary_of
from mycelia_sim.timeline import Latency
from mycelia_sim.virtual.oracle import NEVER

US: Final = 1_000  # microseconds in a millisecond
WINDOWS_MAX: Final = 60
WINDOW_MS_MIN: Final = 1_000
PAYLOAD: Final = frozenset({"push", "records"})  # frames that carry records
RECONCILING: Final = ("digest", "buckets", "heads", "want", "records")


@dataclass(frozen=True, slots=True)
class Pair:
    """One record and one node that is not its author; all times in us of one clock.

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
        records: those that could be sampled.
        sampled: those that were.
    """

    pairs: list[Pair]
    records: int
    sampled: int


def pairs_of(
    born_us: int,
    arrivals: Iterable[tuple[str, int | None]],
    earliest: list[int],
    without: set[str],
) -> Iterator[Pair]:
    """Yield the pairs of one record.

    Args:
        arrivals: (node, when it came or None) for every node, in the order of `earliest`.
        without: nodes to leave out: the author, and who was robbed of it.
    """
    for (node, at_us), earliest_us in zip(arrivals, earliest, strict=True):
        if node not in without:
            yield Pair(born_us, at_us, earliest_us)


def speed_of(spread: Spread) -> tuple[dict[str, Metric], dict[str, object]]:
    """Return latency and stretch, and the counts on which they rest."""
    came = [pair for pair in spread.pairs if pair.at_us is not None]
    latencies = sorted(((pair.at_us or 0) - pair.born_us) / US for pair in came)
    stretches = sorted(_stretch(pair) for pair in came if pair.earliest_us > pair.born_us)
    metrics: dict[str, Metric] = {
        "latency": summary_of(latencies, 1),
        "stretch": summary_of(stretches, 3),
    }
    counts: dict[str, object] = {
        "records": spread.records,
        "records_sampled": spread.sampled,
        "pairs": len(spread.pairs),
        "pairs_undelivered": len(spread.pairs) - len(came),
        "pairs_before_oracle": sum((pair.at_us or 0) < pair.earliest_us for pair in came),
    }
    return metrics, counts


def cost_of(
    tally: Tally, healed: Tally, *, nodes: int, records: int, deliveries: int
) -> tuple[dict[str, Metric], dict[str, object]]:
    """Return what it cost to spread records, and the counts on which that rests.

    Args:
        tally: what all nodes received in the time that counts.
        healed: what of it they had received at the last heal.
        records: records written in that time; `deliveries` are those that came to other nodes.
    """
    payloads = tally.records.total()
    control = sum(size for name, size in tally.bytes.items() if name not in PAYLOAD)
    wanted = records * (nodes - 1)
    metrics: dict[str, Metric] = {
        "redundancy": round(payloads / wanted - 1, 3) if wanted else None,
        "control_bytes": round(control / (records * nodes), 1) if records else None,
        "bytes_per_difference": _bytes_per_difference(tally, healed),
        "verifications_per_record": (
            round(tally.verifications / deliveries, 3) if deliveries else None
        ),
    }
    counts: dict[str, object] = {
        "frames": dict(sorted(tally.frames.items())),
        "bytes": dict(sorted(tally.bytes.items())),
        "verifications": tally.verifications,
    }
    return metrics, counts


def _bytes_per_difference(tally: Tally, before: Tally) -> float | None:
    """Return what reconciling after the last heal took for each record that came by it."""
    records = tally.records["records"] - before.records["records"]
    size = sum(tally.bytes[name] - before.bytes[name] for name in RECONCILING)
    return round(size / records, 1) if records > 0 else None


def heal_excess(spread: Spread, healed_us: int | None) -> float | None:
    """Return how much later (ms) than it had to be all was everywhere after the last heal."""
    if healed_us is None:
        return None
    last_us = earliest_us = healed_us
    for pair in spread.pairs:
        if pair.born_us <= healed_us and pair.earliest_us < NEVER:
            if pair.at_us is None:
                return None
            last_us = max(last_us, pair.at_us)
            earliest_us = max(earliest_us, pair.earliest_us)
    return round((last_us - earliest_us) / US, 1)


def series(spread: Spread, began_us: int, length_ms: int) -> tuple[Latency, ...]:
    """Return latency and stretch of records by when they were born after the beginning."""
    length_ms = max(1, length_ms)
    window_ms = max(WINDOW_MS_MIN, -(-length_ms // WINDOWS_MAX))
    windows: dict[int, list[Pair]] = defaultdict(list)
    for pair in spread.pairs:
        windows[max(0, pair.born_us - began_us) // US // window_ms].append(pair)
    return tuple(
        _window(number * window_ms, windows.get(number, []))
        for number in range(length_ms // window_ms + 1)
    )


def _stretch(pair: Pair) -> float:
    assert pair.at_us is not None
    return (pair.at_us - pair.born_us) / (pair.earliest_us - pair.born_us)


def _window(at_ms: int, pairs: list[Pair]) -> Latency:
    """Return the percentiles of one window; what never arrived counts as endless."""
    waits = sorted((p.at_us - p.born_us) / US for p in pairs if p.at_us is not None)
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
