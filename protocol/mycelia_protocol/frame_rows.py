"""Rows of frames that are more than a value: how they read, and how they are written. Spec: 9.4."""

from dataclasses import dataclass

from mycelia_protocol.encoding import Value
from mycelia_protocol.errors import SessionError
from mycelia_protocol.events import Range
from mycelia_protocol.limits import BUCKET_DIGEST_SIZE, HEAD_PREFIX_SIZE, ID_SIZE, INT_MAX
from mycelia_protocol.types.heads import tag_of


@dataclass(frozen=True, slots=True)
class TaggedRange:
    """Records `first` to `last`, both included, of a log that is named by its tag (7.21)."""

    tag: bytes
    first: int
    last: int


def range_row(wanted: Range | TaggedRange) -> Value:
    """Return a row of WANT."""
    tag = tag_of(wanted.author, wanted.log) if isinstance(wanted, Range) else wanted.tag
    return [tag, wanted.first, wanted.last]


def read_range(row: Value) -> TaggedRange:
    """Read a row of WANT.

    Raises:
        SessionError: a field breaks its rule (SESS-5).
    """
    match row:
        case [bytes(tag), int(first), int(last)] if (
            len(tag) == HEAD_PREFIX_SIZE
            and type(first) is type(last) is int  # True would match int() too
            and 0 <= first <= last <= INT_MAX
        ):
            return TaggedRange(tag, first, last)
        case _:
            raise SessionError("a range is [tag, first, last]", requirement="SESS-5")


def read_author(value: Value) -> bytes:
    """Read an author of PRUNE or GRAFT.

    Raises:
        SessionError: it is none (SESS-5).
    """
    if isinstance(value, bytes) and len(value) == ID_SIZE:
        return value
    raise SessionError(f"an author is {ID_SIZE} bytes", requirement="SESS-5")


def read_bucket(row: Value) -> bytes:
    """Read a digest of BUCKETS.

    Raises:
        SessionError: it is none (SESS-5).
    """
    if not isinstance(row, bytes) or len(row) != BUCKET_DIGEST_SIZE:
        raise SessionError("a bucket's digest has 8 bytes", requirement="SESS-5")
    return row


def read_changed(
    places: tuple[Value, ...], seqs: tuple[Value, ...], prefixes: bytes
) -> tuple[tuple[int, int, bytes], ...]:
    """Read the rows of CHANGES: place, next_seq, prefix.

    Raises:
        SessionError: a place or a seq is none (SESS-5).
    """
    rows: list[tuple[int, int, bytes]] = []
    for at, (place, seq) in enumerate(zip(places, seqs, strict=True)):
        match place, seq:
            case int(), int() if type(place) is type(seq) is int and place >= 0 < seq <= INT_MAX:
                prefix = prefixes[at * HEAD_PREFIX_SIZE : (at + 1) * HEAD_PREFIX_SIZE]
                rows.append((place, seq, prefix))
            case _:
                raise SessionError("a row of CHANGES is a place and a seq", requirement="SESS-5")
    return tuple(rows)
