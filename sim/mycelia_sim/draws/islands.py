"""Islands: groups of neighbouring districts, as evenly filled as districts allow.

No island spans the river, unless there is only one. Each side is halved again and again along its
longer axis, between districts. There is nothing random in it: the same nodes give the same islands.
"""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass
from itertools import accumulate
from typing import Final

from mycelia_sim.errors import ScenarioError
from mycelia_sim.plan import PlanNode
from mycelia_sim.sites import SIDES

_COSINE: Final = math.cos(math.radians(45))  # a degree of longitude is so much shorter here


@dataclass(frozen=True, slots=True)
class _Place:
    """A district, or a part of one: where its middle is, and who stands there."""

    north: float
    east: float
    ids: tuple[str, ...]


def find_islands(nodes: tuple[PlanNode, ...], count: int) -> list[list[str]]:
    """Return `count` lists of node ids, none empty, from west to east.

    Raises: ScenarioError when there are more islands than nodes.
    """
    sides = [found for side in SIDES if (found := [n for n in nodes if n.side == side])]
    if count > len(nodes):
        raise ScenarioError(f"nodes.islands: {count} islands are more than {len(nodes)} nodes")
    if count == 1:
        return [[node.id for node in nodes]]
    shares = _shares([len(side) for side in sides], count)
    return [
        island
        for side, share in zip(sides, shares, strict=True)
        for island in _split(_places(side, share), share)
    ]


def _shares(sizes: list[int], count: int) -> list[int]:
    """Return how many of the islands lie on each side: by its size, at least one, no more."""
    if len(sizes) == 1:
        return [count]
    first = round(count * sizes[0] / sum(sizes))
    first = min(max(first, 1, count - sizes[1]), sizes[0], count - 1)
    return [first, count - first]


def _places(nodes: list[PlanNode], count: int) -> list[_Place]:
    """Return the districts; where they are too few, each node is a place by itself."""
    districts: dict[str, list[PlanNode]] = defaultdict(list)
    for node in nodes:
        districts[node.district].append(node)
    groups = list(districts.values())
    if len(groups) < count:
        groups = [[node] for node in nodes]
    return [
        _Place(
            sum(node.latitude for node in group) / len(group),
            sum(node.longitude for node in group) / len(group) * _COSINE,
            tuple(node.id for node in group),
        )
        for group in groups
    ]


def _split(places: list[_Place], count: int) -> list[list[str]]:
    """Halve the places until there are `count` parts."""
    if count == 1:
        return [sorted(one for place in places for one in place.ids)]
    easts, norths = [place.east for place in places], [place.north for place in places]
    is_wide = max(easts) - min(easts) >= max(norths) - min(norths)
    places = sorted(places, key=lambda place: (place.east if is_wide else -place.north, place.ids))
    here = count // 2
    cut = _best_cut([len(place.ids) for place in places], here, count)
    return _split(places[:cut], here) + _split(places[cut:], count - here)


def _best_cut(sizes: list[int], here: int, count: int) -> int:
    """Return after how many places to cut, so that the parts get their shares of the nodes."""
    before = list(accumulate(sizes, initial=0))
    wanted = before[-1] * here / count
    cuts = range(here, len(sizes) - (count - here) + 1)
    return min(cuts, key=lambda cut: abs(before[cut] - wanted))
