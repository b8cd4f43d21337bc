"""`grant`: a provider promises part of its offer to a request. Spec: section 7.8.

refs = [offer, request]; of something lent, one slot. What has become of a grant is derived, never
stored: see `promises.py`.
"""

from dataclasses import dataclass

from mycelia_protocol.encoding import Value
from mycelia_protocol.limits import QUANTITY_MAX, SLOTS_MAX
from mycelia_protocol.record import Record
from mycelia_protocol.schema import Body, Field

FIELDS = (
    Field("quantity", "int", 1, QUANTITY_MAX),
    Field("slot", "int", 0, SLOTS_MAX - 1, required=False),
)


@dataclass(frozen=True, slots=True)
class Grant:
    """How much is promised, in base units of the offer; of something lent, in which slot."""

    quantity: int
    slot: int | None


def content(quantity: int, slot: int | None = None) -> dict[str, Value]:
    """Return the body of a grant."""
    body: dict[str, Value] = {"quantity": quantity}
    return body if slot is None else {**body, "slot": slot}


def read(body: Body, record: Record) -> Grant:
    """Read a checked body."""
    return Grant(body.integer("quantity"), body.optional_integer("slot"))
