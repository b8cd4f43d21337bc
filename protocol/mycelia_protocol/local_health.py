"""Whether this node itself is slow: then it gives others more time, and blames them less.

After Lifeguard (arXiv 1707.00788): who is late itself finds everybody else late. A timer that fires
late raises a score, one in time lowers it; timeouts are stretched by it. And the time that a node
slept through, or was busy, is not counted to those who were to answer meanwhile. Spec: section 9.7.
"""

from mycelia_protocol.limits import LATE_MIN_MS, LOCAL_HEALTH_MAX


class LocalHealth:
    """How late this node has been of late.

    Attributes:
        score: 0 if it is well, at most `LOCAL_HEALTH_MAX`.
    """

    def __init__(self) -> None:
        self.score = 0

    def woke(self, due_ms: int | None, now_ms: int) -> int:
        """Note that a timer fired; return how much time is to be forgiven others (ms)."""
        if due_ms is None or now_ms < due_ms:
            return 0  # it fired for something else
        late_ms = now_ms - due_ms
        if late_ms < LATE_MIN_MS:
            self.score = max(0, self.score - 1)
            return 0
        self.score = min(LOCAL_HEALTH_MAX, self.score + 1)
        return late_ms

    def stretched(self, timeout_ms: int) -> int:
        """Return a timeout as it is to be now."""
        return timeout_ms * (self.score + 1)
