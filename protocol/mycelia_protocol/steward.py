"""When the node writes by itself: grants, answers and receipts. Spec: section 8.5 (not normative).

It looks at the state a moment after every change, once the state holds all that this node wrote
before, so that it never spends twice; after the store failed it rests.
"""

from typing import Final

from mycelia_protocol import allocate
from mycelia_protocol.gate import RestoreGate
from mycelia_protocol.limits import STEWARD_DELAY_MS, STEWARD_DRAFTS_MAX
from mycelia_protocol.publish import Draft, Publisher
from mycelia_protocol.state import State

STORE_PAUSE_MS: Final = 5_000  # rest after the store failed to write


class Steward:
    """Decides when to allocate, and lets `allocate.py` say what.

    Args:
        allocates: whether to grant and to answer.
        confirms: whether to write receipts.
    """

    def __init__(
        self,
        state: State,
        publisher: Publisher,
        gate: RestoreGate,
        *,
        allocates: bool,
        confirms: bool,
    ) -> None:
        self.due_ms: int | None = None
        self._state = state
        self._publisher = publisher
        self._gate = gate
        self._allocates = allocates
        self._confirms = confirms

    def changed(self, now_ms: int) -> None:
        """Note that the state changed."""
        if self.due_ms is None:
            self.due_ms = now_ms + STEWARD_DELAY_MS

    def store_failed(self, now_ms: int) -> None:
        """Rest for a while."""
        self.due_ms = now_ms + STORE_PAUSE_MS

    def timer(self, now_ms: int, clock_ms: int) -> list[Draft]:
        """Return what is to be written now.

        Args:
            now_ms: a time that never goes back, for the pauses.
            clock_ms: what the clock shows, for what has expired.
        """
        if self.due_ms is None or now_ms < self.due_ms:
            return []
        if not self._publisher.is_idle:
            self.due_ms = now_ms + STEWARD_DELAY_MS
            return []
        self.due_ms = None
        state, key = self._state, self._publisher.key
        drafts: list[Draft] = []
        if self._allocates:
            drafts += allocate.answers(state, key, clock_ms, STEWARD_DRAFTS_MAX)
            if self._gate.is_open:
                drafts += allocate.fifo(state, key, clock_ms, STEWARD_DRAFTS_MAX)
        if self._confirms:
            drafts += allocate.receipts(state, key, STEWARD_DRAFTS_MAX)
        return drafts
