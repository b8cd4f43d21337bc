"""Whether a checkpoint is confirmed: by what is in a state, or by what others show. Spec: 10.5.

Those count who ever acknowledged anything, the **witnesses**: newcomers who could not compare yet
hold nothing up, nor do those who never did. A node that has nothing yet can't fold what is said of
checkpoints, since that lies in logs which it is about to take in. So others show it the vouches and
acknowledgements by themselves, each with its author's signature: no checkpoint is needed to believe
another one.
"""

from collections import defaultdict
from collections.abc import Iterable
from collections.abc import Set as AbstractSet

from mycelia_protocol.record import Record
from mycelia_protocol.state import State
from mycelia_protocol.statements import read_statement
from mycelia_protocol.types.acknowledge import Acknowledge
from mycelia_protocol.types.base import Statement
from mycelia_protocol.types.checkpoint import Checkpoint
from mycelia_protocol.types.vouch import Vouch


def is_enough(author: bytes, named_by: AbstractSet[bytes], witnesses: AbstractSet[bytes]) -> bool:
    """Return whether a checkpoint of an author is confirmed by those who named it (CHECK-4)."""
    others = len(witnesses - {author})
    return len((named_by & witnesses) - {author}) > others // 2


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
    """What others showed of who is a member, and of what members acknowledged."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._vouched: dict[bytes, set[bytes]] = defaultdict(set)  # author -> whom it let in
        self._told: dict[bytes, Statement[Acknowledge]] = {}
        self._known: tuple[tuple[int, ...], dict[bytes, set[bytes]]] = ((), {})

    def note(self, records: Iterable[Record]) -> None:
        """Take in records whose own signatures are good."""
        for record in records:
            statement = read_statement(record)
            if statement is None:
                continue
            if isinstance(statement.body, Vouch):
                self._vouched[record.author].add(statement.body.key)
            elif isinstance(statement.body, Acknowledge):
                self._told[record.id] = statement  # type: ignore[assignment]  # seen just now

    def confirms(self, checkpoint: Record) -> bool:
        """Return whether what was shown and what is in the state confirm a checkpoint."""
        named_by = self._named_by()
        witnesses = set[bytes]().union(*named_by.values())
        return is_enough(checkpoint.author, named_by.get(checkpoint.id, set()), witnesses)

    def _named_by(self) -> dict[bytes, set[bytes]]:
        """Return which members acknowledged what; worked out anew if anything may have changed."""
        state, vouches = self._state, sum(map(len, self._vouched.values()))
        counts = (state.count(Acknowledge), state.member_count, vouches, len(self._told))
        if counts != self._known[0]:
            members = self._members()
            told = {one.id: one for one in state.every(Acknowledge)} | self._told
            known = _named_by(one for one in told.values() if one.author in members)
            self._known = (counts, known)
        return self._known[1]

    def _members(self) -> set[bytes]:
        """Return who is a member, as far as is known: nobody who is shown is left out."""
        members, reached = set[bytes](), self._state.roster()
        while reached:
            members.update(reached)
            found = set[bytes]().union(*(self._vouched.get(key, set()) for key in reached))
            reached = sorted(found - members)
        return members


def _named_by(told: Iterable[Statement[Acknowledge]]) -> dict[bytes, set[bytes]]:
    """Return who acknowledged what."""
    found: dict[bytes, set[bytes]] = defaultdict(set)
    for one in told:
        for each in one.body.checkpoints:
            found[each].add(one.author)
    return found
