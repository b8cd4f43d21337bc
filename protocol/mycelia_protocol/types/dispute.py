"""`dispute`: one side of a grant says that something went wrong. Spec: section 7.16.

refs = [grant]. It stands until its author withdraws it; others can't settle it. What was promised
stays promised meanwhile.
"""

from dataclasses import dataclass

from mycelia_protocol.limits import TEXT_SIZE_MAX
from mycelia_protocol.record import Record
from mycelia_protocol.schema import Body, Field

MATTERS = ("not-received", "not-as-described", "not-returned", "damaged", "other")

FIELDS = (
    Field("matter", "text", choices=MATTERS),
    Field("text", "text", 0, TEXT_SIZE_MAX, required=False),
)


@dataclass(frozen=True, slots=True)
class Dispute:
    """What went wrong, in a word and in words."""

    matter: str
    text: str


def read(body: Body, record: Record) -> Dispute:
    """Read a checked body."""
    return Dispute(body.text("matter"), body.text("text"))
