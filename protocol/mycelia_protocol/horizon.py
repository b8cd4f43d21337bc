"""What the authors of decisions had seen, and an order in which it only grows. Spec: 7.21, 8.10.4.

A decision is made once more from the state of the records in its view. To fold them anew for each
would cost a history's square; so decisions stand in **chains**, in each of which every view holds
all of the one before, and one state grows along a chain. Views of nodes that hear of each other
are mostly comparable, whoever wrote them; where they are not, as on the two sides of a cut, they
stand in different chains. They are given out as they are found, those with small views first, so
that all chains grow side by side, and of what was read nothing has to be kept for long.

Each chain is kept for one log, whose next view holds all that the chain's last one does. So there
are never more chains than logs in which something was decided, nor do they cost more, in records
that are folded, than one chain for each of these logs would.
"""

import heapq
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import takewhile
from operator import le
from typing import Final

from mycelia_protocol.archive import Archive, LogKey
from mycelia_protocol.types.decision import Decided, Settled
from mycelia_protocol.types.fork import Fork
from mycelia_protocol.types.heads import NOTHING, FullHead, Seen, View, chain, tag_of
from mycelia_protocol.types.view import Elided


@dataclass(frozen=True, slots=True)
class Sight:
    """A decision, and what was in view of its author.

    Attributes:
        log, seq: number of its log in the archive, and its place there.
        counts: how many records of each log were in view; good until the next sight.
        size: their sum.
        faults: what is wrong with its view, in words.
        missing: what of its view is not here; then nothing else can be said.
        aside: what of its view is not here, of logs that are proven to part before that.
    """

    log: int
    seq: int
    counts: Sequence[int]
    size: int
    faults: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    aside: tuple[str, ...] = ()


@dataclass(slots=True, eq=False)
class Chain:
    """Decisions of which each has in view all that the one before had.

    Attributes:
        log: whose it is: the next view of that log holds all that the chain's last one does.
        counts: how many records of each log were in view at the last decision.
        size: their sum.
    """

    log: int
    counts: Sequence[int] = field(default_factory=list)
    size: int = 0

    def fits(self, counts: Sequence[int]) -> bool:
        """Return whether a view has all that the last one had."""
        return all(map(le, self.counts, counts))


class Chains:
    """Puts the decisions of some logs into chains, those with small views first.

    Args:
        archive: all records that are here.
        deciding: whose decisions are wanted.

    Attributes:
        found: all chains so far.
    """

    def __init__(self, archive: Archive, deciding: Sequence[LogKey]) -> None:
        self.found: Final[list[Chain]] = []
        parted = _parted(archive)
        numbers = [archive.names.index(key) for key in deciding]
        self._horizons: Final = {n: _Horizon(archive, n, parted) for n in numbers}
        self._own: Final[dict[int, Chain]] = {}  # by log

    def sights(self) -> Iterator[tuple[Sight, Chain | None]]:
        """Yield each decision with its chain; with None if not all of its view is here."""
        all_sights = (each.sights() for each in self._horizons.values())
        for sight in heapq.merge(*all_sights, key=lambda one: (one.size, one.log, one.seq)):
            yield sight, None if sight.missing else self._place(sight)

    def _place(self, sight: Sight) -> Chain:
        """Put a decision at the end of the chain with the largest view that it holds."""
        own = self._own.get(sight.log)
        fitting = (
            each
            for each in self.found
            if each is own or (self._may_have(sight, own, each) and each.fits(sight.counts))
        )
        chain = max(fitting, key=lambda each: each.size, default=None)
        if chain is None:
            chain = Chain(sight.log)
            self.found.append(chain)
        elif chain is not own:
            self._give(chain.log, own)
        self._give(sight.log, chain)
        chain.counts, chain.size = tuple(sight.counts), sight.size
        return chain

    def _may_have(self, sight: Sight, own: Chain | None, other: Chain) -> bool:
        """Return whether a log may take another's chain, and leave its own to that."""
        if other.size > sight.size:
            return False
        return own is None or own.fits(self._horizons[other.log].counts)

    def _give(self, log: int, chain: Chain | None) -> None:
        if chain is None:
            self._own.pop(log, None)
        else:
            chain.log = log
            self._own[log] = chain


def _parted(archive: Archive) -> dict[bytes, int]:
    """Return by tag of a log from which place on it has two ends, as proofs here say."""
    found: dict[bytes, int] = {}
    for position in archive.of_kind("fork"):
        proof = archive.at(position).statement
        if proof is not None and isinstance(proof.body, Fork):
            tag, seq = tag_of(proof.body.accused, proof.body.log), proof.body.seq
            found[tag] = min(seq, found.get(tag, seq))
    return found


class _Horizon:
    """What a log's author had seen, as far as it says so, and what of it is here (VIEW-4).

    Attributes:
        counts: how many records of each log are in view at the decision that is next.
    """

    def __init__(self, archive: Archive, number: int, parted: Mapping[bytes, int]) -> None:
        self.counts: Final = [0] * len(archive.names)
        self._archive: Final = archive
        self._own: Final = number
        self._parted: Final = parted
        self._numbers: Final = {
            tag_of(*each): n for n, each in enumerate(archive.names) if n != number
        }
        self._size = 0
        self._digest = NOTHING
        self._faults: tuple[str, ...] = ()
        self._missing: tuple[str, ...] = ()
        self._aside: tuple[str, ...] = ()

    def sights(self) -> Iterator[Sight]:
        """Yield the log's decisions with what was in view, in order."""
        archive, log = self._archive, self._archive.of_log(self._own)
        said = heapq.merge(*(archive.of_kind(kind, log) for kind in ("view", "decision")))
        last = max(archive.of_kind("decision", log), default=log.start)
        for position in takewhile(lambda each: each <= last, said):
            statement, seq = archive.at(position).statement, position - log.start
            body = None if statement is None else statement.body
            if isinstance(body, View | Decided):
                self._see(self._own, seq)
                self._widen(body.view if isinstance(body, Decided) else body)
            if isinstance(body, Settled | Elided) and not self._missing:
                self._missing = (f"what record {seq} of the log said, which is here compact",)
            if isinstance(body, Decided | Settled):
                told = (self._faults, self._missing, self._aside)
                yield Sight(self._own, seq, self.counts, self._size, *told)

    def _see(self, number: int, count: int) -> None:
        self._size += count - self.counts[number]
        self.counts[number] = count

    def _widen(self, view: View) -> None:
        """Let what a view names come into view."""
        archive, full = self._archive, list[FullHead]()
        for head in view.heads:
            number = self._numbers.get(head.tag)
            last = b"" if number is None else self._id_at(number, head.seq)
            if number is None or not last or not last.startswith(head.prefix):
                what = ", another branch" if last else ""
                self._lack(head, f"record {head.seq} of log {head.tag.hex()}{what}")
            elif head.seq < self.counts[number]:
                self._faults += (f"its view of log {head.tag.hex()} goes back",)
            else:
                full.append(FullHead(*archive.names[number], head.seq, last))
                self._see(number, head.seq + 1)
        is_whole = len(full) == len(view.heads)
        if is_whole and not self._missing and chain(self._digest, full) != view.digest:
            self._faults += ("its view has another digest",)
        self._digest = view.digest

    def _id_at(self, number: int, seq: int) -> bytes:
        """Return the id of a record; nothing if it is not here."""
        archive = self._archive
        is_here = seq < archive.lengths[number]
        return archive.id_at(archive.begins[number] + seq) if is_here else b""

    def _lack(self, head: Seen, what: str) -> None:
        """Note that what a view names is not here.

        Where its log is proven to part before that, the other end may never come here. What lies
        before the parting is the same at both ends, and all that counts once the proof is known.
        """
        parts_at = self._parted.get(head.tag)
        if parts_at is None or head.seq < parts_at:
            self._missing += (what,)
            return
        self._aside += (what,)
        number = self._numbers.get(head.tag)
        if number is not None:
            common = min(parts_at, self._archive.lengths[number])
            self._see(number, max(common, self.counts[number]))
