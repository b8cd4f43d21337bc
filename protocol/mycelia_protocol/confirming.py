"""Whether a checkpoint is confirmed: by what is in a state, or by what others show. Spec: 10.5.

Those count who ever acknowledged anything, the **witnesses**: newcomers who could not compare yet
hold nothing up, nor do those who never did. A node that has nothing yet can't fold what is said of
checkpoints, since that lies in logs which it is about to take in. So others show it the vouches and
acknowledgements by themselves, each with its author's signature: no checkpoint is needed to believe
another one.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet
from typing import TypeVar, cast

from mycelia_protocol.limits import EVIDENCE_ROWS_MAX
from mycelia_protocol.record import Record
from mycelia_protocol.state import State
from mycelia_protocol.statements import read_statement
from mycelia_protocol.types.acknowledge import Acknowledge
from mycelia_protocol.types.base import Statement
from mycelia_protocol.types.checkpoint import Checkpoint
from mycelia_protocol.types.vouch import Vouch

Body = TypeVar("Body", Vouch, Acknowledge)


def is_enough(author: bytes, named_by: AbstractSet[bytes], witnesses: AbstractSet[bytes]) -> bool:
    """Return whether a checkpoint of an author is confirmed by those who named it (CHECK-4)."""
    others = len(witnesses) - (author in witnesses)
    named = named_by & witnesses
    return len(named) - (author in named) > others // 2


def confirmed(state: State) -> list[Statement[Checkpoint]]:
    """Return the checkpoints that are confirmed by a state, by their authors' clocks."""
    named_by = _named_by(state.every(Acknowledge))
    witnesses = set[bytes]().union(*named_by.values())
    return [
        one
        for one in state.every(Checkpoint)
        if is_enough(one.author, named_by.get(one.id, set()), witnesses)
    ]


class Testimony:
    """What others showed of who is a member, and of what members acknowledged.

    It is kept for each link, in bounded memory, and for as long as that lasts.
    """

    def __init__(self, state: State) -> None:
        self._state = state
        self._shown: dict[int, dict[bytes, Statement[object]]] = {}
        self._rows: Counter[int] = Counter()  # link -> keys and checkpoints named in all of that
        self._moves = 0
        self._counts: tuple[int, ...] = ()  # those on which the next two rest
        self._named_by: dict[bytes, set[bytes]] = {}
        self._witnesses: set[bytes] = set()

    @property
    def rows(self) -> int:
        """How many keys and checkpoints are named in what is kept."""
        return self._rows.total()

    def note(self, link: int, records: Iterable[Record]) -> None:
        """Take in records whose own signatures are good, as far as there is room."""
        shown = self._shown.setdefault(link, {})
        for record in records:
            statement = read_statement(record)
            if statement is None or not isinstance(statement.body, Vouch | Acknowledge):
                continue
            rows = 1 if isinstance(statement.body, Vouch) else len(statement.body.checkpoints)
            if record.id in shown or self._rows[link] + rows > EVIDENCE_ROWS_MAX:
                continue
            self._rows[link] += rows
            self._moves += 1
            shown[record.id] = statement

    def forget(self, link: int) -> None:
        """Let go of what was shown on a link that ended."""
        self._rows.pop(link, None)
        if self._shown.pop(link, None):
            self._moves += 1

    def confirms(self, checkpoint: Record) -> bool:
        """Return whether what was shown and what is in the state confirm a checkpoint."""
        self._renew()
        named_by = self._named_by.get(checkpoint.id, set())
        return is_enough(checkpoint.author, named_by, self._witnesses)

    def _renew(self) -> None:
        """Work out which members acknowledged what, if anything may have changed."""
        state = self._state
        counts = (state.count(Acknowledge), state.member_count, self._moves)
        if counts == self._counts:
            return
        members = self._members()
        told = {one.id: one for one in state.every(Acknowledge)}
        told |= {one.id: one for one in self._every(Acknowledge)}
        self._named_by = _named_by(one for one in told.values() if one.author in members)
        self._witnesses = set[bytes]().union(*self._named_by.values())
        self._counts = counts

    def _members(self) -> set[bytes]:
        """Return who is a member, as far as is known: nobody who is shown is left out."""
        vouched: dict[bytes, set[bytes]] = defaultdict(set)  # author -> whom it let in
        for one in self._every(Vouch):
            vouched[one.author].add(one.body.key)
        members, reached = set[bytes](), self._state.roster()
        while reached:
            members.update(reached)
            found = set[bytes]().union(*(vouched.get(key, set()) for key in reached))
            reached = sorted(found - members)
        return members

    def _every(self, family: type[Body]) -> Iterator[Statement[Body]]:
        """Yield what was shown of a family."""
        for shown in self._shown.values():
            found = (one for one in shown.values() if isinstance(one.body, family))
            yield from cast("Iterable[Statement[Body]]", found)


def _named_by(told: Iterable[Statement[Acknowledge]]) -> dict[bytes, set[bytes]]:
    """Return who acknowledged what."""
    found: dict[bytes, set[bytes]] = defaultdict(set)
    for one in told:
        for each in one.body.checkpoints:
            found[each].add(one.author)
    return found
