"""Keeps what the monitor saw, for the timeline: samples, and when each record was seen where first.

A node is asked every half second, so an arrival is known to that half second and no better. It
stands in where nobody heard the node itself tell of it; see `ears.py`.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

from mycelia_sim.live.ears import Place
from mycelia_sim.live.monitor import Snapshot
from mycelia_sim.timeline import Sample

LogKey = tuple[str, str]


class Chronicle:
    """Takes every snapshot of a run.

    Args:
        nodes: ids, in the order of the plan.

    Attributes:
        seen: place of a record -> node -> monotonic seconds of the first look that found it there.
    """

    def __init__(self, nodes: Sequence[str]) -> None:
        self._nodes = list(nodes)
        self._looks: list[tuple[float, int, list[int | None], list[int | None], int]] = []
        self.seen: dict[Place, dict[str, float]] = defaultdict(dict)
        self._known: dict[str, dict[LogKey, int]] = defaultdict(dict)

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
        for node, view in views.items():
            self._arrived(node, view.extents, snapshot.at_s)

    def _arrived(self, node: str, extents: Mapping[LogKey, int], at_s: float) -> None:
        """Take note of the records that a node holds since the last look."""
        known = self._known[node]
        for log, count in extents.items():
            for seq in range(known.get(log, 0), count):
                self.seen[*log, seq].setdefault(node, at_s)
            known[log] = max(count, known.get(log, 0))

    def samples(self, began_s: float) -> tuple[Sample, ...]:
        """Return what was seen since `began_s` (monotonic seconds)."""
        return tuple(
            Sample(round((at_s - began_s) * 1000), union, tuple(have), tuple(links), agreeing)
            for at_s, union, have, links, agreeing in self._looks
            if at_s >= began_s
        )
