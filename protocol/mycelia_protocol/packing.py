"""What goes into a bundle: which records, in which order, read bit by bit. Spec: section 15.3.

The logs of who vouched come before those of whom they vouched for, so that a reader knows every
author when it meets its records, and one pass over the bundle is enough. Nothing depends on that:
a reader takes them in any order.

`Packing` says what to read next and is given what was read, so that the executor never holds more
than one chunk's records.
"""

from collections import deque
from collections.abc import Mapping, Sequence
from itertools import islice

from mycelia_protocol.bundle import Height
from mycelia_protocol.events import Range
from mycelia_protocol.limits import CHAIN_RECORDS_MAX, RUN_SIZE_MAX, WANTS_PER_FRAME_MAX
from mycelia_protocol.logs import ID_PREFIX_SIZE, LogKey, Logs
from mycelia_protocol.record import Record
from mycelia_protocol.state import State


def heights_of(logs: Logs) -> tuple[Height, ...]:
    """Return what a store holds, for the bundle's HEADS."""
    heights = []
    for author, log in logs.stored_logs():
        head = logs.stored((author, log))
        assert head.id is not None
        heights.append(Height(author, log, head.next_seq, head.id[:ID_PREFIX_SIZE]))
    return tuple(heights)


class Packing:
    """The way through a store for one bundle; what is stored later is not in it.

    Args:
        known: how much of each log the audience holds; that is left out.

    Attributes:
        records: how many are to come in all.
        left_out: how many the audience holds.
        missing: how many the store turned out not to give.
    """

    size_max = RUN_SIZE_MAX  # bytes of records to read at once

    def __init__(self, logs: Logs, state: State, known: Mapping[LogKey, int]) -> None:
        depths = {author: _depth(state, author) for author, _ in logs.stored_logs()}
        self._ranges: deque[Range] = deque()
        self._asked: tuple[Range, ...] = ()
        self.records = self.left_out = self.missing = 0
        for author, log in sorted(logs.stored_logs(), key=lambda key: (depths[key[0]], key)):
            next_seq = logs.stored((author, log)).next_seq
            first = min(known.get((author, log), 0), next_seq)
            self.left_out += first
            self.records += next_seq - first
            if first < next_seq:
                self._ranges.append(Range(author, log, first, next_seq - 1))

    def next(self) -> tuple[Range, ...]:
        """Return what to read now, up to `size_max` bytes, as for `ReadRecords`; () at the end."""
        self._asked = tuple(islice(self._ranges, WANTS_PER_FRAME_MAX))
        return self._asked

    def took(self, records: Sequence[Record]) -> None:
        """Take note of what was read; what found no room comes next."""
        reached = {(record.author, record.log): record.seq + 1 for record in records}
        keys = [(wanted.author, wanted.log) for wanted in self._asked]
        last = max((at for at, key in enumerate(keys) if key in reached), default=len(keys))
        for at, wanted in enumerate(self._asked[: last + 1]):
            self._ranges.popleft()
            next_seq = reached.get(keys[at], wanted.first)
            if at == last and next_seq <= wanted.last:
                self._ranges.appendleft(Range(*keys[at], next_seq, wanted.last))
            else:
                self.missing += max(0, wanted.last + 1 - next_seq)


def _depth(state: State, author: bytes) -> int:
    """Return how many vouches lead from the founder to an author."""
    chain = state.introduction(author)
    return CHAIN_RECORDS_MAX + 1 if chain is None else len(chain)
