"""What the fold needs of a record, and no more: its compact form. Spec: section 6.8.

    compact = E([id, kind, time_ms, [refs...], facts | nil])

Author, log and place are known from where it stands. Header, signature, salt and words are gone.
Facts are nil where nothing follows from them: of views, and of decisions that are well-formed (a
grant may name one, so that it was there counts). Whoever holds all of a log in compact form comes
to the same state and the same digest as who holds the records.

A compact form proves nothing by itself. The root over all of a log's (`merkle.py`) stands in a
checkpoint, and the id in it proves a header, and so a whole record, if one comes.
"""

from typing import Final

from mycelia_protocol.body import bare_body, facts_of
from mycelia_protocol.encoding import decode, encode
from mycelia_protocol.errors import RecordError
from mycelia_protocol.limits import BODY_SIZE_MAX, HEADER_SIZE_MAX, ID_SIZE
from mycelia_protocol.record import Record, checked_kind, checked_refs, checked_time
from mycelia_protocol.statements import read_statement

FORM_SIZE_MAX: Final = (
    HEADER_SIZE_MAX + BODY_SIZE_MAX
)  # bytes; neither a header nor a body has more
SETTLED: Final = "decision"  # of a well-formed one it counts that it is there, and not what it says
UNREAD: Final = "view"  # nothing follows from one at all


def compact(record: Record) -> bytes:
    """Return the compact form of a record whose body is held, whole or erased.

    Raises:
        RecordError: the body is not held.
    """
    if record.body is None and not record.is_compact:
        raise RecordError("the body is not held")
    settled = record.body is None or _is_settled(record)
    facts = None if settled or record.body is None else facts_of(record.body)
    return encode([record.id, record.kind, record.time_ms, list(record.refs), facts])


def expand(commons: bytes, author: bytes, log: bytes, seq: int, form: bytes) -> Record:
    """Return a record of which only the compact form is known, as the fold takes it.

    It has no header and no signature, so it can neither be checked nor sent.

    Raises:
        EncodingError: the form is not canonical.
        RecordError: a field breaks its rule (FORM-1).
    """
    match decode(form, size_max=FORM_SIZE_MAX):
        case [bytes(id_), kind, time_ms, refs, bytes() | None as facts] if len(id_) == ID_SIZE:
            kind = checked_kind(kind)
        case _:
            raise RecordError("a compact form is [id, kind, time_ms, refs, facts]")
    if facts is None and kind not in (SETTLED, UNREAD):
        raise RecordError(f"a {kind} without its facts")
    if (seq == 0) != (kind == "incarnation"):
        raise RecordError("a log begins with its one incarnation", requirement="REC-5")
    body = None if facts is None else bare_body(facts)
    time_ms, refs = checked_time(time_ms), checked_refs(refs)
    return Record.known(id_, commons, author, log, seq, kind, time_ms, refs, body)


def shorten(record: Record) -> Record:
    """Return a record without all that its compact form does not say."""
    form = compact(record)
    return expand(record.commons, record.author, record.log, record.seq, form)


def _is_settled(record: Record) -> bool:
    return record.kind == UNREAD or (record.kind == SETTLED and read_statement(record) is not None)
