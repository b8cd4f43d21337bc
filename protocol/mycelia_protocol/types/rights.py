"""`rights`: part of an offer that somebody else may grant. Spec: section 7.13.

refs = [offer, returns that the issuer takes in again...]. The issuer gives first and can't take
back: what the holder has not granted comes back by the holder's own `return`. What follows is the
business of `accounts.py`.
"""

from dataclasses import dataclass

from mycelia_protocol.encoding import Value
from mycelia_protocol.limits import (
    ID_SIZE,
    INT_MAX,
    LOG_ID_SIZE,
    QUANTITY_MAX,
    SLOTS_MAX,
    TEXT_SIZE_MAX,
)
from mycelia_protocol.record import Record
from mycelia_protocol.schema import Body, Field
from mycelia_protocol.types.base import Statement

FIELDS = (
    Field("to", "bytes", ID_SIZE, ID_SIZE),
    Field("log", "bytes", LOG_ID_SIZE, LOG_ID_SIZE),
    Field("quantity", "int", 1, QUANTITY_MAX),
    Field("slot", "int", 0, SLOTS_MAX - 1, required=False),
    Field("until_ms", "int", 0, INT_MAX, required=False),
    Field("reason", "text", 0, TEXT_SIZE_MAX, required=False),
)


@dataclass(frozen=True, slots=True)
class Rights:
    """Who may grant how much.

    Attributes:
        to: the holder's key.
        log: the only log of the holder in which grants spend these rights, so that a restored
            backup of the holder can't spend them twice.
        quantity: base units of the offer.
        slot: which slot of what is lent.
        until_ms: when the holder's node stops granting and returns the rest; None for no end. No
            rule of the fold: only the holder knows what it granted until then.
    """

    to: bytes
    log: bytes
    quantity: int
    slot: int | None
    until_ms: int | None
    reason: str


def content(
    to: bytes, log: bytes, quantity: int, slot: int | None = None, until_ms: int | None = None
) -> dict[str, Value]:
    """Return the body that gives rights."""
    body: dict[str, Value] = {"to": to, "log": log, "quantity": quantity}
    if slot is not None:
        body["slot"] = slot
    return body if until_ms is None else {**body, "until_ms": until_ms}


def addressee(statement: Statement[object]) -> bytes:
    """Return the key of the holder."""
    assert isinstance(statement.body, Rights)
    return statement.body.to


def read(body: Body, record: Record) -> Rights:
    """Read a checked body."""
    return Rights(
        body.data("to"),
        body.data("log"),
        body.integer("quantity"),
        body.optional_integer("slot"),
        body.optional_integer("until_ms"),
        body.text("reason"),
    )
