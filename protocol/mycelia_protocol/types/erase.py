"""`erase`: its author asks all to let go of the words of some of its records. Spec: section 7.23.

What the records mean stays, since that stands in their facts. So an erasure changes no state, needs
no agreement, and can come at any time; whoever has it keeps those words no longer, and can show
with it why they are gone.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from mycelia_protocol.encoding import Value
from mycelia_protocol.errors import SchemaError
from mycelia_protocol.limits import ERASE_RANGES_MAX, LOG_ID_SIZE
from mycelia_protocol.record import Record
from mycelia_protocol.schema import Body, Field

FIELDS = (
    Field("log", "bytes", LOG_ID_SIZE, LOG_ID_SIZE),
    Field("ranges", "list", 1, ERASE_RANGES_MAX),
)


@dataclass(frozen=True, slots=True)
class Erase:
    """Places in a log of the author, whose words are to go: (first, last), both included."""

    log: bytes
    ranges: tuple[tuple[int, int], ...]


def content(log: bytes, ranges: Iterable[tuple[int, int]]) -> dict[str, Value]:
    """Return the body of an erasure; the ranges ascend, with gaps between them."""
    return {"log": log, "ranges": tuple(ranges)}


def read(body: Body, record: Record) -> Erase:
    """Read a checked body.

    Raises:
        SchemaError: ERASE-1 is broken.
    """
    ranges: list[tuple[int, int]] = []
    for item in body.items("ranges"):
        match item:
            case [int(first), int(last)] if type(first) is int and type(last) is int:
                ranges.append((first, last))
            case _:
                raise SchemaError("a range is [first, last]", requirement="ERASE-1")
    before = -2  # a range must not go on where the one before it ended
    for first, last in ranges:
        if not before + 1 < first <= last or first < 0:
            raise SchemaError("ranges ascend, with gaps between them", requirement="ERASE-1")
        before = last
    return Erase(body.data("log"), tuple(ranges))
