"""How long a link takes there and back, from frames that are answered at once. Spec: REP-10."""

from collections import deque
from typing import Final

from mycelia_protocol.limits import GRAFT_DELAY_MAX_MS, GRAFT_DELAY_MS

TRIPS_KEPT: Final = 20  # of a link; the slowest of so many does not count
GRAFT_TRIPS: Final = 4  # round trips that a push may lag behind an announcement


class Trips:
    """The last round trips of one link; a handshake, or a DIGEST and its answer."""

    def __init__(self, first_ms: int | None = None) -> None:
        self._trips: deque[int] = deque([] if first_ms is None else [first_ms], TRIPS_KEPT)
        self._since_ms: int | None = None

    def left(self, now_ms: int) -> None:
        """Note that something was said that is answered at once."""
        self._since_ms = now_ms

    def came_back(self, now_ms: int) -> None:
        """Note that the answer came, or what may be one: that can only make the trip too short."""
        if self._since_ms is not None:
            self._trips.append(now_ms - self._since_ms)
            self._since_ms = None

    @property
    def p95_ms(self) -> int:
        """How long 95 of 100 round trips take at most; 0 if none was seen."""
        if not self._trips:
            return 0
        return sorted(self._trips)[-(-len(self._trips) * 95 // 100) - 1]

    @property
    def graft_delay_ms(self) -> int:
        """How long to wait for what was announced on this link before asking for it."""
        return min(GRAFT_DELAY_MAX_MS, max(GRAFT_DELAY_MS, GRAFT_TRIPS * self.p95_ms))
