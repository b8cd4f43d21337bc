"""`receipt`: one side confirms a hand-over. Spec: section 7.10.

The granter says `handed`, the requester says `received`; when something lent or wrong comes back,
the one says `returned` who has it again, and the other that it brought it. A mistake is corrected
by a new receipt that names the wrong one, never by an edit.
"""

from dataclasses import dataclass

from mycelia_protocol.encoding import Value
from mycelia_protocol.limits import NAME_SIZE_MAX, QUANTITY_MAX
from mycelia_protocol.record import Record
from mycelia_protocol.schema import Body, Field
from mycelia_protocol.types.base import Facts, Order, Statement

SIDES = ("handed", "received", "returned")

FIELDS = (
    Field("side", "text", choices=SIDES),
    Field("quantity", "int", 0, QUANTITY_MAX),
    Field("condition", "text", 0, NAME_SIZE_MAX, required=False),
)


@dataclass(frozen=True, slots=True)
class Receipt:
    """What changed hands, in base units, as this side saw it, and in what condition."""

    side: str
    quantity: int
    condition: str


@dataclass(frozen=True, slots=True)
class Confirmed:
    """What one author says of one side of a hand-over.

    Attributes:
        first: the receipt with which it happened.
        last: the receipt that says how much it was: the first one, or its last correction.
    """

    first: Statement[Receipt]
    last: Statement[Receipt]

    @property
    def quantity(self) -> int:
        """Base units."""
        return self.last.body.quantity


def content(side: str, quantity: int, condition: str = "") -> dict[str, Value]:
    """Return the body of a receipt."""
    body: dict[str, Value] = {"side": side, "quantity": quantity}
    return {**body, "condition": condition} if condition else body


def read(body: Body, record: Record) -> Receipt:
    """Read a checked body."""
    return Receipt(body.text("side"), body.integer("quantity"), body.text("condition"))


def confirmed(
    facts: Facts, grant: bytes, author: bytes, side: str, before: Order | None = None
) -> Confirmed | None:
    """Return what counts of an author's receipts of one side of a grant, or None (RECEIPT-1).

    Args:
        facts: what is known.
        grant: what was handed over.
        author: who says so.
        side: one of `SIDES`.
        before: a place in the author's order; what stands there or later is left out.
    """
    found: Confirmed | None = None
    counted = set[bytes]()
    for statement in facts.about(grant, Receipt):  # in each author's order
        if (statement.author, statement.body.side, statement.refs[0]) != (author, side, grant):
            continue
        if before is not None and statement.order >= before:
            break
        if found is None and len(statement.refs) == 1:
            found = Confirmed(statement, statement)
        elif found is not None and not counted.isdisjoint(statement.refs[1:]):
            found = Confirmed(found.first, statement)
        else:
            continue
        counted.add(statement.id)
    return found
