"""When this node may grant to a request: not at once, since others may, too. Spec: section 8.5.

Several who have what is asked for hear of a request at nearly the same time. If all granted then,
the requester would decline all but one. So each waits for a moment of its own, drawn when it first
sees that it could grant; whoever comes first is heard of by the others before their turn.
"""

from collections.abc import Iterable

from mycelia_protocol.limits import TURN_MAX_MS
from mycelia_protocol.rng import Rng


class Turns:
    """Draws turns, and keeps them for as long as a request is open.

    Args:
        rng: draws how long each wait is.
    """

    def __init__(self, rng: Rng) -> None:
        self._rng = rng
        self._turns: dict[bytes, int] = {}  # request -> ms

    def keep(self, requests: Iterable[bytes]) -> None:
        """Forget the turns of all other requests."""
        self._turns = {each: self._turns[each] for each in requests if each in self._turns}

    def of(self, request: bytes, now_ms: int) -> int:
        """Return when it is this node's turn to grant to a request, ms; drawn at the first look."""
        if request not in self._turns:
            self._turns[request] = now_ms + int(TURN_MAX_MS * self._rng.random())
        return self._turns[request]
