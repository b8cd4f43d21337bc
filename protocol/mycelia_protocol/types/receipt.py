"""`receipt`: one side confirms a hand-over. Spec: section 7.10.

The provider says `handed`, the requester says `received`; the first of each side counts. A receipt
speaks only for a grant that its requester accepted.
"""

from dataclasses import dataclass

from mycelia_protocol.encoding import Value
from mycelia_protocol.limits import QUANTITY_MAX
from mycelia_protocol.record import Record
from mycelia_protocol.schema import Body, Field
from mycelia_protocol.types.base import Facts, Statement

SIDES = ("handed", "received")

FIELDS = (
    Field("side", "text", choices=SIDES),
    Field("quantity", "int", 0, QUANTITY_MAX),
)


@dataclass(frozen=True, slots=True)
class Receipt:
    """What changed hands, in base units, as this side saw it."""

    side: str
    quantity: int


def content(side: str, quantity: int) -> dict[str, Value]:
    """Return the body of a receipt."""
    return {"side": side, "quantity": quantity}


def read(body: Body, record: Record) -> Receipt:
    """Read a checked body."""
    return Receipt(body.text("side"), body.integer("quantity"))


def first_receipt(
    facts: Facts, grant: bytes, author: bytes, side: str
) -> Statement[Receipt] | None:
    """Return the receipt of one side that counts, or None."""
    receipts = [
        statement
        for statement in facts.about(grant, Receipt)
        if statement.author == author and statement.body.side == side
    ]
    return min(receipts, key=lambda statement: statement.order, default=None)
