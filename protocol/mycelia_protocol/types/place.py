"""Coarse places: E7 integers on a declared grid. Spec: section 7.1.4."""

from dataclasses import dataclass

from mycelia_protocol.encoding import Value
from mycelia_protocol.errors import SchemaError
from mycelia_protocol.schema import Body, Field

LATITUDE_MAX_E7 = 900_000_000
LONGITUDE_MAX_E7 = 1_800_000_000
CELL_MIN_E7 = 100_000  # 0.01 degree, about 1.1 km: no finer place may be signed
CELL_MAX_E7 = 100_000_000

PLACE_FIELDS = (
    Field("lat_e7", "int", -LATITUDE_MAX_E7, LATITUDE_MAX_E7, required=False),
    Field("lon_e7", "int", -LONGITUDE_MAX_E7, LONGITUDE_MAX_E7, required=False),
    Field("cell_e7", "int", CELL_MIN_E7, CELL_MAX_E7, required=False),
)


@dataclass(frozen=True, slots=True)
class Place:
    """The south-west corner of a grid cell, in 1e-7 degrees, and the cell's size."""

    lat_e7: int
    lon_e7: int
    cell_e7: int


def snap(lat_e7: int, lon_e7: int, cell_e7: int = CELL_MIN_E7) -> Place:
    """Return the grid cell that holds a point.

    Snapping is deterministic: random jitter would average out over several records.
    """
    return Place(lat_e7 // cell_e7 * cell_e7, lon_e7 // cell_e7 * cell_e7, cell_e7)


def place_content(place: Place | None) -> dict[str, Value]:
    """Return the body fields of a place; none if there is no place."""
    if place is None:
        return {}
    return {"lat_e7": place.lat_e7, "lon_e7": place.lon_e7, "cell_e7": place.cell_e7}


def read_place(body: Body) -> Place | None:
    """Read the three place fields, which come together or not at all.

    Raises:
        SchemaError: one is missing, or the point is not on its grid.
    """
    lat_e7, lon_e7 = body.optional_integer("lat_e7"), body.optional_integer("lon_e7")
    cell_e7 = body.optional_integer("cell_e7")
    if lat_e7 is None and lon_e7 is None and cell_e7 is None:
        return None
    if lat_e7 is None or lon_e7 is None or cell_e7 is None:
        raise SchemaError("lat_e7, lon_e7 and cell_e7 come together", requirement="PLACE-1")
    if lat_e7 % cell_e7 or lon_e7 % cell_e7:
        raise SchemaError("a place is signed on its grid only", requirement="PLACE-2")
    return Place(lat_e7, lon_e7, cell_e7)
