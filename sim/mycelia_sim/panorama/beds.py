"""Plants of the garden: one node each, or from some hundred nodes on a bed of neighbours each.

A bed never mixes banks of the river or groups of a partition, so that it can wilt as one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from mycelia_sim.panorama.layout import Point, River, place, spread
from mycelia_sim.sites import RIVER_LONGITUDE
from mycelia_sim.timeline import Node, Timeline

PLANTS_MAX: Final = 160  # more would hide each other, and be slow to draw without a GPU
BEDS_MAX: Final = 96  # a bed is wider than a plant
GRID_MAX: Final = 14
LINKS_MAX: Final = 420  # the strongest ones; more would be a grey cloud
BED_LINKS_MAX: Final = 150


@dataclass(frozen=True, slots=True)
class Plant:
    """One plant: who it is, where it stands and which nodes (indices) it speaks for."""

    name: str
    place: str
    side: str
    u: float
    v: float
    members: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Link:
    """A link between two plants (indices), and when it was cut (ms from, ms until)."""

    one: int
    other: int
    cuts: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Garden:
    """All that stands still during a run."""

    plants: tuple[Plant, ...]
    links: tuple[Link, ...]
    river: River | None

    @property
    def is_grouped(self) -> bool:
        """Return whether plants are beds of several nodes."""
        return any(len(plant.members) > 1 for plant in self.plants)


@dataclass(frozen=True, slots=True)
class _Cut:
    """When links are cut, and which."""

    span: tuple[int, int]
    group_of: dict[str, int]
    links: frozenset[frozenset[str]]

    def holds(self, pair: tuple[str, str]) -> bool:
        """Return whether the link between two nodes is cut."""
        one, other = (self.group_of.get(node) for node in pair)
        is_parted = one is not None and other is not None and one != other
        return is_parted or frozenset(pair) in self.links


def grow(timeline: Timeline) -> Garden:
    """Place all nodes and draw the links between them."""
    nodes = timeline.nodes
    points, river = place(nodes)
    groups = _beds(timeline, points)
    middles = [
        (sum(points[n][0] for n in bed) / len(bed), sum(points[n][1] for n in bed) / len(bed))
        for bed in groups
    ]
    is_west = [nodes[bed[0]].lon < RIVER_LONGITUDE for bed in groups]
    placed = spread(middles, is_west, river)
    plants = tuple(
        _plant([nodes[n] for n in bed], bed, point)
        for bed, point in zip(groups, placed, strict=True)
    )
    return Garden(plants, _links(timeline, plants), river)


def _beds(timeline: Timeline, points: Sequence[Point]) -> list[tuple[int, ...]]:
    """Return the nodes of each plant, by index."""
    nodes = timeline.nodes
    if len(nodes) <= PLANTS_MAX:
        return [(n,) for n in range(len(nodes))]
    group_of = _group_of(timeline)
    beds: dict[tuple[object, ...], list[int]] = {}
    for grid in range(GRID_MAX, 0, -1):
        beds = {}
        for n, (node, (u, v)) in enumerate(zip(nodes, points, strict=True)):
            bank = node.lon < RIVER_LONGITUDE
            cell = (node.side, bank, group_of[n], int(u * grid), int(v * grid))
            beds.setdefault(cell, []).append(n)
        if len(beds) <= BEDS_MAX:
            break
    return [tuple(bed) for bed in beds.values()]


def _group_of(timeline: Timeline) -> list[tuple[int, ...]]:
    """Return for each node in which group of the longest partitions it stood."""
    index = {node.id: n for n, node in enumerate(timeline.nodes)}
    parted = sorted(
        (fault for fault in timeline.faults if len(fault.groups) > 1),
        key=lambda fault: fault.at_ms - fault.until_ms,
    )[:1]
    result: list[tuple[int, ...]] = [()] * len(timeline.nodes)
    for fault in parted:
        of = {index[node]: g for g, group in enumerate(fault.groups) for node in group}
        result = [(*found, of.get(n, -1)) for n, found in enumerate(result)]
    return result


def _plant(nodes: list[Node], members: tuple[int, ...], point: Point) -> Plant:
    u, v = round(point[0], 4), round(point[1], 4)
    if len(nodes) == 1:
        node = nodes[0]
        return Plant(node.name, node.district, node.side, u, v, members)
    district = Counter(node.district for node in nodes).most_common(1)[0][0]
    name = f"{len(nodes)} nodes around {district}"
    return Plant(name, district, nodes[0].side, u, v, members)


def _links(timeline: Timeline, plants: Sequence[Plant]) -> tuple[Link, ...]:
    """Return the links between different plants, the strongest first and not too many."""
    index = {node.id: n for n, node in enumerate(timeline.nodes)}
    plant_of = {n: p for p, plant in enumerate(plants) for n in plant.members}
    weights: Counter[tuple[int, int]] = Counter()
    sample_of: dict[tuple[int, int], tuple[str, str]] = {}
    for dialer, listener in timeline.links:
        pair = sorted((plant_of[index[dialer]], plant_of[index[listener]]))
        key = (pair[0], pair[1])
        if key[0] != key[1]:
            weights[key] += 1
            sample_of.setdefault(key, (dialer, listener))
    parted = _parted(timeline)
    most = LINKS_MAX if len(plants) == len(timeline.nodes) else BED_LINKS_MAX
    return tuple(
        Link(*key, tuple(cut.span for cut in parted if cut.holds(sample_of[key])))
        for key, _ in weights.most_common(most)
    )


def _parted(timeline: Timeline) -> list[_Cut]:
    """Return every fault that cuts links: when, between which groups, and which single ones."""
    return [
        _Cut(
            (fault.at_ms, fault.until_ms),
            {node: g for g, group in enumerate(fault.groups) for node in group},
            frozenset(frozenset(link) for link in fault.links),
        )
        for fault in timeline.faults
        if len(fault.groups) > 1 or fault.links
    ]
