"""Which records are authentic, and where each log stands. Spec: section 6.4 and 6.5.

A record is **authentic** if its own signature verifies, or if a later authentic record of the same
log reaches it through `prev`. So of a run of records that hang together, one good signature at the
end authenticates all: catching up costs hashes, not signatures. The verdict does not depend on
the order of arrival, and no rejection is remembered: a record that came with a bad signature may
come again with a good one.

Only a signature that was checked is kept. The inner records of a run lose theirs, so nobody can
plant a bad signature that an honest node would later pass on.

Records beyond a gap are held, each checked by its own signature, until the gap is filled (`Gaps`).

A log of which a second branch came up is **contested**: it stays as it is, and nothing more of it
is looked at. Both branches are authentic, so whoever passed one on did nothing wrong.

`accepted` is what has been checked; `stored` is what the store has confirmed. Peers are told of
the latter alone.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from mycelia_protocol.gaps import Gaps
from mycelia_protocol.layers import Layered
from mycelia_protocol.limits import RUN_CHECKS_MAX
from mycelia_protocol.record import Record
from mycelia_protocol.snapshot import Snapshot
from mycelia_protocol.types.heads import tag_of

LogKey = tuple[bytes, bytes]  # (author, log)
STANDING: Final = ("acknowledge", "checkpoint", "vouch")  # kinds that are shown by themselves
ID_PREFIX_SIZE = 8  # bytes of each id kept in memory to notice a fork


class Head(NamedTuple):
    """Where a log stands: the next seq, and the id of the record before it (None at the start)."""

    next_seq: int = 0
    id: bytes | None = None


_NOTHING: Final = Head()


@dataclass(slots=True)
class Log:
    """One log: what was checked, what is on disk, and the first 8 bytes of each id.

    Attributes:
        began, moved: how often heads had moved on disk when its own did first, and last; 0 if that
            was before the start.
    """

    accepted: Head = _NOTHING
    stored: Head = _NOTHING
    prefixes: bytearray = field(default_factory=bytearray)
    is_contested: bool = False
    began: int = 0
    moved: int = 0


@dataclass(slots=True)
class Intake:
    """What became of some records.

    Attributes:
        accepted: new authentic records, of each log contiguous and ending signed; to be stored.
        missing: logs of which records came that leave a gap -> first seq beyond the gap.
        forged: records that nothing authenticates; whoever sent them broke the rules.
        forks: authentic records of another branch than the accepted one; told once for each log.
    """

    accepted: list[Record] = field(default_factory=list)
    missing: dict[LogKey, int] = field(default_factory=dict)
    forged: list[Record] = field(default_factory=list)
    forks: list[Record] = field(default_factory=list)


class Logs:
    """All logs that this node follows; `verify` says whether a record's own signature is good."""

    def __init__(self, verify: Callable[[Record], bool] = Record.is_signed) -> None:
        self._is_signed = verify
        self._logs: dict[LogKey, Log] = {}
        self._tags: dict[bytes, LogKey] = {}  # short name -> log
        self._gaps = Gaps()
        self.moves = 0  # how often heads moved on disk since the start
        self.compact: dict[LogKey, int] = {}  # log -> before which seq some of it is compact
        self.verifications = 0  # signature checks made so far; a cost that benches read

    def branch(self, verify: Callable[[Record], bool]) -> "Logs":
        """Return logs that begin with all of these, which must not change any more."""
        other = Logs(verify)
        other._logs = Layered(self._logs)
        other._tags = Layered(self._tags)
        return other

    # --- what is known ---

    def accepted(self, key: LogKey) -> Head:
        """Return how far a log was checked."""
        log = self._logs.get(key)
        return log.accepted if log else _NOTHING

    def stored(self, key: LogKey) -> Head:
        """Return how far a log is on disk."""
        log = self._logs.get(key)
        return log.stored if log else _NOTHING

    def tagged(self, tag: bytes) -> LogKey | None:
        """Return the log with a short name, if anything of it was accepted here."""
        return self._tags.get(tag)

    def stored_logs(self) -> list[LogKey]:
        """Return the keys of all logs with something on disk, sorted."""
        return sorted(key for key, log in self._logs.items() if log.stored.next_seq)

    def stored_at(self, moves: int) -> dict[LogKey, bool]:
        """Return the logs that were on disk when heads had moved so often: which moved since.

        In the order of (author, log).
        """
        found = {
            key: log.moved > moves
            for key, log in self._logs.items()
            if log.stored.next_seq and log.began <= moves
        }
        return dict(sorted(found.items()))

    def record_count(self) -> int:
        """Return how many records are on disk."""
        return sum(log.stored.next_seq for log in self._logs.values())

    @property
    def gap_load(self) -> tuple[int, int]:
        """Records held out of order, and their bytes."""
        return (self._gaps.records, self._gaps.size)

    def contradicts(self, key: LogKey, seq: int, prefix: bytes) -> bool:
        """Return whether a record's id differs from the one accepted at its place."""
        log = self._logs.get(key)
        if log is None or seq >= log.accepted.next_seq:
            return False
        start = seq * ID_PREFIX_SIZE
        return log.prefixes[start : start + ID_PREFIX_SIZE] != prefix[:ID_PREFIX_SIZE]

    def prefix(self, key: LogKey, seq: int) -> bytes:
        """Return the first bytes of the id accepted at a place."""
        start = seq * ID_PREFIX_SIZE
        return bytes(self._logs[key].prefixes[start : start + ID_PREFIX_SIZE])

    def is_contested(self, key: LogKey) -> bool:
        """Return whether a second branch of a log was seen."""
        log = self._logs.get(key)
        return log is not None and log.is_contested

    def holds(self, record: Record) -> bool:
        """Return whether this very record was accepted before."""
        log = self._logs.get((record.author, record.log))
        if log is None or record.seq >= log.accepted.next_seq:
            return False
        start = record.seq * ID_PREFIX_SIZE
        return log.prefixes[start : start + ID_PREFIX_SIZE] == record.id[:ID_PREFIX_SIZE]

    # --- what arrives ---

    def load(self, record: Record) -> None:
        """Take in one record from the own store, in order of seq.

        Raises:
            ValueError: the record does not follow the one before; the store is damaged.
        """
        log = self._writable((record.author, record.log))
        is_next = record.is_compact or record.prev == log.stored.id
        if record.seq != log.stored.next_seq or not is_next:
            raise ValueError(f"stored record {record.seq} of a log does not follow its predecessor")
        self._accept(log, record)
        log.stored = Head(record.seq + 1, record.id)

    def rest_on(self, snapshot: Snapshot) -> None:
        """Begin with all that a snapshot covers; `load` goes on from there."""
        for part in snapshot.parts:
            log = self._writable(part.key)
            log.accepted = log.stored = Head(part.end - part.begin, snapshot.id_at(part.end - 1))
            log.prefixes += snapshot.prefixes(part)

    def take(self, records: Iterable[Record]) -> Intake:
        """Check records that a peer sent, in any order; nothing is stored yet."""
        intake = Intake()
        by_log: dict[LogKey, list[Record]] = {}
        for record in records:
            by_log.setdefault((record.author, record.log), []).append(record)
        for key, group in by_log.items():
            self._take_log(key, sorted(group, key=lambda record: record.seq), intake)
        return intake

    def take_proven(self, key: LogKey, records: Sequence[Record]) -> Intake:
        """Take what a confirmed checkpoint proves of a log, as far as it goes on here.

        Args:
            records: whole or compact, in order, each whole one on the one before it; the first has
                to be one that is here, if any is, since compact ones do not say on what they hang.
                The last is compact, or its own signature was checked.
        """
        intake, log = Intake(), self._writable(key)
        begin = records[0].seq
        is_same = begin < log.accepted.next_seq and not self.contradicts(key, begin, records[0].id)
        if not log.is_contested and (is_same or begin == log.accepted.next_seq == 0):
            for record in records:
                hangs = record.is_compact or record.prev == log.accepted.id
                if record.seq == log.accepted.next_seq and hangs:
                    self._admit(log, record, record is records[-1], intake)
            self._drain(key, log, intake)
        if not log.accepted.next_seq and self._gaps.first(key) is None:
            self._forget(key)
        return intake

    def note_compact(self, key: LogKey, until: int) -> None:
        """Note that some of a log before a seq is here in compact form."""
        self.compact[key] = max(until, self.compact.get(key, 0))

    def append(self, record: Record) -> None:
        """Count an own, freshly signed record as accepted."""
        self._accept(self._writable((record.author, record.log)), record)

    def confirm(self, records: Sequence[Record]) -> None:
        """Note that these records are on disk."""
        for record in records:
            log = self._writable((record.author, record.log))
            if record.seq >= log.stored.next_seq:  # else its words were missing, and came
                self.moves += 1
                log.began, log.moved = log.began if log.stored.next_seq else self.moves, self.moves
                log.stored = Head(record.seq + 1, record.id)

    def forget_unstored(self) -> None:
        """Go back to what is on disk, after the store failed to write.

        A log of which something is forgotten may be written on again, even if it forked meanwhile:
        what it has in common with its other end may be gone. Who sends both ends shows it anew.
        """
        for key in list(self._logs):
            log = self._logs[key]
            if log.accepted.next_seq == log.stored.next_seq:
                continue
            log.is_contested = False
            log.accepted = Head(log.stored.next_seq, log.stored.id)
            del log.prefixes[log.stored.next_seq * ID_PREFIX_SIZE :]

    def _writable(self, key: LogKey) -> Log:
        """Return a log that may be changed: a new one, or a copy of one that is shared."""
        if dict.__contains__(self._logs, key):
            return self._logs[key]
        known = self._logs.get(key)
        log = (
            Log() if known is None else Log(known.accepted, known.stored, bytearray(known.prefixes))
        )
        self._logs[key] = log
        if known is None:
            self._tags[tag_of(*key)] = key
        return log

    def _forget(self, key: LogKey) -> None:
        """Let go of a log of which nothing is here."""
        del self._logs[key]
        self._tags.pop(tag_of(*key), None)

    def _take_log(self, key: LogKey, group: list[Record], intake: Intake) -> None:
        """Check records of one log, sorted by seq."""
        log = self._writable(key)
        if log.is_contested:
            return
        run: list[Record] = []
        branch: list[Record] = []  # hangs together, but not on what was accepted
        head, next_seq = log.accepted.id, log.accepted.next_seq
        for record in group:
            if record.seq < next_seq:
                self._compare(key, record, intake)
            elif record.seq == next_seq and record.prev == head:
                run.append(record)
                head, next_seq = record.id, next_seq + 1
            elif record.seq == next_seq or (branch and record.prev == branch[-1].id):
                branch.append(record)
            else:
                self._hold(key, record, intake)
        self._judge_branch(branch, intake)
        authentic = self._authentic_length(run)
        intake.forged.extend(run[authentic:])
        for record in run[:authentic]:
            self._admit(log, record, record is run[authentic - 1], intake)
        self._drain(key, log, intake)
        if any((fork.author, fork.log) == key for fork in intake.forks):
            log.is_contested = True
            self._gaps.drop(key)
            intake.missing.pop(key, None)
            return
        beyond = self._gaps.first(key)
        if beyond is not None:
            intake.missing[key] = beyond
        elif not log.accepted.next_seq:
            self._forget(key)

    def _judge_branch(self, branch: list[Record], intake: Intake) -> None:
        """Tell the other end of a fork, by its first record, from what nothing authenticates.

        The inner records of a branch carry no signature either: an honest peer that accepted it
        passes it on as it does every run.
        """
        authentic = self._authentic_length(branch)
        intake.forks.extend(branch[: min(authentic, 1)])
        intake.forged.extend(branch[authentic:])

    def _authentic_length(self, run: list[Record]) -> int:
        """Return how many records of a hanging-together run its signatures authenticate.

        An honest peer ends a run with a good signature; the bound caps what another can cost.
        """
        for length in range(len(run), max(0, len(run) - RUN_CHECKS_MAX), -1):
            if self.verifies(run[length - 1]):
                return length
        return 0

    def _admit(self, log: Log, record: Record, is_checked: bool, intake: Intake) -> None:
        """Accept a record; keep its signature only if it was checked.

        Those of some kinds are always checked, because they must stand alone: in an introduction,
        or to show that a checkpoint is confirmed.
        """
        if not is_checked and not (record.kind in STANDING and self.verifies(record)):
            record = record.without_signature()
        self._accept(log, record)
        intake.accepted.append(record)

    def _accept(self, log: Log, record: Record) -> None:
        log.accepted = Head(record.seq + 1, record.id)
        log.prefixes += record.id[:ID_PREFIX_SIZE]

    def _compare(self, key: LogKey, record: Record, intake: Intake) -> None:
        """Look at a record whose place is taken: the same again, a fork, or a forgery.

        One without a signature says nothing by itself: it may be part of a fork's other branch, and
        the signed record at the end of its run will tell.
        """
        if record.signature is None or not self.contradicts(key, record.seq, record.id):
            return
        (intake.forks if self.verifies(record) else intake.forged).append(record)

    def verifies(self, record: Record) -> bool:
        """Return whether a record's own signature is good."""
        if record.signature is None:
            return False
        self.verifications += 1
        return self._is_signed(record)

    # --- the gap buffer ---

    def _hold(self, key: LogKey, record: Record, intake: Intake) -> None:
        """Keep a record beyond a gap, if there is room and its own signature verifies.

        Room comes first: a signature of what would not be kept is not worth the check.
        """
        if record.signature is None or not self._gaps.takes(record):
            intake.missing.setdefault(key, record.seq)
            return
        if not self.verifies(record):
            intake.forged.append(record)
            return
        intake.missing.setdefault(key, record.seq)
        for emptied in self._gaps.hold(record):
            if not self.accepted(emptied).next_seq:
                self._forget(emptied)

    def _drain(self, key: LogKey, log: Log, intake: Intake) -> None:
        """Accept held records that follow now; drop those that were overtaken."""
        for record in self._gaps.follow(key, log.accepted.next_seq):
            if record.seq < log.accepted.next_seq:
                continue
            if record.prev != log.accepted.id:
                intake.forks.append(record)
                break
            self._admit(log, record, True, intake)
