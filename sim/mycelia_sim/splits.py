"""Which parts of the network are cut off from each other just now, in few words for progress."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from mycelia_sim.plan import Cut, Plan

SPLITS_MAX: Final = 2  # told one by one
GROUPS_MAX: Final = 6


class Splits:
    """Tells of one plan what is split."""

    def __init__(self, plan: Plan) -> None:
        self._cuts: Final = [cut for cut in plan.cuts if cut.mode != "delay"]
        self._sides: Final[dict[frozenset[str], str]] = {}
        for side in sorted({node.side for node in plan.nodes}):
            members = frozenset(node.id for node in plan.nodes if node.side == side)
            self._sides[members] = side
        self._names: Final[dict[str, str]] = {}  # cut -> its groups

    def words(self, at_ms: int, on: Collection[str] | None = None) -> str:
        """Return what is split, as in "split west|east" or "split n07|19 nodes, 8 links"; or "".

        Args:
            at_ms: of the workload.
            on: ids of the cuts that hold, where that is known; else those that are planned then.
        """
        if on is None:
            on = {cut.id for cut in self._cuts if cut.at_ms <= at_ms < cut.until_ms}
        cuts = [cut for cut in self._cuts if cut.id in on]
        parting = [self._parts(cut) for cut in cuts if len(cut.groups) > 1]
        links = {frozenset(pair) for cut in cuts for pair in cut.links}
        words = parting[:SPLITS_MAX]
        words += [f"{len(parting) - SPLITS_MAX} more"] if len(parting) > SPLITS_MAX else []
        words += [f"{len(links)} link{'s' * (len(links) > 1)}"] if links else []
        return f"split {', '.join(words)}" if words else ""

    def _parts(self, cut: Cut) -> str:
        """Name the groups of a cut; of a one-way cut, who is not heard by whom."""
        if cut.id not in self._names:
            names = [self._group(group) for group in cut.groups[:GROUPS_MAX]]
            more = len(cut.groups) - GROUPS_MAX
            names += [f"{more} more"] if more > 0 else []
            first, *others = names
            self._names[cut.id] = f"{first}>{','.join(others)}" if cut.oneway else "|".join(names)
        return self._names[cut.id]

    def _group(self, group: tuple[str, ...]) -> str:
        """Name some nodes: by their side if they are all of it, by their id, by their number."""
        side = self._sides.get(frozenset(group))
        if side is not None:
            return side
        return group[0] if len(group) == 1 else f"{len(group)} nodes"
