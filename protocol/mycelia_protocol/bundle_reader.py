"""Taking a bundle apart while it comes in, in pieces of any size. Spec: sections 15.1 and 15.2.

However large the bundle is, its reader holds at most two chunks, and four bytes of each that it has
met. What is whole comes out, wherever it stands; the rest is told by its place in the stream. When
everything was fed and `finish` was called, the tally says how much there was, and whether all that
the maker wrote is there.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from mycelia_protocol.bundle import (
    END,
    EVIDENCE,
    FORMS,
    HEADS,
    KNOWN,
    LABEL,
    RECORDS,
    Height,
    Label,
    read_heights,
    read_label,
    read_payload,
)
from mycelia_protocol.chunks import Chunk, ChunkScanner, Gap
from mycelia_protocol.encoding import Value
from mycelia_protocol.errors import BundleError, RemoteError, SessionError
from mycelia_protocol.form_frames import Seek, read_form_rows
from mycelia_protocol.limits import (
    EVIDENCE_CHUNKS_MAX,
    EVIDENCE_RECORDS_MAX,
    ID_SIZE,
    INT_MAX,
    PROOF_HASHES_MAX,
    RUN_RECORDS_MAX,
)
from mycelia_protocol.record import Record, parse_envelope

UNPROVEN_MAX: Final = 1_024  # chunks that wait for a label which says whose signature to check
TAG_SIZE: Final = 4  # bytes kept of each chunk's check, to know it when it comes again

# --- what a reader finds ---


@dataclass(frozen=True, slots=True)
class LabelFound:
    """Whose bundle it is; told anew if the first label was not signed and a later one is."""

    label: Label
    is_signed: bool


@dataclass(frozen=True, slots=True)
class HeightsFound:
    """What the maker held, as far as one chunk tells it; only if the maker signed it."""

    heights: tuple[Height, ...]


@dataclass(frozen=True, slots=True)
class RecordsFound:
    """Records whose structure is right; who wrote them is still to be seen."""

    records: tuple[Record, ...]


@dataclass(frozen=True, slots=True)
class FormsFound:
    """Part of a log, whole records or compact ones; whether anything proves them is to be seen.

    Attributes:
        checkpoint: sums up the log before it; its signature is still to be checked.
        first: the seq of the first record.
        records: one at least; they follow each other, all before the checkpoint.
        proof: the roots beside them.
    """

    checkpoint: Record
    first: int
    records: tuple[Record, ...]
    proof: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class EvidenceFound:
    """What is to show who confirmed checkpoints; who wrote it is still to be seen.

    Attributes:
        bundle: the id of the bundle in which it was.
        place: which part of it this is, from 0 on.
        is_last: no part has a greater place.
    """

    bundle: bytes
    place: int
    is_last: bool
    records: tuple[Record, ...]


@dataclass(frozen=True, slots=True)
class ChunkDamaged:
    """Bytes from `start` to before `end` of the stream can't be used."""

    start: int
    end: int


Load: TypeAlias = RecordsFound | FormsFound | EvidenceFound
Found: TypeAlias = LabelFound | HeightsFound | Load | ChunkDamaged


@dataclass(slots=True)
class Tally:
    """What a reader has met so far.

    Attributes:
        chunks: whole and different ones of this bundle.
        repeated: chunks that came again.
        others: chunks of other bundles, or with a number that was there; their records count.
        ignored: chunks of kinds that this version does not know.
        signed: of `chunks`, those that the maker signed.
        records: envelopes of RECORDS in chunks that are not repeated.
        forms: records of FORMS in such chunks; of a part that goes on the first counts before it.
        evidence: envelopes of EVIDENCE in such chunks.
        refused: of all these, those that break a rule of section 6.3 or 6.8.
        damaged, lost: places that can't be used, and their bytes.
        chunks_made, records_made: how many there were, None while no END was found.
    """

    chunks: int = 0
    repeated: int = 0
    others: int = 0
    ignored: int = 0
    signed: int = 0
    records: int = 0
    forms: int = 0
    evidence: int = 0
    refused: int = 0
    damaged: int = 0
    lost: int = 0
    chunks_made: int | None = None
    records_made: int | None = None

    @property
    def is_whole(self) -> bool:
        """Whether all that the maker wrote is there."""
        return self.chunks == self.chunks_made and not self.damaged


class BundleReader:
    """Takes a bundle apart while it comes in; keeps at most two chunks, and 4 bytes of each.

    Args:
        commons: id of the commons whose bundles are wanted; None: any.
    """

    def __init__(self, commons: bytes | None = None) -> None:
        self.tally = Tally()
        self.label: Label | None = None
        self.is_label_signed = False
        self._commons = commons
        self._scanner = ChunkScanner()
        self._bundle: bytes | None = None
        self._seen = bytearray()  # for each number of this bundle, 4 bytes of its chunk's check
        self._unproven: list[Chunk] = []  # without their payloads

    def feed(self, data: bytes) -> list[Found]:
        """Take the next bytes and return what was found in them, in order.

        Raises:
            BundleError: `version` or `commons`: this bundle is not for this reader.
        """
        return self._read(self._scanner.feed(data))

    def finish(self) -> list[Found]:
        """Take note that nothing follows.

        Raises:
            BundleError: as `feed`; or `bundle`: not one chunk was whole.
        """
        found = self._read(self._scanner.finish())
        if self._bundle is None:
            raise BundleError("nothing in it is part of a bundle", requirement="CARRY-1")
        return found

    def _read(self, parts: Iterable[Chunk | Gap]) -> list[Found]:
        found: list[Found] = []
        for part in parts:
            if isinstance(part, Gap):
                found.append(self._damage(part.start, part.end))
            elif self._is_repeated(part):
                self.tally.repeated += 1
            else:
                found.extend(self._open(part, self._count(part)))
        return found

    def _damage(self, start: int, end: int) -> ChunkDamaged:
        self.tally.damaged += 1
        self.tally.lost += end - start
        return ChunkDamaged(start, end)

    def _tag_of(self, chunk: Chunk) -> bytes:
        """Return what is kept of the chunk with this number; empty or zeros: there was none."""
        return bytes(self._seen[chunk.number * TAG_SIZE : (chunk.number + 1) * TAG_SIZE])

    def _is_repeated(self, chunk: Chunk) -> bool:
        """Return whether the same chunk was there before."""
        tag = chunk.check[:TAG_SIZE]
        return chunk.bundle == self._bundle and any(tag) and self._tag_of(chunk) == tag

    def _count(self, chunk: Chunk) -> bool:
        """Count a chunk; return whether it belongs to this bundle."""
        self._bundle = self._bundle or chunk.bundle
        if chunk.bundle != self._bundle or any(self._tag_of(chunk)):
            self.tally.others += 1
            return False
        end = (chunk.number + 1) * TAG_SIZE
        self._seen.extend(bytes(max(0, end - len(self._seen))))
        self._seen[end - TAG_SIZE : end] = chunk.check[:TAG_SIZE]
        self.tally.chunks += 1
        return True

    def _open(self, chunk: Chunk, is_ours: bool) -> list[Found]:
        """Read a chunk's payload; one that is not of this bundle is good for its records alone.

        Raises:
            BundleError: see `feed`.
        """
        kind, fields = read_payload(chunk.payload)
        found: list[Found] | None = None
        if kind in (LABEL, END):
            label = read_label(fields, is_end=kind == END)
            if label is not None:
                found = self._labelled(chunk, *label) if is_ours else []
        is_signed = is_ours and self._prove(chunk)
        if kind == HEADS:
            heights = read_heights(fields)
            if heights is not None:
                found = [HeightsFound(heights)] if is_signed else []
        elif kind == RECORDS:
            found = self._records(fields)
        elif kind == FORMS:
            found = self._forms(fields)
        elif kind == EVIDENCE:
            found = self._evidence(chunk.bundle, fields)
        elif kind is not None and kind not in KNOWN:
            self.tally.ignored += 1
            found = []
        return [self._damage(chunk.start, chunk.end)] if found is None else found

    def _labelled(self, chunk: Chunk, label: Label, totals: tuple[int, int] | None) -> list[Found]:
        """Take note of what the bundle says of itself."""
        if self._commons is not None and label.commons != self._commons:
            self.label = label
            raise BundleError("a bundle of another commons", code="commons", requirement="CARRY-4")
        if totals is not None:
            self.tally.chunks_made, self.tally.records_made = totals
        is_signed = chunk.is_signed_by(label.maker)
        if self.is_label_signed or (self.label is not None and not is_signed):
            return []
        self.label, self.is_label_signed = label, is_signed
        waiting, self._unproven = self._unproven, []
        self.tally.signed += sum(one.is_signed_by(label.maker) for one in waiting)
        return [LabelFound(label, is_signed)]

    def _prove(self, chunk: Chunk) -> bool:
        """Return whether the maker signed a chunk, and count it; without a label it waits."""
        if self.label is None:
            if len(self._unproven) < UNPROVEN_MAX:
                bare = Chunk(chunk.bundle, chunk.number, chunk.check, chunk.signature, b"", 0, 0)
                self._unproven.append(bare)
            return False
        is_signed = chunk.is_signed_by(self.label.maker)
        self.tally.signed += is_signed
        return is_signed

    def _records(self, fields: tuple[Value, ...]) -> list[Found] | None:
        """Read envelopes one by one, and leave out those that are wrong; None if it is no list."""
        match fields:
            case [tuple(rows)] if len(rows) <= RUN_RECORDS_MAX:
                pass
            case _:
                return None
        self.tally.records += len(rows)
        records = self._envelopes(rows)
        return [RecordsFound(records)] if records else []

    def _evidence(self, bundle: bytes, fields: tuple[Value, ...]) -> list[Found] | None:
        """Read envelopes as `_records` does."""
        match fields:
            case [int(place), bool(is_last), tuple(rows)] if (
                type(place) is int
                and 0 <= place < EVIDENCE_CHUNKS_MAX
                and len(rows) <= EVIDENCE_RECORDS_MAX
            ):
                pass
            case _:
                return None
        self.tally.evidence += len(rows)
        return [EvidenceFound(bundle, place, is_last, self._envelopes(rows))]

    def _envelopes(self, rows: Sequence[Value]) -> tuple[Record, ...]:
        """Read envelopes, and count those that are wrong."""
        records: list[Record] = []
        for row in rows:
            try:
                records.append(parse_envelope(row))
            except RemoteError:
                self.tally.refused += 1
        return tuple(records)

    def _forms(self, fields: tuple[Value, ...]) -> list[Found] | None:
        """Read part of a log; None if its fields are wrong, nothing if a record in it is."""
        match fields:
            case [tuple(envelope), int(first), tuple(rows), tuple(proof)] if (
                type(first) is int
                and 0 <= first <= INT_MAX
                and 1 <= len(rows) <= RUN_RECORDS_MAX
                and len(proof) <= PROOF_HASHES_MAX
            ):
                roots = tuple(one for one in proof if type(one) is bytes and len(one) == ID_SIZE)
            case _:
                return None
        if len(roots) != len(proof):
            return None
        found: list[Found] = []
        count = len(rows) - (first > 0)
        try:
            checkpoint = parse_envelope(envelope)
            place = Seek(checkpoint.author, checkpoint.log, checkpoint.seq, first)
            records = read_form_rows(place, rows)
            found.append(FormsFound(checkpoint, first, records, roots))
        except SessionError:  # beyond the checkpoint, or of another place
            return None
        except RemoteError:
            self.tally.refused += count
        self.tally.forms += count
        return found
