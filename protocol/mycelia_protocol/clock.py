"""One clock as two: what it shows, and a time that never goes back.

Clocks are set back; a node whose pauses and deadlines went by what they show would sit out the
difference. What people see (a record's time, an expiry) goes by the clock as it is.
"""


def earliest(*times_ms: int | None) -> int | None:
    """Return the least of some times, of which None never comes."""
    found: int | None = None
    for time_ms in times_ms:
        if time_ms is not None and (found is None or time_ms < found):
            found = time_ms
    return found


class Clock:
    """What the executor's clock said, event by event."""

    def __init__(self) -> None:
        self.shown_ms = 0  # what the clock showed at the present event
        self.steady_ms = 0  # the same, had it never been set back
        self._behind_ms = 0  # how far it was set back so far

    def read(self, now_ms: int) -> int:
        """Note what the clock shows; return the steady time."""
        self.shown_ms = now_ms
        self._behind_ms = max(self._behind_ms, self.steady_ms - now_ms)
        self.steady_ms = now_ms + self._behind_ms
        return self.steady_ms

    def showing(self, steady_ms: int) -> int:
        """Return what the clock will show at a steady time, if it is left alone until then."""
        return steady_ms - self._behind_ms
