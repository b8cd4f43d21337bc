"""Frames about logs in compact form: asking for it, giving it, and who confirmed it. Spec: 9.4."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from mycelia_protocol.compact import compact, expand
from mycelia_protocol.encoding import Value
from mycelia_protocol.errors import SessionError
from mycelia_protocol.limits import (
    EVIDENCE_RECORDS_MAX,
    ID_SIZE,
    INT_MAX,
    LOG_ID_SIZE,
    PROOF_HASHES_MAX,
    RUN_RECORDS_MAX,
)
from mycelia_protocol.record import Record, parse_envelope


@dataclass(frozen=True, slots=True)
class Seek:
    """Number 16: ask for a log as a checkpoint at `until` sums it up; answered by one FORMS."""

    author: bytes
    log: bytes
    until: int
    first: int


@dataclass(frozen=True, slots=True)
class Forms:
    """Number 17: records from `first` on, whole or compact, and what proves them; or nothing."""

    seek: Seek
    records: tuple[Record, ...]
    proof: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Query:
    """Number 18: ask who confirmed checkpoints; answered by one EVIDENCE.

    Attributes:
        after: the id behind which to begin; None to begin with the first.
    """

    after: bytes | None


@dataclass(frozen=True, slots=True)
class Evidence:
    """Number 19: vouches and acknowledgements, each signed.

    Attributes:
        after: from where to go on; None if these are the last.
    """

    records: tuple[Record, ...]
    after: bytes | None


FormFrame = Seek | Forms | Query | Evidence
FORM_NUMBERS: Final[dict[type, int]] = {Seek: 16, Forms: 17, Query: 18, Evidence: 19}


def form_fields(frame: FormFrame) -> list[Value]:
    """Return what stands behind a frame's number."""
    match frame:
        case Seek():
            return _place(frame)
        case Forms(seek, records, proof):
            return [*_place(seek), form_rows(records), list(proof)]
        case Query(after):
            return [after]
        case Evidence(records, after):
            return [[[*record.envelope()] for record in records], after]


def read_form_fields(number: int, fields: Sequence[Value]) -> FormFrame:
    """Read what stands behind a frame's number.

    Raises:
        EncodingError, RecordError: a record in it, whole or compact, breaks a structural rule.
        SessionError: a field breaks its rule (SESS-5).
    """
    match [number, *fields]:
        case [16, *place]:
            return _seek(place)
        case [17, author, log, until, first, tuple(rows), tuple(proof)] if (
            len(rows) <= RUN_RECORDS_MAX and len(proof) <= PROOF_HASHES_MAX
        ):
            seek = _seek([author, log, until, first])
            return Forms(seek, read_form_rows(seek, rows), tuple(map(_id, proof)))
        case [18, after]:
            return Query(None if after is None else _id(after))
        case [19, tuple(rows), after] if len(rows) <= EVIDENCE_RECORDS_MAX:
            records = tuple(parse_envelope(row) for row in rows)
            return Evidence(records, None if after is None else _id(after))
        case _:
            raise SessionError(f"frame {number} has the wrong fields", requirement="SESS-5")


def form_rows(records: Sequence[Record]) -> list[Value]:
    """Return what stands for records: compact forms where they are compact here, or envelopes."""
    return [
        compact(each) if each.is_compact else [each.header, each.signature, each.body]
        for each in records
    ]


def read_form_rows(seek: Seek, rows: Sequence[Value]) -> tuple[Record, ...]:
    """Read what stands for the records of a log from `first` on; raises as `read_form_fields`."""
    if len(rows) > seek.until - seek.first:
        raise SessionError("more records than the checkpoint covers", requirement="SESS-5")
    return tuple(_form(seek, seek.first + at, row) for at, row in enumerate(rows))


def _place(seek: Seek) -> list[Value]:
    return [seek.author, seek.log, seek.until, seek.first]


def _seek(fields: Sequence[Value]) -> Seek:
    match fields:
        case [bytes(author), bytes(log), int(until), int(first)] if (
            len(author) == ID_SIZE
            and len(log) == LOG_ID_SIZE
            and type(until) is type(first) is int
            and 0 <= first < until <= INT_MAX
        ):
            return Seek(author, log, until, first)
        case _:
            raise SessionError("a place is [author, log, until, first]", requirement="SESS-5")


def _form(seek: Seek, seq: int, row: Value) -> Record:
    """Read what stands for a record: its compact form, or its envelope."""
    if isinstance(row, bytes):
        return expand(bytes(ID_SIZE), seek.author, seek.log, seq, row)
    record = parse_envelope(row)
    if (record.author, record.log, record.seq) != (seek.author, seek.log, seq):
        raise SessionError("a record of another place", requirement="SESS-5")
    return record


def _id(value: Value) -> bytes:
    if isinstance(value, bytes) and len(value) == ID_SIZE:
        return value
    raise SessionError(f"an id is {ID_SIZE} bytes", requirement="SESS-5")
