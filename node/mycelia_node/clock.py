"""The node's clock: milliseconds since the epoch that never run backwards.

Between two readings it follows the monotonic clock, so that a wall clock that is set back, by hand
or by a time server, stops no timer. A wall clock that is ahead, after a sleep of the machine or a
first contact with a time server, is followed at once.
"""

import time

AHEAD_MAX_MS = 500  # how far the wall clock may be ahead before it is followed


class Clock:
    """Gives `now_ms` to the engine."""

    def __init__(self) -> None:
        self._wall_ms = time.time_ns() // 1_000_000
        self._anchor_ns = time.monotonic_ns()

    def now_ms(self) -> int:
        """Return the time in ms since the Unix epoch."""
        now_ms = self._wall_ms + (time.monotonic_ns() - self._anchor_ns) // 1_000_000
        wall_ms = time.time_ns() // 1_000_000
        if wall_ms > now_ms + AHEAD_MAX_MS:
            self._wall_ms, self._anchor_ns = wall_ms, time.monotonic_ns()
            return wall_ms
        return now_ms
