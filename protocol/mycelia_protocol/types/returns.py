"""`return`: a holder gives back rights that it did not grant. Spec: section 7.14.

refs = [rights]. In any log of the holder, so that one who lost a store can still give back what
nobody can spend any more.
"""

from dataclasses import dataclass

from mycelia_protocol.encoding import Value
from mycelia_protocol.limits import QUANTITY_MAX
from mycelia_protocol.record import Record
from mycelia_protocol.schema import Body, Field

FIELDS = (Field("quantity", "int", 1, QUANTITY_MAX),)


@dataclass(frozen=True, slots=True)
class Return:
    """How much goes back, in base units of the offer."""

    quantity: int


def content(quantity: int) -> dict[str, Value]:
    """Return the body that gives rights back."""
    return {"quantity": quantity}


def read(body: Body, record: Record) -> Return:
    """Read a checked body."""
    return Return(body.integer("quantity"))
