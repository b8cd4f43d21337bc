"""The figures that are measured of each system, in the order in which tables show them."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from typing import Final, TypeAlias

Measured: TypeAlias = dict[str, float | None]  # figure -> value; None: it can't be measured here


@dataclass(frozen=True, slots=True)
class Figure:
    """One kind of figure.

    Attributes:
        name: its key in results.
        title: what it is, with its unit.
        more_is_better: whether a larger value is better.
        is_compared: whether the ratio to other systems is worth a row.
    """

    name: str
    title: str
    more_is_better: bool
    is_compared: bool = False


FIGURES: Final = (
    Figure("deliveries_per_cpu_s", "live: deliveries per CPU-second", True, True),
    Figure("checks_per_delivery", "live: CPU of a delivery, in signature checks", False),
    Figure("wire_bytes", "live: bytes on the wire per delivery", False, True),
    Figure("delivered", "live: delivered at full speed, %", True),
    Figure("records_per_s", "live: records per second to all", True),
    Figure("latency_p50_ms", "trickle: ms to the last reader, median", False, True),
    Figure("latency_p99_ms", "trickle: ms to the last reader, p99", False, True),
    Figure("catch_up_in_checks", "catch-up: records in the CPU of one signature check", True),
    Figure("catch_up_per_s", "catch-up: records per second", True, True),
    Figure("catch_up_per_cpu_s", "catch-up: records per CPU-second of both sides", True, True),
    Figure("catch_up_wire_bytes", "catch-up: bytes on the wire per record", False),
    Figure("start_cpu_s", "CPU-seconds of a start", False),
    Figure("rest_cpu_percent", "CPU at rest, % of a core per node", False),
    Figure("rss_mib", "memory of a node after the live job, MiB", False),
)


@dataclass(frozen=True, slots=True)
class Spread:
    """What several runs gave.

    Attributes:
        middle: the median.
        least, most: the ends.
        runs: of how many.
    """

    middle: float
    least: float
    most: float
    runs: int


def percentile(values: list[float], percent: int) -> float:
    """Return the smallest value that so many percent of all don't exceed."""
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * percent // 100) - 1)]


def spread_of(values: list[float]) -> Spread | None:
    """Return the median and the ends, or None of nothing."""
    if not values:
        return None
    return Spread(median(values), min(values), max(values), len(values))


def spread_in(runs: list[Measured], name: str) -> Spread | None:
    """Return the spread of one figure over the runs that have it."""
    return spread_of([value for run in runs if (value := run.get(name)) is not None])


def ratio_in(figure: Figure, ours: list[Measured], theirs: list[Measured]) -> Spread | None:
    """Return how many times better we are, run by run: beyond 1 we win.

    Only the same run of both is compared, since the machine is another one some minutes later.
    """
    ratios: list[float] = []
    for our_run, their_run in zip(ours, theirs, strict=False):
        our, their = our_run.get(figure.name), their_run.get(figure.name)
        if our and their:
            ratios.append(our / their if figure.more_is_better else their / our)
    return spread_of(ratios)
