"""What decisions are made from, for one after another, from running indexes. Spec: section 8.8.8.

`gather` looks at every request and every grant there is, so that a history of decisions costs its
square. A `Gatherer` stands beside one state that grows, is told by it what was touched
(`watch.py`), and looks at that alone: what is open, who asked how often for something urgent, and
what each collective received lately. Both give equal views for any state; a law in the tests holds
them together.

    open requests      by the time at which they expire, so that those that did are cut off
    urgent requests    by collective and time: how many there are between two moments
    deliveries         by collective and time, with the sum of those after the window's begin

What was delivered long before the windows of all that is decided is let go of. Somebody whose clock
is far behind may still ask for it: then everything is looked at once more, and kept from then on.
"""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterator
from typing import Final

from mycelia_protocol.gather import (
    Asking,
    Delivery,
    Moment,
    asking_of,
    delivery_of,
    everybody,
    moment_of,
    offer_view,
    request_view,
    window_begin,
)
from mycelia_protocol.limits import INT_MAX, RECEIVED_MAX
from mycelia_protocol.purses import Stock
from mycelia_protocol.sharing.change import Inputs
from mycelia_protocol.sharing.policy import Policy
from mycelia_protocol.sharing.views import CollectiveView
from mycelia_protocol.state import State
from mycelia_protocol.types.base import Statement
from mycelia_protocol.types.grant import Grant
from mycelia_protocol.types.promises import grants_to, request_state
from mycelia_protocol.types.request import Request

PRUNE_EVERY: Final = 1_024  # decisions
LATE_MS: Final = 7 * 24 * 3_600_000  # how far clocks may be behind before it costs anything
POLICIES_MAX: Final = 4  # whose sums are kept: the one in force, its successor, one to compare with
NEVER_MS: Final = INT_MAX + 1  # after every time


class Gatherer:
    """Gives the views of decisions from one state, which may grow in between."""

    def __init__(self, state: State) -> None:
        self._state: Final = state
        self._watch: Final = state.watch()
        self._begin_ms: int | None = 0  # deliveries after that are here; None for ever all
        self._asked = 0  # how often, since the last look at what may be let go of
        self._earliest_ms = NEVER_MS  # begin of a window since then
        self._forget()

    def gather(self, key: bytes, stock: Stock, policy: Policy, as_of_ms: int) -> Inputs:
        """Return what `gather.gather` returns for the state as it is now."""
        since_ms = window_begin(policy, as_of_ms)
        self._prune(since_ms)
        self.refresh()
        requests = []
        for asking in self._open.at(self._state, as_of_ms):
            urgent = self._urgent.get(asking.who)
            before = urgent.count(since_ms, moment_of(asking.request)) if urgent else 0
            requests.append(request_view(self._state, key, stock, asking, before, as_of_ms))
        received = self._received_by(policy)
        collectives = [
            CollectiveView(who, members, received.since(who, since_ms), is_ecosystem)
            for who, members, is_ecosystem in self._everybody
        ]
        return Inputs(policy, offer_view(self._state, stock), requests, collectives, as_of_ms)

    def _forget(self) -> None:
        """Begin anew."""
        self._everybody: list[tuple[bytes, int, bool]] = []
        self._open = _Open()
        self._urgent: dict[bytes, _Moments] = defaultdict(_Moments)
        self._sides: dict[bytes, bytes] = {}  # request that names a party -> who it was for
        self._named: dict[bytes, list[bytes]] = defaultdict(list)  # party -> requests that name it
        self._deliveries: dict[bytes, Delivery] = {}  # by grant
        self._received: dict[bytes, _Received] = {}  # by policy, the one used last at the end

    def _prune(self, since_ms: int) -> None:
        """Let go of deliveries before all windows of late; of none, if this one begins earlier."""
        if self._begin_ms is None:
            return
        if since_ms < self._begin_ms:
            self._begin_ms, self._watch.is_shaken = None, True
            return
        self._asked += 1
        self._earliest_ms = min(self._earliest_ms, since_ms)
        if self._asked == PRUNE_EVERY:
            self._begin_ms = max(self._begin_ms, self._earliest_ms - LATE_MS)
            gone = [id_ for id_, had in self._deliveries.items() if self._is_old(had)]
            for grant in gone:
                del self._deliveries[grant]
            for received in self._received.values():
                received.prune(self._begin_ms)
            self._asked, self._earliest_ms = 0, NEVER_MS

    def _is_old(self, had: Delivery) -> bool:
        return self._begin_ms is not None and had.handed_ms <= self._begin_ms

    def refresh(self) -> None:
        """Look at what was touched since the last time."""
        state, watch = self._state, self._watch
        if watch.is_shaken:
            self._forget()
            watch.touched = {*state.ids(Request), *state.ids(Grant)}
        if watch.is_peopled or watch.is_shaken:
            self._everybody = everybody(state)
        for party in watch.parties:
            watch.touched.update(self._named.get(party, ()))
        watch.parties.clear()
        watch.is_peopled = watch.is_shaken = False
        touched, watch.touched = watch.touched, set()
        for request in self._requests_of(touched):
            self._note_request(request)
            for grant in grants_to(state, request.id):
                self._note_grant(grant)

    def _requests_of(self, touched: set[bytes]) -> Iterator[Statement[Request]]:
        """Yield the requests among records, and those of the grants among them, by id."""
        ids = set[bytes]()
        for record in touched:
            grant = self._state.find(record, Grant)
            ids.add(record if grant is None else grant.refs[1])
        for record in sorted(ids):
            request = self._state.find(record, Request)
            if request is not None:
                yield request

    def _note_request(self, request: Statement[Request]) -> None:
        asking, body = asking_of(self._state, request), request.body
        is_withdrawn = request_state(self._state, request.id).withdrawn
        self._open.put(asking, not is_withdrawn and asking.lacking > 0)
        before = self._sides.get(request.id)
        if body.on_behalf_of is not None:
            self._sides[request.id] = asking.who
            if before is None:
                self._named[body.on_behalf_of].append(request.id)
        if body.urgency == "now":
            if before not in (None, asking.who):
                self._urgent[before].remove(moment_of(request))
            self._urgent[asking.who].add(moment_of(request))

    def _note_grant(self, grant: Statement[Grant]) -> None:
        now, before = delivery_of(self._state, grant), self._deliveries.get(grant.id)
        now = None if now is None or self._is_old(now) else now
        if now == before:
            return
        for received in self._received.values():
            received.move(grant.id, before, now)
        if now is None:
            del self._deliveries[grant.id]
        else:
            self._deliveries[grant.id] = now

    def _received_by(self, policy: Policy) -> "_Received":
        """Return what everybody received in the worth of a policy."""
        found = self._received.pop(policy.id, None)
        if found is None:
            found = _Received(policy)
            for grant, delivery in self._deliveries.items():
                found.move(grant, None, delivery)
        self._received[policy.id] = found
        if len(self._received) > POLICIES_MAX:
            del self._received[next(iter(self._received))]
        return found


class _Open:
    """The requests that lack something and were not withdrawn, by the time at which they expire.

    Many expire without being met; of those no more is held than when they did.
    """

    def __init__(self) -> None:
        self._askings: dict[bytes, Asking] = {}  # of those that were not over when last asked
        self._ends: list[Moment] = []
        self._end_of: dict[bytes, int] = {}
        self._over = 0  # how many of `_ends` were over then

    def put(self, asking: Asking, is_open: bool) -> None:
        """Let a request be among them as it is now, or not."""
        request, end_ms = asking.request.id, asking.times.expires_ms
        before_ms = self._end_of.pop(request, None)
        if before_ms is not None:
            self._askings.pop(request, None)
            place = bisect_left(self._ends, (before_ms, request))
            del self._ends[place]
            self._over -= place < self._over
        if is_open:
            end = (NEVER_MS if end_ms is None else end_ms, request)
            place = bisect_left(self._ends, end)
            self._ends.insert(place, end)
            self._end_of[request] = end[0]
            self._askings[request] = asking
            self._over += place < self._over

    def at(self, state: State, as_of_ms: int) -> list[Asking]:
        """Return those that are not over at a time, oldest first by their authors' clocks."""
        first = bisect_left(self._ends, (as_of_ms + 1, b""))
        for _, request in self._ends[self._over : first]:
            self._askings.pop(request, None)
        self._over = first
        found = [self._asking(state, request) for _, request in self._ends[first:]]
        return sorted(found, key=lambda asking: moment_of(asking.request))

    def _asking(self, state: State, record: bytes) -> Asking:
        known = self._askings.get(record)
        if known is None:
            request = state.find(record, Request)
            assert request is not None  # else it would have been taken out
            known = self._askings[record] = asking_of(state, request)
        return known


class _Moments:
    """Moments in order."""

    def __init__(self) -> None:
        self._moments: list[Moment] = []

    def add(self, moment: Moment) -> None:
        """Take one in, if it is not there."""
        place = bisect_left(self._moments, moment)
        if self._moments[place : place + 1] != [moment]:
            self._moments.insert(place, moment)

    def remove(self, moment: Moment) -> None:
        """Take one out that is there."""
        del self._moments[bisect_left(self._moments, moment)]

    def count(self, since_ms: int, before: Moment) -> int:
        """Return how many are later than a time, and before a moment."""
        begin = bisect_left(self._moments, (since_ms + 1, b""))
        return max(bisect_left(self._moments, before) - begin, 0)


class _Received:
    """What everybody received, in the worth of one policy."""

    def __init__(self, policy: Policy) -> None:
        self._policy: Final = policy
        self._windows: dict[bytes, _Window] = defaultdict(_Window)

    def move(self, grant: bytes, before: Delivery | None, now: Delivery | None) -> None:
        """Put what a grant moved now in the place of what it moved before."""
        if before is not None:
            self._windows[before.who].change((before.handed_ms, grant), -self._worth(before))
        if now is not None:
            self._windows[now.who].change((now.handed_ms, grant), self._worth(now))

    def prune(self, begin_ms: int) -> None:
        """Let go of what was handed over at a time or before."""
        for window in self._windows.values():
            window.prune(begin_ms)

    def since(self, who: bytes, since_ms: int) -> int:
        """Return what a collective was handed after a time, at most `RECEIVED_MAX`."""
        window = self._windows.get(who)
        return 0 if window is None else min(window.since(since_ms), RECEIVED_MAX)

    def _worth(self, had: Delivery) -> int:
        return self._policy.milli_person_days(had.category, had.unit, had.quantity)


class _Window:
    """What one collective received, by time, and the sum of the part after the window's begin.

    Decisions are looked at about in the order of time, so that the begin seldom moves far.
    """

    def __init__(self) -> None:
        self._moments: list[Moment] = []
        self._worths: list[int] = []
        self._begin = 0  # how many come before the window
        self._sum = 0  # worth of the others

    def change(self, moment: Moment, worth: int) -> None:
        """Take in a delivery, or take out one that is there, with its worth below 0."""
        place = bisect_left(self._moments, moment)
        is_there = place < len(self._moments) and self._moments[place] == moment
        is_before = place < self._begin
        if is_there:
            del self._moments[place], self._worths[place]
        else:
            self._moments.insert(place, moment)
            self._worths.insert(place, worth)
        if is_before:
            self._begin += -1 if is_there else 1
        else:
            self._sum += worth

    def prune(self, begin_ms: int) -> None:
        """Let go of what was handed over at a time or before."""
        self.since(begin_ms)
        del self._moments[: self._begin], self._worths[: self._begin]
        self._begin = 0

    def since(self, since_ms: int) -> int:
        """Return the worth of all that is later than a time."""
        begin = bisect_right(self._moments, since_ms, key=lambda moment: moment[0])
        if begin >= self._begin:
            self._sum -= sum(self._worths[self._begin : begin])
        else:
            self._sum += sum(self._worths[begin : self._begin])
        self._begin = begin
        return self._sum
