"""What a decision is made from: plain values out of a state. Spec: section 8.8.8, IN-1 to IN-7.

Whoever decides and whoever recomputes call this with the state of the same records, and get the
same views; the rest is `sharing/`.
"""

from collections import defaultdict

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
from mycelia_protocol.types.parties import side_of
from mycelia_protocol.types.party import Party
from mycelia_protocol.types.place import Place
from mycelia_protocol.types.promises import grant_state, grants_to, times_of
from mycelia_protocol.types.receipt import confirmed
from mycelia_protocol.types.request import Request


def gather(state: State, key: bytes, stock: Stock, policy: Policy, as_of_ms: int) -> Inputs:
    """Return the views of one decision.

    Args:
        state: of the records in view.
        key: who decides.
        stock: what may be given, as `purses.stocks` says at `as_of_ms`.
        policy: what is in force in that state.
        as_of_ms: the time of the decision.
    """
    since_ms = as_of_ms - policy.window_s * 1_000
    urgent = _urgent(state, since_ms)
    requests = [
        _request_view(state, key, stock, request, urgent, as_of_ms)
        for request in open_requests(state, as_of_ms)
    ]
    collectives = _collectives(state, policy, since_ms)
    return Inputs(policy, _offer_view(state, stock), requests, collectives, as_of_ms)


def _offer_view(state: State, stock: Stock) -> OfferView:
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


def _request_view(
    state: State,
    key: bytes,
    stock: Stock,
    request: Statement[Request],
    urgent: dict[bytes, list[tuple[int, bytes]]],
    as_of_ms: int,
) -> RequestView:
    """Return one open request (IN-2, IN-3)."""
    body, times, who = request.body, times_of(state, request), side_of(state, request)
    mark = (request.time_ms, request.id)
    return RequestView(
        id=request.id,
        collective=who,
        category=body.category,
        unit=body.unit,
        lacking=lack(state, request),
        urgency=body.urgency,
        first_posted_ms=request.time_ms,
        metres=_metres(stock.offer.body.place, body.place),
        substitutes=body.substitutes,
        needed_by_ms=times.needed_by_ms,
        expires_ms=times.expires_ms,
        now_before=sum(each < mark for each in urgent.get(who, ())),
        grant_max=_grant_max(state, key, stock, request, as_of_ms),
    )


def _grant_max(
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


def _urgent(state: State, since_ms: int) -> dict[bytes, list[tuple[int, bytes]]]:
    """Return by collective when it asked for something `now` in the window, and ids (IN-4)."""
    found = defaultdict[bytes, list[tuple[int, bytes]]](list)
    for request in state.every(Request):
        if request.body.urgency == "now" and request.time_ms > since_ms:
            found[side_of(state, request)].append((request.time_ms, request.id))
    return found


def _collectives(state: State, policy: Policy, since_ms: int) -> list[CollectiveView]:
    """Return everybody who gives or gets: all members, and all parties (IN-5)."""
    received = _received(state, policy, since_ms)
    everybody = []
    for member in state.roster():
        profile = state.profile(member)
        members = profile.members if profile else 1
        everybody.append(CollectiveView(member, members, received.get(member, 0)))
    for party in state.every(Party):
        is_ecosystem = party.body.form == "ecosystem"
        had = received.get(party.id, 0)
        everybody.append(CollectiveView(party.id, party.body.members, had, is_ecosystem))
    return everybody


def _received(state: State, policy: Policy, since_ms: int) -> dict[bytes, int]:
    """Return by collective what it was handed in the window, in milli-person-days (IN-6)."""
    found = defaultdict[bytes, int](int)
    for grant in state.every(Grant):
        became = grant_state(state, grant.id)
        quantity = became.handed if became.received is None else became.received
        request, offer = state.find(grant.refs[1], Request), offer_of(state, grant)
        if not quantity or request is None or offer is None:
            continue
        if _handed_ms(state, grant, request.author) > since_ms:
            kind = offer.body
            worth = policy.milli_person_days(kind.category, kind.unit, quantity)
            who = side_of(state, request)
            found[who] = min(found[who] + worth, RECEIVED_MAX)
    return found


def _handed_ms(state: State, grant: Statement[Grant], requester: bytes) -> int:
    """Return when it changed hands: as the requester says, else as the granter does."""
    said = confirmed(state, grant.id, requester, "received") or confirmed(
        state, grant.id, grant.author, "handed"
    )
    assert said is not None
    return said.first.time_ms


def _metres(one: Place | None, other: Place | None) -> int | None:
    return None if one is None or other is None else metres_between(one, other)
