"""When this node may grant to a request: not at once, since others may, too. Spec: section 8.5.

Several who have what is asked for hear of a request at nearly the same time. If all granted then,
the requester would decline all but one. So each waits for a moment of its own, drawn when it first
sees that it could grant; whoever comes first is heard of by the others before their turn.
"""

from collections.abc import Iterable

from mycelia_protocol.limits import TURN_MAX_MS
from mycelia_protocol.rng import Rng


class Turns:
    """Draws turns, and keeps them for as long as there is anything to grant.

    Args:
        rng: draws how long each wait is.
    """

    def __init__(self, rng: Rng) -> None:
        self._rng = rng
        self._turns: dict[bytes, int] = {}  # request -> ms

    def begin(self, requests: Iterable[bytes], now_ms: int) -> None:
        """Draw a turn for each request that has none, and forget all others."""
        self._turns = {
            request: self._turns.get(request, now_ms + int(TURN_MAX_MS * self._rng.random()))
            for request in requests
        }

    def of(self, requests: Iterable[bytes]) -> int:
        """Return when the turn of the last of these requests comes, ms."""
        return max((self._turns[request] for request in requests), default=0)
