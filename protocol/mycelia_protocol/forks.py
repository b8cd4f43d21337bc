"""Finding the place at which a log parts. Spec: section 6.5, LOG-9.

A fork shows somewhere: a head, or a run of records, of another branch. A proof needs both ends from
the first place at which they differ. An end that comes with a signature right there needs no
question; else the peer is asked for one record after the other, which halves the stretch in
question each time. Then the own end is read from the store, and the proof is made.

Of a log that is proven to part nothing is looked at but what lies before that place: it may part
there, too, in a way of which nobody knows yet.

A peer that answers nonsense gets no further question; the next one whose heads differ is asked.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from mycelia_protocol.encoding import Value, encode
from mycelia_protocol.limits import BODY_SIZE_MAX, BODY_SIZE_MIN, WANT_TIMEOUT_MS
from mycelia_protocol.logs import LogKey, Logs
from mycelia_protocol.record import Record
from mycelia_protocol.types.fork import content

CHECKS_MAX: Final = 4  # signatures tried for one end; an honest peer's last one is good


@dataclass(frozen=True, slots=True)
class AskPeer:
    """Ask a peer for its record at one place."""

    link: int
    key: LogKey
    seq: int


@dataclass(frozen=True, slots=True)
class ReadOwn:
    """Read the own records of a log from here to the first signed one."""

    key: LogKey
    seq: int


@dataclass(frozen=True, slots=True)
class Proof:
    """What a `fork` record is to say, and which place of which log it is about."""

    key: LogKey
    seq: int
    content: dict[str, Value]


@dataclass(frozen=True, slots=True)
class _Case:
    """What is known of one peer's branch.

    Attributes:
        low: before this seq both branches are the same.
        high: at this seq they differ.
        end: the peer's records from `high` on, the last one signed; empty if they are not here.
    """

    link: int | None
    low: int
    high: int
    end: tuple[Record, ...]
    since_ms: int


Move: TypeAlias = AskPeer | ReadOwn


class Search:
    """Looks for the place where logs part, one peer at a time for each log.

    Args:
        parts_at: the least seq at which a log is proven to part; None if it is not.
    """

    def __init__(self, logs: Logs, parts_at: Callable[[LogKey], int | None]) -> None:
        self._logs = logs
        self._parts_at = parts_at
        self._cases: dict[LogKey, _Case] = {}
        self._unprovable: set[LogKey] = set()  # both ends together are too long for one record

    def is_over(self, key: LogKey, seq: int) -> bool:
        """Return whether nobody need look at this place of a contested log any more."""
        parts_at = self._parts_at(key)
        return key in self._unprovable or (parts_at is not None and seq >= parts_at)

    def came(self, link: int | None, records: Iterable[Record], now_ms: int) -> list[Move]:
        """Look at records that a peer sent, or that were carried (None), for ends of forks."""
        runs: dict[LogKey, list[Record]] = {}
        for each in records:
            runs.setdefault((each.author, each.log), []).append(each)
        moves: list[Move] = []
        for key in sorted(filter(self._logs.is_contested, runs)):  # hardly ever any
            run = sorted(runs[key], key=lambda each: each.seq)
            if not self.is_over(key, run[0].seq - 1):
                moves += self._look(link, key, run, now_ms)
        return moves

    def read(self, key: LogKey, own: Sequence[Record]) -> Proof | None:
        """Make the proof from the own end, which the store gave."""
        case = self._cases.pop(key, None)
        if case is None or not own or not case.end or own[0].seq != case.high:
            return None
        ends = [_to_first(own, lambda each: each.signature is not None)]
        ends.append(_to_first(case.end, self._logs.verifies))
        if not all(ends) or ends[0][0].prev != ends[1][0].prev:
            return None
        body = content(ends)
        if len(encode(body)) + BODY_SIZE_MIN > BODY_SIZE_MAX:
            self._unprovable.add(key)
            return None
        return Proof(key, case.high, body)

    def closed(self, link: int) -> None:
        """Forget what a peer was asked."""
        self._cases = {key: case for key, case in self._cases.items() if case.link != link}

    def _look(
        self, link: int | None, key: LogKey, group: list[Record], now_ms: int
    ) -> Sequence[Move]:
        """Narrow down where a log parts by some of its records, in order of seq."""
        known = self._cases.get(key)
        if known is not None and known.link != link:
            if now_ms < known.since_ms + WANT_TIMEOUT_MS:
                return ()
            known = None
        end = self._authentic_end(group)
        if not end:
            return ()
        low, high = self._bounds(key, end, known)
        is_told = high is not None and high < self._logs.stored(key).next_seq
        if high is None or low > high or not is_told or self.is_over(key, high):
            self._cases.pop(key, None)
            return ()
        there = tuple(end[high - end[0].seq :]) if end[0].seq <= high else ()
        if not there and known is not None and known.high == high:
            there = known.end
        self._cases[key] = _Case(link, low, high, there, now_ms)
        if low == high and there:
            return [ReadOwn(key, high)]
        return () if link is None else [AskPeer(link, key, (low + high) // 2)]

    def _authentic_end(self, group: list[Record]) -> list[Record]:
        """Return the last records that hang together and end with a good signature."""
        for last in range(len(group) - 1, max(-1, len(group) - 1 - CHECKS_MAX), -1):
            if self._logs.verifies(group[last]):
                first = last
                while first and group[first - 1].id == group[first].prev:
                    first -= 1
                return group[first : last + 1]
        return []

    def _bounds(
        self, key: LogKey, end: list[Record], known: _Case | None
    ) -> tuple[int, int | None]:
        """Return before which place all is the same, and the first one known to differ."""
        low, high = (known.low, known.high) if known else (0, None)
        next_seq = self._logs.accepted(key).next_seq
        places = [(each.seq, each.id) for each in end]
        if end[0].prev is not None:
            places.insert(0, (end[0].seq - 1, end[0].prev))
        for seq, record_id in places:
            if self._logs.contradicts(key, seq, record_id):
                high = seq if high is None else min(seq, high)
                break
            if seq < next_seq:
                low = max(low, seq + 1)
        return low, high


def _to_first(chain: Sequence[Record], is_good: Callable[[Record], bool]) -> list[Record]:
    """Return the chain up to the first record whose signature will do; empty if none is."""
    for place, record in enumerate(chain):
        if is_good(record):
            return list(chain[: place + 1])
    return []
