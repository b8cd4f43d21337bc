"""Where plants stand: a map that keeps order and river but gives everybody room.

Sites crowd in the middle of a city and are rare at its edge. So each axis is half true distance
and half rank: who lives west of whom stays true, the crowd spreads, far suburbs come near. Then
plants that stand on each other push each other apart, and never over the river.

Positions are (u, v): 0 to 1 from west to east and from north to south.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from mycelia_sim.sites import RIVER_LONGITUDE
from mycelia_sim.timeline import Node

ASPECT: Final = 1.7  # width over height of the ground that distances are meant for
MARGIN: Final = 0.045
CLEARANCE: Final = 0.05  # free bank on each side of the river, in u
RANK_SHARE: Final = 0.6
TRIM: Final = 0.04  # share of sites at each end whose true distance counts no further
ROUNDS: Final = 80
GOLDEN_ANGLE: Final = math.pi * (3 - math.sqrt(5))
RIVER_STEPS: Final = 24
TWIN_CITIES_LATITUDE: Final = 45.0  # the river of the listing is drawn for sites near it alone

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class River:
    """The river's course: u at v = 0, 1/RIVER_STEPS, ... 1."""

    course: tuple[float, ...]

    def at(self, v: float) -> float:
        """Return u where the river is at v."""
        place = min(max(v, 0.0), 1.0) * RIVER_STEPS
        low = min(int(place), RIVER_STEPS - 1)
        share = place - low
        return self.course[low] * (1 - share) + self.course[low + 1] * share


def place(nodes: Sequence[Node]) -> tuple[list[Point], River | None]:
    """Return rough positions of nodes, some of which may coincide, and the river if one runs."""
    lons, lats = [node.lon for node in nodes], [node.lat for node in nodes]
    if max(lons) - min(lons) + max(lats) - min(lats) < 1e-6:
        return [_sunflower(n, len(nodes)) for n in range(len(nodes))], None
    east, north = _axis(lons), _axis(lats)
    points = [(east(node.lon), 1 - north(node.lat)) for node in nodes]
    has_river = min(lons) < RIVER_LONGITUDE < max(lons) and any(
        abs(lat - TWIN_CITIES_LATITUDE) < 1 for lat in lats
    )
    return points, _river(east(RIVER_LONGITUDE)) if has_river else None


def _axis(values: Sequence[float]) -> Callable[[float], float]:
    """Return the map of one axis to 0 .. 1: part distance, part rank."""
    ordered = sorted(values)
    trim = int(len(ordered) * TRIM)
    low, high = ordered[trim], ordered[-1 - trim]

    def position(value: float) -> float:
        rank = (bisect_left(ordered, value) + bisect_right(ordered, value)) / 2 / len(ordered)
        distance = (value - low) / (high - low) if high > low else rank
        return RANK_SHARE * rank + (1 - RANK_SHARE) * min(max(distance, 0.0), 1.0)

    return position


def _river(middle: float) -> River:
    """Return a gently winding course around u = `middle`, flowing from north to south."""
    steps = [n / RIVER_STEPS for n in range(RIVER_STEPS + 1)]
    return River(
        tuple(
            middle + 0.035 * math.sin(6.6 * v + 0.9) + 0.014 * math.sin(15 * v + 2.2) for v in steps
        )
    )


def _sunflower(n: int, count: int) -> Point:
    """Return a place on a spiral, for nodes of which nobody said where they are."""
    radius = 0.46 * math.sqrt((n + 0.5) / count)
    angle = n * GOLDEN_ANGLE
    return 0.5 + radius * math.cos(angle), 0.5 + radius * math.sin(angle)


def spread(points: Sequence[Point], sides: Sequence[bool], river: River | None) -> list[Point]:
    """Push plants apart until each has room; `sides` says who stands west of the river."""
    count = len(points)
    apart = 0.86 * math.sqrt(ASPECT / max(count, 1))
    placed = [
        (u + 1e-3 * math.cos(n * GOLDEN_ANGLE), v + 1e-3 * math.sin(n * GOLDEN_ANGLE))
        for n, (u, v) in enumerate(points)
    ]
    for _ in range(ROUNDS):
        placed = _push(placed, apart)
        placed = [
            _keep(point, is_west, river) for point, is_west in zip(placed, sides, strict=True)
        ]
    return placed


def _push(points: list[Point], apart: float) -> list[Point]:
    """Move every pair that stands too near half of what it lacks."""
    moved = [[u, v] for u, v in points]
    for one in range(len(moved)):
        for other in range(one + 1, len(moved)):
            dx = (moved[other][0] - moved[one][0]) * ASPECT
            dy = moved[other][1] - moved[one][1]
            if abs(dx) >= apart or abs(dy) >= apart:
                continue
            distance = math.hypot(dx, dy) or 1e-9
            lack = (apart - distance) * 0.25
            if lack > 0:
                step_u, step_v = lack * dx / distance / ASPECT, lack * dy / distance
                moved[one][0] -= step_u
                moved[one][1] -= step_v
                moved[other][0] += step_u
                moved[other][1] += step_v
    return [(u, v) for u, v in moved]


def _keep(point: Point, is_west: bool, river: River | None) -> Point:
    """Keep a plant in the frame and on its own bank."""
    u = min(max(point[0], MARGIN), 1 - MARGIN)
    v = min(max(point[1], MARGIN), 1 - MARGIN)
    if river is not None:
        middle = river.at(v)
        u = min(u, middle - CLEARANCE) if is_west else max(u, middle + CLEARANCE)
    return u, v
