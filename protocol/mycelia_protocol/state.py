"""The fold: from the set of authentic records to the state of the commons. Spec: section 8.

State is a pure function of the *set*: the same records in any order give the same state and the
same digest. What a record means is its family's business (`types/`); this module keeps the indexes,
the roster, and what was derived, and forgets a derivation when something it rests on arrives.

Theory of operation: a record waits while its author is not on the roster, or while its log's
incarnation, which places the log among its author's logs, is not here. Every other missing
reference is the families' affair: they say `waiting` and are asked again.
"""

import bisect
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final, TypeVar, cast

from mycelia_protocol.charter import Charter
from mycelia_protocol.crypto import digest
from mycelia_protocol.encoding import Value, encode
from mycelia_protocol.errors import LocalError
from mycelia_protocol.layers import Layered
from mycelia_protocol.limits import CHAIN_RECORDS_MAX
from mycelia_protocol.record import Record
from mycelia_protocol.statements import Reader, read_statement
from mycelia_protocol.types import KINDS
from mycelia_protocol.types.base import Statement
from mycelia_protocol.types.incarnation import Incarnation
from mycelia_protocol.types.profile import Profile
from mycelia_protocol.types.vouch import Vouch

T = TypeVar("T")
LogKey = tuple[bytes, bytes]

KINDS_WITH_ROWS: Final = sorted(name for name, kind in KINDS.items() if kind.row is not None)


class State:
    """What all records together say. Implements `types.base.Facts`.

    Args:
        read: reads a record's body; `read_statement`, or the same with a memory.
    """

    def __init__(self, charter: Charter, read: Reader = read_statement) -> None:
        self.charter: Final = charter
        self._read = read
        self.commons: Final = charter.commons
        self.unread = 0  # records of an unknown kind, or whose body breaks its schema
        self.member_count = 1
        self._roster: dict[bytes, Record | None] = {charter.founder: None}
        self._waiting: dict[LogKey, list[Record]] = defaultdict(list)
        self._depths: dict[LogKey, int] = {}  # logs that the incarnation of a log names
        self._seen: dict[bytes, bool] = {}
        self._statements: dict[bytes, Statement[object]] = {}
        self._by_type: dict[type, dict[bytes, Statement[object]]] = {}
        self._about: dict[tuple[bytes, type], list[Statement[object]]] = {}
        self._by_author: dict[tuple[bytes, type], list[Statement[object]]] = {}
        self._addressed: dict[tuple[bytes, type], list[Statement[object]]] = {}
        self._profiles: dict[bytes, Statement[Profile]] = {}
        self._derived: dict[bytes, object] = {}

    def branch(self, read: Reader) -> "State":
        """Return a state that begins with all of this one, which must not change any more.

        For worlds in which thousands of nodes begin with the same records.
        """
        if self._derived or self._waiting:
            raise LocalError("a state can be branched only before anything was derived from it")
        other = State(self.charter, read)
        other.unread, other.member_count = self.unread, self.member_count
        other._roster = Layered(self._roster)
        other._depths = Layered(self._depths)
        other._seen = Layered(self._seen)
        other._statements = Layered(self._statements)
        other._by_type = {kind: Layered(known) for kind, known in self._by_type.items()}
        other._about = Layered(self._about)
        other._by_author = Layered(self._by_author)
        other._addressed = Layered(self._addressed)
        other._profiles = Layered(self._profiles)
        return other

    def add(self, record: Record) -> None:
        """Take in one authentic record; a record that is already here changes nothing."""
        if record.id in self._seen:
            return
        self._seen[record.id] = True
        pending = [record]
        while pending:
            pending.extend(self._admit(pending.pop()))

    def _admit(self, record: Record) -> list[Record]:
        """Fold one record, or let it wait; return the records that need wait no longer."""
        key = (record.author, record.log)
        if record.author not in self._roster or (record.seq and key not in self._depths):
            self._waiting[key].append(record)
            return []
        statement = self._read(record, self._depths.get(key, 0))
        freed: list[Record] = []
        if record.seq == 0:
            body = statement.body if statement else None
            self._depths[key] = len(body.heads) if isinstance(body, Incarnation) else 0
            freed = self._waiting.pop(key, [])
            statement = statement and replace(statement, order=(self._depths[key], *key[1:], 0))
        if statement is None:
            self.unread += 1
            return freed
        self._index(statement)
        if isinstance(statement.body, Vouch):
            freed.extend(self._vouched(statement.body.key, record))
        return freed

    def _vouched(self, key: bytes, vouch: Record) -> list[Record]:
        """Take in who is a member now, or by fewer vouches than before; return what waited."""
        if key in self._roster:
            longer, shorter = self.introduction(key), self.introduction(vouch.author)
            is_better = shorter is not None and (longer is None or len(longer) > len(shorter) + 1)
            if is_better and vouch.signature is not None:
                self._roster[key] = vouch
            return []
        self._roster[key] = vouch
        self.member_count += 1
        waited = sorted(waiting for waiting in self._waiting if waiting[0] == key)
        return [record for waiting in waited for record in self._waiting.pop(waiting)]

    def _index(self, statement: Statement[object]) -> None:
        """Make a statement findable and forget what was derived without it."""
        self._statements[statement.id] = statement
        self._by_type.setdefault(type(statement.body), {})[statement.id] = statement
        kind = type(statement.body)
        _own_list(self._by_author, (statement.author, kind)).append(statement)
        for ref in statement.refs:
            spoken_of = _own_list(self._about, (ref, kind))
            bisect.insort(spoken_of, statement, key=lambda other: (other.author, other.order))
        if isinstance(statement.body, Profile):
            profile = cast("Statement[Profile]", statement)
            known = self._profiles.get(statement.author)
            if known is None or known.order < statement.order:
                self._profiles[statement.author] = profile
        addressee = KINDS[statement.kind].addressee
        if addressee is not None:
            _own_list(self._addressed, (addressee(statement), kind)).append(statement)
        touches = KINDS[statement.kind].touches
        if touches is not None:
            for record in touches(self, statement):
                self._derived.pop(record, None)

    # --- Facts: what families look up ---

    def find(self, record: bytes, body_type: type[T]) -> Statement[T] | None:
        """Return the statement with this id if it is here and of this family."""
        return cast("Statement[T] | None", self._by_type.get(body_type, {}).get(record))

    def about(self, record: bytes, body_type: type[T]) -> Sequence[Statement[T]]:
        """Return the statements of one family that refer to a record, by (author, order)."""
        return cast("Sequence[Statement[T]]", self._about.get((record, body_type), ()))

    def derived(self, record: bytes) -> object:
        """Return what a record's family derives for it.

        Raises:
            KeyError: the record is not here, or its family derives nothing.
        """
        if record not in self._derived:
            statement = self._statements[record]
            derive = KINDS[statement.kind].derive
            if derive is None:
                raise KeyError(record)
            self._derived[record] = derive(self, statement)
        return self._derived[record]

    def is_derived(self, record: bytes) -> bool:
        """Return whether a derivation of the record is remembered now."""
        return record in self._derived

    def is_member(self, key: bytes) -> bool:
        """Return whether the key is on the roster."""
        return key in self._roster

    # --- views ---

    def roster(self) -> list[bytes]:
        """Return the keys of all members, sorted."""
        return sorted(self._roster)

    def every(self, body_type: type[T]) -> list[Statement[T]]:
        """Return all statements of one family, oldest first by their authors' clocks, then id."""
        statements = cast("Iterable[Statement[T]]", self._by_type.get(body_type, {}).values())
        return sorted(statements, key=lambda statement: (statement.time_ms, statement.id))

    def by_author(self, author: bytes, body_type: type[T]) -> list[Statement[T]]:
        """Return an author's statements of one family, oldest first by its clock, then id."""
        own = cast("Sequence[Statement[T]]", self._by_author.get((author, body_type), ()))
        return sorted(own, key=lambda statement: (statement.time_ms, statement.id))

    def addressed_to(self, key: bytes, body_type: type[T]) -> list[Statement[T]]:
        """Return the statements of one family that are meant for a key, oldest first, then id."""
        found = cast("Sequence[Statement[T]]", self._addressed.get((key, body_type), ()))
        return sorted(found, key=lambda statement: (statement.time_ms, statement.id))

    def latest_log(self, author: bytes) -> bytes | None:
        """Return the log that comes last in an author's order, as far as is known here."""
        logs = [(depth, log) for (key, log), depth in self._depths.items() if key == author]
        return max(logs, default=(0, None))[1]

    def statement(self, record: bytes) -> Statement[object] | None:
        """Return the statement with this id, of whatever family."""
        return self._statements.get(record)

    def profile(self, key: bytes) -> Profile | None:
        """Return the last profile of a collective."""
        statement = self._profiles.get(key)
        return statement.body if statement else None

    def matching_ids(self, low: bytes, high: bytes) -> list[bytes]:
        """Return the ids between two bounds, both included, sorted; for ids typed in short."""
        return sorted(record for record in self._statements if low <= record <= high)

    def introduction(self, key: bytes) -> list[Record] | None:
        """Return vouches that lead from the founder to a key, or None if no short chain is known.

        Each is signed by itself, so that somebody who holds nothing but the charter can check
        them. The founder needs none. Of a member's vouches the one counts here to which the
        shorter chain leads: else members could give another one a chain that nobody reads.
        """
        chain: list[Record] = []
        while key != self.charter.founder:
            vouch = self._roster.get(key)
            if vouch is None or len(chain) == CHAIN_RECORDS_MAX:
                return None
            chain.append(vouch)
            key = vouch.author
        return chain[::-1]

    def is_used(self, invite: bytes) -> bool:
        """Return whether a vouch names the invite with this digest."""
        vouches = self._by_type.get(Vouch, {}).values()
        return any(cast("Statement[Vouch]", vouch).body.invite == invite for vouch in vouches)

    def digest(self) -> bytes:
        """Return the state digest, 32 bytes: equal states, equal digests. Spec: section 8.4."""
        parts = [self.commons, encode(self.roster())]
        for name in KINDS_WITH_ROWS:
            rows = self.rows(name)
            parts.append(encode([name, len(rows)]))
            parts.extend(map(encode, rows))
        return digest("state", *parts)

    def rows(self, name: str) -> list[list[Value]]:
        """Return the digest rows of one family, by id of the record."""
        row = KINDS[name].row
        assert row is not None
        if name == "profile":
            current: list[Statement[object]] = [*self._profiles.values()]
        else:
            current = [item for item in self._statements.values() if item.kind == name]
        return [row(self, item) for item in sorted(current, key=lambda item: item.id)]


def _own_list(lists: dict[T, list[Statement[object]]], key: T) -> list[Statement[object]]:
    """Return a list that may be changed: one of this state, not one seen through a branch."""
    if not dict.__contains__(lists, key):
        lists[key] = list(lists.get(key, ()))
    return dict.__getitem__(lists, key)
