"""`grant`: a provider promises part of its offer to a request. Spec: section 7.8.

refs = [offer, request]. What has become of a grant is derived, never stored: see `promises.py`.
"""

from dataclasses import dataclass

from mycelia_protocol.encoding import Value
from mycelia_protocol.limits import QUANTITY_MAX
from mycelia_protocol.record import Record
from mycelia_protocol.schema import Body, Field

FIELDS = (Field("quantity", "int", 1, QUANTITY_MAX),)


@dataclass(frozen=True, slots=True)
class Grant:
    """How much is promised, in base units of the offer."""

    quantity: int


def content(quantity: int) -> dict[str, Value]:
    """Return the body of a grant."""
    return {"quantity": quantity}


def read(body: Body, record: Record) -> Grant:
    """Read a checked body."""
    return Grant(body.integer("quantity"))
