"""Checkpoints: when this node sums up its own log, and whether the sums of others are right.

A checkpoint says what the log before it comes to, and its author may lie. So whoever holds the
records makes the same sum of what is in its own store, and acknowledges what came out the same;
what did not is shown to people. Both are done a piece at a time, since nothing presses, and the sum
so far is kept: so each record is read once for it. Acknowledgements wait for each other, so that
one record holds many. Spec: sections 7.24, 7.25 and 10.5.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from mycelia_protocol.clock import earliest
from mycelia_protocol.compact import compact
from mycelia_protocol.form_events import ReadForms
from mycelia_protocol.limits import ACKNOWLEDGED_MAX, RUN_SIZE_MAX, STORE_PAUSE_MS
from mycelia_protocol.logs import LogKey, Logs
from mycelia_protocol.merkle import Tree
from mycelia_protocol.notices import CheckpointRefuted
from mycelia_protocol.options import Options
from mycelia_protocol.publish import Draft, Publisher
from mycelia_protocol.record import Record
from mycelia_protocol.state import State
from mycelia_protocol.types import acknowledge, checkpoint
from mycelia_protocol.types.acknowledge import Acknowledge
from mycelia_protocol.types.base import Statement
from mycelia_protocol.types.checkpoint import Checkpoint

READ_TOKEN: Final = 0  # no WANT has it
LOOK_ON_MS: Final = 1_000  # while more is compared, so that one record tells of all
READ_PAUSE_MS: Final = 250  # between two pieces, each of which costs some 20 ms


class Checkpoints:
    """Sums up logs out of the store, one at a time.

    Attributes:
        refuted: ids of checkpoints that lie, as far as this node looked since it started.
    """

    def __init__(self, state: State, logs: Logs, publisher: Publisher, options: Options) -> None:
        self.refuted: Final[list[bytes]] = []
        self._state = state
        self._logs = logs
        self._publisher = publisher
        self._options = options
        self._trees: dict[LogKey, Tree] = {}
        self._doubted: dict[LogKey, bytes] = {}  # log -> its newest checkpoint, to be looked at
        self._found_true: dict[bytes, None] = {}  # checkpoints not acknowledged yet, as found
        self._is_grown = False  # the own log asks for a checkpoint
        self._reading: tuple[LogKey, int] | None = None  # what the store was asked for: up to seq
        self._read_ms: int | None = None
        self._tell_ms: int | None = None
        self._summed: dict[bytes, int] = {}  # own log -> place of its last checkpoint

    @property
    def due_ms(self) -> int | None:
        """When `timer` should next be called (ms), or None."""
        return earliest(self._read_ms, self._tell_ms)

    def loaded(self, now_ms: int) -> None:
        """Begin: everything on disk has been read."""
        key = self._publisher.key
        own = self._state.by_author(key, Acknowledge)
        known = {each for one in own for each in one.body.checkpoints}
        for one in self._state.every(Checkpoint):
            if one.author != key:
                self._doubt(one)
        self._doubted = {log: id_ for log, id_ in self._doubted.items() if id_ not in known}
        self._note_growth()
        self._read_on(now_ms)

    def stored(self, records: Sequence[Record], now_ms: int) -> None:
        """Note what is in the state now."""
        is_own = bool(records) and records[0].author == self._publisher.key
        for record in records:
            if record.kind == "acknowledge" and is_own:
                told = self._state.find(record.id, Acknowledge)
                for each in told.body.checkpoints if told else ():
                    self._found_true.pop(each, None)
            if record.kind == "checkpoint":
                one = self._state.find(record.id, Checkpoint)
                if is_own:
                    self._summed[record.log] = record.seq
                elif one is not None:
                    self._doubt(one)
        if is_own:
            self._note_growth()
        self._read_on(now_ms)

    def store_failed(self, now_ms: int) -> None:
        """Rest for a while; what could not be written is told again."""
        if self._found_true:
            self._tell_ms = now_ms + STORE_PAUSE_MS

    def timer(self, now_ms: int) -> tuple[list[Draft], ReadForms | None]:
        """Return what is to be written now, and what is to be read."""
        drafts: list[Draft] = []
        if self._tell_ms is not None and now_ms >= self._tell_ms:
            is_busy = bool(self._doubted) and len(self._found_true) < ACKNOWLEDGED_MAX
            self._tell_ms = now_ms + LOOK_ON_MS if is_busy else None
            drafts = [] if is_busy else list(self._acknowledgements())
        if self._read_ms is None or now_ms < self._read_ms:
            return drafts, None
        self._read_ms = None
        return drafts, self._next_read()

    def own_draft(self) -> Draft | None:
        """Return the checkpoint that is to be the very next record of the own log, if one is due.

        It covers all records before it: so nothing else may wait to be written.
        """
        log = self._publisher.log
        if not self._is_grown or log is None or not self._publisher.is_idle:
            return None
        key = (self._publisher.key, log)
        tree, next_seq = self._trees.get(key), self._logs.stored(key).next_seq
        if tree is None or not tree.count or tree.count != next_seq:
            return None
        self._is_grown = False
        return Draft(None, "checkpoint", checkpoint.content(tree.root()))

    def read(
        self, records: Sequence[Record], now_ms: int, clock_ms: int
    ) -> CheckpointRefuted | None:
        """Sum up what the store gave; return what came to light by it."""
        assert self._reading is not None
        (key, until), self._reading = self._reading, None
        tree = self._trees[key]
        for record in records:
            if (record.author, record.log, record.seq) == (*key, tree.count) and tree.count < until:
                tree.add(compact(record))
        refuted = None
        if tree.count == until and key in self._doubted:
            refuted = self._judge(key, tree, now_ms, clock_ms)
        elif not records:  # it can't be read here: whoever looks at the store's state will say so
            self._doubted.pop(key, None)
            self._is_grown = self._is_grown and key[0] != self._publisher.key
        self._read_on(now_ms)
        return refuted

    # --- inside ---

    def _doubt(self, one: Statement[Checkpoint]) -> None:
        """Let a checkpoint be looked at, unless a newer one of its log is to be."""
        key = (one.author, one.log)
        known = self._doubted.get(key)
        other = None if known is None else self._state.find(known, Checkpoint)
        if other is None or other.order < one.order:
            self._doubted[key] = one.id

    def _note_growth(self) -> None:
        """Look whether the own log has grown enough since its last checkpoint."""
        log, after = self._publisher.log, self._options.checkpoint_after
        if log is None or after is None:
            return
        if log not in self._summed:
            own = self._state.by_author(self._publisher.key, Checkpoint)
            places = [one.order[2] for one in own if one.log == log]
            self._summed[log] = max(places, default=0)
        grown = self._logs.stored((self._publisher.key, log)).next_seq - self._summed[log]
        self._is_grown = grown > after

    def _read_on(self, now_ms: int) -> None:
        """See to it that the next piece is read, if there is one."""
        if self._reading is None and (self._doubted or self._own_stretch() is not None):
            self._read_ms = earliest(self._read_ms, now_ms + READ_PAUSE_MS)

    def _own_stretch(self) -> tuple[LogKey, int] | None:
        """Return the own log, and up to where it is to be summed up, if it is behind."""
        log = self._publisher.log
        if not self._is_grown or log is None:
            return None
        key = (self._publisher.key, log)
        tree, next_seq = self._trees.get(key), self._logs.stored(key).next_seq
        return None if tree is not None and tree.count == next_seq else (key, next_seq)

    def _next_read(self) -> ReadForms | None:
        """Return what the store is to give next."""
        if self._reading is not None:
            return None
        wanted = self._own_stretch()
        for key, id_ in list(self._doubted.items()) if wanted is None else ():
            one = self._state.find(id_, Checkpoint)
            if one is not None:
                wanted = key, one.order[2]
                break
            del self._doubted[key]  # its log is contested there
        if wanted is None:
            return None
        key, until = self._reading = wanted
        if key not in self._trees or self._trees[key].count > until:
            self._trees[key] = Tree()
        first = self._trees[key].count
        return ReadForms(READ_TOKEN, *key, until, first, RUN_SIZE_MAX, is_proved=False)

    def _judge(
        self, key: LogKey, tree: Tree, now_ms: int, clock_ms: int
    ) -> CheckpointRefuted | None:
        """Compare what a checkpoint says with the own sum, unless a newer one came meanwhile."""
        id_ = self._doubted[key]
        one = self._state.find(id_, Checkpoint)
        if one is not None and one.order[2] > tree.count:
            return None
        del self._doubted[key]
        if one is None or one.order[2] != tree.count:
            return None
        if one.body.root != tree.root():
            self.refuted.append(id_)
            return CheckpointRefuted(one.author, one.log, one.order[2])
        self._found_true[id_] = None
        within_ms = self._options.acknowledge_within_ms
        wait_ms = min(max(one.time_ms + within_ms - clock_ms, 0), within_ms)
        is_full = len(self._found_true) >= ACKNOWLEDGED_MAX
        self._tell_ms = earliest(self._tell_ms, now_ms if is_full else now_ms + wait_ms)
        return None

    def _acknowledgements(self) -> Iterator[Draft]:
        """Yield what is to be written of what was found true and still counts."""
        find = self._state.find
        ids = [each for each in self._found_true if find(each, Checkpoint) is not None]
        for start in range(0, len(ids), ACKNOWLEDGED_MAX):
            content = acknowledge.content(ids[start : start + ACKNOWLEDGED_MAX])
            yield Draft(None, "acknowledge", content)
