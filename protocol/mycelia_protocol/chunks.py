"""A bundle as bytes: chunks that stand alone and are found again after damage. Spec: section 15.1.

    chunk     = E([mark (8), bundle (8), number, check (32), signature (64), payload (bin)])
    check     = H("chunk", bundle, number as 8 bytes, payload)
    signature = Ed25519(maker, "mycelia/1/carry\\0" || check)

A bundle is chunk after chunk and nothing else, so any MessagePack library can walk through a whole
one. Each chunk names its bundle and its place in it, and has a check and a signature of its own:
whatever happened to the others, it can be used, and its maker is known. There is no index that
could be lost, and neither a writer nor a reader ever has to hold more than one chunk.

Where the next chunk does not begin at once, something is damaged, and `ChunkScanner` looks for the
next mark. It looks inside a damaged chunk too, since bytes may be missing in it. A file made to be
slow could make it hash the same bytes again and again; so it does that only as long as it has
hashed but little more than it was given, and passes over damaged chunks in one step after that.
"""

from dataclasses import dataclass
from typing import Final, NamedTuple

from mycelia_protocol.crypto import CARRY, CHUNK, digest, domain, sign, verify
from mycelia_protocol.encoding import encode
from mycelia_protocol.errors import LimitExceeded
from mycelia_protocol.limits import (
    BUNDLE_CHUNKS_MAX,
    BUNDLE_ID_SIZE,
    CHUNK_SIZE_MAX,
    ID_SIZE,
    SIGNATURE_SIZE,
)

# As in PNG: a byte beyond ASCII, a name, and the line end that a transfer as text would spoil.
MARK: Final = b"\x8fmycel\r\n"
PREFIX: Final = b"\x96\xc4\x08" + MARK  # how the encoding of every chunk begins
HEADER_SIZE_MAX: Final = len(PREFIX) + (2 + BUNDLE_ID_SIZE) + 5 + (2 + 32) + (2 + 64) + 5
HASHED_FACTOR_MAX: Final = (
    4  # bytes hashed for each byte given, before whole chunks are passed over
)
HASHED_FREE: Final = 16 * CHUNK_SIZE_MAX  # bytes besides: small files may be as broken as they like


@dataclass(frozen=True, slots=True)
class Chunk:
    """A chunk whose check fits.

    Attributes:
        start, end: where it lies in the stream, in bytes; the end is not part of it.
    """

    bundle: bytes
    number: int
    check: bytes
    signature: bytes
    payload: bytes
    start: int
    end: int

    def is_signed_by(self, maker: bytes) -> bool:
        """Return whether a key signed the chunk."""
        return verify(maker, domain(CARRY) + self.check, self.signature)


@dataclass(frozen=True, slots=True)
class Gap:
    """Bytes from `start` to before `end` that are no whole chunk."""

    start: int
    end: int


class _Header(NamedTuple):
    """The fields before the payload, and where that begins and ends, from the chunk's beginning."""

    bundle: bytes
    number: int
    check: bytes
    signature: bytes
    start: int
    end: int


def seal_chunk(seed: bytes, bundle: bytes, number: int, payload: bytes) -> bytes:
    """Return a chunk's bytes, signed with its maker's seed.

    Raises:
        LimitExceeded: the payload is too large, or the bundle has too many chunks.
    """
    if len(payload) > CHUNK_SIZE_MAX or not 0 <= number < BUNDLE_CHUNKS_MAX:
        raise LimitExceeded(f"chunk {number} of {len(payload)} bytes")
    check = check_of(bundle, number, payload)
    return encode([MARK, bundle, number, check, sign(seed, domain(CARRY) + check), payload])


def check_of(bundle: bytes, number: int, payload: bytes) -> bytes:
    """Return the hash that a chunk carries and its maker signs."""
    return digest(CHUNK, bundle, number.to_bytes(8, "big"), payload)


class ChunkScanner:
    """Finds the chunks in a stream that comes in pieces of any size.

    It holds less than two chunks, and as much as it is given at once.
    """

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._offset = 0  # of the buffer's beginning, in the stream
        self._lost_at: int | None = None  # where the present gap began
        self._given = 0
        self._hashed = 0

    def feed(self, data: bytes) -> list[Chunk | Gap]:
        """Take the next bytes and return what is complete now, in order."""
        self._buffer += data
        self._given += len(data)
        return self._scan(is_last=False)

    def finish(self) -> list[Chunk | Gap]:
        """Take note that nothing follows, and return what is left."""
        found = self._scan(is_last=True)
        if self._lost_at is not None:
            found.append(Gap(self._lost_at, self._offset))
        return found

    def _scan(self, *, is_last: bool) -> list[Chunk | Gap]:
        found: list[Chunk | Gap] = []
        while self._buffer:
            if not is_last and len(self._buffer) < HEADER_SIZE_MAX:
                break
            header = _read_header(self._buffer)
            if header is None:
                self._search(1, is_last=is_last)
                continue
            if len(self._buffer) < header.end:
                if not is_last:
                    break
                self._search(1, is_last=is_last)
                continue
            chunk = self._check(header)
            if chunk is None:
                self._search(header.end if self._is_spent else 1, is_last=is_last)
                continue
            if self._lost_at is not None:
                found.append(Gap(self._lost_at, self._offset))
                self._lost_at = None
            found.append(chunk)
            self._drop(header.end)
        return found

    def _check(self, header: _Header) -> Chunk | None:
        """Return the chunk at the beginning of the buffer if it is whole."""
        payload = bytes(self._buffer[header.start : header.end])
        self._hashed += len(payload)
        if check_of(header.bundle, header.number, payload) != header.check:
            return None
        place = (self._offset, self._offset + header.end)
        return Chunk(*header[:4], payload, *place)

    @property
    def _is_spent(self) -> bool:
        """Whether so much was hashed that damaged chunks are not searched through any more."""
        return self._hashed > HASHED_FACTOR_MAX * self._given + HASHED_FREE

    def _search(self, start: int, *, is_last: bool) -> None:
        """Drop everything before the next mark from `start` on; it is lost."""
        if self._lost_at is None:
            self._lost_at = self._offset
        place = self._buffer.find(PREFIX, start)
        if place < 0:  # a mark may lie half in what comes next
            keep = 0 if is_last else len(PREFIX) - 1
            place = max(start, len(self._buffer) - keep)
        self._drop(place)

    def _drop(self, size: int) -> None:
        size = min(size, len(self._buffer))
        del self._buffer[:size]
        self._offset += size


def _read_header(data: bytearray) -> _Header | None:
    """Read what stands before a payload, in its one canonical form; None if it is anything else."""
    bundle_at = len(PREFIX) + 2
    number_at = bundle_at + BUNDLE_ID_SIZE
    number, width = _read_int(data, number_at)
    check_at = number_at + width + 2
    signature_at = check_at + ID_SIZE + 2
    payload_at = signature_at + SIGNATURE_SIZE
    size, size_width = _read_size(data, payload_at)
    is_fit = (
        data.startswith(PREFIX)
        and data[bundle_at - 2 : bundle_at] == b"\xc4\x08"
        and 0 <= number < BUNDLE_CHUNKS_MAX
        and data[check_at - 2 : check_at] == b"\xc4\x20"
        and data[signature_at - 2 : signature_at] == b"\xc4\x40"
        and 0 <= size <= CHUNK_SIZE_MAX
    )
    if not is_fit:
        return None
    start = payload_at + size_width
    return _Header(
        bytes(data[bundle_at:number_at]),
        number,
        bytes(data[check_at : check_at + ID_SIZE]),
        bytes(data[signature_at:payload_at]),
        start,
        start + size,
    )


def _read_int(data: bytearray, at: int) -> tuple[int, int]:
    """Return a number in its shortest form and the bytes that it takes; -1 if there is none."""
    first = data[at] if at < len(data) else 0xFF
    if first < 0x80:
        return first, 1
    return _read_wide(data, at, {0xCC: (1, 0x80), 0xCD: (2, 0x100), 0xCE: (4, 0x10000)})


def _read_size(data: bytearray, at: int) -> tuple[int, int]:
    """Return the size in a byte string's beginning, and the bytes that this beginning takes."""
    return _read_wide(data, at, {0xC4: (1, 0), 0xC5: (2, 0x100), 0xC6: (4, 0x10000)})


def _read_wide(data: bytearray, at: int, forms: dict[int, tuple[int, int]]) -> tuple[int, int]:
    """Return the number behind a type byte; the least of each form is what no shorter one holds."""
    width, least = forms.get(data[at] if at < len(data) else 0, (0, 0))
    digits = data[at + 1 : at + 1 + width]
    value = int.from_bytes(digits, "big")
    if not width or len(digits) < width or value < least:
        return -1, 1
    return value, 1 + width
