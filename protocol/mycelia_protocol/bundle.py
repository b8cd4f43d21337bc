"""Bundles: records in a file, for a way that no network goes. Spec: section 15.

    LABEL [1, version, commons, maker, made_ms, audience | nil, basis_ms | nil]
    HEADS [2, [[author, log, next_seq, prefix], ...]]      what the maker's store holds
    RECORDS [3, [envelope, ...]]                           runs, as in the frame of that name
    END [4, version, commons, maker, made_ms, audience | nil, basis_ms | nil, chunks, records]
    FORMS [6, checkpoint, first, [compact form | envelope, ...], [root, ...]]
    EVIDENCE [7, place, is_last, [envelope, ...]]          who confirmed the checkpoints of FORMS

Each of these is the payload of a chunk (`chunks.py`). Their order means nothing, except that a
reader knows only at the END what it missed. Records authenticate themselves; that a bundle is
signed says who carried them, and no more.

`BundleWriter` does no I/O and holds nothing, however large the bundle. `bundle_reader.py` takes one
apart, with the functions at the end of this file.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from mycelia_protocol.chunks import seal_chunk
from mycelia_protocol.crypto import public_key
from mycelia_protocol.encoding import Value, decode, encode
from mycelia_protocol.errors import BundleError, EncodingError
from mycelia_protocol.limits import (
    CHUNK_SIZE_MAX,
    HEADS_PER_FRAME_MAX,
    ID_SIZE,
    INT_MAX,
    LOG_ID_SIZE,
    PROTOCOL_VERSION,
)
from mycelia_protocol.record import Record

LABEL: Final = 1
HEADS: Final = 2
RECORDS: Final = 3
END: Final = 4
SEALED: Final = 5  # messages for one reader; no version says yet what is in them
FORMS: Final = 6
EVIDENCE: Final = 7
KNOWN: Final = (LABEL, HEADS, RECORDS, END, FORMS, EVIDENCE)


@dataclass(frozen=True, slots=True)
class Label:
    """What a bundle says of itself.

    Attributes:
        made_ms: the maker's clock when it began.
        audience: key of the member for whom it was made; None: for anyone.
        basis_ms: when the maker was last told what the audience holds, and left that out; None:
            nothing was left out.
    """

    commons: bytes
    maker: bytes
    made_ms: int
    audience: bytes | None = None
    basis_ms: int | None = None

    def fields(self) -> list[Value]:
        """Return the fields behind the kind, as they stand in LABEL and END."""
        place: list[Value] = [self.commons, self.maker, self.made_ms]
        return [PROTOCOL_VERSION, *place, self.audience, self.basis_ms]


class Height(NamedTuple):
    """How far the maker's store holds a log; `prefix` begins the id of its last record there."""

    author: bytes
    log: bytes
    next_seq: int
    prefix: bytes


class BundleWriter:
    """Turns records into a bundle's bytes, chunk by chunk.

    Args:
        seed: the maker's Ed25519 seed.
        bundle: 8 random bytes.
    """

    def __init__(self, seed: bytes, bundle: bytes, label: Label) -> None:
        assert label.maker == public_key(seed)
        self._seed = seed
        self._bundle = bundle
        self._label = label
        self._shown = 0  # chunks of EVIDENCE
        self.chunks = 0
        self.records = 0

    def begin(self, heights: Sequence[Height] = ()) -> bytes:
        """Return the label, and what the maker holds."""
        parts = [self._seal([LABEL, *self._label.fields()])]
        for start in range(0, len(heights), HEADS_PER_FRAME_MAX):
            rows: list[Value] = [[*row] for row in heights[start : start + HEADS_PER_FRAME_MAX]]
            parts.append(self._seal([HEADS, rows]))
        return b"".join(parts)

    def add(self, records: Sequence[Record]) -> bytes:
        """Return a chunk with runs of records, each run ending signed.

        Raises:
            LimitExceeded: more than a chunk holds.
        """
        self.records += len(records)
        return self._seal([RECORDS, [record.envelope() for record in records]])

    def add_forms(
        self, checkpoint: Record, first: int, rows: list[Value], proof: Sequence[bytes]
    ) -> bytes:
        """Return a chunk with part of a log in whatever form.

        Args:
            checkpoint: sums up the log before it; with its own signature.
            first: the seq of the first row.
            rows: compact forms or envelopes that follow each other, one at least.
            proof: the roots beside them.

        Raises:
            LimitExceeded: more than a chunk holds.
        """
        return self._seal([FORMS, checkpoint.envelope(), first, rows, list(proof)])

    def add_evidence(self, records: Sequence[Record], *, is_last: bool) -> bytes:
        """Return a chunk with vouches and acknowledgements, each with its own signature.

        Raises:
            LimitExceeded: more than a chunk holds.
        """
        place, self._shown = self._shown, self._shown + 1
        return self._seal([EVIDENCE, place, is_last, [each.envelope() for each in records]])

    def end(self) -> bytes:
        """Return the last chunk, by which a reader knows that it has all."""
        return self._seal([END, *self._label.fields(), self.chunks + 1, self.records])

    def _seal(self, payload: list[Value]) -> bytes:
        chunk = seal_chunk(self._seed, self._bundle, self.chunks, encode(payload))
        self.chunks += 1
        return chunk


# --- reading payloads ---


def read_payload(payload: bytes) -> tuple[int | None, tuple[Value, ...]]:
    """Return the kind of a payload and its fields; None if it is no canonical array of them."""
    try:
        value = decode(payload, size_max=CHUNK_SIZE_MAX)
    except EncodingError:
        return None, ()
    match value:
        case [int(kind), *fields] if type(kind) is int:
            return kind, tuple(fields)
        case _:
            return None, ()


def read_label(
    fields: tuple[Value, ...], *, is_end: bool
) -> tuple[Label, tuple[int, int] | None] | None:
    """Return what LABEL or END says, and the totals of END; None if a field breaks its rule.

    Raises:
        BundleError: another version.
    """
    version = fields[0] if fields else None
    if type(version) is int and version != PROTOCOL_VERSION:
        raise BundleError(f"a bundle of version {version}", code="version", requirement="CARRY-4")
    if type(version) is not int or len(fields) != (8 if is_end else 6):
        return None
    _, commons, maker, made_ms, audience, basis_ms, *totals = fields
    if not _is_bytes(commons) or not _is_bytes(maker) or not _is_count(made_ms):
        return None
    if (audience is not None and not _is_bytes(audience)) or not all(map(_is_count, totals)):
        return None
    if basis_ms is not None and not _is_count(basis_ms):
        return None
    assert isinstance(commons, bytes)
    assert isinstance(maker, bytes)
    assert isinstance(made_ms, int)
    assert audience is None or isinstance(audience, bytes)
    assert basis_ms is None or isinstance(basis_ms, int)
    label = Label(commons, maker, made_ms, audience, basis_ms)
    counts = [total for total in totals if isinstance(total, int)]
    return label, ((counts[0], counts[1]) if is_end else None)


def _is_bytes(value: Value) -> bool:
    return type(value) is bytes and len(value) == ID_SIZE


def _is_count(value: Value) -> bool:
    return type(value) is int and 0 <= value <= INT_MAX


def read_heights(fields: tuple[Value, ...]) -> tuple[Height, ...] | None:
    """Return what HEADS tells, or None if a field breaks its rule."""
    match fields:
        case [tuple(rows)] if len(rows) <= HEADS_PER_FRAME_MAX:
            heights = [_read_height(row) for row in rows]
            found = tuple(height for height in heights if height is not None)
            return found if len(found) == len(rows) else None
        case _:
            return None


def _read_height(row: Value) -> Height | None:
    match row:
        case [bytes(author), bytes(log), int(next_seq), bytes(prefix)] if (
            (len(author), len(log), len(prefix)) == (ID_SIZE, LOG_ID_SIZE, 8)
            and type(next_seq) is int
            and 1 <= next_seq <= INT_MAX
        ):
            return Height(author, log, next_seq, prefix)
        case _:
            return None
