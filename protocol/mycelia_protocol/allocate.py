"""The first allocator, `fifo`: who asked first is served first. Spec: section 8.5 (not normative).

Every function here is pure: from the state, and a clock for what expired, to the drafts that this
node should write. The rules of `promises.py` make any allocator safe; this one only tries not to
promise what the walks would void.
"""

from mycelia_protocol.publish import Draft
from mycelia_protocol.state import State
from mycelia_protocol.types import answer, grant, receipt
from mycelia_protocol.types.base import Statement
from mycelia_protocol.types.grant import Grant
from mycelia_protocol.types.offer import Offer
from mycelia_protocol.types.promises import LIVE, grant_state, offer_state, request_state
from mycelia_protocol.types.request import Request


def fifo(state: State, own_key: bytes, now_ms: int, drafts_max: int) -> list[Draft]:
    """Grant what is left of the own offers to the oldest open requests that they fit.

    Oldest by the requesters' own clocks, ties by id. A request is given at most what it still
    lacks, in whole lots.
    """
    offers = [
        offer for offer in state.by_author(own_key, Offer) if is_open_offer(state, offer, now_ms)
    ]
    if not offers:
        return []
    requests = open_requests(state, now_ms)
    lacking = {request.id: lack(state, request) for request in requests}
    drafts: list[Draft] = []
    for offer in offers:
        left = offer_state(state, offer.id).left
        for request in requests:
            body = request.body
            fits = (body.category, body.unit) == (offer.body.category, offer.body.unit)
            if not fits or request.author == own_key:
                continue
            lot = offer.body.lot
            quantity = min(left, lacking[request.id]) // lot * lot
            if quantity <= 0 or _was_declined(state, offer.id, request.id, quantity):
                continue
            drafts.append(Draft(None, "grant", grant.content(quantity), (offer.id, request.id)))
            left -= quantity
            lacking[request.id] -= quantity
            if len(drafts) >= drafts_max:
                return drafts
    return drafts


def _was_declined(state: State, offer: bytes, request: bytes, quantity: int) -> bool:
    """Return whether the requester declined as little from this offer before.

    Two clocks may disagree on whether a request has expired; without this rule the two nodes would
    grant and decline for ever.
    """
    return any(
        quantity >= promise.body.quantity
        and grant_state(state, promise.id).status in ("declined", "surplus")
        for promise in state.about(request, Grant)
        if promise.refs[0] == offer
    )


def answers(state: State, own_key: bytes, now_ms: int, drafts_max: int) -> list[Draft]:
    """Answer grants to the own requests: accept while there is need, decline what is surplus."""
    drafts: list[Draft] = []
    for request in state.by_author(own_key, Request):
        derived = request_state(state, request.id)
        room = request.body.quantity - derived.filled
        is_closed = derived.withdrawn or is_expired(request.body.expires_ms, now_ms)
        for promise in state.about(request.id, Grant):
            if grant_state(state, promise.id).status != "offered":
                continue
            accept = not is_closed and promise.body.quantity <= room
            room -= promise.body.quantity if accept else 0
            drafts.append(Draft(None, "answer", answer.content(accept), (promise.id,)))
            if len(drafts) >= drafts_max:
                return drafts
    return drafts


def receipts(state: State, own_key: bytes, drafts_max: int) -> list[Draft]:
    """Confirm hand-overs without a person, for demonstrations and harness runs.

    A provider says `handed` as soon as a grant was accepted; a requester `received` after that.
    """
    drafts: list[Draft] = []
    given = [("handed", "accepted", promise) for promise in state.by_author(own_key, Grant)]
    taken = [
        ("received", "handed", promise)
        for request in state.by_author(own_key, Request)
        for promise in state.about(request.id, Grant)
    ]
    for side, status, promise in [*given, *taken]:
        if grant_state(state, promise.id).status == status and len(drafts) < drafts_max:
            content = receipt.content(side, promise.body.quantity)
            drafts.append(Draft(None, "receipt", content, (promise.id,)))
    return drafts


def is_open_offer(state: State, offer: Statement[Offer], now_ms: int) -> bool:
    """Return whether something of an offer is left and its time is not over."""
    return not is_expired(offer.body.expires_ms, now_ms) and offer_state(state, offer.id).left > 0


def open_offers(state: State, now_ms: int) -> list[Statement[Offer]]:
    """Return offers of which something is left, oldest first."""
    return [offer for offer in state.every(Offer) if is_open_offer(state, offer, now_ms)]


def open_requests(state: State, now_ms: int) -> list[Statement[Request]]:
    """Return requests that still lack something, oldest first."""
    return [
        request
        for request in state.every(Request)
        if not request_state(state, request.id).withdrawn
        and not is_expired(request.body.expires_ms, now_ms)
        and lack(state, request) > 0
    ]


def lack(state: State, request: Statement[Request]) -> int:
    """Return what a request still lacks, in base units: asked, less what grants promise."""
    promised = sum(
        promise.body.quantity
        for promise in state.about(request.id, Grant)
        if grant_state(state, promise.id).status in LIVE
    )
    return request.body.quantity - promised


def is_expired(expires_ms: int | None, now_ms: int) -> bool:
    """Return whether something's time is over by this node's clock. A view, never in the fold."""
    return expires_ms is not None and expires_ms <= now_ms
