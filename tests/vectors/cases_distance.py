"""Vectors of section 8.6.2: metres between coarse places, with what comes up on the way."""

import random
from dataclasses import asdict

from mycelia_protocol.sharing.distance import legs, metres_between
from mycelia_protocol.types.place import CELL_MAX_E7, CELL_MIN_E7, Place
from vectors.suite import Suite, plain

NOTES = {
    "Same": "The same middle: 0 m.",
    "City": "Some kilometres, as in most decisions.",
    "Turn": "The short way round at 180 degrees.",
    "Pole": "Where the cosine's table ends.",
    "Table": "A mean latitude of a whole degree, or next to one.",
    "Cell": "Cells of different sizes: their middles count.",
    "Cap": "As far as two places can be: the result is cut, the intermediates are largest.",
}
RIVER = Place(449_700_000, -932_700_000, 100_000)
EDGE = 1_800_000_000


def build() -> Suite:
    """Return the suite."""
    suite = Suite("distance", NOTES)
    _add(suite, "a place and itself", RIVER, RIVER, "Same")
    for lat, lon in ((4_498, -9_327), (4_497, -9_313), (4_508, -9_270)):
        _add(
            suite, "across the river", RIVER, Place(lat, lon // 100_000 * 100_000, 100_000), "City"
        )
    for sign in (1, -1):
        at = Place(sign * 449_700_000, sign * -932_700_000, 100_000)
        there = Place(at.lat_e7 + 300_000, at.lon_e7 - 1_200_000, 100_000)
        _add(suite, "north and south of the equator alike", at, there, "City")
    _add_turns(suite)
    _add_cosines(suite)
    for cell in (200_000, 1_000_000, CELL_MAX_E7):
        other = Place(RIVER.lat_e7 // cell * cell, RIVER.lon_e7 // cell * cell, cell)
        _add(suite, f"the cell of {cell} around a place", RIVER, other, "Cell")
    south = Place(-900_000_000, 0, CELL_MIN_E7)
    north = Place(900_000_000, EDGE, CELL_MAX_E7)
    _add(suite, "pole to pole, half round", south, north, "Cap")
    _add(suite, "half round the equator", Place(0, 0, 100_000), Place(0, EDGE, 100_000), "Cap")
    _add(suite, "farther than half round", Place(-(10**8), 0, 10**8), Place(0, EDGE, 10**8), "Cap")
    _add_random(suite)
    return suite


def _add_turns(suite: Suite) -> None:
    for lon_one, lon_other in ((EDGE - 100_000, -EDGE), (EDGE, -EDGE), (-EDGE, 900_000_000)):
        one, other = Place(100_000, lon_one, 100_000), Place(500_000, lon_other, 100_000)
        _add(suite, "around the date line", one, other, "Turn")
        _add(suite, "around the date line, the other way", other, one, "Turn")
    wide = Place(0, EDGE, CELL_MAX_E7)
    _add(suite, "a middle beyond 180 degrees", wide, Place(0, -EDGE, 100_000), "Turn", "Cell")


def _add_cosines(suite: Suite) -> None:
    for degree in (0, 1, 30, 45, 60, 75, 89, 90):
        middle = degree * 10_000_000 - 50_000  # so that the middle of the cell is on the degree
        one = Place(middle, 0, 100_000)
        flags = ("Table", "Pole") if degree > 80 else ("Table",)
        _add(suite, f"a degree along {degree} degrees", one, Place(middle, 10**7, 100_000), *flags)
    for lat in (899_900_000, 899_000_000, -899_900_000, -900_000_000):
        one, other = Place(lat, 0, 100_000), Place(lat, 900_000_000, 100_000)
        _add(suite, "a quarter round, at a pole", one, other, "Pole")


def _add_random(suite: Suite) -> None:
    rng = random.Random("distance")
    for _ in range(24):
        cell = rng.choice((100_000, 100_000, 1_000_000))
        lat, lon = rng.randint(-899, 899) * 1_000_000, rng.randint(-1_799, 1_799) * 1_000_000
        reach = rng.choice((3, 30, 300))
        north, east = rng.randint(-reach, reach), rng.randint(-reach, reach)
        other = Place(
            max(-900_000_000, min(900_000_000, lat + north * cell)),
            max(-EDGE, min(EDGE, lon + east * cell)),
            cell,
        )
        _add(suite, "drawn", Place(lat, lon, cell), other, "City")


def _add(suite: Suite, comment: str, one: Place, other: Place, *flags: str) -> None:
    """Add one case."""
    inputs = {"one": plain(asdict(one)), "other": plain(asdict(other))}
    found = {**legs(one, other)._asdict(), "metres": metres_between(one, other)}
    steps = {name: plain(value) for name, value in found.items()}
    suite.valid(comment, "DIST-1", inputs, steps, *flags)
