"""Letting go of words: which own records are over, and when this node erases by itself. Spec: 7.23.

Words of what is open, promised or disputed are what people go by, and stay. What is over, and has
been for as long as the node's owner chose, is erased by the node itself, an hour's worth at a time.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Final, Literal

from mycelia_protocol.limits import ERASE_RANGES_MAX
from mycelia_protocol.logs import LogKey
from mycelia_protocol.publish import Draft
from mycelia_protocol.spans import Spans
from mycelia_protocol.state import State
from mycelia_protocol.statuses import offer_status, request_status
from mycelia_protocol.types import erase
from mycelia_protocol.types.accounts import grants_from, rights_from
from mycelia_protocol.types.answer import Answer
from mycelia_protocol.types.base import Statement, without_words
from mycelia_protocol.types.dispute import Dispute
from mycelia_protocol.types.grant import Grant
from mycelia_protocol.types.offer import Offer
from mycelia_protocol.types.profile import Profile
from mycelia_protocol.types.promises import grant_state, grants_to, times_of
from mycelia_protocol.types.receipt import Receipt
from mycelia_protocol.types.renew import Renew
from mycelia_protocol.types.request import Request
from mycelia_protocol.types.withdraw import Withdraw, first_withdrawal

Use = Literal["open", "promised", "disputed", "current"]
PENDING: Final = (
    "offered",
    "accepted",
    "handed",
    "disputed",
)  # grants that people still talk about
OVER: Final = ("fulfilled", "withdrawn", "expired", "met_elsewhere")
# Parties are known by their names, and why somebody decided otherwise is owed to all.
KEPT: Final = ("party", "decision")
TIDY_INTERVAL_MS: Final = 3_600_000  # nothing presses, and looking through a long log costs time
TIDY_PAUSE_MIN_MS: Final = 1_000  # where things are over soon, as in simulated worlds
TIDY_DELAY_MS: Final = 60_000  # after a start there is more urgent work


def use_of(state: State, statement: Statement[object], now_ms: int) -> Use | None:
    """Return what the words of a statement are still needed for, or None if it is over."""
    offer, request = state.find(statement.id, Offer), state.find(statement.id, Request)
    if offer is not None or request is not None:
        grants = [grant_state(state, grant.id).status for grant in _grants(state, statement.id)]
        if any(status in PENDING for status in grants):
            return "promised"
    if offer is not None and offer_status(state, offer, now_ms) not in OVER:
        return "open"
    if request is not None and request_status(state, request, now_ms) not in OVER:
        return "open"
    if isinstance(statement.body, Profile) and state.is_current(statement):
        return "current"
    is_dispute = isinstance(statement.body, Dispute)
    return "disputed" if is_dispute and first_withdrawal(state, statement) is None else None


def erasures(places: Iterable[tuple[bytes, int]]) -> Iterator[Draft]:
    """Yield what to write so that the words at these places, (log, seq), are to go."""
    logs: dict[bytes, Spans] = {}
    for log, seq in places:
        logs.setdefault(log, Spans()).add(seq, seq)
    for log, spans in sorted(logs.items(), key=lambda item: item[0]):
        ranges = list(spans)
        for start in range(0, len(ranges), ERASE_RANGES_MAX):
            content = erase.content(log, ranges[start : start + ERASE_RANGES_MAX])
            yield Draft(None, "erase", content)


class Tidier:
    """Asks for the erasure of what has been over for long.

    Args:
        after_ms: for how long it must have been over; None for never.
        is_erased: says whether somebody asked for that already.
    """

    def __init__(
        self,
        state: State,
        key: bytes,
        is_erased: Callable[[LogKey, int], bool],
        after_ms: int | None,
    ) -> None:
        self.due_ms: int | None = None  # when `timer` should next be called (ms)
        self._state = state
        self._key = key
        self._is_erased = is_erased
        self._after_ms = after_ms

    def loaded(self, now_ms: int) -> None:
        """Begin: everything on disk has been read."""
        if self._after_ms is not None:
            self.due_ms = now_ms + min(TIDY_DELAY_MS, self._after_ms)

    def timer(self, now_ms: int, clock_ms: int) -> list[Draft]:
        """Return what is to be written now."""
        if self.due_ms is None or now_ms < self.due_ms:
            return []
        assert self._after_ms is not None
        self.due_ms = now_ms + max(TIDY_PAUSE_MIN_MS, min(TIDY_INTERVAL_MS, self._after_ms))
        return list(erasures(self._places(clock_ms)))

    def _places(self, clock_ms: int) -> Iterator[tuple[bytes, int]]:
        assert self._after_ms is not None
        before_ms = clock_ms - self._after_ms
        for one in self._state.of_author(self._key):
            place = one.log, one.order[2]
            if one.time_ms >= before_ms or one.kind in KEPT or without_words(one.body) == one.body:
                continue
            if self._is_erased((self._key, one.log), one.order[2]):
                continue
            is_over = use_of(self._state, one, clock_ms) is None
            if is_over and _last_ms(self._state, one) < before_ms:
                yield place


def _grants(state: State, thing: bytes) -> Iterator[Statement[Grant]]:
    """Yield the grants from an offer or rights to it, and those to a request."""
    yield from grants_from(state, thing)
    yield from grants_to(state, thing)
    for rights in rights_from(state, thing):
        yield from grants_from(state, rights.id)


def _last_ms(state: State, thing: Statement[object]) -> int:
    """Return when something last happened to an offer or a request; of others when it was said."""
    times = [thing.time_ms]
    if isinstance(thing.body, Offer | Request):
        times.append(times_of(state, thing).expires_ms or 0)
        times += [
            each.time_ms for kind in (Withdraw, Renew) for each in state.about(thing.id, kind)
        ]
        for grant in _grants(state, thing.id):
            times.append(grant.time_ms)
            kinds = (Answer, Receipt, Dispute, Withdraw)
            times += [each.time_ms for kind in kinds for each in state.about(grant.id, kind)]
    return max(times)
