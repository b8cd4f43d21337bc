"""Distance: near the great circle, the same both ways, and small enough for doubles."""

import math
from itertools import product
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from mycelia_protocol.limits import INT_MAX, METRES_MAX
from mycelia_protocol.sharing.distance import COSINES, cosine_e7, metres_between
from mycelia_protocol.types.place import (
    CELL_MAX_E7,
    CELL_MIN_E7,
    LATITUDE_MAX_E7,
    LONGITUDE_MAX_E7,
    Place,
)
from support.tracked import Tracked

EARTH_M = 6_371_008.8

places = st.builds(
    Place,
    st.integers(-LATITUDE_MAX_E7, LATITUDE_MAX_E7),
    st.integers(-LONGITUDE_MAX_E7, LONGITUDE_MAX_E7),
    st.integers(CELL_MIN_E7, CELL_MAX_E7),
)


def great_circle(one: Place, other: Place) -> float:
    """Return the haversine distance of the middles of two cells."""
    lat, lon, lat_other, lon_other = (
        math.radians((corner + place.cell_e7 // 2) / 1e7)
        for place in (one, other)
        for corner in (place.lat_e7, place.lon_e7)
    )
    square = (
        math.sin((lat - lat_other) / 2) ** 2
        + math.cos(lat) * math.cos(lat_other) * math.sin((lon - lon_other) / 2) ** 2
    )
    return 2 * EARTH_M * math.asin(math.sqrt(square))


def test_the_table_is_the_cosine() -> None:
    """91 rows, each the cosine of a whole degree times 10,000, rounded."""
    assert list(COSINES) == [round(10_000 * math.cos(math.radians(d))) for d in range(91)]
    assert cosine_e7(0) == 10_000_000
    assert cosine_e7(900_000_000) == 0


@given(
    st.integers(-700_000_000, 700_000_000),
    st.integers(-1_800_000_000, 1_800_000_000),
    st.integers(-900_000, 900_000),
    st.integers(-900_000, 900_000),
)
def test_within_a_city_it_is_the_great_circle(lat: int, lon: int, north: int, east: int) -> None:
    """Up to 70 degrees of latitude and 14 km: less than 0.03 % and 3 m off the great circle."""
    one = Place(lat, lon, 100_000)
    other = Place(lat + north, max(-1_800_000_000, min(1_800_000_000, lon + east)), 100_000)
    exact = great_circle(one, other)
    assert abs(metres_between(one, other) - exact) <= exact / 3_333 + 3


def test_within_a_region_it_is_the_great_circle() -> None:
    """Around 140 km, at latitudes up to 70: the error is below 0.03 % in every direction."""
    worst = 0.0
    for lat, turn in product(range(0, 71, 2), range(0, 360, 15)):
        bearing = math.radians(turn)
        north = math.cos(bearing) * 140_000 / EARTH_M
        east = math.sin(bearing) * 140_000 / EARTH_M / math.cos(math.radians(lat))
        one = Place(lat * 10_000_000, 0, 100_000)
        other = Place(
            one.lat_e7 + round(math.degrees(north) * 1e7),
            round(math.degrees(east) * 1e7),
            100_000,
        )
        exact = great_circle(one, other)
        worst = max(worst, abs(metres_between(one, other) - exact) / exact)
    assert worst < 0.0003


@given(places, places)
def test_it_is_a_distance(one: Place, other: Place) -> None:
    """Symmetric, 0 to oneself, never negative, never more than half way round the world."""
    assert metres_between(one, other) == metres_between(other, one)
    assert metres_between(one, one) == 0
    assert 0 <= metres_between(one, other) <= METRES_MAX


def test_across_the_date_line() -> None:
    """Two places a cell apart on both sides of 180 degrees are a kilometre apart."""
    one = Place(0, 1_799_900_000, 100_000)
    assert metres_between(one, Place(0, -1_800_000_000, 100_000)) == 1_110
    assert metres_between(one, Place(0, 1_800_000_000, 100_000)) == 1_110


def test_the_middle_of_a_cell_counts() -> None:
    """The coarse cell around a fine one is not farther away because its corner is."""
    fine = Place(449_500_000, -932_500_000, 100_000)
    coarse = Place(449_000_000, -933_000_000, 1_000_000)
    assert metres_between(fine, coarse) < 700


def test_no_intermediate_reaches_2_to_the_53() -> None:
    """At all corners of what a record may carry, no number on the way is beyond a double."""
    lats: list[Any] = [-LATITUDE_MAX_E7, -1, 0, 1, LATITUDE_MAX_E7]
    lons: list[Any] = [-LONGITUDE_MAX_E7, 0, LONGITUDE_MAX_E7]
    cells: list[Any] = [CELL_MIN_E7, CELL_MAX_E7]
    with Tracked.watch() as seen:
        for a, b, c, d, e, f in product(lats, lats, lons, lons, cells, cells):
            one = Place(Tracked(a), Tracked(c), Tracked(e))
            metres_between(one, Place(Tracked(b), Tracked(d), Tracked(f)))
    assert seen.count > 10_000
    assert 10**14 < seen.largest <= INT_MAX
