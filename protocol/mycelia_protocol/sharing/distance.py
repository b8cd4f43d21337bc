"""Metres between two coarse places, in integers alone. Spec: section 8.6.2, DIST-1 to DIST-4.

The earth is unrolled around the mean latitude of both places: north-south distance is degrees times
111,195 m, east-west distance the same times the cosine of that latitude. Up to 140 km and up to 70
degrees of latitude this is within 0.03 % and 3 m of the great circle on a sphere of 6,371,008.8 m;
places are coarse by a kilometre anyhow. What counts is that everybody gets the same integer, for
which no library of trigonometric functions can be trusted.
"""

from math import isqrt
from typing import Final, NamedTuple, Protocol

from mycelia_protocol.limits import METRES_MAX

DEGREE_E7: Final = 10_000_000
POLE_E7: Final = 90 * DEGREE_E7
ROUND_E7: Final = 360 * DEGREE_E7
METRES_PER_DEGREE: Final = 111_195

# The cosine of 0, 1, ... 90 degrees, times 10,000.
# fmt: off
COSINES: Final = (
    10000, 9998, 9994, 9986, 9976, 9962, 9945, 9925, 9903, 9877, 9848, 9816, 9781, 9744, 9703,
    9659, 9613, 9563, 9511, 9455, 9397, 9336, 9272, 9205, 9135, 9063, 8988, 8910, 8829, 8746,
    8660, 8572, 8480, 8387, 8290, 8192, 8090, 7986, 7880, 7771, 7660, 7547, 7431, 7314, 7193,
    7071, 6947, 6820, 6691, 6561, 6428, 6293, 6157, 6018, 5878, 5736, 5592, 5446, 5299, 5150,
    5000, 4848, 4695, 4540, 4384, 4226, 4067, 3907, 3746, 3584, 3420, 3256, 3090, 2924, 2756,
    2588, 2419, 2250, 2079, 1908, 1736, 1564, 1392, 1219, 1045, 872, 698, 523, 349, 175, 0,
)
# fmt: on


class Cell(Protocol):
    """A coarse place: the south-west corner of a grid cell and its size, in 1e-7 degrees."""

    @property
    def lat_e7(self) -> int:
        """Latitude of the corner."""
        ...

    @property
    def lon_e7(self) -> int:
        """Longitude of the corner."""
        ...

    @property
    def cell_e7(self) -> int:
        """Size of the cell."""
        ...


class Legs(NamedTuple):
    """What a distance is made of, in the order of the calculation.

    Attributes:
        turn: difference of longitudes the short way round, 1e-7 degrees.
        north: north-south distance, m.
        along: east-west distance if both were at the equator, m.
        mid: absolute mean latitude, 1e-7 degrees.
        cosine: of that latitude, times 10^7.
        east: east-west distance, m.
    """

    turn: int
    north: int
    along: int
    mid: int
    cosine: int
    east: int


def legs(one: Cell, other: Cell) -> Legs:
    """Return north-south and east-west distance of the middles of two cells, and what they take."""
    lat_one, lat_other = _middle_latitude(one), _middle_latitude(other)
    turn = abs(one.lon_e7 + one.cell_e7 // 2 - other.lon_e7 - other.cell_e7 // 2) % ROUND_E7
    turn = min(turn, ROUND_E7 - turn)
    north = abs(lat_one - lat_other) * METRES_PER_DEGREE // DEGREE_E7
    along = turn * METRES_PER_DEGREE // DEGREE_E7
    mid = abs(lat_one + lat_other) // 2
    cosine = cosine_e7(mid)
    return Legs(turn, north, along, mid, cosine, along * cosine // 10_000_000)


def metres_between(one: Cell, other: Cell) -> int:
    """Return the distance of the middles of two cells, at most `METRES_MAX`.

    Symmetric; 0 for the same cell. Every intermediate is below 2^53, whatever a well-formed record
    may carry.
    """
    _, north, _, _, _, east = legs(one, other)
    return min(isqrt(north * north + east * east), METRES_MAX)


def cosine_e7(latitude_e7: int) -> int:
    """Return 10^7 times the cosine of 0 to 90 degrees, linear between the rows of the table."""
    degree, rest = divmod(latitude_e7, DEGREE_E7)
    if degree == 90:
        return 0
    return (COSINES[degree] * (DEGREE_E7 - rest) + COSINES[degree + 1] * rest) // 10_000


def _middle_latitude(place: Cell) -> int:
    return min(place.lat_e7 + place.cell_e7 // 2, POLE_E7)
