"""Keeps what the monitor saw, for the timeline: samples, and how long records took to others.

A node is asked every half second, so an arrival is known to that half second and no better; the
timeline says so. An author holds its own record at once, and is not counted.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from mycelia_sim.live.monitor import POLL_INTERVAL_S, Snapshot
from mycelia_sim.storyline import Look
from mycelia_sim.timeline import Latency, Sample

WINDOW_MS: Final = 1_000  # shortest window of records whose latencies are told together
WINDOWS_MAX: Final = 60

LogKey = tuple[str, str]


class Chronicle:
    """Takes every snapshot of a run.

    Args:
        nodes: ids, in the order of the plan.
        author_of: gives a node's key as its logs name it; called once the keys are known.
    """

    def __init__(self, nodes: Sequence[str], author_of: Callable[[str], str]) -> None:
        self._nodes = list(nodes)
        self._author_of = author_of
        self._looks: list[tuple[float, int, list[int | None], list[int | None], int]] = []
        self._born_s: dict[LogKey, list[float]] = defaultdict(list)
        self._known: dict[str, dict[LogKey, int]] = defaultdict(dict)
        self._waits: dict[tuple[LogKey, int], list[float]] = defaultdict(list)

    def note(self, snapshot: Snapshot, peers: Mapping[str, int]) -> None:
        """Take one snapshot; `peers` are the numbers of links that nodes told last."""
        views = snapshot.views
        union = snapshot.union()
        have = [views[n].records if n in views else None for n in self._nodes]
        links = [peers.get(n) if n in views else None for n in self._nodes]
        digests = Counter(view.digest for view in views.values())
        total = max([sum(union.values()), *(count for count in have if count is not None)])
        agreeing = max(digests.values(), default=0)
        self._looks.append((snapshot.at_s, total, have, links, agreeing))
        for log, count in union.items():
            born_s = self._born_s[log]
            born_s.extend([snapshot.at_s] * (count - len(born_s)))
        for node, view in views.items():
            self._arrived(node, view.extents, snapshot.at_s)

    def _arrived(self, node: str, extents: Mapping[LogKey, int], at_s: float) -> None:
        """Take note of the records that a node holds since the last look."""
        known, author = self._known[node], self._author_of(node)
        for log, count in extents.items():
            for seq in range(known.get(log, 0), count):
                if log[0] != author:
                    self._waits[log, seq].append(at_s - self._born_s[log][seq])
            known[log] = max(count, known.get(log, 0))

    def look(self, began_s: float) -> Look | None:
        """Return what was seen since `began_s` (monotonic seconds), None if nothing was."""
        kept = [look for look in self._looks if look[0] >= began_s]
        if not kept:
            return None
        samples = tuple(
            Sample(round((at_s - began_s) * 1000), union, tuple(have), tuple(links), agreeing)
            for at_s, union, have, links, agreeing in kept
        )
        return Look(
            samples, self._latency(began_s, samples[-1].t_ms), round(POLL_INTERVAL_S * 1000)
        )

    def _latency(self, began_s: float, end_ms: int) -> tuple[Latency, ...]:
        """Return percentiles over all (record, node) pairs, by when a record was first seen."""
        window_ms = max(WINDOW_MS, -(-end_ms // WINDOWS_MAX))
        waits: dict[int, list[float]] = defaultdict(list)
        wanted: Counter[int] = Counter()
        for log, times in self._born_s.items():
            for seq, born_s in enumerate(times):
                window = int((born_s - began_s) * 1000 // window_ms)
                if born_s >= began_s:
                    wanted[window] += len(self._nodes) - 1
                    waits[window] += self._waits.get((log, seq), [])
        return tuple(
            _percentiles(window * window_ms, sorted(waits[window]), wanted[window])
            for window in range(end_ms // window_ms + 1)
        )


def _percentiles(t_ms: int, waits: list[float], wanted: int) -> Latency:
    """Return three percentiles of `wanted` waits; those that never ended count as endless."""

    def rank(hundredths: int) -> int | None:
        at = -(-wanted * hundredths // 100) - 1
        return round(waits[at] * 1000) if 0 <= at < len(waits) else None

    return Latency(t_ms, rank(50), rank(90), rank(99), None, None)
