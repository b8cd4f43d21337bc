"""Which records this node keeps in compact form only. Spec: section 10.6.

What a confirmed checkpoint covers that this node itself found right, and that is older than its
owner chose, goes, but for what people or others may still ask for: the words of what is open, who
is who, messages, and what has to be shown signed. The own logs stay as they are.
"""

from collections.abc import Iterator
from typing import Final

from mycelia_protocol.confirming import confirmed
from mycelia_protocol.form_events import Shorten, Shortened
from mycelia_protocol.logs import STANDING, LogKey, Logs
from mycelia_protocol.spans import Spans
from mycelia_protocol.state import State
from mycelia_protocol.tidying import (
    TIDY_DELAY_MS,
    TIDY_INTERVAL_MS,
    TIDY_PAUSE_MIN_MS,
    use_of,
)
from mycelia_protocol.types.acknowledge import Acknowledge
from mycelia_protocol.types.base import Statement
from mycelia_protocol.types.checkpoint import Checkpoint

KEPT: Final = frozenset((*STANDING, "message", "party", "profile"))
PAUSE_MS: Final = 250  # between two logs, each of which costs a moment


class Shortener:
    """Lets the store shorten one log after the other.

    Args:
        key: whose logs are left alone.
        after_ms: how old a checkpoint must be; None for never.
    """

    def __init__(self, state: State, logs: Logs, key: bytes, after_ms: int | None) -> None:
        self.due_ms: int | None = None  # when `timer` should next be called (ms)
        self._state = state
        self._logs = logs
        self._key = key
        self._after_ms = after_ms
        self._due: list[Statement[Checkpoint]] = []
        self._asked: Shorten | None = None

    def loaded(self, now_ms: int) -> None:
        """Begin: everything on disk has been read."""
        if self._after_ms is not None:
            self.due_ms = now_ms + min(TIDY_DELAY_MS, self._after_ms)

    def timer(self, now_ms: int, clock_ms: int) -> list[Shorten]:
        """Return which log is to be shortened now."""
        if self.due_ms is None or now_ms < self.due_ms or self._after_ms is None:
            return []
        self.due_ms = now_ms + max(TIDY_PAUSE_MIN_MS, min(TIDY_INTERVAL_MS, self._after_ms))
        if self._asked is not None:
            return []
        self._due = self._due or self._ripe(clock_ms - self._after_ms)
        if not self._due:
            return []
        one = self._due.pop()
        places = tuple(self._over(one, clock_ms))
        self._asked = Shorten(one.author, one.log, one.order[2], places)
        return [self._asked]

    def shortened(self, event: Shortened, now_ms: int) -> None:
        """Note what the store did."""
        asked, self._asked = self._asked, None
        if asked is not None and event.is_done:
            self._logs.note_compact((asked.author, asked.log), asked.until)
            if self._due:
                self.due_ms = now_ms + PAUSE_MS

    def _ripe(self, before_ms: int) -> list[Statement[Checkpoint]]:
        """Return the newest checkpoint of each log up to which it may be shortened, and is not.

        Whoever lacks a log takes its compact form only if that is confirmed then, by its lights. So
        all members count as though they had spoken already.
        """
        found = {
            each
            for told in self._state.by_author(self._key, Acknowledge)
            for each in told.body.checkpoints
        }
        newest: dict[LogKey, Statement[Checkpoint]] = {}
        for one in confirmed(self._state, self._state.roster()):
            key = (one.author, one.log)
            is_known = one.order[2] <= self._logs.compact.get(key, 0)
            is_open = self._state.is_forked(key) or self._logs.is_contested(key)
            if one.author == self._key or one.id not in found or one.time_ms > before_ms:
                continue
            if not is_known and not is_open:
                newest[key] = max(one, newest.get(key, one), key=lambda each: each.order)
        return [newest[key] for key in sorted(newest)]

    def _over(self, checkpoint: Statement[Checkpoint], clock_ms: int) -> Iterator[tuple[int, int]]:
        """Yield the places before a checkpoint of which nobody needs more than the facts."""
        spans = Spans()
        for one in self._state.of_author(checkpoint.author):
            is_before = one.log == checkpoint.log and one.order < checkpoint.order
            if is_before and one.kind not in KEPT and use_of(self._state, one, clock_ms) is None:
                spans.add(one.order[2], one.order[2])
        yield from spans
