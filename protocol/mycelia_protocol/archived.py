"""Finding statements in an archive: an index that holds none of them. Nothing else differs.

A state that is folded over an archive notes of each record whether it takes part, in a byte. What
it says is read when it is looked up, or was looked up lately. So the state of any history fits into
memory, and none of it has to be forgotten.
"""

from array import array
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final, cast

from mycelia_protocol.archive import KIND_NUMBERS, NOWHERE, Archive
from mycelia_protocol.errors import LocalError
from mycelia_protocol.index import Index
from mycelia_protocol.types import KINDS
from mycelia_protocol.types.base import Statement


class ArchiveIndex(Index):
    """All statements of an archive that take part in one state."""

    def __init__(self, archive: Archive) -> None:
        super().__init__()
        self.archive: Final = archive
        self.here: Final = bytearray(archive.count)  # 1 for what takes part
        self.numbers: Final[dict[type, int]] = {}  # family -> number of its kind in the archive
        self._meant: dict[tuple[bytes, type], array[int]] = {}
        self.statements = _Statements(self)
        self.about = _About(self)

    def marks(self) -> dict[bytes, bool]:
        """Return what holds one mark for each record of the archive."""
        return _Marks(self.archive)

    def add(self, statement: Statement[object]) -> None:
        """Note that a statement takes part."""
        family: Final = type(statement.body)
        position = self._position(statement)
        self.here[position] = 1
        if family not in self.by_type:
            self.by_type[family] = _Family(self, family, statement.kind)
            self.numbers[family] = KIND_NUMBERS[statement.kind]
        self._note_last(statement)
        addressee = KINDS[statement.kind].addressee
        if addressee is not None:
            self._meant.setdefault((addressee(statement), family), array("I")).append(position)

    def remove(self, gone: Sequence[Statement[object]]) -> None:
        """Undo `add`."""
        for one in gone:
            position = self._position(one)
            self.here[position] = 0
            addressee = KINDS[one.kind].addressee
            if addressee is not None:
                self._meant[addressee(one), type(one.body)].remove(position)
        self._note_last_again(gone)

    def replace(self, fresh: Sequence[Statement[object]]) -> None:
        """Read anew what has other words now."""
        del fresh
        self.archive.entry.cache_clear()

    def every(self, family: type) -> Iterable[Statement[object]]:
        """Return all statements of a family."""
        known = self.by_type.get(family)
        return () if known is None else known.values()

    def written(self, author: bytes, family: type) -> Iterable[Statement[object]]:
        """Return the statements of an author and a family."""
        known = cast("_Family | None", self.by_type.get(family))
        return () if known is None else known.within(self._of_author(author))

    def meant_for(self, key: bytes, family: type) -> Iterable[Statement[object]]:
        """Return the statements of a family that are meant for a key."""
        return map(self.at, self._meant.get((key, family), ()))

    def of_author(self, author: bytes) -> list[Statement[object]]:
        """Return all statements of an author."""
        found = (self.written(author, family) for family in self.by_type)
        return [one for some in found for one in some]

    def in_memory(self, author: bytes) -> list[Statement[object]]:
        """Return nothing: none is held."""
        del author
        return []

    def own_statements(self) -> Iterable[Statement[object]]:
        """Return all that take part."""
        return (self.at(position) for position in range(len(self.here)) if self.here[position])

    def between(self, low: bytes, high: bytes) -> list[bytes]:
        """Return the ids of the statements between two, both included."""
        ids = (self.archive.id_at(each) for each, here in enumerate(self.here) if here)
        return [each for each in ids if low <= each <= high]

    def at(self, position: int) -> Statement[object]:
        """Return the statement at a position, which takes part."""
        statement = self.archive.at(position).statement
        assert statement is not None  # else it would not take part
        return statement

    def _position(self, statement: Statement[object]) -> int:
        found = self.archive.entry(statement.id)
        if found is None:
            raise LocalError("a record that is not in the archive can't be folded over it")
        return found.position

    def _of_author(self, author: bytes) -> range:
        names, begins = self.archive.names, self.archive.begins
        numbers = [number for number, name in enumerate(names) if name[0] == author]
        return range(begins[numbers[0]], begins[numbers[-1] + 1]) if numbers else range(0)


class _Statements(dict[bytes, Statement[object]]):
    """All statements that take part, by id."""

    def __init__(self, index: ArchiveIndex) -> None:
        super().__init__()
        self._entry = index.archive.entry
        self._here = index.here

    def get(self, record: bytes, default: Any = None) -> Any:
        """Return the statement with this id."""
        found = self._entry(record)
        return default if found is None or not self._here[found.position] else found.statement

    def __contains__(self, record: object) -> bool:
        return self.get(cast("bytes", record)) is not None


class _Family(dict[bytes, Statement[object]]):
    """Those of one family."""

    def __init__(self, index: ArchiveIndex, family: type, kind: str) -> None:
        super().__init__()
        self._index = index
        self._entry = index.archive.entry
        self._here = index.here
        self._family = family
        self._kind = kind

    def get(self, record: bytes, default: Any = None) -> Any:
        """Return the statement with this id, if it is of this family."""
        found = self._entry(record)
        if found is None or not self._here[found.position]:
            return default
        statement = found.statement
        return statement if type(cast("Any", statement).body) is self._family else default

    def within(self, positions: range | None) -> Iterator[Statement[object]]:
        """Yield those at some positions, all if None."""
        index = self._index
        for position in index.archive.of_kind(self._kind, positions):
            statement = index.at(position) if index.here[position] else None
            if statement is not None and type(statement.body) is self._family:
                yield statement

    def values(self) -> Any:
        """Yield all."""
        return self.within(None)

    def __iter__(self) -> Iterator[bytes]:
        return (one.id for one in self.within(None))

    def __len__(self) -> int:
        return sum(1 for _ in self.within(None))


class _About(dict[tuple[bytes, type], list[Statement[object]]]):
    """Those of a family that refer to a record, by (author, order)."""

    def __init__(self, index: ArchiveIndex) -> None:
        super().__init__()
        self._numbers = index.numbers
        self._speakers = index.archive.speakers
        self._entry: Any = index.archive.entry
        self._here = index.here

    def get(self, key: tuple[bytes, type], default: Any = None) -> Any:
        """Return those that refer to key[0] and are of the family key[1]."""
        record, family = key
        number = self._numbers.get(family)
        said = None if number is None else self._speakers(record).get(number)
        if said is None:
            return default
        here, entry, found = self._here, self._entry, list[Any]()
        for position, id_ in said:
            if here[position]:
                statement: Any = entry(id_).statement
                if type(statement.body) is family:
                    found.append(statement)
        return found


class _Marks(dict[bytes, bool]):
    """A mark for each record of an archive, a byte each."""

    def __init__(self, archive: Archive) -> None:
        super().__init__()
        self._find = archive.find
        self._marks = bytearray(archive.count)
        self._count = 0

    def __bool__(self) -> bool:
        return self._count > 0

    def __contains__(self, record: object) -> bool:
        if not self._count:
            return False
        position = self._find(cast("bytes", record))
        return position != NOWHERE and self._marks[position] == 1

    def __setitem__(self, record: bytes, _value: bool) -> None:
        position = self._find(record)
        if position == NOWHERE:
            raise LocalError("a record that is not in the archive can't be folded over it")
        self._count += 1 - self._marks[position]
        self._marks[position] = 1

    def pop(self, record: bytes, default: Any = None) -> Any:
        """Take a mark away."""
        if self._count and record in self:
            self._marks[self._find(record)] = 0
            self._count -= 1
            return True
        return default

    def clear(self) -> None:
        """Take all marks away."""
        self._marks[:] = bytes(len(self._marks))
        self._count = 0
