"""Virtual time: a heap of what is to happen, and a clock that jumps to the next of it.

Time is an integer number of microseconds since the world began. What is due at the same time
happens in the order in which it was asked for, so a run is a function of its inputs alone.
"""

import heapq
from collections.abc import Callable
from typing import Final, TypeAlias

Action: TypeAlias = Callable[..., None]

MS: Final = 1_000  # microseconds in a millisecond


class Loop:
    """A discrete-event scheduler without ticks."""

    __slots__ = ("_heap", "_sequence", "events", "now_us")

    def __init__(self) -> None:
        self.now_us = 0
        self.events = 0  # actions run so far
        self._heap: list[tuple[int, int, Action, tuple[object, ...]]] = []
        self._sequence = 0

    @property
    def now_ms(self) -> int:
        """Milliseconds since the world began."""
        return self.now_us // MS

    def at(self, when_us: int, action: Action, *args: object) -> None:
        """Run an action at a time, or now if that time has passed."""
        self._sequence += 1
        heapq.heappush(self._heap, (max(when_us, self.now_us), self._sequence, action, args))

    def after(self, delay_us: int, action: Action, *args: object) -> None:
        """Run an action after a while."""
        self.at(self.now_us + delay_us, action, *args)

    def run_until(self, until_us: int) -> None:
        """Run everything that is due before a time, and let the clock show that time."""
        heap = self._heap
        while heap and heap[0][0] < until_us:
            when_us, _, action, args = heapq.heappop(heap)
            self.now_us = when_us
            self.events += 1
            action(*args)
        self.now_us = max(self.now_us, until_us)

    @property
    def next_us(self) -> int | None:
        """When the next action is due, or None if there is none."""
        return self._heap[0][0] if self._heap else None
