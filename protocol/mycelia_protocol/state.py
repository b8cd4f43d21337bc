"""The fold: from the set of authentic records to the state of the commons. Spec: section 8.

State is a pure function of the *set*: the same records in any order give the same state and the
same digest. What a record means is its family's business (`types/`); this module keeps the indexes,
the roster, and what was derived, and forgets a derivation when something it rests on arrives.

Theory of operation: a record waits while its author is not on the roster, or while its log's
incarnation, which places the log among its author's logs, is not here. Every other missing
reference is the families' affair: they say `waiting` and are asked again.

A proof of a fork counts whoever wrote it, and even if it waits: what is contested follows from the
set alone. It takes away what was folded; so members can be lost by it, and their statements are
kept for the case that others vouch for them.
"""

import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Final, TypeVar, cast

from mycelia_protocol import digest_rows
from mycelia_protocol.charter import Charter
from mycelia_protocol.crypto import digest
from mycelia_protocol.encoding import Value, encode
from mycelia_protocol.errors import LocalError
from mycelia_protocol.index import Index
from mycelia_protocol.layers import branched
from mycelia_protocol.lookup import Lookup
from mycelia_protocol.past import Past
from mycelia_protocol.record import Record
from mycelia_protocol.roster import Known, Roster
from mycelia_protocol.snapshot import Snapshot
from mycelia_protocol.spans import Spans
from mycelia_protocol.statements import Reader, read_statement
from mycelia_protocol.types import KINDS
from mycelia_protocol.types.base import Statement, without_words
from mycelia_protocol.types.erase import Erase
from mycelia_protocol.types.fork import Fork
from mycelia_protocol.types.incarnation import Incarnation
from mycelia_protocol.types.vouch import Vouch
from mycelia_protocol.watch import Watch

T = TypeVar("T")
LogKey = tuple[bytes, bytes]


class State(Lookup):
    """What all records together say. Implements `types.base.Facts`.

    Args:
        read: reads a record's body; `read_statement`, or the same with a memory.
        index: where statements are put; one in memory if it is None.

    Attributes:
        derivations_max: how many derivations are remembered; more are made anew when asked for.
    """

    def __init__(
        self, charter: Charter, read: Reader = read_statement, index: Index | None = None
    ) -> None:
        super().__init__()
        if index is not None:
            self._use(index)
        self.charter: Final = charter
        self._read = read
        self.commons: Final = charter.commons
        self.unread = 0  # records of an unknown kind, or whose body breaks its schema
        self._roster = Roster(charter.founder)
        self._contested: dict[LogKey, Fork] = {}  # where each forked log parts first
        self._shaken: set[LogKey] = set()  # forked logs whose proofs may not take part any more
        self._aside: dict[bytes, Statement[object]] = {}  # of contested logs; they count nothing
        self._lost: dict[bytes, list[Statement[object]]] = {}  # of authors who were members once
        self._waiting: dict[LogKey, list[Record]] = defaultdict(list)
        self._depths: dict[LogKey, int] = {}  # `Incarnation.depth` of each log
        self._seen = self._index.marks()
        self.derivations_max = sys.maxsize
        self._derived: dict[bytes, object] = {}
        self._shed = self._index.marks()  # what was derived, and is derived anew when asked for
        self._noted: dict[bytes, object] = {}  # what follows from a derivation and rests on no more
        self._watch: Watch | None = None

    def watch(self) -> Watch:
        """Return what collects from now on what changes; there is one at most."""
        if self._watch is not None:
            raise LocalError("this state is watched by somebody else")
        self._watch = Watch()
        return self._watch

    def branch(self, read: Reader) -> "State":
        """Return a state that begins with all of this one, which must not change any more.

        For worlds in which thousands of nodes begin with the same records.
        """
        if self._derived or self._waiting or self._contested:
            raise LocalError("a state can be branched only before anything was derived from it")
        other = State(self.charter, read)
        other.unread = self.unread
        other._roster = self._roster.branch()
        other._depths = branched(self._depths)
        other._seen = branched(self._seen)
        other._use(self._index.branch())
        return other

    def rest_on(self, snapshot: Snapshot) -> None:
        """Begin with all that a snapshot covers, instead of adding it record by record.

        Nothing in it is contested, and all its authors are members by what is in it: so whatever
        else there is can be added afterwards, in any order.
        """
        if self._seen:
            raise LocalError("a state can rest on a snapshot only before anything was added")
        past = Past(snapshot, self._read)
        self.unread = snapshot.kinds.count(0)
        self._use(Index(past))
        self._depths.update((part.key, part.depth) for part in snapshot.parts)
        for vouch in past.records(Vouch):
            self._roster.keep(vouch)
        self._renew_roster()
        for proof in past.records(Fork):
            self._accuse(proof)

    def add(self, record: Record) -> None:
        """Take in one authentic record; a record that is already here changes nothing."""
        if record.id in self._seen or (self._past and self._past.holds(record)):
            return
        self._seen[record.id] = True
        if record.kind == "fork":
            self._accuse(record)
        pending: list[Record | Statement[object]] = [record]
        while pending:
            one = pending.pop()
            pending.extend(self._admit(one) if isinstance(one, Record) else self._place(one))

    def _admit(self, record: Record) -> Sequence[Record | Statement[object]]:
        """Fold one record, or let it wait; return what needs wait no longer."""
        key = (record.author, record.log)
        if record.author not in self._roster or (record.seq and key not in self._depths):
            self._waiting[key].append(record)
            return ()
        statement = self._read(record, self._depths.get(key, 0))
        freed: list[Record] = []
        if record.seq == 0:
            body = statement.body if statement else None
            self._depths[key] = body.depth if isinstance(body, Incarnation) else 0
            freed = self._waiting.pop(key, [])
            statement = statement and replace(statement, order=(self._depths[key], *key[1:], 0))
        if statement is None:
            self.unread += 1
            return freed
        if isinstance(statement.body, Vouch):
            self._roster.keep(record)
        return [*freed, *self._place(statement)]

    def _place(self, statement: Statement[object]) -> Sequence[Record | Statement[object]]:
        """Make a member's statement part of the state; return what needs wait no longer."""
        if self._contested and self._is_contested(statement):
            self._aside[statement.id] = statement
            return ()
        self._take_in(statement)
        if not isinstance(statement.body, Vouch):
            return ()
        key = statement.body.key
        if not self._roster.admit(key, statement.id):
            return ()
        waited = sorted(waiting for waiting in self._waiting if waiting[0] == key)
        freed = [record for waiting in waited for record in self._waiting.pop(waiting)]
        return [*freed, *self._lost.pop(key, ())]

    # --- forks ---

    def _is_contested(self, statement: Statement[object]) -> bool:
        fork = self._contested.get((statement.author, statement.log))
        return fork is not None and statement.order[2] >= fork.seq

    def _accuse(self, record: Record) -> None:
        """Take a proof of a fork; what was written at or after it takes part no more (FOLD-3)."""
        statement = self._read(record, 0)
        if statement is None or not isinstance(statement.body, Fork):
            return
        fork = statement.body
        key = (fork.accused, fork.log)
        self._shaken.add(key)
        known = self._contested.get(key)
        if known is not None and known.seq <= fork.seq:
            return
        self._contested[key] = fork
        found = [one for one in self._index.of_author(key[0]) if self._is_contested(one)]
        self._remove(found)
        self._aside.update((one.id, one) for one in found)
        kept = self._lost.get(key[0], [])
        self._aside.update((one.id, one) for one in kept if self._is_contested(one))
        if kept:
            self._lost[key[0]] = [one for one in kept if not self._is_contested(one)]
        if any(isinstance(one.body, Vouch) for one in found):
            self._renew_roster()

    def _renew_roster(self) -> None:
        """Let go who is a member by no vouch that still counts."""
        vouches = cast("Iterable[Statement[Vouch]]", self._index.every(Vouch))
        for key in self._roster.renew((vouch.body.key, vouch.id) for vouch in vouches):
            self._lost[key] = self._index.of_author(key)
            self._remove(self._lost[key])

    def _remove(self, gone: Sequence[Statement[object]]) -> None:
        """Undo `_take_in`. Rare; so everything that was derived is derived anew."""
        if self._past is not None:
            for one in gone:
                self._past.doubt(one, self._touched(one))
        self._index.remove(gone)
        forks = (one.body for one in gone if isinstance(one.body, Fork))
        self._shaken.update((fork.accused, fork.log) for fork in forks)
        self._derived.clear()
        self._noted.clear()
        self._shed.clear()
        if self._watch is not None:
            self._watch.is_shaken = True

    def _take_in(self, statement: Statement[object]) -> None:
        """Make a statement findable and forget what was derived without it."""
        self._index.add(statement)
        is_watched = self._watch is not None and not self._watch.is_shaken
        is_near = self._past is not None and self._past.is_near(statement)
        # Where nothing was derived, nothing has to be forgotten: so is it while a store is read.
        is_known = self._derived or self._shed or is_watched or is_near
        touched = self._touched(statement) if is_known else ()
        for record in touched:
            self._derived.pop(record, None)
            self._noted.pop(record, None)
            self._shed.pop(record, None)
        if self._past is not None and (touched or is_near):
            self._past.doubt(statement, touched)
        if self._watch is not None:
            self._watch.note(statement.id, statement.kind, touched)

    def _touched(self, statement: Statement[object]) -> Sequence[bytes]:
        """Return the records whose derivation changes by a statement."""
        touches = KINDS[statement.kind].touches
        return () if touches is None else touches(self, statement)

    # --- words, from which nothing follows ---

    def forget_words(self, erasure: Statement[Erase]) -> None:
        """Let go of the words that their author wants gone."""
        spans = Spans()
        for first, last in erasure.body.ranges:
            spans.add(first, last)
        self._index.replace(
            [
                replace(one, body=without_words(one.body))
                for one in self._index.in_memory(erasure.author)
                if one.log == erasure.body.log and one.order[2] in spans
            ]
        )

    def learn_words(self, record: Record) -> None:
        """Take in the words of a record that came without them at first."""
        known = self.statement(record.id)
        fresh = self._read(record, 0)
        if known is not None and fresh is not None:
            self._index.replace([replace(fresh, order=known.order)])

    # --- Facts: what follows from the others ---

    def derived(self, record: bytes) -> object:
        """Return what a record's family derives for it.

        Raises:
            KeyError: the record is not here, or its family derives nothing.
        """
        if record not in self._derived:
            if len(self._derived) >= self.derivations_max:
                self._shed_all()
            recalled = None if self._past is None else self._past.recall(record)
            self._derived[record] = recalled or self._derive(record)
        return self._derived[record]

    def noted(self, record: bytes, note: Callable[["State", bytes], T]) -> T:
        """Return what `note` says of a record, remembered for as long as its derivation is.

        It must look at the record's derivation, and at nothing of which that would not be told.
        There is one such function for each family.
        """
        if record not in self._noted:
            self._noted[record] = note(self, record)
        return cast("T", self._noted[record])

    def _shed_all(self) -> None:
        """Let go of all derivations; they are made anew if need be.

        That something was derived is remembered, for what rests on it may be told elsewhere.
        """
        for record in self._derived:
            self._shed[record] = True
        self._derived.clear()
        self._noted.clear()

    def _derive(self, record: bytes) -> object:
        statement = self.statement(record)
        derive = None if statement is None else KINDS[statement.kind].derive
        if derive is None:
            raise KeyError(record)
        assert statement is not None
        return derive(self, statement)

    def is_derived(self, record: bytes) -> bool:
        """Return whether a record was derived since it was touched last, or its row is here."""
        if record in self._derived or record in self._shed:
            return True
        return self._past is not None and self._past.is_sound(record)

    def is_member(self, key: bytes) -> bool:
        """Return whether the key is on the roster."""
        return key in self._roster

    # --- views ---

    def roster(self) -> list[bytes]:
        """Return the keys of all members, sorted."""
        return self._roster.keys()

    @property
    def member_count(self) -> int:
        """How many members there are."""
        return self._roster.count

    def contested_logs(self) -> list[tuple[bytes, bytes, int]]:
        """Return (author, log, first seq at which there are two records) of all forked logs."""
        return [(*key, self._contested[key].seq) for key in sorted(self._contested)]

    def contested_from(self, key: LogKey) -> int | None:
        """Return the seq from which on a log's records take no part; None if it is not forked."""
        fork = self._contested.get(key)
        return None if fork is None else fork.seq

    def is_forked(self, key: LogKey) -> bool:
        """Return whether it is proven that a log parts."""
        return key in self._contested

    def set_aside(self, record: bytes) -> Statement[object] | None:
        """Return the statement with this id that takes no part, since its log is contested."""
        return self._aside.get(record)

    def contested(self) -> list[Statement[object]]:
        """Return all statements that are set aside, oldest first by their authors' clocks."""
        return sorted(self._aside.values(), key=lambda one: (one.time_ms, one.id))

    def unsupported(self) -> list[Fork]:
        """Return what only records prove that take no part, as far as that may be news."""
        forks = [self._contested[key] for key in sorted(self._shaken)]
        self._shaken.clear()
        return [fork for fork in forks if not self.is_proven((fork.accused, fork.log), fork.seq)]

    def is_proven(self, key: LogKey, seq: int) -> bool:
        """Return whether a proof that takes part itself says that a log parts here or before."""
        proofs = self._index.meant_for(key[0], Fork)
        bodies = (cast("Statement[Fork]", proof).body for proof in proofs)
        return any(body.log == key[1] and body.seq <= seq for body in bodies)

    def depth_of(self, key: LogKey) -> int | None:
        """Return the `depth` of the incarnation of a log; None if it is not here."""
        return self._depths.get(key)

    def latest_log(self, author: bytes) -> bytes | None:
        """Return the log that comes last in an author's order, as far as is known here.

        Contested ones are left out: what was given to one could not be spent.
        """
        depths = self._depths.items()
        logs = [(depth, key[1]) for key, depth in depths if key[0] == author]
        logs = [(depth, log) for depth, log in logs if (author, log) not in self._contested]
        return max(logs, default=(0, None))[1]

    def matching_ids(self, low: bytes, high: bytes) -> list[bytes]:
        """Return the ids between two bounds, both included, sorted; for ids typed in short."""
        aside = (record for record in self._aside if low <= record <= high)
        return sorted([*self._index.between(low, high), *aside])

    def introduction(self, key: bytes, known: Known | None = None) -> list[Record] | None:
        """Return vouches that lead from the founder to a key, as `Roster.introduction`."""
        return self._roster.introduction(key, known)

    def digest(self) -> bytes:
        """Return the state digest, 32 bytes: equal states, equal digests. Spec: section 8.4."""
        parts = [self.commons, encode(self.roster())]
        for name in digest_rows.KINDS_WITH_ROWS:
            if name == "fork":
                forks = self.rows(name)
                parts.append(encode([name, len(forks)]))
                parts.extend(map(encode, forks))
            else:
                parts += digest_rows.encoded_rows(self, self._index, name)
        return digest("state", *parts)

    def rows(self, name: str) -> list[list[Value]]:
        """Return the digest rows of one family, by id of the record."""
        if name == "fork":
            return [list(row) for row in self.contested_logs()]
        return digest_rows.rows(self, self._index, name)
