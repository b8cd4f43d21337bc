"""When the node writes by itself: answers, grants, what it puts back, receipts. Spec: section 8.5.

It looks at the state a moment after every change, and when a deadline has come, once the state
holds all that this node wrote before, so that it never spends twice; after the store failed it
rests. What a person wants to spend waits in the same way, and is refused if it is not there then.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Final

from mycelia_protocol import allocate, preposition, purses
from mycelia_protocol.clock import earliest
from mycelia_protocol.deciding import Deciding
from mycelia_protocol.events import DecisionRequested, Refused
from mycelia_protocol.gate import RestoreGate
from mycelia_protocol.gather import next_pause_end
from mycelia_protocol.limits import STEWARD_DELAY_MS, STEWARD_DRAFTS_MAX, STORE_PAUSE_MS
from mycelia_protocol.logs import Logs
from mycelia_protocol.options import Options
from mycelia_protocol.publish import Draft, Publisher
from mycelia_protocol.rng import Rng
from mycelia_protocol.state import State
from mycelia_protocol.types.grant import Grant
from mycelia_protocol.types.offer import Offer
from mycelia_protocol.types.request import Request
from mycelia_protocol.types.rights import Rights

DEADLINE_WAIT_MAX_MS: Final = 3_600_000  # deadlines are by a clock that people may set


class Steward:
    """Decides when to look, and lets `allocate.py` and `purses.py` say what to write."""

    def __init__(
        self,
        state: State,
        logs: Logs,
        publisher: Publisher,
        gate: RestoreGate,
        options: Options,
        rng: Rng,
    ) -> None:
        self._deciding = Deciding(state, logs, publisher.key, rng)
        self._look_ms: int | None = None  # when to look, since something changed
        self._deadline_ms: int | None = None  # when to look, since time went by
        self._asked: deque[Draft | DecisionRequested] = deque()
        self._state = state
        self._publisher = publisher
        self._gate = gate
        self._options = options

    @property
    def due_ms(self) -> int | None:
        """When `timer` should next be called (ms), or None."""
        return earliest(self._look_ms, self._deadline_ms)

    def changed(self, now_ms: int) -> None:
        """Note that the state changed."""
        if self._has_part():
            self._look_ms = earliest(self._look_ms, now_ms + STEWARD_DELAY_MS)

    def _has_part(self) -> bool:
        """Return whether there is anything of which this node could have to write by itself."""
        state, key = self._state, self._publisher.key
        families = (Offer, Request, Grant)
        is_author = any(state.by_author(key, family) for family in families)
        return is_author or bool(state.addressed_to(key, Rights))

    def asked(self, wish: Draft | DecisionRequested) -> None:
        """Note what a person wants to spend: it waits until the state holds all before it."""
        self._asked.append(wish)

    def spends(self, clock_ms: int) -> Iterator[tuple[list[Draft], Refused | None]]:
        """Yield what people want to spend and can be looked at now, with why not if it can't be.

        Whoever takes it has to ask the publisher for all of it before the next.
        """
        while self._asked and self._publisher.is_idle:
            wish = self._asked.popleft()
            key, log = self._publisher.key, self._publisher.log
            assert wish.token is not None
            purse = wish.refs[0] if isinstance(wish, Draft) and wish.refs else None
            purse = wish.purse if isinstance(wish, DecisionRequested) else purse
            if purse is not None and self.is_frozen(purse):
                yield [], Refused(wish.token, "frozen", self._why_frozen())
            elif isinstance(wish, Draft):
                reason = purses.refusal(self._state, key, log, wish)
                yield [wish], None if reason is None else Refused(wish.token, "spent", reason)
            else:
                found = self._deciding.asked(log, wish, clock_ms, self._accept_by(clock_ms))
                yield ([], found) if isinstance(found, Refused) else (found, None)

    def store_failed(self, now_ms: int) -> None:
        """Rest for a while."""
        self._deciding.store_failed()
        self._look_ms = now_ms + STORE_PAUSE_MS
        self._deadline_ms = None

    def timer(self, now_ms: int, clock_ms: int) -> list[Draft]:
        """Return what is to be written now.

        Args:
            now_ms: a time that never goes back, for the pauses.
            clock_ms: what the clock shows, for deadlines and for what has expired.
        """
        due_ms = self.due_ms
        if due_ms is None or now_ms < due_ms:
            return []
        if not self._publisher.is_idle:
            # The next look works the deadline out anew; left in the past it would be due at once.
            self._look_ms, self._deadline_ms = now_ms + STEWARD_DELAY_MS, None
            return []
        drafts = list(islice(self._drafts(clock_ms), STEWARD_DRAFTS_MAX))
        if not drafts and self._options.allocate and self._options.decide and self._gate.is_open:
            # Alone, so that it rests on the state as it is.
            drafts, self._look_ms = self._decide(now_ms, clock_ms)
        else:
            self._look_ms = None
        self._deadline_ms = self._next_deadline(now_ms, clock_ms)
        return drafts

    def _drafts(self, clock_ms: int) -> Iterator[Draft]:
        """Yield all that could be written now, the most pressing first."""
        state, key, log = self._state, self._publisher.key, self._publisher.log
        options = self._options
        if options.allocate:
            yield from allocate.answers(state, key, clock_ms, self._gate.is_frozen)
            yield from purses.put_back(state, key, clock_ms)
            if self._gate.is_open:
                backs = purses.give_back(state, key, log, clock_ms)
                yield from (back for back in backs if not self.is_frozen(back.refs[0]))
                if not options.decide:
                    shelf, accept_by_ms = self._shelf(clock_ms), self._accept_by(clock_ms)
                    grants = list(allocate.fifo(state, key, shelf, clock_ms, accept_by_ms))
                    yield from grants or self._ahead(shelf, clock_ms)
        if options.confirm_handovers:
            yield from allocate.receipts(state, key, clock_ms)

    def _decide(self, now_ms: int, clock_ms: int) -> tuple[list[Draft], int | None]:
        """Return one decision by the policy in force, with its grants, and when the next may be."""
        log, shelf = self._publisher.log, self._shelf(clock_ms)
        accept_by_ms = self._accept_by(clock_ms)
        decided = self._deciding.drafts(log, shelf, now_ms, clock_ms, accept_by_ms)
        due_ms = self._deciding.due_ms
        if decided or due_ms is not None:
            return decided, due_ms
        return list(islice(self._ahead(shelf, clock_ms), STEWARD_DRAFTS_MAX)), None

    def _shelf(self, clock_ms: int) -> list[purses.Stock]:
        """Return what this node may grant without asking anybody."""
        key, log = self._publisher.key, self._publisher.log
        stocks = purses.stocks(self._state, key, log, clock_ms)
        known = (stock for stock in stocks if not self.is_frozen(stock.purse))
        return [stock for stock in known if not stock.offer.body.ask]

    def is_frozen(self, thing: bytes) -> bool:
        """Return whether this node may have forgotten what a purse or a request of its came to."""
        log = purses.log_of(self._state, self._publisher.key, thing)
        return log is not None and self._gate.is_frozen(log)

    def _why_frozen(self) -> str:
        others, waiting = len(self._state.roster()) - 1, len(self._gate.awaited())
        return (
            "this node came back without some of its records, and may have promised of this what "
            f"it does not remember; {waiting} of {others} other members have yet to tell all they "
            "hold"
        )

    def _accept_by(self, clock_ms: int) -> int:
        return clock_ms + self._options.accept_within_ms

    def _ahead(self, shelf: Sequence[purses.Stock], clock_ms: int) -> Iterator[Draft]:
        """Yield what is given ahead of an outage: once all that is asked for is in the state."""
        if self._options.preposition:
            state, key = self._state, self._publisher.key
            yield from preposition.give_ahead(state, key, shelf, clock_ms)
            yield from preposition.give_up(state, key, shelf, clock_ms)

    def _next_deadline(self, now_ms: int, clock_ms: int) -> int | None:
        """Return when time alone will give this node something to write, or None."""
        state, key, times = self._state, self._publisher.key, list[int | None]()
        if self._options.allocate:
            times.append(purses.next_deadline(state, key, clock_ms))
            if self._options.decide:
                times.append(next_pause_end(state, key, clock_ms))
        if self._options.confirm_handovers:
            times.append(allocate.next_return(state, key, clock_ms))
        deadline_ms = min((time for time in times if time is not None), default=None)
        if deadline_ms is None:
            return None
        return now_ms + min(deadline_ms - clock_ms, DEADLINE_WAIT_MAX_MS)
