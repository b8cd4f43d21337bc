"""A whole store by places: where each record is, and which speak of it; what they say is read then.

An audit goes over a history of any length. So it holds of each record only what is asked for all
the time, some sixty bytes, and reads the record itself when somebody looks at it, keeping those
that were looked at last.

    positions   all records, log by log, a log's in a row by seq
    ids         by position, and a table of slots in which an id is looked up
    kinds       the place of a kind's name in `KIND_NAMES`, counted from 1; 0 for others
    written_s   when, by the author's clock
    speakers    of each position those that refer to it, in lists that hang on each other
"""

from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import accumulate
from typing import Final, NamedTuple, Protocol, TypeAlias

from mycelia_protocol.limits import ID_SIZE
from mycelia_protocol.record import Record
from mycelia_protocol.statements import Reader, read_again, read_statement
from mycelia_protocol.types import KINDS
from mycelia_protocol.types.base import Statement
from mycelia_protocol.types.incarnation import Incarnation

LogKey: TypeAlias = tuple[bytes, bytes]  # (author, log)
Logs: TypeAlias = Mapping[LogKey, Sequence[Record]]
Speakers: TypeAlias = Mapping[int, Sequence[tuple[int, bytes]]]  # kind -> (position, id) of each

ENTRIES_KEPT: Final = 32_768  # about 60 MiB
KIND_NAMES: Final = tuple(sorted(KINDS))
KIND_NUMBERS: Final = {name: number for number, name in enumerate(KIND_NAMES, 1)}
READ_AGAIN: Final = ("offer", "request", "grant", "answer", "receipt")  # nobody asks for words
NOWHERE: Final = -1
NOBODY: Final[Speakers] = {}
SECONDS_MAX: Final = 2**32 - 1


class Header(NamedTuple):
    """What an archive notes of a record."""

    id: bytes
    kind: str
    time_ms: int


class Store(Protocol):
    """Where the records are."""

    @property
    def logs(self) -> Mapping[LogKey, int]:
        """How many records there are of each log, from seq 0 on without a gap."""
        ...

    def headers(self, key: LogKey) -> Iterable[Header]:
        """Yield what is to be noted of a log's records, by seq."""
        ...

    def references(self, key: LogKey) -> Iterable[Sequence[bytes]]:
        """Yield to which records each of a log's refers, by seq."""
        ...

    def record(self, key: LogKey, seq: int, record: bytes) -> Record:
        """Return the record at a place, of which the id is known; of its header what it says."""
        ...


class Entry(NamedTuple):
    """One record without what proves it, and what it says; None if that is nothing."""

    position: int
    record: Record
    statement: Statement[object] | None


class Archive:
    """All records of a store.

    Args:
        store: must not change as far as it is covered, save that words are erased.
        read: reads bodies; one that remembers saves whoever looks at many copies of the same logs.
    """

    def __init__(self, store: Store, read: Reader = read_statement) -> None:
        self._store: Final = store
        self._read_body: Final = read
        self.names: Final[Sequence[LogKey]] = sorted(store.logs)
        self.lengths: Final = [store.logs[key] for key in self.names]
        self.begins: Final = [0, *accumulate(self.lengths)]
        self.count: Final = self.begins[-1]
        self._ids = bytearray()
        self.kinds: Final = bytearray()
        self.written_s: Final = array("I")
        self._depths: Final[list[int | None]] = [None] * len(self.names)
        self._note_all()
        self._slots: Final = self._in_slots()
        self._first: Final = array("I", bytes(4 * self.count))  # number of an edge, 0 for none
        self._sources: Final = array("I", [0])
        self._next: Final = array("I", [0])
        self._unknown: Final[dict[bytes, list[int]]] = {}  # who refers to what is not here
        self._note_references()
        self._was_read: Final = bytearray(self.count)  # 1 if it can be read again without a check
        self.entry: Final = lru_cache(ENTRIES_KEPT)(self._entry)
        self.speakers: Final = lru_cache(ENTRIES_KEPT)(self._speakers)

    @classmethod
    def of(cls, logs: Logs, read: Reader = read_statement) -> "Archive":
        """Return an archive of records that are in memory."""
        return cls(_InMemory(logs), read)

    # --- places ---

    def find(self, record: bytes) -> int:
        """Return the position of the record with this id, or NOWHERE."""
        slots, ids, mask = self._slots, self._ids, len(self._slots) - 1
        slot = hash(record) & mask
        while place := slots[slot]:
            if ids[(place - 1) * ID_SIZE : place * ID_SIZE] == record:
                return place - 1
            slot = (slot + 1) & mask
        return NOWHERE

    def id_at(self, position: int) -> bytes:
        """Return the id of the record at a position."""
        return bytes(self._ids[position * ID_SIZE : (position + 1) * ID_SIZE])

    def of_log(self, number: int) -> range:
        """Return the positions of a log, by its number in `names`."""
        return range(self.begins[number], self.begins[number + 1])

    def of_kind(self, kind: str, within: range | None = None) -> Iterator[int]:
        """Yield the positions of one kind of records, ascending.

        Args:
            within: the positions to look through; all if it is None.
        """
        number = KIND_NUMBERS[kind]
        begin, end = (0, self.count) if within is None else (within.start, within.stop)
        position = self.kinds.find(number, begin, end)
        while position != NOWHERE:
            yield position
            position = self.kinds.find(number, position + 1, end)

    def count_of(self, kind: str) -> int:
        """Return how many records of a kind there are."""
        return self.kinds.count(KIND_NUMBERS[kind])

    # --- records ---

    def at(self, position: int) -> Entry:
        """Return the record at a position."""
        found = self.entry(self.id_at(position))
        assert found is not None
        return found

    def read(self, record: Record, _depth: int = 0) -> Statement[object] | None:
        """Read a record of this archive, as a `Reader` does; it knows the depths of its logs."""
        found = self.entry(record.id)
        return None if found is None else found.statement

    def _entry(self, record: bytes) -> Entry | None:
        """Return the record with this id; None if it is not here."""
        position = self.find(record)
        if position == NOWHERE:
            return None
        number = self._number_at(position)
        found = self._store.record(self.names[number], position - self.begins[number], record)
        read = read_again if self._was_read[position] else self._read_body
        statement = read(found, self._depth(number))
        self._was_read[position] = statement is not None and found.kind in READ_AGAIN
        return Entry(position, _bare(found), statement)

    def _depth(self, number: int) -> int:
        """Return where a log stands among its author's."""
        known = self._depths[number]
        if known is None:
            begin = self._store.record(self.names[number], 0, self.id_at(self.begins[number]))
            first = self._read_body(begin, 0)
            body = None if first is None else first.body
            known = body.depth if isinstance(body, Incarnation) else 0
            self._depths[number] = known
        return known

    def _number_at(self, position: int) -> int:
        low, high = 0, len(self.names)
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if self.begins[middle] <= position else (low, middle)
        return low

    def _speakers(self, record: bytes) -> Speakers:
        """Return those that refer to the record with this id: of each kind by author and order."""
        position = self.find(record)
        if position == NOWHERE:
            found = self._unknown.get(record, [])
        else:
            found, edge = [], self._first[position]
            while edge:
                found.append(self._sources[edge])
                edge = self._next[edge]
        if not found:
            return NOBODY
        speakers: dict[int, list[tuple[int, bytes]]] = {}
        for each in sorted(found, key=self._order):
            speakers.setdefault(self.kinds[each], []).append((each, self.id_at(each)))
        return speakers

    def _order(self, position: int) -> tuple[bytes, int, bytes, int]:
        """Return where a record stands among all."""
        number = self._number_at(position)
        author, log = self.names[number]
        return author, self._depth(number), log, position

    # --- tables ---

    def _note_all(self) -> None:
        for key in self.names:
            for header in self._store.headers(key):
                self._ids += header.id
                self.kinds.append(KIND_NUMBERS.get(header.kind, 0))
                self.written_s.append(min(header.time_ms // 1_000, SECONDS_MAX))

    def _in_slots(self) -> "array[int]":
        """Return a table that is at most half full; what is in a slot is counted from 1."""
        slots = array("I", bytes(4 << (2 * self.count).bit_length()))
        mask = len(slots) - 1
        for position in range(self.count):
            slot = hash(self.id_at(position)) & mask
            while slots[slot]:
                slot = (slot + 1) & mask
            slots[slot] = position + 1
        return slots

    def _note_references(self) -> None:
        position = 0
        for key in self.names:
            for refs in self._store.references(key):
                for ref in refs:
                    self._note_reference(position, ref)
                position += 1

    def _note_reference(self, source: int, ref: bytes) -> None:
        target = self.find(ref)
        if target == NOWHERE:
            self._unknown.setdefault(ref, []).append(source)
            return
        self._sources.append(source)
        self._next.append(self._first[target])
        self._first[target] = len(self._sources) - 1


class _InMemory:
    """A store of records that are in memory."""

    def __init__(self, logs: Logs) -> None:
        self._records = logs
        self.logs: Final = {key: len(records) for key, records in logs.items()}

    def headers(self, key: LogKey) -> Iterator[Header]:
        for each in self._records[key]:
            yield Header(each.id, each.kind, each.time_ms)

    def references(self, key: LogKey) -> Iterator[Sequence[bytes]]:
        return (each.refs for each in self._records[key])

    def record(self, key: LogKey, seq: int, record: bytes) -> Record:
        found = self._records[key][seq]
        assert found.id == record
        return found


def _bare(record: Record) -> Record:
    """Return a record without what it says, which its statement has, and what proves it."""
    where = (record.commons, record.author, record.log, record.seq)
    return Record.known(record.id, *where, record.kind, record.time_ms, record.refs, None)
