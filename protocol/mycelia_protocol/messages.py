"""The frames of a session: a closed registry of numbers, and how each reads. Spec: section 9.4.

A frame is a canonical array `[number, ...]`. Inside a session it travels as one encrypted message.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final, NamedTuple, TypeAlias

from mycelia_protocol.encoding import Value, decode, encode
from mycelia_protocol.errors import SessionError
from mycelia_protocol.events import Range
from mycelia_protocol.form_frames import (
    FORM_NUMBERS,
    FormFrame,
    form_fields,
    read_form_fields,
)
from mycelia_protocol.frame_rows import (
    TaggedRange,
    range_row,
    read_author,
    read_bucket,
    read_changed,
    read_range,
)
from mycelia_protocol.limits import (
    AUTHORS_PER_FRAME_MAX,
    BASE_ID_SIZE,
    BUCKETS_FEW,
    BUCKETS_MANY,
    CHAIN_RECORDS_MAX,
    DIGEST_SIZE,
    FRAME_SIZE_MAX,
    HEAD_PREFIX_SIZE,
    HEADS_PER_FRAME_MAX,
    ID_SIZE,
    INT_MAX,
    INVITE_SECRET_SIZE,
    LOG_ID_SIZE,
    PUSH_RECORDS_MAX,
    RUN_RECORDS_MAX,
    WANTS_PER_FRAME_MAX,
)
from mycelia_protocol.presence import Presence, read_presence
from mycelia_protocol.record import Record, parse_envelope

# --- what is fetched first, spec 10.1.3 ---
STAGE_ROSTER: Final = 1  # as far as the last record on who is in, and by which rules
STAGE_URGENT: Final = 2  # as far as the last urgent request that may still be met
STAGE_ALL: Final = 3


class HeadEntry(NamedTuple):
    """How far the sender's store holds one log: `next_seq` records, the last with this id prefix.

    Attributes:
        prefix: first 8 bytes of the id of the record at `next_seq - 1`.
    """

    author: bytes
    log: bytes
    next_seq: int
    prefix: bytes


class TaggedHead(NamedTuple):
    """The same of a log that the reader knows, named by its tag (8 bytes, spec 7.21)."""

    tag: bytes
    next_seq: int
    prefix: bytes


@dataclass(frozen=True, slots=True)
class Heads:
    """Number 1: heads of logs in the sender's store; `complete` ends a full telling."""

    entries: tuple[HeadEntry, ...]
    complete: bool


@dataclass(frozen=True, slots=True)
class Want:
    """Number 2: ask for ranges; answered by exactly one RECORDS, perhaps of fewer records.

    Attributes:
        ranges: on the wire logs are named by their tags; the reader knows what they stand for.
        stage: how far of each log is wanted now, one of the `STAGE_` numbers.
    """

    ranges: tuple[Range | TaggedRange, ...]
    stage: int = STAGE_ALL


@dataclass(frozen=True, slots=True)
class Records:
    """Number 3: the answer to one WANT; runs of records, the last of each log signed."""

    records: tuple[Record, ...]


@dataclass(frozen=True, slots=True)
class Push:
    """Number 4: records told unasked, as they come up."""

    records: tuple[Record, ...]


@dataclass(frozen=True, slots=True)
class Introduce:
    """Number 5, first frame of a member: the vouches from the founder to the sender."""

    chain: tuple[Record, ...]


@dataclass(frozen=True, slots=True)
class Join:
    """Number 6, first frame of a newcomer: the secret of an invite."""

    secret: bytes


@dataclass(frozen=True, slots=True)
class Welcome:
    """Number 7, answer to JOIN: the charter, and the vouches from the founder to the newcomer."""

    charter: bytes
    chain: tuple[Record, ...]


@dataclass(frozen=True, slots=True)
class Refuse:
    """Number 8, answer to JOIN: why not, as a code of spec appendix C and in words."""

    code: str
    reason: str


@dataclass(frozen=True, slots=True)
class Announce:
    """Number 9: heads in the sender's store that it did not push, since others do so sooner."""

    entries: tuple[HeadEntry | TaggedHead, ...]


@dataclass(frozen=True, slots=True)
class Prune:
    """Number 10: announce records of these authors instead of pushing them."""

    authors: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Graft:
    """Number 11: push records of these authors again."""

    authors: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Digest:
    """Number 12: the keyed digest of all heads in the sender's store, and of how many logs.

    Attributes:
        base: names the digest that was last found equal with this peer; empty if it is forgotten.
    """

    digest: bytes
    logs: int
    base: bytes = b""


@dataclass(frozen=True, slots=True)
class Buckets:
    """Number 13: the keyed digests of all buckets of heads, after unequal digests."""

    digests: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Changes:
    """Number 15: heads that moved since both sides held the same; `complete` ends the telling.

    Attributes:
        rows: (place of the log among those of then, next_seq, first 8 bytes of the head's id).
    """

    rows: tuple[tuple[int, int, bytes], ...]
    complete: bool


Message: TypeAlias = (
    Heads
    | Want
    | Records
    | Push
    | Introduce
    | Join
    | Welcome
    | Refuse
    | Announce
    | Prune
    | Graft
    | Digest
    | Buckets
    | Presence
    | Changes
    | FormFrame
)

NUMBERS: Final[dict[type, int]] = {
    Heads: 1,
    Want: 2,
    Records: 3,
    Push: 4,
    Introduce: 5,
    Join: 6,
    Welcome: 7,
    Refuse: 8,
    Announce: 9,
    Prune: 10,
    Graft: 11,
    Digest: 12,
    Buckets: 13,
    Presence: 14,
    Changes: 15,
    **FORM_NUMBERS,
}


def encode_message(message: Message) -> bytes:
    """Return a frame's bytes."""
    number = NUMBERS[type(message)]
    if isinstance(message, FormFrame):
        return encode([number, *form_fields(message)])
    match message:
        case Heads(entries, complete):
            return encode([number, _rows(entries), complete])
        case Want(ranges, stage):
            return encode([number, [range_row(wanted) for wanted in ranges], stage])
        case Records(records) | Push(records) | Introduce(records):
            return encode([number, [record.envelope() for record in records]])
        case Join(secret):
            return encode([number, secret])
        case Welcome(charter, chain):
            return encode([number, charter, [record.envelope() for record in chain]])
        case Refuse(code, reason):
            return encode([number, code, reason])
        case Digest(digest, logs, base):
            return encode([number, digest, logs, base])
        case Changes(changed, complete):
            places, seqs = [row[0] for row in changed], [row[1] for row in changed]
            prefixes = b"".join(row[2] for row in changed)
            return encode([number, places, seqs, prefixes, complete])
        case Buckets(digests):
            return encode([number, list(digests)])
        case Announce(announced):
            return encode([number, _rows(announced)])
        case Presence():
            return encode([number, *message.fields()])
        case Prune(authors) | Graft(authors):
            return encode([number, list(authors)])


def decode_message(data: bytes, parse: Callable[[Value], Record] = parse_envelope) -> Message:
    """Read a frame.

    Args:
        parse: reads the envelope of a record that is pushed.

    Raises:
        EncodingError: the bytes are not canonical.
        RecordError: an envelope in it breaks a structural rule.
        SessionError: the number is unknown or a field breaks its rule (SESS-5).
    """
    match decode(data, size_max=FRAME_SIZE_MAX):
        case [bool(), *_]:  # True would match 1
            raise SessionError("unknown frame", code="unknown-frame", requirement="SESS-5")
        case [1, tuple(rows), bool(complete)] if len(rows) <= HEADS_PER_FRAME_MAX:
            return Heads(tuple(_head(row) for row in rows), complete)
        case [2, tuple(rows), int(stage)] if (
            len(rows) <= WANTS_PER_FRAME_MAX
            and type(stage) is int
            and STAGE_ROSTER <= stage <= STAGE_ALL
        ):
            return Want(tuple(read_range(row) for row in rows), stage)
        case [3, tuple(rows)] if len(rows) <= RUN_RECORDS_MAX:
            return Records(_records(rows))
        case [4, tuple(rows)] if len(rows) <= PUSH_RECORDS_MAX:
            return Push(tuple(map(parse, rows)))
        case [5, tuple(rows)] if len(rows) <= CHAIN_RECORDS_MAX:
            return Introduce(_records(rows))
        case [6, bytes(secret)] if len(secret) == INVITE_SECRET_SIZE:
            return Join(secret)
        case [7, bytes(charter), tuple(rows)] if len(rows) <= CHAIN_RECORDS_MAX:
            return Welcome(charter, _records(rows))
        case [8, str(code), str(reason)]:
            return Refuse(code, reason)
        case [12, bytes(digest), int(logs), bytes(base)] if (
            len(digest) == DIGEST_SIZE
            and type(logs) is int
            and 0 <= logs <= INT_MAX
            and len(base) in (0, BASE_ID_SIZE)
        ):
            return Digest(digest, logs, base)
        case [15, tuple(places), tuple(seqs), bytes(prefixes), bool(complete)] if len(
            places
        ) == len(seqs) <= HEADS_PER_FRAME_MAX and len(prefixes) == HEAD_PREFIX_SIZE * len(seqs):
            return Changes(read_changed(places, seqs, prefixes), complete)
        case [13, tuple(rows)] if len(rows) in (BUCKETS_FEW, BUCKETS_MANY):
            return Buckets(tuple(read_bucket(row) for row in rows))
        case [9, tuple(rows)] if len(rows) <= HEADS_PER_FRAME_MAX:
            return Announce(tuple(_announced(row) for row in rows))
        case [10, tuple(rows)] if len(rows) <= AUTHORS_PER_FRAME_MAX:
            return Prune(tuple(read_author(row) for row in rows))
        case [11, tuple(rows)] if len(rows) <= AUTHORS_PER_FRAME_MAX:
            return Graft(tuple(read_author(row) for row in rows))
        case [14, *fields]:
            return read_presence(fields)
        case [16 | 17 | 18 | 19 as number, *fields]:
            return read_form_fields(number, fields)
        case [int(number), *_] if number in NUMBERS.values():
            raise SessionError(f"frame {number} has the wrong fields", requirement="SESS-5")
        case _:
            raise SessionError("unknown frame", code="unknown-frame", requirement="SESS-5")


def _rows(entries: Iterable[HeadEntry | TaggedHead]) -> list[Value]:
    return [[*_name(e), e.next_seq, e.prefix] for e in entries]


def _name(entry: HeadEntry | TaggedHead) -> tuple[bytes, ...]:
    """Return what names an entry's log in its row."""
    return (entry.author, entry.log) if isinstance(entry, HeadEntry) else (entry.tag,)


def _records(rows: tuple[Value, ...]) -> tuple[Record, ...]:
    return tuple(parse_envelope(row) for row in rows)


def _head(row: Value) -> HeadEntry:
    if type(row) is tuple and len(row) == 4:  # a pattern takes three times as long
        author, log, next_seq, prefix = row
        if (
            type(author) is type(log) is type(prefix) is bytes
            and type(next_seq) is int
            and len(author) == ID_SIZE
            and len(log) == LOG_ID_SIZE
            and len(prefix) == HEAD_PREFIX_SIZE
            and 1 <= next_seq <= INT_MAX
        ):
            return HeadEntry(author, log, next_seq, prefix)
    raise SessionError("a head is [author, log, next_seq, prefix]", requirement="SESS-5")


def _announced(row: Value) -> HeadEntry | TaggedHead:
    if type(row) is tuple and len(row) == 3:
        tag, next_seq, prefix = row
        if (
            type(tag) is type(prefix) is bytes
            and type(next_seq) is int
            and len(tag) == len(prefix) == HEAD_PREFIX_SIZE
            and 1 <= next_seq <= INT_MAX
        ):
            return TaggedHead(tag, next_seq, prefix)
    return _head(row)
