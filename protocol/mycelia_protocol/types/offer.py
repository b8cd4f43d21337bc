"""`offer`: something a collective can give; its log is where it is spent. Spec: section 7.5.

What is left of it, and which grants hold, follows from the walk in `promises.py`.
"""

from dataclasses import dataclass

from mycelia_protocol.errors import SchemaError
from mycelia_protocol.limits import QUANTITY_MAX
from mycelia_protocol.record import Record
from mycelia_protocol.schema import Body, Field
from mycelia_protocol.types.place import PLACE_FIELDS, Place, read_place
from mycelia_protocol.types.things import THING_FIELDS, check_category

FIELDS = (
    *THING_FIELDS,
    Field("lot", "int", 1, QUANTITY_MAX, required=False),
    *PLACE_FIELDS,
)


@dataclass(frozen=True, slots=True)
class Offer:
    """What is given away: quantities in base units of `unit`; grants are whole lots."""

    category: str
    title: str
    quantity: int
    unit: str
    note: str
    expires_ms: int | None
    lot: int
    place: Place | None


def read(body: Body, record: Record) -> Offer:
    """Read a checked body.

    Raises:
        SchemaError: bad category or place, or the quantity is not whole lots (OFFER-1).
    """
    quantity = body.integer("quantity")
    lot = body.optional_integer("lot") or 1
    if quantity % lot:
        raise SchemaError("an offer's quantity is a number of whole lots", requirement="OFFER-1")
    return Offer(
        check_category(body.text("category")),
        body.text("title"),
        quantity,
        body.text("unit"),
        body.text("note"),
        body.optional_integer("expires_ms"),
        lot,
        read_place(body),
    )
