"""`consent`: a member agrees that something is decided otherwise than by the policy. Spec: 7.26.

refs = [purse, request]. It moves nothing: a decision that names its author as approver refers to
it, so that everybody sees that this was said by the approver, and not only of it.
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
class Consent:
    """How much the request should get instead, in base units, and in which slot of what is lent."""

    quantity: int
    slot: int | None


def content(quantity: int, slot: int | None = None) -> dict[str, Value]:
    """Return the body of a consent."""
    return {"quantity": quantity} if slot is None else {"quantity": quantity, "slot": slot}


def read(body: Body, record: Record) -> Consent:
    """Read a checked body."""
    return Consent(body.integer("quantity"), body.optional_integer("slot"))
