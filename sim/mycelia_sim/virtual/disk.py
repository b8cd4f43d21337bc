"""A disk in memory with the laws of the real store: group commit, order, all or nothing.

What was submitted becomes durable one sync later, together. A power cut loses what was not synced;
where only the process ends, the group under way is still written. The disk can be full, lose its
last groups (an old backup comes back) or be wiped. The laws are those of `mycelia_node.store`, and
the same suite of tests runs on both.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Final, NamedTuple, Protocol

from mycelia_protocol.compact import shorten
from mycelia_protocol.events import Range, RecordsRead, RecordsStored, StoreFailed
from mycelia_protocol.form_events import FormsRead, ReadForms, Shorten, Shortened
from mycelia_protocol.form_reading import Blocks, read_forms
from mycelia_protocol.reading import read_ranges
from mycelia_protocol.record import Record

LogKey = tuple[bytes, bytes]
Batch = tuple[int, tuple[Record, ...], tuple[Range, ...]]
Report = RecordsStored | StoreFailed | RecordsRead | FormsRead | Shortened


class Timer(Protocol):
    """What the disk asks of time."""

    def after(self, delay_us: int, action: Callable[..., None], *args: object) -> None:
        """Run an action after a while."""
        ...


class _Former(NamedTuple):
    """What a log was before some of it was let go of.

    Attributes:
        written: how many records were durable then.
        until: before which seq some of it was compact.
        records: by place, those that were whole.
    """

    written: int
    key: LogKey
    until: int
    records: dict[int, Record]


class MemoryStore:
    """The records of one node.

    Args:
        timer: runs what takes time.
        sync_us: how long a sync takes, in microseconds.
        read_us: how long a read takes.
        base: logs that every node of a world begins with; shared, never changed.
    """

    def __init__(
        self,
        timer: Timer,
        sync_us: int,
        read_us: int,
        base: Mapping[LogKey, tuple[Record, ...]] | None = None,
    ) -> None:
        self.report: Callable[[Report], None] = _ignore
        self.is_full = False
        self.invites: dict[bytes, int] = {}
        self.compact: dict[LogKey, int] = {}  # log -> before which seq some of it is compact
        self.syncs = 0
        self.failures = 0  # batches that could not be written
        self._timer = timer
        self._sync_us = sync_us
        self._read_us = read_us
        self._base: Final = dict(base or {})
        self._logs: dict[LogKey, list[Record]] = {}
        self._order: list[LogKey] = []  # the log of each durable record, in order of writing
        self._ends: list[int] = []  # how many records were durable after each group that added some
        self._waiting: list[Batch] = []
        self._group: list[Batch] = []  # being synced
        self._is_syncing = False
        self._is_paused = False
        self._shortened: list[_Former] = []  # what was let go of, in order
        self._late: list[Callable[[], None]] = []
        self._blocks = Blocks()
        self._life = 0  # a sync or read of an earlier life reports to nobody

    # --- what a store does ---

    def load(self) -> Iterator[tuple[Record, ...]]:
        """Yield the durable records beyond the base, those of one log together, in order."""
        for key in sorted(self._logs):
            if self._logs[key]:
                yield tuple(self._logs[key])

    def submit(
        self, number: int, records: tuple[Record, ...], erased: tuple[Range, ...] = ()
    ) -> None:
        """Write a batch, and let go of words; it is reported once it is durable, or has failed."""
        self._waiting.append((number, records, erased))
        if not self._is_syncing:
            self._begin_sync()

    def read(self, token: int, ranges: tuple[Range, ...], size_max: int) -> None:
        """Read ranges as `ReadRecords` says."""
        self._timer.after(self._read_us, self._answer, self._life, token, ranges, size_max)

    def read_forms(self, wanted: ReadForms) -> None:
        """Read a log in whatever form it is here, as `ReadForms` says."""
        self._timer.after(self._read_us, self._give_forms, self._life, wanted)

    def shorten(self, wanted: Shorten) -> None:
        """Keep compact forms of some records, as `Shorten` says; what all began with stays."""
        self._timer.after(self._sync_us, self._shorten, self._life, wanted)

    def fetch(self, ranges: tuple[Range, ...], size_max: int) -> tuple[Record, ...]:
        """Return what `read` would, at once, for somebody else than the engine."""
        return read_ranges(ranges, size_max, lambda r: self._slice((r.author, r.log), r.first))

    def fetch_forms(self, wanted: ReadForms) -> tuple[tuple[Record, ...], tuple[bytes, ...]]:
        """Return what `read_forms` would, at once, for somebody else than the engine."""
        return read_forms(wanted, lambda r: self._slice((r.author, r.log), r.first), self._blocks)

    # --- what befalls it ---

    def pause(self) -> None:
        """Stop with the process: nothing is finished or reported until it goes on."""
        self._is_paused = True

    def resume(self) -> None:
        """Go on; what would have been finished meanwhile is finished now."""
        self._is_paused = False
        late, self._late = self._late, []
        for action in late:
            action()

    def survive(self) -> list[Record]:
        """Let the system finish what it has in hand, though the process ends; return the records.

        They are durable, and nobody is told so: that is how a process ends whose machine stays up.
        """
        group, self._group = self._group, []
        if self.is_full or self._fault_of(group) is not None:
            return []
        self._commit(group)
        return [record for _, records, _ in group for record in records]

    def crash(self) -> int:
        """Lose what is not durable; return how many records that were."""
        lost = sum(len(records) for _, records, _ in [*self._group, *self._waiting])
        self._waiting.clear()
        self._group = []
        self._blocks = Blocks()
        self._is_syncing = self._is_paused = False
        self._late.clear()
        self._life += 1
        return lost

    def roll_back(self, records: int) -> list[Record]:
        """Come back as an older backup, without the last so many records or more; return those.

        A backup holds whole groups: of a run that one signature proves, all is in it, or nothing.
        """
        self._blocks = Blocks()
        left = max(0, len(self._order) - records)
        while self._ends and self._ends[-1] > left:
            self._ends.pop()
        left = self._ends[-1] if self._ends else 0
        count = len(self._order) - left
        lost = [self._logs[self._order.pop()].pop() for _ in range(count)]
        while self._shortened and self._shortened[-1].written > left:
            self._undo(self._shortened.pop())
        return lost

    def wipe(self) -> list[Record]:
        """Lose everything but the base; return what that was."""
        self.crash()
        self.invites.clear()
        return self.roll_back(len(self._order))

    # --- what others may look at ---

    def records(self) -> Iterator[Record]:
        """Yield all durable records, the base included, log by log."""
        for key in sorted({**self._base, **self._logs}):
            yield from self._base.get(key, ())
            yield from self._logs.get(key, ())

    def log(self, key: LogKey) -> int:
        """Return how many records of a log are durable."""
        return len(self._base.get(key, ())) + len(self._logs.get(key, ()))

    @property
    def backlog(self) -> int:
        """Bytes of records that were submitted and are not durable yet."""
        batches = [*self._group, *self._waiting]
        return sum(record.size for _, records, _ in batches for record in records)

    @property
    def record_count(self) -> int:
        """How many records beyond the base are durable."""
        return len(self._order)

    # --- inside ---

    def _begin_sync(self) -> None:
        self._is_syncing = True
        self._group, self._waiting = self._waiting, []
        self._timer.after(self._sync_us, self._end_sync, self._life)

    def _end_sync(self, life: int) -> None:
        if life != self._life:
            return
        if self._is_paused:
            self._late.append(lambda: self._end_sync(life))
            return
        self._is_syncing = False
        group, self._group = self._group, []
        self.syncs += 1
        fault = "the disk is full" if self.is_full else self._fault_of(group)
        if fault is not None:
            failed, self._waiting = [*group, *self._waiting], []
            self.failures += len(failed)
            for number, *_ in failed:
                self.report(StoreFailed(number, fault))
            return
        self._commit(group)
        if self._waiting:
            self._begin_sync()
        for number, *_ in group:
            if life == self._life:
                self.report(RecordsStored(number))

    def _commit(self, group: list[Batch]) -> None:
        """Make a group durable."""
        for _, records, erased in group:
            for record in records:
                self._write(record)
            for gone in erased:
                self._erase(gone)
        if len(self._order) > (self._ends[-1] if self._ends else 0):
            self._ends.append(len(self._order))

    def _fault_of(self, group: list[Batch]) -> str | None:
        """Return why a group can't be written: it leaves a gap, or contradicts what is there."""
        lengths: dict[LogKey, int] = {}
        for record in (record for _, records, _ in group for record in records):
            key = (record.author, record.log)
            length = lengths.get(key, self.log(key))
            if record.seq > length:
                return f"record {record.seq} would leave a gap in its log after {length}"
            if record.seq < self.log(key) and next(self._slice(key, record.seq)).id != record.id:
                return f"another record {record.seq} of the log is stored"
            lengths[key] = max(length, record.seq + 1)
        return None

    def _write(self, record: Record) -> None:
        key = (record.author, record.log)
        if record.seq == self.log(key):
            self._logs.setdefault(key, []).append(record)
            self._order.append(key)
            if record.is_compact:
                self._note_compact(key, record.seq + 1, {})
        elif key in self._logs and record.seq >= len(self._base.get(key, ())):
            own = self._logs[key]
            place = record.seq - len(self._base.get(key, ()))
            known = own[place]
            if known.is_compact or record.is_compact:
                return  # what was there first stays
            signature, body = known.signature or record.signature, known.body or record.body
            if record.is_whole:  # it may bring words that were missing
                body = record.body
            own[place] = replace(known, signature=signature, body=body)

    def _erase(self, gone: Range) -> None:
        """Let go of words; what is in the base has none."""
        key = (gone.author, gone.log)
        own, begin = self._logs.get(key, []), len(self._base.get(key, ()))
        for place in range(max(0, gone.first - begin), min(len(own), gone.last + 1 - begin)):
            own[place] = own[place].without_words()

    def _answer(self, life: int, token: int, ranges: tuple[Range, ...], size_max: int) -> None:
        if self._is_paused:
            self._late.append(lambda: self._answer(life, token, ranges, size_max))
        elif life == self._life:
            self.report(RecordsRead(token, self.fetch(ranges, size_max)))

    def _give_forms(self, life: int, wanted: ReadForms) -> None:
        if self._is_paused:
            self._late.append(lambda: self._give_forms(life, wanted))
        elif life == self._life:
            self.report(FormsRead(wanted.token, *self.fetch_forms(wanted)))

    def _shorten(self, life: int, wanted: Shorten) -> None:
        if self._is_paused:
            self._late.append(lambda: self._shorten(life, wanted))
        if self._is_paused or life != self._life:
            return
        key = (wanted.author, wanted.log)
        if self.is_full:  # the log stays as it was
            self.report(Shortened(*key, is_done=False))
            return
        own, begin = self._logs.get(key, []), len(self._base.get(key, ()))
        former: dict[int, Record] = {}
        for first, last in wanted.places:
            for place in range(max(0, first - begin), last + 1 - begin):
                former[place], own[place] = own[place], shorten(own[place])
        self._note_compact(key, wanted.until, former)
        self.report(Shortened(*key, is_done=True))

    def _note_compact(self, key: LogKey, until: int, former: dict[int, Record]) -> None:
        """Note how far a log is compact; `former` are the records that were here whole till now."""
        before = self.compact.get(key, 0)
        self._shortened.append(_Former(len(self._order), key, before, former))
        self.compact[key] = max(until, before)

    def _undo(self, former: "_Former") -> None:
        """Come back to what a log was before it was shortened: an older backup holds that."""
        own = self._logs.get(former.key, [])
        for place, record in former.records.items():
            if place < len(own):
                own[place] = record
        self.compact[former.key] = former.until
        if not former.until:
            del self.compact[former.key]

    def _slice(self, key: LogKey, first: int) -> Iterator[Record]:
        base = self._base.get(key, ())
        yield from base[first:]
        yield from self._logs.get(key, ())[max(0, first - len(base)) :]


def _ignore(report: Report) -> None:
    """Take reports until the owner has said where they go."""
