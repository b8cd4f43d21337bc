"""`request`: something a collective needs; its log is where it is filled. Spec: section 7.6.

How far it is filled follows from the walk in `promises.py`.
"""

from dataclasses import dataclass

from mycelia_protocol.limits import INT_MAX
from mycelia_protocol.record import Record
from mycelia_protocol.schema import Body, Field
from mycelia_protocol.types.place import PLACE_FIELDS, Place, read_place
from mycelia_protocol.types.things import THING_FIELDS, check_category

URGENCIES = ("now", "days", "week", "anytime")

FIELDS = (
    *THING_FIELDS,
    Field("urgency", "text", choices=URGENCIES),
    Field("needed_by_ms", "int", 0, INT_MAX, required=False),
    *PLACE_FIELDS,
)


@dataclass(frozen=True, slots=True)
class Request:
    """What is needed: quantity in base units of `unit`, and how soon."""

    category: str
    title: str
    quantity: int
    unit: str
    note: str
    expires_ms: int | None
    urgency: str
    needed_by_ms: int | None
    place: Place | None


def read(body: Body, record: Record) -> Request:
    """Read a checked body.

    Raises:
        SchemaError: bad category or place.
    """
    return Request(
        check_category(body.text("category")),
        body.text("title"),
        body.integer("quantity"),
        body.text("unit"),
        body.text("note"),
        body.optional_integer("expires_ms"),
        body.text("urgency"),
        body.optional_integer("needed_by_ms"),
        read_place(body),
    )
