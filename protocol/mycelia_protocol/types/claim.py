"""`claim`: a requester points at an offer that would serve its request. Spec: section 7.11.

refs = [offer, request]. A claim promises and holds nothing: it says what the requester would like
best, so that people choose among offers without bidding for them.
"""

from dataclasses import dataclass

from mycelia_protocol.limits import QUANTITY_MAX, RANK_MAX, SLOTS_MAX
from mycelia_protocol.record import Record
from mycelia_protocol.schema import Body, Field

FIELDS = (
    Field("quantity", "int", 1, QUANTITY_MAX),
    Field("rank", "int", 1, RANK_MAX),
    Field("slot", "int", 0, SLOTS_MAX - 1, required=False),
)


@dataclass(frozen=True, slots=True)
class Claim:
    """How much of an offer would serve, in base units, and how much it is liked.

    Attributes:
        rank: the requester's own preference among its claims for one request, 1 the best.
        slot: which slot of what is lent; None for any, or if nothing is lent.
    """

    quantity: int
    rank: int
    slot: int | None


def read(body: Body, record: Record) -> Claim:
    """Read a checked body."""
    return Claim(body.integer("quantity"), body.integer("rank"), body.optional_integer("slot"))
