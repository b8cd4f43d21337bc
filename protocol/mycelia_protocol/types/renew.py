"""`renew`: an author lets something of its own go on, or adds to it. Spec: section 7.15.

refs = [offer or request of the same author]. It keeps its place in the queue: when it was first
posted does not change.
"""

from dataclasses import dataclass

from mycelia_protocol.errors import SchemaError
from mycelia_protocol.limits import INT_MAX, QUANTITY_MAX
from mycelia_protocol.record import Record
from mycelia_protocol.schema import Body, Field

FIELDS = (
    Field("expires_ms", "int", 0, INT_MAX, required=False),
    Field("until_ms", "int", 0, INT_MAX, required=False),
    Field("needed_by_ms", "int", 0, INT_MAX, required=False),
    Field("quantity", "int", 1, QUANTITY_MAX, required=False),
)


@dataclass(frozen=True, slots=True)
class Renew:
    """What is different from here on; None for what stays.

    Attributes:
        expires_ms, until_ms, needed_by_ms: as in offers and requests.
        quantity: base units that come to an offer that is renewing.
    """

    expires_ms: int | None
    until_ms: int | None
    needed_by_ms: int | None
    quantity: int | None


def read(body: Body, record: Record) -> Renew:
    """Read a checked body.

    Raises:
        SchemaError: it changes nothing (RENEW-1).
    """
    names = ("expires_ms", "until_ms", "needed_by_ms", "quantity")
    values = [body.optional_integer(name) for name in names]
    if values == [None] * len(names):
        raise SchemaError("a renewal names what changes", requirement="RENEW-1")
    return Renew(*values)
