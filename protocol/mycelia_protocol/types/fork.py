"""`fork`: proof that an author wrote on two ends of one log. Spec: sections 6.5 and 7.18.

It holds both ends from the place where they part, each as a chain of headers whose last one is
signed. So it proves itself: it needs no other record, and it counts whoever wrote it. Both ends
hang on the same predecessor; hence everything before that place is the same for all who hold
either. Only who signed both ends can be accused.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from mycelia_protocol.encoding import Value
from mycelia_protocol.errors import EncodingError, RecordError, SchemaError
from mycelia_protocol.record import Record
from mycelia_protocol.schema import Body, Field
from mycelia_protocol.types.base import Statement

FIELDS = (Field("ends", "list", 2, 2),)


@dataclass(frozen=True, slots=True)
class Fork:
    """Where a log parts.

    Attributes:
        accused: key of the author who wrote on two ends.
        log: the log that parts, 8 bytes.
        seq: the first place at which there are two records.
        ends: the proof itself, as it stands in the body.
    """

    accused: bytes
    log: bytes
    seq: int
    ends: Value

    @property
    def content(self) -> dict[str, Value]:
        """The body that says the same again."""
        return {"ends": self.ends}


def content(ends: Sequence[Sequence[Record]]) -> dict[str, Value]:
    """Return the body that proves a fork.

    Args:
        ends: the records of both ends from the place where they part, the last of each signed.
    """
    ordered = sorted(ends, key=lambda end: end[0].id)
    told = ((tuple(each.header for each in end), end[-1].signature) for end in ordered)
    return {"ends": tuple(told)}


def addressee(statement: Statement[object]) -> bytes:
    """Return the key of the accused."""
    assert isinstance(statement.body, Fork)
    return statement.body.accused


def read(body: Body, record: Record) -> Fork:
    """Read a checked body.

    Raises:
        SchemaError: an end is no chain of headers of this commons that ends signed (FORK-1 to
            FORK-3), or the ends do not part at one place of one log (FORK-4).
    """
    one, other = (_read_end(end, record.commons)[0] for end in body.items("ends"))
    places = [(first.author, first.log, first.seq, first.prev) for first in (one, other)]
    if places[0] != places[1] or one.id >= other.id:
        message = "the ends of a fork part at one place of one log, and come in order of their ids"
        raise SchemaError(message, requirement="FORK-4")
    return Fork(one.author, one.log, one.seq, body.items("ends"))


def _read_end(end: Value, commons: bytes) -> list[Record]:
    """Check one end, `[[header, ...], signature]`, and return its records without bodies."""
    match end:
        case [[bytes(), *_] as headers, bytes(signature)]:
            pass
        case _:
            raise SchemaError("an end is [[header, ...], signature]", requirement="FORK-1")
    try:
        chain = [Record.parse(each, None, None) for each in headers if isinstance(each, bytes)]
        last = Record.parse(chain[-1].header, signature, None)
    except (EncodingError, RecordError) as error:
        raise SchemaError(f"an end of a fork: {error}", requirement="FORK-1") from error
    if len(chain) != len(headers) or chain[0].commons != commons:
        raise SchemaError("an end is of headers of this commons", requirement="FORK-1")
    for before, after in pairwise(chain):
        same = (before.commons, before.author, before.log, before.seq + 1, before.id)
        if (after.commons, after.author, after.log, after.seq, after.prev) != same:
            raise SchemaError("the headers of an end hang together", requirement="FORK-2")
    if not last.is_signed():
        raise SchemaError("the last header of an end is signed", requirement="FORK-3")
    return chain
