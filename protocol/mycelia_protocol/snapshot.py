"""A snapshot: what is found on a way through a whole store, as tables that need not be read in.

A store of a year holds a million records, nearly all of which have long been settled. To fold them
anew at each start costs a minute and a gigabyte. A snapshot holds what that comes to, except for
what the records say: that stays in the store, and is read from there when somebody asks.

    positions   all records of some whole logs, by (author, order); a log's are in a row, by seq
    ids         in order of positions; and positions in order of ids
    kinds       0 for what is no statement; else the place in `kind_names`, counted from 1
    written_s   when, by the author's clock
    closes_s    of offers and requests: from when on they are not open, as far as is known
    about       who refers to a position; `missing`: who refers to what is not here
    rows        the rows of the state digest, of each kind by id
    asked       how much each author asked for, all its requests together

It is local, no part of the protocol: whoever takes it out of a file sees to it that every byte is
as it was written, and by the same code (`stamp`), and that the logs in the store reach as far.
Times are rounded up to seconds. Whatever is in it follows from the records alone.
"""

import sys
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias, cast

from mycelia_protocol.encoding import Value, decode_proven, encode
from mycelia_protocol.errors import LocalError, RemoteError
from mycelia_protocol.limits import ID_SIZE, LOG_ID_SIZE
from mycelia_protocol.record import Record
from mycelia_protocol.tables import Postings, Rows

LogKey: TypeAlias = tuple[bytes, bytes]
Fetch: TypeAlias = Callable[[bytes, bytes, int], Record]  # author, log, seq

NOWHERE: Final = -1
NEVER_S: Final = 2**32 - 1
LOG_SIZE: Final = ID_SIZE + LOG_ID_SIZE + 16  # author, log, depth, next seq
SPAN_SIZE: Final = ID_SIZE + LOG_ID_SIZE + 16  # author, log, first, last
SIZE_SIZE: Final = 8  # bytes of the number in front of the head
BYTE_ORDER: Final = sys.byteorder  # tables are read where they lie, as the machine reads numbers
ALIGNMENT: Final = 8
BUCKET_BITS_MAX: Final = 16  # of ids, by their first bits


@dataclass(frozen=True, slots=True)
class Part:
    """One log of a snapshot: positions from `begin` to before `end`."""

    author: bytes
    log: bytes
    depth: int
    begin: int
    end: int

    @property
    def key(self) -> LogKey:
        """Return (author, log)."""
        return self.author, self.log


class Snapshot:
    """The tables of one snapshot.

    Args:
        data: as `snapshot_writer.write_snapshot` gave it.
        stamp: of the code that reads.
        fetch: reads a record out of the store; it must be one with the id of its place.

    Raises:
        LocalError: it was written by other code, on another machine, or is none.
    """

    def __init__(self, data: memoryview, stamp: bytes, fetch: Fetch) -> None:
        self._data = data
        self._fetch = fetch
        self._begin, head = _read_head(data)
        order, written_by, commons, names, sections, kinds_with_rows = head
        if (order, written_by) != (BYTE_ORDER, stamp):
            raise LocalError("the snapshot was written by another version")
        self.commons: Final = cast(bytes, commons)
        self.kind_names: Final = cast("tuple[str, ...]", names)
        self._sections = {name: (at, size) for name, at, size in cast("_Sections", sections)}
        self.ids: Final = self._bytes("ids")
        self.kinds: Final = bytes(self._bytes("kinds"))
        self.written_s: Final = self._numbers("written_s")
        self.closes_s: Final = self._numbers("closes_s")
        self._by_id = self._numbers("by_id")
        self._fan = self._numbers("fan")
        self._bits = (len(self._fan) - 1).bit_length() - 1
        self._about, self._about_starts = self._numbers("about"), self._numbers("about_starts")
        self.missing: Final = self._postings("missing")
        self.parties: Final = self._postings("parties")
        self.addressed: Final = self._postings("addressed")
        self.parts: Final = self._read_parts()
        self._begins = [part.begin for part in self.parts]
        self._by_key = {part.key: part for part in self.parts}
        self.rows: Final = {
            name: Rows(
                self._numbers(f"rows.{name}"),
                self._numbers(f"row_starts.{name}"),
                self._bytes(f"row_data.{name}"),
                self.id_at,
            )
            for name in cast("tuple[str, ...]", kinds_with_rows)
        }

    @property
    def count(self) -> int:
        """How many records it covers."""
        return len(self.kinds)

    # --- logs ---

    def length_of(self, key: LogKey) -> int:
        """Return how many records of a log it covers, from its first one on."""
        part = self._by_key.get(key)
        return 0 if part is None else part.end - part.begin

    def part_at(self, position: int) -> Part:
        """Return the log of a position."""
        return self.parts[bisect_right(self._begins, position) - 1]

    def of_author(self, author: bytes) -> range:
        """Return the positions of an author's records."""
        low = bisect_left(self.parts, author, key=lambda part: part.author)
        high = bisect_right(self.parts, author, key=lambda part: part.author)
        return range(self.parts[low].begin, self.parts[high - 1].end) if low < high else range(0)

    def prefixes(self, part: Part) -> bytes:
        """Return the first 8 bytes of each id of a log, by seq."""
        return self.ids[part.begin * ID_SIZE : part.end * ID_SIZE].cast("Q")[::4].tobytes()

    def spans(self, name: str) -> Iterator[tuple[LogKey, int, int]]:
        """Yield ((author, log), first, last) of places: `erased`, or with `missing_words`."""
        data = bytes(self._bytes(name))
        for at in range(0, len(data), SPAN_SIZE):
            author, log, first, last = _read_key(data, at)
            yield (author, log), first, last

    def asked(self) -> dict[tuple[bytes, str, str], int]:
        """Return how much each author ever asked for, by category and unit."""
        data, found, at = bytes(self._bytes("asked")), {}, 0
        while at < len(data):
            size = int.from_bytes(data[at : at + 2], "big")
            author, category, unit, total = cast(
                "tuple[bytes, str, str, int]", decode_proven(data[at + 2 : at + 2 + size])
            )
            found[author, category, unit] = total
            at += 2 + size
        return found

    # --- records ---

    def find(self, record: bytes) -> int:
        """Return the position of the record with this id, or NOWHERE."""
        place = self._place(record)
        if place < self.count and self.id_at(self._by_id[place]) == record:
            return int(self._by_id[place])
        return NOWHERE

    def between(self, low: bytes, high: bytes) -> list[int]:
        """Return the positions of the records whose ids lie between two, both included, by id."""
        return list(self._by_id[self._place(low) : self._place(high, bisect_right)])

    def id_at(self, position: int) -> bytes:
        """Return the id of the record at a position."""
        return bytes(self.ids[position * ID_SIZE : (position + 1) * ID_SIZE])

    def about(self, record: bytes) -> Sequence[int]:
        """Return the positions of the statements that refer to a record, ascending."""
        position = self.find(record)
        return self.missing.of(record) if position == NOWHERE else self.about_at(position)

    def about_at(self, position: int) -> Sequence[int]:
        """Return the positions of the statements that refer to what is at one, ascending."""
        return self._about[self._about_starts[position] : self._about_starts[position + 1]]

    def of_kind(self, number: int, within: range | None = None) -> Iterator[int]:
        """Yield the positions of one kind of statements, ascending.

        Args:
            number: of the kind, as `number_of` says.
            within: the positions to look through; all if it is None.
        """
        begin, end = (0, self.count) if within is None else (within.start, within.stop)
        position = self.kinds.find(number, begin, end)
        while position != NOWHERE:
            yield position
            position = self.kinds.find(number, position + 1, end)

    def number_of(self, kind: str) -> int:
        """Return the number of a kind in `kinds`."""
        return self.kind_names.index(kind) + 1

    def record_at(self, position: int) -> Record:
        """Read the record at a position out of the store.

        Raises:
            LocalError: the store gave another one.
        """
        part = self.part_at(position)
        record = self._fetch(part.author, part.log, position - part.begin)
        if record.id != self.id_at(position):
            raise LocalError(f"record {record.seq} of a log is not the one that was there before")
        return record

    # --- tables ---

    def _place(self, record: bytes, search: Callable[..., int] = bisect_left) -> int:
        """Return how many ids are smaller than one; or, by `bisect_right`, not larger."""
        bucket = bucket_of(record, self._bits)
        low, high = self._fan[bucket], self._fan[bucket + 1]
        return search(self._by_id, record, low, high, key=self.id_at)

    def _bytes(self, name: str) -> memoryview:
        at, size = self._sections[name]
        return self._data[self._begin + at : self._begin + at + size]

    def _numbers(self, name: str) -> memoryview:
        return self._bytes(name).cast("I")

    def _postings(self, name: str) -> Postings:
        starts, positions = self._numbers(f"{name}.starts"), self._numbers(f"{name}.positions")
        return Postings(self._bytes(f"{name}.keys"), starts, positions)

    def _read_parts(self) -> list[Part]:
        data, parts, begin = bytes(self._bytes("logs")), list[Part](), 0
        for at in range(0, len(data), LOG_SIZE):
            author, log, depth, length = _read_key(data, at)
            parts.append(Part(author, log, depth, begin, begin + length))
            begin += length
        return parts


_Sections: TypeAlias = "tuple[tuple[str, int, int], ...]"


def bucket_of(record: bytes, bits: int) -> int:
    """Return in which bucket an id is looked up, if there are 2**bits of them."""
    return int.from_bytes(record[:2], "big") >> (BUCKET_BITS_MAX - bits)


def write_head(head: list[Value]) -> bytes:
    """Return what stands before the tables."""
    data = encode(head)
    return len(data).to_bytes(SIZE_SIZE, "big") + data + bytes(-len(data) % ALIGNMENT)


def _read_head(data: memoryview) -> tuple[int, tuple[Value, ...]]:
    """Return where the tables begin, and what stands before them."""
    size = int.from_bytes(data[:SIZE_SIZE], "big")
    try:
        head = decode_proven(bytes(data[SIZE_SIZE : SIZE_SIZE + size]))
    except RemoteError:
        head = None
    if not isinstance(head, tuple) or len(head) != 6:
        raise LocalError("this is no snapshot")
    return SIZE_SIZE + size + -size % ALIGNMENT, head


def _read_key(data: bytes, at: int) -> tuple[bytes, bytes, int, int]:
    """Return author, log and two numbers that stand in a row."""
    log_at = at + ID_SIZE
    first_at = log_at + LOG_ID_SIZE
    second_at = first_at + 8
    return (
        data[at:log_at],
        data[log_at:first_at],
        int.from_bytes(data[first_at:second_at], "big"),
        int.from_bytes(data[second_at : second_at + 8], "big"),
    )
