"""What goes into a bundle: which records, in which order, read bit by bit. Spec: section 15.3.

The logs of who vouched come before those of whom they vouched for, so that a reader knows every
author when it meets its records, and one pass over the bundle is enough. Of a log that is compact
here the early part goes as forms, under a checkpoint, and the rest as records; before all of that
comes what shows that these checkpoints are confirmed. Nothing depends on the order: a reader takes
them in any.

`Packing` says what to read next and is given what was read, so that the executor never holds more
than one chunk's records.
"""

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, takewhile

from mycelia_protocol.bundle import BundleWriter, Height
from mycelia_protocol.confirming import summed_up
from mycelia_protocol.events import Range
from mycelia_protocol.form_events import ReadForms
from mycelia_protocol.form_frames import form_rows
from mycelia_protocol.limits import (
    CHAIN_RECORDS_MAX,
    EVIDENCE_RECORDS_MAX,
    RUN_SIZE_MAX,
    WANTS_PER_FRAME_MAX,
)
from mycelia_protocol.logs import ID_PREFIX_SIZE, LogKey, Logs
from mycelia_protocol.record import Record
from mycelia_protocol.runs import runs
from mycelia_protocol.state import State
from mycelia_protocol.types.acknowledge import Acknowledge
from mycelia_protocol.types.base import Statement
from mycelia_protocol.types.checkpoint import Checkpoint
from mycelia_protocol.types.vouch import Vouch


def heights_of(logs: Logs) -> tuple[Height, ...]:
    """Return what a store holds, for the bundle's HEADS."""
    heights = []
    for author, log in logs.stored_logs():
        head = logs.stored((author, log))
        assert head.id is not None
        heights.append(Height(author, log, head.next_seq, head.id[:ID_PREFIX_SIZE]))
    return tuple(heights)


@dataclass(slots=True)
class _Old:
    """The rest of a log of which the early part is compact here.

    Attributes:
        first: the seq of the next record to be packed; the one before goes with it.
        whole: the seq before which some of it is compact.
        until: the seq of the checkpoint that sums up what is before it.
        last: the seq of the log's last record.
        checkpoint: that record, once it was read.
    """

    key: LogKey
    first: int
    whole: int
    until: int
    last: int
    checkpoint: Record | None = None


class Packing:
    """The way through a store for one bundle; what is stored later is not in it.

    Args:
        known: how much of each log the audience holds; that is left out.

    Attributes:
        size_max: bytes of records to read at once.
        records: how many are to come in all, in whatever form.
        left_out: how many the audience holds.
        unproven: how many are compact here, and no checkpoint sums them up: they can't be given.
        missing: how many the store turned out not to give.
    """

    def __init__(self, logs: Logs, state: State, known: Mapping[LogKey, int]) -> None:
        self.size_max = RUN_SIZE_MAX
        self._logs, self._state = logs, state
        self._tasks: deque[Range | _Old] = deque()
        self._shown: deque[tuple[bytes, Range]] = deque()  # ids and places of what is evidence
        self._asked: tuple[Range, ...] | ReadForms = ()
        self.records = self.left_out = self.unproven = self.missing = 0
        depths = {author: _depth(state, author) for author, _ in logs.stored_logs()}
        summed = summed_up(state, logs.compact) if logs.compact else {}
        for key in sorted(logs.stored_logs(), key=lambda key: (depths[key[0]], key)):
            next_seq, whole = logs.stored(key).next_seq, logs.compact.get(key, 0)
            first = min(known.get(key, 0), next_seq)
            self.left_out += first
            self.records += next_seq - first
            if first < whole and key in summed:
                self._tasks.append(_Old(key, first, whole, summed[key], next_seq - 1))
            else:
                self._leave(first, min(whole, next_seq))
                self._add(Range(*key, max(first, whole), next_seq - 1))
        places = {each.key: each.until for each in self._tasks if isinstance(each, _Old)}
        for one in _evidence(state, places) if places else ():
            author, log, seq = one.author, one.log, one.order[2]
            if seq >= known.get((author, log), 0):
                self._shown.append((one.id, Range(author, log, seq, seq)))

    def next(self) -> tuple[Range, ...] | ReadForms:
        """Return what to read now, as for `ReadRecords` with `size_max`, or so; () at the end."""
        first = self._tasks[0] if self._tasks else None
        if self._shown:
            self._asked = tuple(place for _, place in islice(self._shown, EVIDENCE_RECORDS_MAX))
        elif not isinstance(first, _Old):
            whole = takewhile(lambda each: isinstance(each, Range), self._tasks)
            some = islice(whole, WANTS_PER_FRAME_MAX)
            self._asked = tuple(each for each in some if isinstance(each, Range))
        elif first.checkpoint is None:
            self._asked = (Range(*first.key, first.until, first.until),)
        else:
            place = (*first.key, first.until, max(first.first - 1, 0))
            self._asked = ReadForms(0, *place, self.size_max, is_proved=True)
        return self._asked

    def took(
        self, writer: BundleWriter, records: Sequence[Record], proof: Sequence[bytes] = ()
    ) -> bytes:
        """Return the chunk with what was read, if there is one; what found no room comes next.

        Args:
            writer: of the bundle.
            records: what the store gave.
            proof: what it gave besides, if it was asked by `ReadForms`.
        """
        first = self._tasks[0] if self._tasks else None
        if self._shown:
            return self._took_evidence(writer, records)
        if not isinstance(first, _Old):
            return self._took_whole(writer, records)
        if first.checkpoint is None:
            self._took_checkpoint(first, records)
            return b""
        return self._took_forms(writer, first, first.checkpoint, records, proof)

    # --- inside ---

    def _add(self, wanted: Range) -> None:
        if wanted.first <= wanted.last:
            self._tasks.append(wanted)

    def _leave(self, first: int, end: int) -> None:
        """Note that some records can't be given in either form."""
        self.unproven += max(end - first, 0)
        self.records -= max(end - first, 0)

    def _took_evidence(self, writer: BundleWriter, records: Sequence[Record]) -> bytes:
        """Go on behind the last that was given: what follows may have found no room."""
        given = {each.id: each for each in records if each.signature is not None}
        asked = [id_ for id_, _ in islice(self._shown, len(self._asked_ranges()))]
        here = [at for at, id_ in enumerate(asked) if id_ in given]
        for _ in range(here[-1] + 1 if here else len(asked)):
            self._shown.popleft()
        is_last = not self._shown
        if not here and not is_last:
            return b""
        return writer.add_evidence([given[asked[at]] for at in here], is_last=is_last)

    def _took_checkpoint(self, old: _Old, records: Sequence[Record]) -> None:
        good = [each for each in records if each.seq == old.until and each.signature is not None]
        if good:
            old.checkpoint = good[0]
            return
        self._tasks.popleft()
        self._leave(old.first, old.whole)
        if old.whole <= old.last:
            self._tasks.appendleft(Range(*old.key, old.whole, old.last))

    def _took_forms(
        self,
        writer: BundleWriter,
        old: _Old,
        checkpoint: Record,
        records: Sequence[Record],
        proof: Sequence[bytes],
    ) -> bytes:
        begin = max(old.first - 1, 0)
        end = begin + len(records)
        if end == old.until or not records:
            self._tasks.popleft()
            self.missing += old.until - max(end, old.first)
            if old.until <= old.last:
                self._tasks.appendleft(Range(*old.key, old.until, old.last))
        old.first = max(end, old.first + 1)
        return writer.add_forms(checkpoint, begin, form_rows(records), proof) if records else b""

    def _took_whole(self, writer: BundleWriter, records: Sequence[Record]) -> bytes:
        """Take note of what was read of some ranges; what found no room comes next."""
        asked = self._asked_ranges()
        reached = {(record.author, record.log): record.seq + 1 for record in records}
        keys = [(wanted.author, wanted.log) for wanted in asked]
        last = max((at for at, key in enumerate(keys) if key in reached), default=len(keys))
        for at, wanted in enumerate(asked[: last + 1]):
            self._tasks.popleft()
            next_seq = reached.get(keys[at], wanted.first)
            if next_seq <= wanted.last and next_seq < self._logs.compact.get(keys[at], 0):
                self._turned_compact(keys[at], next_seq, wanted.last)
            elif at == last and next_seq <= wanted.last:
                self._tasks.appendleft(Range(*keys[at], next_seq, wanted.last))
            else:
                self.missing += max(0, wanted.last + 1 - next_seq)
        return writer.add(runs(tuple(records))) if records else b""

    def _turned_compact(self, key: LogKey, first: int, last: int) -> None:
        """Let the rest of a log come as forms, last of all: it was shortened since this began.

        What shows that its checkpoint is confirmed was not foreseen, and comes with another bundle.
        """
        whole, places = self._logs.compact[key], summed_up(self._state, self._logs.compact)
        if key in places:
            self._tasks.append(_Old(key, first, whole, places[key], last))
            return
        self._leave(first, min(whole, last + 1))
        self._add(Range(*key, max(first, whole), last))

    def _asked_ranges(self) -> tuple[Range, ...]:
        assert not isinstance(self._asked, ReadForms)
        return self._asked


def _evidence(state: State, places: Mapping[LogKey, int]) -> Iterator[Statement[object]]:
    """Yield what shows a newcomer that checkpoints are confirmed, and who its witnesses are.

    All vouches; the acknowledgements of these checkpoints; and of each member who wrote none of
    those another one, since it counts as well.

    Args:
        state: of this node.
        places: log -> the place of its checkpoint.
    """
    ids = {
        one.id
        for one in state.every(Checkpoint)
        if places.get((one.author, one.log)) == one.order[2]
    }
    yield from state.every(Vouch)
    others: dict[bytes, Statement[Acknowledge]] = {}
    told = set[bytes]()
    for one in state.every(Acknowledge):
        if ids.isdisjoint(one.body.checkpoints):
            others[one.author] = one
            continue
        told.add(one.author)
        yield one
    yield from (one for author, one in sorted(others.items()) if author not in told)


def _depth(state: State, author: bytes) -> int:
    """Return how many vouches lead from the founder to an author."""
    chain = state.introduction(author)
    return CHAIN_RECORDS_MAX + 1 if chain is None else len(chain)
