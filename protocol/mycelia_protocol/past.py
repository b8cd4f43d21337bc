"""The statements of a snapshot: read when somebody asks, out of the store, by their families.

A state that rests on a snapshot has two layers. Below is what the snapshot covers, which is not in
memory: its tables say where things are, and the last statements that were asked for are kept. Above
is what came since, as in any state. What is below never changes, save that some of it is

    gone        statements that take part no more, since their log is contested or their author is
                no member now; if they do again, they are in the upper layer
    doubtful    records whose derivation is another since more is said above
    outdated    records whose rows alone are others

and that words are erased in the store, or arrive there: nothing that was read before counts then.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Final, cast

from mycelia_protocol.encoding import Value, decode_proven
from mycelia_protocol.errors import LocalError
from mycelia_protocol.record import Record
from mycelia_protocol.snapshot import NEVER_S, NOWHERE, Snapshot
from mycelia_protocol.statements import FORMS, Reader
from mycelia_protocol.types import KINDS
from mycelia_protocol.types.base import Statement
from mycelia_protocol.types.request import Request, asked_by

STATEMENTS_KEPT: Final = 32_768  # about 32 MiB; what this node wrote in some years is among them
WITHOUT_DERIVATION: Final = ("claim", "observation")  # kinds whose rows no `touches` speaks of


class Past:
    """What lies below a state's own statements."""

    def __init__(self, snapshot: Snapshot, read: Reader) -> None:
        self.snapshot: Final = snapshot
        self._read = read
        self.asked: Final = Counter(snapshot.asked())
        self._gone: set[int] = set()
        self._doubtful: set[int] = set()
        self._outdated: set[int] = set()
        self.statement: Final = lru_cache(STATEMENTS_KEPT)(self._statement)
        self._numbers: dict[type, int] = {}  # family -> number in the snapshot
        for number in range(1, len(snapshot.kind_names) + 1):
            for position in snapshot.of_kind(number):
                one = self.statement(position)
                families = FORMS.get(one.kind, (type(one.body),))
                self._numbers.update((family, number) for family in families)
                break

    # --- looking up ---

    def find(self, record: bytes, family: type | None = None) -> Statement[object] | None:
        """Return the statement with this id, if it is of this family, and not gone."""
        position = self._position(record)
        if position == NOWHERE:
            return None
        if family is not None and self.snapshot.kinds[position] != self._numbers.get(family):
            return None
        found = self.statement(position)
        return found if family is None or isinstance(found.body, family) else None

    def about(self, record: bytes, family: type) -> list[Statement[object]]:
        """Return the statements of a family that refer to a record, by (author, order)."""
        return self._of(self.snapshot.about(record), family)

    def addressed(self, key: bytes, family: type) -> list[Statement[object]]:
        """Return the statements of a family that are meant for a key."""
        return self._of(self.snapshot.addressed.of(key), family)

    def every(self, family: type) -> Iterator[Statement[object]]:
        """Yield the statements of a family, by (author, order)."""
        return self._read_as(self.positions(family), family)

    def written(self, author: bytes, family: type | None = None) -> Iterator[Statement[object]]:
        """Yield the statements of an author, of one family or of all, in its order."""
        within = self.snapshot.of_author(author)
        if family is not None:
            yield from self._read_as(self.positions(family, within), family)
            return
        for position in within:
            if self.snapshot.kinds[position] and position not in self._gone:
                yield self.statement(position)

    def positions(self, family: type, within: range | None = None) -> Iterator[int]:
        """Yield where the statements of a family are, ascending."""
        number = self._numbers.get(family)
        if number is not None:
            found = self.snapshot.of_kind(number, within)
            yield from found if not self._gone else (p for p in found if p not in self._gone)

    def unsettled(self, family: type, now_ms: int) -> Iterator[Statement[object]]:
        """Yield the offers or requests that are not known to be closed at a time."""
        closes_s, now_s = self.snapshot.closes_s, min(now_ms // 1_000, NEVER_S - 1)
        for position in self.positions(family):
            if closes_s[position] > now_s or position in self._doubtful:
                yield self.statement(position)

    def since(self, family: type, since_ms: int) -> Iterator[Statement[object]]:
        """Yield all statements of a family that were written after a time, and perhaps others."""
        written_s, since_s = self.snapshot.written_s, min(since_ms // 1_000, NEVER_S - 1)
        for position in self.positions(family):
            if written_s[position] > since_s:
                yield self.statement(position)

    def spoken_of_since(self, family: type, by: type, since_ms: int) -> Iterator[bytes]:
        """Yield the ids of a family about which one of another was written after a time.

        There may be others among them.
        """
        snapshot, number = self.snapshot, self._numbers.get(by)
        kinds, written_s = snapshot.kinds, snapshot.written_s
        since_s = min(since_ms // 1_000, NEVER_S - 1)
        for position in self.positions(family):
            if position in self._doubtful or any(
                kinds[each] == number and written_s[each] > since_s
                for each in snapshot.about_at(position)
            ):
                yield snapshot.id_at(position)

    def count(self, family: type) -> int:
        """Return how many statements of a family there are."""
        number = self._numbers.get(family)
        if number is None:
            return 0
        gone = sum(self.snapshot.kinds[position] == number for position in self._gone)
        return self.snapshot.kinds.count(number) - gone

    def last(self, family: type) -> Iterator[Statement[object]]:
        """Yield each author's last statement of a family."""
        for author in dict.fromkeys(part.author for part in self.snapshot.parts):
            *_, last = (NOWHERE, *self.positions(family, self.snapshot.of_author(author)))
            if last != NOWHERE:
                yield self.statement(last)

    def between(self, low: bytes, high: bytes) -> list[bytes]:
        """Return the ids of the statements between two, both included."""
        found = map(self.snapshot.id_at, self.snapshot.between(low, high))
        return [record for record in found if self._position(record) != NOWHERE]

    def records(self, family: type) -> Iterator[Record]:
        """Yield the records of a family's statements."""
        return map(self.snapshot.record_at, self.positions(family))

    def holds(self, record: Record) -> bool:
        """Return whether it covers a record, whatever that says."""
        return self.snapshot.find(record.id) != NOWHERE

    # --- what changes ---

    def let_go(self, gone: Iterable[Statement[object]]) -> None:
        """Note that statements take part no more."""
        for one in gone:
            position = self.snapshot.find(one.id)
            if position != NOWHERE and position not in self._gone:
                self._gone.add(position)
                if isinstance(one.body, Request):
                    self._unask(asked_by(one.author, one.body), one.body.quantity)

    def _unask(self, key: tuple[bytes, str, str], quantity: int) -> None:
        """Take from what somebody asked for; nothing left is as if it had never asked."""
        self.asked[key] -= quantity
        if not self.asked[key]:
            del self.asked[key]

    def reread(self) -> None:
        """Note that words in the store are others than before."""
        self.statement.cache_clear()

    def is_near(self, statement: Statement[object]) -> bool:
        """Return whether a new statement speaks of what is here, or is spoken of here."""
        find = self.snapshot.find
        return any(find(ref) != NOWHERE for ref in statement.refs) or bool(
            self.snapshot.missing.of(statement.id) or self.snapshot.parties.of(statement.id)
        )

    def doubt(self, statement: Statement[object], touched: Iterable[bytes]) -> None:
        """Note that rows may hold no more, since a statement came or went.

        Args:
            touched: the records whose derivation changes by that.
        """
        snapshot = self.snapshot
        self._doubtful.update(map(snapshot.find, touched))
        numbers = [snapshot.number_of(kind) for kind in WITHOUT_DERIVATION]
        spoken_of = map(snapshot.find, statement.refs)
        for position in (*spoken_of, *snapshot.about(statement.id)):
            if position != NOWHERE and snapshot.kinds[position] in numbers:
                self._outdated.add(position)
        if statement.kind == "party":
            self._outdated.update(snapshot.parties.of(statement.id))
        self._doubtful.discard(NOWHERE)

    # --- rows of the state digest ---

    def is_sound(self, record: bytes) -> bool:
        """Return whether a record's row is here and holds."""
        position = self._position(record)
        if position == NOWHERE or position in self._doubtful:
            return False
        kind = self.snapshot.kind_names[self.snapshot.kinds[position] - 1]
        return KINDS[kind].derive is not None

    def recall(self, record: bytes) -> object | None:
        """Return a record's derivation, if its row holds and says all of that."""
        if not self.is_sound(record):
            return None
        name = self.snapshot.kind_names[self.snapshot.kinds[self.snapshot.find(record)] - 1]
        recall, row = KINDS[name].recall, self.snapshot.rows[name].get(record)
        return None if recall is None or row is None else recall(_decoded(row))

    def rows(self, name: str) -> Iterator[tuple[bytes, list[Value]]]:
        """Yield (id, row) of the records of a kind whose rows hold, by id."""
        outdated = self.outdated(name)
        for record, row in self.snapshot.rows[name].each():
            if record not in outdated:
                yield record, _decoded(row)

    def outdated(self, name: str) -> dict[bytes, Statement[object] | None]:
        """Return the records of a kind whose rows hold no more; None for those that are gone."""
        number, id_at = self.snapshot.number_of(name), self.snapshot.id_at
        return {
            id_at(position): None if position in self._gone else self.statement(position)
            for position in sorted(self._doubtful | self._outdated | self._gone)
            if self.snapshot.kinds[position] == number
        }

    # --- inside ---

    def _statement(self, position: int) -> Statement[object]:
        record = self.snapshot.record_at(position)
        statement = self._read(record, self.snapshot.part_at(position).depth)
        if statement is None:
            raise LocalError(f"record {record.seq} of a log was a statement before, and is none")
        return statement

    def _position(self, record: bytes) -> int:
        position = self.snapshot.find(record)
        if position == NOWHERE or position in self._gone or not self.snapshot.kinds[position]:
            return NOWHERE
        return position

    def _of(self, positions: Sequence[int], family: type) -> list[Statement[object]]:
        number, kinds, gone = self._numbers.get(family), self.snapshot.kinds, self._gone
        there = (p for p in positions if kinds[p] == number and p not in gone)
        return list(self._read_as(there, family))

    def _read_as(self, positions: Iterable[int], family: type) -> Iterator[Statement[object]]:
        """Yield what is at some positions, if it is read as this family: decisions may be two."""
        return (one for one in map(self.statement, positions) if isinstance(one.body, family))


def _decoded(row: bytes) -> list[Value]:
    return [
        list(value) if isinstance(value, tuple) else value
        for value in cast("tuple[Value, ...]", decode_proven(row))
    ]
