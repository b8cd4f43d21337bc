"""What a run cost and how fast it was, as summary.json tells it: the same keys on every backend.

What a backend can't see is null, never left out and never guessed.
"""

from __future__ import annotations

import resource
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Final, TypeAlias

from mycelia_sim.facts import Facts
from mycelia_sim.plan import Limit
from mycelia_sim.verdict import Check

Metric: TypeAlias = float | int | Mapping[str, float | int] | None

METRICS: Final = (
    "latency",  # ms from durable at the author to durable at a node, over (record, node) pairs
    "stretch",  # the same over the earliest that the faults of the run allowed
    "redundancy",  # copies of a record that a node received, less the one that it needs
    "redundancy_warm",  # the same of records whose author had been heard everywhere before
    "control_bytes",  # bytes of frames without records, per node and record
    "heal_excess",  # ms after the last heal until all was everywhere, less what had to be
    "bytes_per_difference",  # bytes of heads, WANTs and RECORDS per record that came by RECORDS
    "set_full",  # what became of acknowledged records, and how late, in ms
    "overcommitted_in_cut",  # things that honest nodes had promised twice as a partition ended
    "overcommitted_after",  # the same in the end
    "granted_in_cut",  # of what could be granted in partitions if all knew all: what was, per mille
    "verifications_per_record",  # signature checks per record that came to a node
)

# Why a figure is null, where it is.
UNMEASURED: Final = {
    "virtual_s": "time is real",
    "events": "time is real",
    "trace_digest": "time is real",
    "latency": "no record was seen to come from one node to another",
    "stretch": "no record was seen to come from one node to another over a link that takes time",
    "redundancy": "nobody wrote anything",
    "redundancy_warm": "no copies of single records were counted, or nobody wrote a second time",
    "control_bytes": "nobody wrote anything",
    "heal_excess": "no cut healed, or some record never came everywhere",
    "bytes_per_difference": "nothing came by reconciling after the last heal",
    "set_full": "nobody was told that anything is saved",
    "overcommitted_in_cut": "nothing was parted",
    "granted_in_cut": "no partition lasted while something was offered and asked for",
    "verifications_per_record": "no record came to another node",
}


def percentile(ordered: Sequence[float], share: float) -> float:
    """Return a percentile of numbers in order, by nearest rank; `share` is in (0, 1]."""
    return ordered[max(0, -(-len(ordered) * round(share * 1000) // 1000) - 1)]


def summary_of(ordered: Sequence[float], digits: int) -> dict[str, float | int] | None:
    """Return p50, p90, p99 and max of numbers in order, None if there are none."""
    if not ordered:
        return None
    found: dict[str, float | int] = {
        f"p{round(share * 100)}": round(percentile(ordered, share), digits)
        for share in (0.5, 0.9, 0.99)
    }
    return {**found, "max": round(ordered[-1], digits)}


@dataclass(frozen=True, slots=True)
class Measured:
    """Figures of one run; None where nobody could see.

    Attributes:
        cpu_s: of all processes of the run, judging left out.
        events: what happened in the virtual world.
        peak_rss_mib: of the process, or of the largest daemon.
        metrics: by the names in `METRICS`.
        counts: what the metrics rest on: pairs, samples, frames.
    """

    wall_s: float
    cpu_s: float
    peak_rss_mib: int
    virtual_s: float | None = None
    events: int | None = None
    trace_digest: str | None = None
    metrics: dict[str, Metric] = field(default_factory=lambda: dict.fromkeys(METRICS))
    counts: dict[str, object] = field(default_factory=dict)

    def to_json(self) -> dict[str, object]:
        """Return plain values for summary.json, with the reason of each one that is null."""
        values = asdict(self)
        figures = {**values, **self.metrics}
        missing = {name: why for name, why in UNMEASURED.items() if figures.get(name) is None}
        return {**values, "unmeasured": missing}


class Stopwatch:
    """Wall and CPU seconds since it was made, child processes that have ended included."""

    def __init__(self) -> None:
        self._wall_s, self._cpu_s = time.monotonic(), _cpu_s()

    @property
    def wall_s(self) -> float:
        """Wall seconds so far."""
        return round(time.monotonic() - self._wall_s, 3)

    @property
    def cpu_s(self) -> float:
        """CPU seconds so far."""
        return round(_cpu_s() - self._cpu_s, 3)


def _cpu_s() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def peak_rss_mib(*, of_children: bool = False) -> int:
    """Return the most memory that this process, or one of its children, ever held."""
    who = resource.RUSAGE_CHILDREN if of_children else resource.RUSAGE_SELF
    return resource.getrusage(who).ru_maxrss // 1024


def within_limits(limits: Sequence[Limit], metrics: Mapping[str, Metric], facts: Facts) -> Check:
    """Check the limits that a scenario sets to its metrics; what was not measured is unknown."""
    beyond: list[str] = []
    missing: list[str] = []
    for limit in limits:
        value = _look_up(limit.metric, metrics, facts)
        if value is None:
            missing.append(limit.metric)
        elif value > limit.value if limit.compare == "<=" else value < limit.value:
            beyond.append(f"{limit.metric} is {value:g}, not {limit.compare} {limit.value:g}")
    if beyond:
        return Check("within_limits", "liveness", "fail", "; ".join(beyond))
    if missing:
        detail = f"not measured: {', '.join(missing)}"
        return Check("within_limits", "liveness", "unknown", detail)
    detail = f"{len(limits)} metrics are within their limits"
    return Check("within_limits", "liveness", "pass", detail)


def _look_up(name: str, metrics: Mapping[str, Metric], facts: Facts) -> float | None:
    """Return a metric by its dotted name, in the unit of the summary."""
    if name == "converged_after_heal":
        return facts.caught_up_ms
    first, _, rest = name.partition(".")
    value = metrics.get(first)
    if isinstance(value, Mapping):
        return value.get(rest)
    return value
