"""`grant`: a provider promises part of its offer to a request. Spec: section 7.8.

refs = [purse, request, more...]; the purse is an offer, or rights to one. More are returns that its
author takes in again, and the decision that it follows from. What has become of a grant is
derived, never stored: see `accounts.py`, `promises.py`.
"""

from dataclasses import dataclass

from mycelia_protocol.encoding import Value
from mycelia_protocol.limits import INT_MAX, QUANTITY_MAX, SLOTS_MAX
from mycelia_protocol.record import Record
from mycelia_protocol.schema import Body, Field

FIELDS = (
    Field("quantity", "int", 1, QUANTITY_MAX),
    Field("slot", "int", 0, SLOTS_MAX - 1, required=False),
    Field("accept_by_ms", "int", 0, INT_MAX, required=False),
)


@dataclass(frozen=True, slots=True)
class Grant:
    """How much is promised, in base units of the offer.

    Attributes:
        slot: which slot of what is lent.
        accept_by_ms: when its author may take it back for want of an answer; None for never.
    """

    quantity: int
    slot: int | None
    accept_by_ms: int | None


def content(
    quantity: int, slot: int | None = None, accept_by_ms: int | None = None
) -> dict[str, Value]:
    """Return the body of a grant."""
    body: dict[str, Value] = {"quantity": quantity}
    if slot is not None:
        body["slot"] = slot
    return body if accept_by_ms is None else {**body, "accept_by_ms": accept_by_ms}


def read(body: Body, record: Record) -> Grant:
    """Read a checked body."""
    return Grant(
        body.integer("quantity"),
        body.optional_integer("slot"),
        body.optional_integer("accept_by_ms"),
    )
