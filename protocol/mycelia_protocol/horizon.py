"""What the authors of decisions had seen, and an order in which it only grows. Spec: 7.21, 8.10.4.

A decision is made once more from the state of the records in its view. To fold them anew for each
would cost a history's square; so decisions stand in **chains**, in each of which every view holds
all of the one before, and one state grows along a chain. Views of nodes that hear of each other
are mostly comparable, whoever wrote them; where they are not, as on the two sides of a cut, they
stand in different chains. The decisions of one log are always a chain, so that there need never
be more chains than logs in which something was decided.
"""

import heapq
from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from operator import le
from typing import Final

from mycelia_protocol.record import Record
from mycelia_protocol.statements import read_statement
from mycelia_protocol.types.decision import Decided
from mycelia_protocol.types.fork import Fork
from mycelia_protocol.types.heads import NOTHING, FullHead, Seen, View, chain, tag_of

LogKey = tuple[bytes, bytes]
Logs = Mapping[LogKey, Sequence[Record]]


@dataclass(frozen=True, slots=True)
class Step:
    """One decision in a chain.

    Attributes:
        log, seq: number of its log (see `Chain.logs`), and its place there.
        news: what came into view since the step before: log, records in view now, log, ...
        faults: what is wrong with its view, in words.
        missing: what of its view is not here; then nothing comes into view.
        aside: what of its view is not here, of logs that are proven to part before that.
    """

    log: int
    seq: int
    news: "array[int]"
    faults: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    aside: tuple[str, ...] = ()


@dataclass(slots=True)
class Chain:
    """Decisions of which each has in view all that the one before had.

    Attributes:
        logs: every log that is here, by its number.
        counts: how many records of each log were in view at the last step.
        size: their sum.
    """

    logs: Sequence[LogKey]
    steps: list[Step] = field(default_factory=list)
    counts: list[int] = field(default_factory=list)
    size: int = 0

    def takes(self, sight: "_Sight") -> bool:
        """Return whether a decision has in view all that the last one had."""
        return self.size <= sight.size and all(map(le, self.counts, sight.counts))

    def add(self, sight: "_Sight") -> None:
        """Put a decision at the end."""
        before = self.counts or [0] * len(self.logs)
        pairs = enumerate(zip(before, sight.counts, strict=True))
        news = array("q", [n for log, (old, new) in pairs if old != new for n in (log, new)])
        self.steps.append(Step(sight.log, sight.seq, news, sight.faults, (), sight.aside))
        self.counts, self.size = list(sight.counts), sight.size


@dataclass(frozen=True, slots=True)
class _Sight:
    """A decision, and how many records of each log were in view; the list is good for a moment."""

    log: int
    seq: int
    counts: list[int]
    size: int
    faults: tuple[str, ...]
    missing: tuple[str, ...]
    aside: tuple[str, ...]


def chains(logs: Logs, deciding: Sequence[LogKey]) -> list[Chain]:
    """Return the decisions of some logs in chains; those whose view is not here in one by itself.

    Args:
        logs: all records that are here, by log, from seq 0 on without a gap.
        deciding: whose decisions are wanted.
    """
    parted = _parted(logs)
    horizons = [_Horizon(logs, key, parted) for key in deciding]
    mixed = _arrange(horizons)
    # A chain costs as many records as its last view holds. Mixing can make that worse.
    if sum(each.size for each in mixed) <= sum(each.size for each in horizons):
        return mixed
    return [each for key in deciding for each in _arrange([_Horizon(logs, key, parted)])]


def _parted(logs: Logs) -> dict[bytes, int]:
    """Return by tag of a log from which place on it has two ends, as proofs here say."""
    found: dict[bytes, int] = {}
    for record in (each for records in logs.values() for each in records if each.kind == "fork"):
        proof = read_statement(record)
        if proof is not None and isinstance(proof.body, Fork):
            tag, seq = tag_of(proof.body.accused, proof.body.log), proof.body.seq
            found[tag] = min(seq, found.get(tag, seq))
    return found


def _arrange(horizons: Sequence["_Horizon"]) -> list[Chain]:
    """Let each decision, those with small views first, follow the largest view that it holds."""
    names = horizons[0].names if horizons else ()
    blind, found = Chain(names), list[Chain]()
    sights = (each.sights() for each in horizons)
    for sight in heapq.merge(*sights, key=lambda sight: (sight.size, sight.log, sight.seq)):
        if sight.missing:
            blind.steps.append(Step(sight.log, sight.seq, array("q"), sight.faults, sight.missing))
            continue
        fitting = (each for each in found if each.takes(sight))
        chain = max(fitting, key=lambda each: each.size, default=None)
        if chain is None:
            chain = Chain(names)
            found.append(chain)
        chain.add(sight)
    return [*found, blind] if blind.steps else found


class _Horizon:
    """What a log's author had seen, as far as it says so, and what of it is here (VIEW-4).

    Attributes:
        names: all logs that are here, in order of their numbers.
        size: how many records were in view at the last decision of which all is here.
    """

    def __init__(self, logs: Logs, key: LogKey, parted: Mapping[bytes, int]) -> None:
        self.names: Final = sorted(logs)
        self.size = 0
        self._logs = logs
        self._key = key
        self._parted = parted
        self._numbers = {tag_of(*each): n for n, each in enumerate(self.names) if each != key}
        self._counts = [0] * len(self.names)
        self._total = 0
        self._digest = NOTHING
        self._faults: tuple[str, ...] = ()
        self._missing: tuple[str, ...] = ()
        self._aside: tuple[str, ...] = ()

    def sights(self) -> Iterator[_Sight]:
        """Yield the log's decisions with what was in view, in order."""
        own = self.names.index(self._key)
        for seq, record in enumerate(self._logs[self._key]):
            if record.kind not in ("view", "decision"):
                continue
            statement = read_statement(record)
            body = None if statement is None else statement.body
            if isinstance(body, View | Decided):
                self._see(own, seq)
                self._widen(body.view if isinstance(body, Decided) else body)
            if isinstance(body, Decided):
                self.size = self.size if self._missing else self._total
                told = (self._faults, self._missing, self._aside)
                yield _Sight(own, seq, self._counts, self._total, *told)

    def _see(self, number: int, count: int) -> None:
        self._total += count - self._counts[number]
        self._counts[number] = count

    def _widen(self, view: View) -> None:
        """Let what a view names come into view."""
        full = []
        for head in view.heads:
            number = self._numbers.get(head.tag)
            records = () if number is None else self._logs[self.names[number]]
            is_here = number is not None and head.seq < len(records)
            last = records[head.seq] if is_here else None
            if number is None or last is None or not last.id.startswith(head.prefix):
                what = ", another branch" if is_here else ""
                self._lack(head, f"record {head.seq} of log {head.tag.hex()}{what}")
            elif head.seq < self._counts[number]:
                self._faults += (f"its view of log {head.tag.hex()} goes back",)
            else:
                full.append(FullHead(last.author, last.log, last.seq, last.id))
                self._see(number, head.seq + 1)
        is_whole = len(full) == len(view.heads)
        if is_whole and not self._missing and chain(self._digest, full) != view.digest:
            self._faults += ("its view has another digest",)
        self._digest = view.digest

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
            common = min(parts_at, len(self._logs[self.names[number]]))
            self._see(number, max(common, self._counts[number]))
