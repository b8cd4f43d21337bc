"""What decisions are made from, for one after another, from running indexes. Spec: section 8.8.8.

`gather` looks at every request and every grant there is, so that a history of decisions costs its
square. A `Gatherer` stands beside one state that grows, is told by it what was touched
(`watch.py`), and looks at that alone: what is open, who asked how often for something urgent, and
what each collective received lately. Both give equal views for any state; a law in the tests holds
them together.

    open requests      by the time at which they expire, so that those that did are cut off
    urgent requests    by collective and time: how many there are between two moments
    deliveries         by collective and time, with the sum of those after the window's begin
"""

from bisect import bisect_left, bisect_right, insort
from collections import defaultdict
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

POLICIES_MAX: Final = 4  # whose sums are kept: the one in force, its successor, one to compare with
NEVER_MS: Final = INT_MAX + 1  # after every time


class Gatherer:
    """Gives the views of decisions from one state, which may grow in between."""

    def __init__(self, state: State) -> None:
        self._state: Final = state
        self._watch: Final = state.watch()
        self._forget()

    def gather(self, key: bytes, stock: Stock, policy: Policy, as_of_ms: int) -> Inputs:
        """Return what `gather.gather` returns for the state as it is now."""
        self._refresh()
        since_ms = window_begin(policy, as_of_ms)
        requests = []
        for asking in self._open.at(as_of_ms):
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
        self._sides: dict[bytes, bytes] = {}  # urgent request -> collective that it is noted under
        self._named: dict[bytes, list[bytes]] = defaultdict(list)  # party -> requests that name it
        self._deliveries: dict[bytes, Delivery] = {}  # by grant
        self._received: dict[bytes, _Received] = {}  # by policy, the one used last at the end

    def _refresh(self) -> None:
        """Look at what was touched since the last time."""
        state, watch = self._state, self._watch
        if watch.is_shaken:
            self._forget()
            watch.touched = {each.id for each in (*state.every(Request), *state.every(Grant))}
        if watch.is_peopled or watch.is_shaken:
            self._everybody = everybody(state)
        for party in watch.parties:
            watch.touched.update(self._named.get(party, ()))
        watch.parties.clear()
        watch.is_peopled = watch.is_shaken = False
        touched, watch.touched = watch.touched, set()
        requests = self._requests_of(touched)
        for request in requests:
            self._note_request(request)
            for grant in grants_to(state, request.id):
                self._note_grant(grant)

    def _requests_of(self, touched: set[bytes]) -> list[Statement[Request]]:
        """Return the requests among records, and those of the grants among them, by id."""
        ids = set[bytes]()
        for record in touched:
            grant = self._state.find(record, Grant)
            ids.add(record if grant is None else grant.refs[1])
        found = (self._state.find(record, Request) for record in sorted(ids))
        return [request for request in found if request is not None]

    def _note_request(self, request: Statement[Request]) -> None:
        asking, body = asking_of(self._state, request), request.body
        is_withdrawn = request_state(self._state, request.id).withdrawn
        self._open.put(asking, not is_withdrawn and asking.lacking > 0)
        if body.on_behalf_of is not None and request.id not in self._named[body.on_behalf_of]:
            self._named[body.on_behalf_of].append(request.id)
        if body.urgency == "now" and self._sides.get(request.id) != asking.who:
            if request.id in self._sides:
                self._urgent[self._sides[request.id]].remove(moment_of(request))
            self._sides[request.id] = asking.who
            self._urgent[asking.who].add(moment_of(request))

    def _note_grant(self, grant: Statement[Grant]) -> None:
        now, before = delivery_of(self._state, grant), self._deliveries.get(grant.id)
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
    """The requests that lack something and were not withdrawn, by the time at which they expire."""

    def __init__(self) -> None:
        self._askings: dict[bytes, Asking] = {}
        self._ends: list[Moment] = []

    def put(self, asking: Asking, is_open: bool) -> None:
        """Let a request be among them as it is now, or not."""
        request = asking.request.id
        before = self._askings.pop(request, None)
        if before is not None:
            del self._ends[bisect_left(self._ends, _end_of(before))]
        if is_open:
            self._askings[request] = asking
            insort(self._ends, _end_of(asking))

    def at(self, as_of_ms: int) -> list[Asking]:
        """Return those that are not over at a time, oldest first by their authors' clocks."""
        first = bisect_left(self._ends, (as_of_ms + 1, b""))
        found = (self._askings[request] for _, request in self._ends[first:])
        return sorted(found, key=lambda asking: moment_of(asking.request))


def _end_of(asking: Asking) -> Moment:
    expires_ms = asking.times.expires_ms
    return NEVER_MS if expires_ms is None else expires_ms, asking.request.id


class _Moments:
    """Moments in order."""

    def __init__(self) -> None:
        self._moments: list[Moment] = []

    def add(self, moment: Moment) -> None:
        """Take one in."""
        insort(self._moments, moment)

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

    def since(self, since_ms: int) -> int:
        """Return the worth of all that is later than a time."""
        begin = bisect_right(self._moments, since_ms, key=lambda moment: moment[0])
        if begin >= self._begin:
            self._sum -= sum(self._worths[self._begin : begin])
        else:
            self._sum += sum(self._worths[begin : self._begin])
        self._begin = begin
        return self._sum
