"""The first allocator, `fifo`: who asked first is served first. Spec: section 8.5 (not normative).

Every function here is pure: from the state, and a clock for what expired, to the drafts that this
node should write. The rules of `promises.py` make any allocator safe; this one only tries not to
promise what the walks would void.
"""

from collections.abc import Iterator

from mycelia_protocol.publish import Draft
from mycelia_protocol.sharing.categories import group_of
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
    lacks, in whole lots; of something lent, in the earliest slot that is free.
    """
    offers = [
        offer for offer in state.by_author(own_key, Offer) if is_open_offer(state, offer, now_ms)
    ]
    if not offers:
        return []
    requests = open_requests(state, now_ms)
    lacking = {request.id: lack(state, request) for request in requests}
    drafts: list[Draft] = []
    for offer, slot, left in _stock(state, offers):
        for request in requests:
            if request.author == own_key or not fits(offer.body, slot, request, now_ms):
                continue
            lot = offer.body.lot
            quantity = min(left, lacking[request.id]) // lot * lot
            if quantity <= 0 or _was_declined(state, offer.id, slot, request.id, quantity):
                continue
            content = grant.content(quantity, slot)
            drafts.append(Draft(None, "grant", content, (offer.id, request.id)))
            left -= 0 if offer.body.inexhaustible else quantity
            lacking[request.id] -= quantity
            if len(drafts) >= drafts_max:
                return drafts
    return drafts


def _stock(
    state: State, offers: list[Statement[Offer]]
) -> Iterator[tuple[Statement[Offer], int | None, int]]:
    """Yield (offer, slot or None, base units left) of all that may be granted."""
    for offer in offers:
        for purse, left in enumerate(offer_state(state, offer.id).free):
            if left:
                yield offer, purse if offer.body.slots else None, left


def fits(offer: Offer, slot: int | None, request: Statement[Request], now_ms: int) -> bool:
    """Return whether an offer, or one slot of it, would serve a request.

    It is of the same kind or a substitute, for whoever asked, and can be had in time.
    """
    wanted = request.body
    kinds = {wanted.category, *wanted.substitutes}
    if offer.unit != wanted.unit or kinds.isdisjoint({offer.category, group_of(offer.category)}):
        return False
    if offer.audience and not {request.author, wanted.on_behalf_of}.intersection(offer.audience):
        return False
    when = offer if slot is None else offer.slots[slot]
    begin_ms = max(now_ms, when.from_ms or 0)
    ends = [end for end in (when.until_ms, wanted.needed_by_ms) if end is not None]
    return all(begin_ms <= end for end in ends)


def _was_declined(
    state: State, offer: bytes, slot: int | None, request: bytes, quantity: int
) -> bool:
    """Return whether the requester declined as little from this offer, and slot, before.

    Two clocks may disagree on whether a request has expired; without this rule the two nodes would
    grant and decline for ever.
    """
    return any(
        quantity >= promise.body.quantity
        and grant_state(state, promise.id).status in ("declined", "surplus")
        for promise in state.about(request, Grant)
        if promise.refs[0] == offer and promise.body.slot == slot
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
    body = offer.body
    ends: list[int | None] = [slot.until_ms for slot in body.slots] or [body.until_ms]
    return not is_expired(body.expires_ms, now_ms) and any(
        free > 0 and not is_expired(end, now_ms)
        for free, end in zip(offer_state(state, offer.id).free, ends, strict=True)
    )


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
