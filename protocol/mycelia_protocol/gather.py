"""What a decision is made from: plain values out of a state. Spec: section 8.8.8, IN-1 to IN-7.

Whoever decides and whoever recomputes call this with the state of the same records, and get the
same views; the rest is `sharing/`. It looks at every request and every grant that there is, which
is right for one decision; `gatherer.py` gives the same for one decision after another.
"""

from collections import defaultdict
from dataclasses import dataclass

from mycelia_protocol.allocate import lack, open_requests
from mycelia_protocol.limits import LAPSE_PAUSE_MAX_MS, QUANTITY_MAX, RECEIVED_MAX
from mycelia_protocol.purses import Stock, end_of
from mycelia_protocol.sharing.change import Inputs
from mycelia_protocol.sharing.distance import metres_between
from mycelia_protocol.sharing.policy import Policy
from mycelia_protocol.sharing.views import CollectiveView, OfferView, RequestView
from mycelia_protocol.state import State
from mycelia_protocol.types.accounts import offer_of
from mycelia_protocol.types.base import Statement
from mycelia_protocol.types.grant import Grant
from mycelia_protocol.types.ledger import taken_back
from mycelia_protocol.types.offer import Offer
from mycelia_protocol.types.parties import side_of
from mycelia_protocol.types.party import Party
from mycelia_protocol.types.promises import GrantState, Times, grant_state, grants_to, times_of
from mycelia_protocol.types.receipt import Receipt, confirmed
from mycelia_protocol.types.request import Request

Moment = tuple[int, bytes]  # (time_ms, id): where a record stands among all, by the clocks


def gather(state: State, key: bytes, stock: Stock, policy: Policy, as_of_ms: int) -> Inputs:
    """Return the views of one decision.

    Args:
        state: of the records in view.
        key: who decides.
        stock: what may be given, as `purses.stocks` says at `as_of_ms`.
        policy: what is in force in that state.
        as_of_ms: the time of the decision.
    """
    since_ms = window_begin(policy, as_of_ms)
    urgent = _urgent(state, since_ms)
    requests = []
    for each in open_requests(state, as_of_ms):
        asking = asking_of(state, each)
        before = sum(mark < moment_of(each) for mark in urgent.get(asking.who, ()))
        requests.append(request_view(state, key, stock, asking, before, as_of_ms))
    received = _received(state, policy, since_ms)
    collectives = [
        CollectiveView(who, members, min(received.get(who, 0), RECEIVED_MAX), is_ecosystem)
        for who, members, is_ecosystem in everybody(state)
    ]
    return Inputs(policy, offer_view(state, stock), requests, collectives, as_of_ms)


def window_begin(policy: Policy, as_of_ms: int) -> int:
    """Return the time (ms) after which something counts in the policy's window."""
    return as_of_ms - policy.window_s * 1_000


def moment_of(statement: Statement[object]) -> Moment:
    """Return where a statement stands among all."""
    return statement.time_ms, statement.id


def offer_view(state: State, stock: Stock) -> OfferView:
    """Return the offer, or one slot of it, and what is left in the purse (IN-1)."""
    offer, body = stock.offer, stock.offer.body
    return OfferView(
        id=offer.id,
        provider=side_of(state, offer),
        category=body.category,
        unit=body.unit,
        left=stock.left,
        lot=body.lot,
        minimum=body.minimum,
        carrier=body.carrier,
        from_ms=body.from_ms if stock.slot is None else body.slots[stock.slot].from_ms,
        until_ms=end_of(state, offer, stock.slot),
        expires_ms=times_of(state, offer).expires_ms,
        audience=body.audience,
    )


@dataclass(frozen=True, slots=True)
class Asking:
    """A request, and what follows for it, whoever decides: for whom it is, and what it lacks.

    Attributes:
        lacking: base units; at most 0 if nothing is.
    """

    request: Statement[Request]
    who: bytes
    lacking: int
    times: Times


def asking_of(state: State, request: Statement[Request]) -> Asking:
    """Return what follows for a request (IN-2)."""
    side, lacking = side_of(state, request), lack(state, request)
    return Asking(request, side, lacking, times_of(state, request))


def request_view(
    state: State, key: bytes, stock: Stock, asking: Asking, now_before: int, as_of_ms: int
) -> RequestView:
    """Return one open request (IN-2, IN-3)."""
    request, body = asking.request, asking.request.body
    return RequestView(
        id=request.id,
        collective=asking.who,
        category=body.category,
        unit=body.unit,
        lacking=asking.lacking,
        urgency=body.urgency,
        first_posted_ms=request.time_ms,
        metres=metres_of(stock.offer, request),
        substitutes=body.substitutes,
        needed_by_ms=asking.times.needed_by_ms,
        expires_ms=asking.times.expires_ms,
        now_before=now_before,
        grant_max=grant_max(state, key, stock, request, as_of_ms),
    )


def grant_max(
    state: State, key: bytes, stock: Stock, request: Statement[Request], as_of_ms: int
) -> int:
    """Return the most that may be given (IN-3).

    That is none to oneself, none in a pause after lapses, and less than what was declined.
    """
    if request.author == key or as_of_ms < pause_end(state, key, request.id):
        return 0
    declined = [
        promise.body.quantity - 1
        for promise in grants_to(state, request.id)
        if (promise.author, promise.refs[0], promise.body.slot) == (key, stock.purse, stock.slot)
        and grant_state(state, promise.id).status in ("declined", "surplus")
    ]
    return min(declined, default=QUANTITY_MAX)


def pause_end(state: State, key: bytes, request: bytes) -> int:
    """Return until when a request that let grants of somebody lapse gets nothing of it (IN-7).

    Others, who may need it less, would else wait behind it each time for nothing. It pauses for as
    long as it kept what it was granted from them; 0 if nothing lapsed.
    """
    last_ms = waited_ms = 0
    for promise in grants_to(state, request):
        end_ms = promise.body.accept_by_ms
        if promise.author != key or grant_state(state, promise.id).status != "lapsed":
            continue
        withdrawal = taken_back(state, promise)
        assert withdrawal is not None  # else it has not lapsed
        assert end_ms is not None
        last_ms = max(last_ms, withdrawal.time_ms)
        waited_ms += max(end_ms - promise.time_ms, 0)
    return last_ms + min(waited_ms, LAPSE_PAUSE_MAX_MS)


def next_pause_end(state: State, key: bytes, now_ms: int) -> int | None:
    """Return when the first pause is over after which somebody may get something, or None."""
    lapsed = {
        promise.refs[1]
        for promise in state.by_author(key, Grant)
        if grant_state(state, promise.id).status == "lapsed"
    }
    ends = (pause_end(state, key, request) for request in sorted(lapsed))
    return min((end_ms for end_ms in ends if end_ms > now_ms), default=None)


def _urgent(state: State, since_ms: int) -> dict[bytes, list[Moment]]:
    """Return by collective when it asked for something `now` in the window (IN-4)."""
    found = defaultdict[bytes, list[Moment]](list)
    for request in state.written_since(Request, since_ms):
        if request.body.urgency == "now" and request.time_ms > since_ms:
            found[side_of(state, request)].append(moment_of(request))
    return found


def everybody(state: State) -> list[tuple[bytes, int, bool]]:
    """Return (id, members, whether it is an ecosystem) of all members and all parties (IN-5)."""
    profiles = ((member, state.profile(member)) for member in state.roster())
    members = [(member, profile.members if profile else 1, False) for member, profile in profiles]
    parties = [
        (party.id, party.body.members, party.body.form == "ecosystem")
        for party in state.every(Party)
    ]
    return members + parties


@dataclass(frozen=True, slots=True)
class Delivery:
    """What changed hands by a grant, and when.

    Attributes:
        who: whom it was for.
        handed_ms: when, as the requester says, else as the granter does.
        quantity: base units, at least 1.
    """

    who: bytes
    handed_ms: int
    category: str
    unit: str
    quantity: int


def delivery_of(state: State, grant: Statement[Grant]) -> Delivery | None:
    """Return what a grant moved, None if nothing yet (IN-6)."""
    return _delivery(state, grant.id)


def _delivery(state: State, grant: bytes) -> Delivery | None:
    moving = state.noted(grant, _moving)
    if moving is None:
        return None
    request = state.find(moving.request, Request) if moving.who is None else None
    who = moving.who if request is None else side_of(state, request)
    assert who is not None  # else the request would be here
    return Delivery(who, moving.handed_ms, moving.category, moving.unit, moving.quantity)


@dataclass(frozen=True, slots=True)
class _Moving:
    """A delivery; `who` is None if whom it is for hangs on a party, which may come later."""

    who: bytes | None
    request: bytes
    handed_ms: int
    category: str
    unit: str
    quantity: int


def _moving(state: State, record: bytes) -> _Moving | None:
    """Return what follows from what became of a grant, and from nothing that may change alone."""
    quantity = moved(grant_state(state, record))
    if not quantity:
        return None
    grant = state.find(record, Grant)
    assert grant is not None
    request, offer = state.find(grant.refs[1], Request), offer_of(state, grant)
    assert request is not None  # else nothing of it is confirmed
    assert offer is not None
    handed_ms = _handed_ms(state, grant, request.author)
    who = request.author if request.body.on_behalf_of is None else None
    kind = offer.body
    return _Moving(who, request.id, handed_ms, kind.category, kind.unit, quantity)


def moved(became: GrantState) -> int:
    """Return how much of a grant changed hands: as the requester says, else as the granter does."""
    return (became.handed if became.received is None else became.received) or 0


def _received(state: State, policy: Policy, since_ms: int) -> dict[bytes, int]:
    """Return by collective what it was handed in the window, in milli-person-days (IN-6)."""
    found = defaultdict[bytes, int](int)
    for grant in state.spoken_of_since(Grant, Receipt, since_ms):
        had = _delivery(state, grant)
        if had is not None and had.handed_ms > since_ms:
            found[had.who] += policy.milli_person_days(had.category, had.unit, had.quantity)
    return found


def _handed_ms(state: State, grant: Statement[Grant], requester: bytes) -> int:
    """Return when it changed hands: as the requester says, else as the granter does."""
    said = confirmed(state, grant.id, requester, "received") or confirmed(
        state, grant.id, grant.author, "handed"
    )
    assert said is not None
    return said.first.time_ms


def metres_of(offer: Statement[Offer], request: Statement[Request]) -> int | None:
    """Return how far a request is from an offer; None if one of them told no place."""
    here, there = offer.body.place, request.body.place
    return None if here is None or there is None else metres_between(here, there)
