"""Whether a checkpoint is confirmed: by what is in a state, or by what others show. Spec: 10.5.

Those count who ever acknowledged anything, the **witnesses**: newcomers who could not compare yet
hold nothing up, nor do those who never did. They are counted by branches (`branches.py`), since one
liar can let in as many keys as it likes, and two branches at least have to say so, neither of them
led to by the author alone.

A node that has nothing yet can't fold what is said of checkpoints, since that lies in logs which it
is about to take in. So others show it the vouches and acknowledgements by themselves, each with its
author's signature: no checkpoint is needed to believe another one.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, TypeVar, cast

from mycelia_protocol.branches import branches
from mycelia_protocol.limits import CONFIRMING_BRANCHES_MIN, EVIDENCE_ROWS_MAX
from mycelia_protocol.logs import LogKey
from mycelia_protocol.record import Record
from mycelia_protocol.state import State
from mycelia_protocol.statements import read_statement
from mycelia_protocol.types.acknowledge import Acknowledge
from mycelia_protocol.types.base import Statement
from mycelia_protocol.types.checkpoint import Checkpoint
from mycelia_protocol.types.vouch import Vouch

BUNDLES_SHOWN_MAX: Final = 2  # of which what they show of confirmations is kept
Body = TypeVar("Body", Vouch, Acknowledge)


class Witnesses:
    """Who acknowledged what, and who let them in.

    Args:
        vouches: (author, whom it let in).
        told: (author, the checkpoints that it found right).
        silent: who counts as though it had spoken, of other checkpoints.
    """

    def __init__(
        self,
        founder: bytes,
        vouches: Iterable[tuple[bytes, bytes]],
        told: Iterable[tuple[bytes, Iterable[bytes]]],
        silent: Iterable[bytes] = (),
    ) -> None:
        self._founder = founder
        self._vouched: dict[bytes, set[bytes]] = defaultdict(set)  # author -> whom it let in
        self._vouchers: dict[bytes, set[bytes]] = defaultdict(set)  # the same, the other way round
        for author, key in vouches:
            self._vouched[author].add(key)
            self._vouchers[key].add(author)
        self._named_by: dict[bytes, set[bytes]] = defaultdict(set)
        for author, checkpoints in told:
            for each in checkpoints:
                self._named_by[each].add(author)
        self._all = set(silent).union(*self._named_by.values())
        self._branches = branches(founder, self._vouched)
        # who was asked about last, who is in which branch then, and how many branches speak; of one
        # author only, since all of them together would take the square of the members
        self._last: tuple[bytes | None, dict[bytes, bytes], int] = (None, {}, 0)
        self._judged: dict[bytes, bool] = {}  # of what somebody named

    def confirm(self, checkpoint: bytes, author: bytes) -> bool:
        """Return whether a checkpoint of an author is confirmed (CHECK-4)."""
        if checkpoint not in self._named_by:
            return False
        if checkpoint not in self._judged:
            self._judged[checkpoint] = self._judge(self._named_by[checkpoint], author)
        return self._judged[checkpoint]

    def _judge(self, named_by: set[bytes], author: bytes) -> bool:
        tops = {self._branches[key] for key in named_by - {author} if key in self._branches}
        if len(tops) < CONFIRMING_BRANCHES_MIN:  # without its author's vouches there are no more
            return False
        if author != self._last[0]:
            apart = self._apart_from(author)
            self._last = author, apart, len({apart[key] for key in self._all if key in apart})
        _, apart, count = self._last
        found = len({apart[key] for key in named_by if key in apart})
        return found >= CONFIRMING_BRANCHES_MIN and found > count // 2

    def _apart_from(self, author: bytes) -> dict[bytes, bytes]:
        """Return who is in which branch, had a member let in nobody; it counts for none itself.

        All that a founder could be asked is whom it let in: without that nobody is a member.
        """
        if author == self._founder:
            return {key: top for key, top in self._branches.items() if key != author}
        gone, reached = {author}, [author]
        while reached:
            fresh = self._vouched.get(reached.pop(), set()) - gone - {self._founder}
            gone |= fresh
            reached += fresh
        if all(self._vouchers[key] <= gone for key in gone - {author}):  # nobody else let them in
            return {key: top for key, top in self._branches.items() if key not in gone}
        return branches(self._founder, self._vouched, author)


def confirmed(state: State, silent: Iterable[bytes] = ()) -> list[Statement[Checkpoint]]:
    """Return the checkpoints that are confirmed by a state, by their authors' clocks.

    Args:
        silent: who may speak of other checkpoints later: what is confirmed in spite of them stays
            so, unless many come new.
    """
    found = state.every(Checkpoint)
    if not found:
        return []
    witnesses = Witnesses(
        state.charter.founder,
        ((one.author, one.body.key) for one in state.every(Vouch)),
        ((one.author, one.body.checkpoints) for one in state.every(Acknowledge)),
        silent,
    )
    # By author, since what is worked out for one is kept until the next.
    together = sorted(found, key=lambda one: one.author)
    good = {one.id for one in together if witnesses.confirm(one.id, one.author)}
    return [one for one in found if one.id in good]


def summed_up(state: State, compact: Mapping[LogKey, int]) -> dict[LogKey, int]:
    """Return the place of the checkpoint to offer of each log: the newest confirmed one, if any is.

    Args:
        state: of this node.
        compact: log -> before which seq some of it is compact here; all of that has to be covered.
    """
    places: dict[LogKey, int] = {}
    for found in (state.every(Checkpoint), confirmed(state)):
        newest: dict[LogKey, int] = {}
        for one in found:
            key, seq = (one.author, one.log), one.order[2]
            if seq >= compact.get(key, 0):
                newest[key] = max(seq, newest.get(key, 0))
        places |= newest
    return places


@dataclass(slots=True)
class _Pages:
    """What was met of one bundle's evidence.

    Attributes:
        link: what stands for its link, below 0.
        seen: the places of the parts that came.
        end: how many there are; None while the last was not met.
    """

    link: int
    seen: set[int] = field(default_factory=set)
    end: int | None = None


class Testimony:
    """What others showed of who is a member, and of what members acknowledged.

    It is kept for each link, in bounded memory, and for as long as that lasts; of what was carried
    by hand that of the last `BUNDLES_SHOWN_MAX` bundles. What one shows counts once it has shown
    all: else it would decide by the order of its pages, and each of them would cost as much as all.
    """

    def __init__(self, state: State) -> None:
        self._state = state
        self._shown: dict[int, dict[bytes, Statement[object]]] = {}
        self._bundles: dict[bytes, _Pages] = {}
        self._rows: Counter[int] = Counter()  # link -> keys and checkpoints named in all of that
        self._settled: set[int] = set()  # links that have shown all
        self._moves = 0
        self._counts: tuple[int, ...] = ()  # those on which the next one rests
        self._witnesses = Witnesses(state.charter.founder, (), ())

    @property
    def rows(self) -> int:
        """How many keys and checkpoints are named in what is kept."""
        return self._rows.total()

    def note(self, link: int, records: Iterable[Record]) -> None:
        """Take in records whose own signatures are good, as far as there is room."""
        shown = self._shown.setdefault(link, {})
        for record in records:
            statement = self._known(record.id) or read_statement(record)  # most show the same
            is_ours = record.commons == self._state.commons
            if not is_ours or statement is None:
                continue
            if not isinstance(statement.body, Vouch | Acknowledge):
                continue
            rows = 1 if isinstance(statement.body, Vouch) else len(statement.body.checkpoints)
            if record.id in shown or self._rows[link] + rows > EVIDENCE_ROWS_MAX:
                continue
            self._rows[link] += rows
            shown[record.id] = statement

    def settle(self, link: int) -> None:
        """Count what was shown on a link: that was all."""
        self._settled.add(link)
        self._moves += 1

    def note_carried(
        self, bundle: bytes, place: int, records: Iterable[Record], *, is_last: bool
    ) -> bool:
        """Take in part of what a bundle shows, as from a link; return whether that is all now.

        What is kept counts when the bundle comes again.

        Args:
            place: which part, from 0 on; they come in any order.
            is_last: no part has a greater place.
        """
        if bundle not in self._bundles:
            used = {pages.link for pages in self._bundles.values()}
            free = [link for link in range(-BUNDLES_SHOWN_MAX, 0) if link not in used]
            link = free[0] if free else self._bundles.pop(next(iter(self._bundles))).link
            self.forget(link)
            self._bundles[bundle] = _Pages(link)
        pages = self._bundles[bundle]
        self.note(pages.link, records)
        pages.seen.add(place)
        pages.end = place + 1 if is_last else pages.end
        if pages.end is None or len(pages.seen) < pages.end:
            return False
        self.settle(pages.link)
        return True

    def forget(self, link: int) -> None:
        """Let go of what was shown on a link that ended."""
        self._rows.pop(link, None)
        self._shown.pop(link, None)
        if link in self._settled:
            self._settled.discard(link)
            self._moves += 1

    def knows(self, record: bytes) -> bool:
        """Return whether somebody showed a record before, or it is in the state."""
        return self._known(record) is not None or self._state.statement(record) is not None

    def _known(self, record: bytes) -> Statement[object] | None:
        """Return what somebody showed before."""
        found = (shown.get(record) for shown in self._shown.values())
        return next((each for each in found if each is not None), None)

    def confirms(self, checkpoint: Record) -> bool:
        """Return whether what was shown and what is in the state confirm a checkpoint."""
        self._renew()
        return self._witnesses.confirm(checkpoint.id, checkpoint.author)

    def _renew(self) -> None:
        """Work out which members acknowledged what, if anything may have changed."""
        state = self._state
        counts = (state.count(Acknowledge), state.count(Vouch), state.member_count, self._moves)
        if counts == self._counts:
            return
        vouches = [*state.every(Vouch), *self._every(Vouch)]
        told = [*state.every(Acknowledge), *self._every(Acknowledge)]
        self._witnesses = Witnesses(
            state.charter.founder,
            ((one.author, one.body.key) for one in vouches),
            ((one.author, one.body.checkpoints) for one in told),
        )
        self._counts = counts

    def _every(self, family: type[Body]) -> Iterator[Statement[Body]]:
        """Yield what was shown of a family by whoever has shown all."""
        for link in sorted(self._settled & self._shown.keys()):
            shown = self._shown[link]
            found = (one for one in shown.values() if isinstance(one.body, family))
            yield from cast("Iterable[Statement[Body]]", found)
