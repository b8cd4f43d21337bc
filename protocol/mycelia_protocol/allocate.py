"""The first allocator, `fifo`: who asked first is served first. Spec: section 8.5 (not normative).

Every function here is pure: from the state, and a clock for what expired, to the drafts that this
node should write. What it may spend is the business of `purses.py`.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import cast

from mycelia_protocol.publish import Draft
from mycelia_protocol.purses import Stock, end_of, is_past
from mycelia_protocol.sharing.categories import group_of
from mycelia_protocol.state import State
from mycelia_protocol.types import answer, grant, receipt
from mycelia_protocol.types.accounts import account_of, offer_of, purse_of
from mycelia_protocol.types.base import Statement
from mycelia_protocol.types.grant import Grant
from mycelia_protocol.types.offer import Offer
from mycelia_protocol.types.promises import (
    LIVE,
    grant_state,
    grants_to,
    request_state,
    times_of,
)
from mycelia_protocol.types.request import Request
from mycelia_protocol.types.rights import Rights


def fifo(
    state: State, key: bytes, shelf: Sequence[Stock], now_ms: int, accept_by_ms: int | None
) -> Iterator[Draft]:
    """Yield grants of what is on the shelf to the oldest open requests that it fits.

    Oldest by the requesters' own clocks, ties by id; who let grants of this node lapse comes after
    those who did not. A request is given at most what it still lacks, in whole lots; of something
    lent, in the earliest slot that is free.

    Args:
        state: what is known.
        key: this node's; it grants nothing to itself, and nobody what is its own offer.
        shelf: what it may spend.
        now_ms: its clock.
        accept_by_ms: when it takes back what was not answered, or None for never.
    """
    if not shelf:
        return
    alike = state.unsettled(Request, now_ms, _is_alike(shelf))
    candidates = [each for each in alike if is_open_request(state, each, now_ms)]
    requests = sorted(candidates, key=lambda each: _lapses(state, key, each.id))
    lacking = {request.id: lack(state, request) for request in requests}
    for stock in shelf:
        offer, left, credits_ = stock.offer, stock.left, stock.credits
        for request in requests:
            if request.author in (key, offer.author) or not fits(state, stock, request, now_ms):
                continue
            lot = offer.body.lot
            quantity = min(left, lacking[request.id]) // lot * lot
            if quantity <= 0 or _was_declined(state, key, stock, request.id, quantity):
                continue
            content = grant.content(quantity, stock.slot, accept_by_ms)
            yield Draft(None, "grant", content, (stock.purse, request.id, *credits_))
            credits_ = ()  # named once, they stay
            left -= 0 if offer.body.inexhaustible else quantity
            lacking[request.id] -= quantity


def _is_alike(shelf: Sequence[Stock]) -> Callable[[Request], bool]:
    """Return what says whether a request is for anything like what is on the shelf.

    `fits` turns the others away, too; this costs but a look at their bodies.
    """
    offers = [stock.offer.body for stock in shelf]
    kinds = {(o.unit, kind) for o in offers for kind in (o.category, group_of(o.category))}

    def keep(wanted: Request) -> bool:
        return any((wanted.unit, kind) in kinds for kind in (wanted.category, *wanted.substitutes))

    return keep


def fits(state: State, stock: Stock, request: Statement[Request], now_ms: int) -> bool:
    """Return whether an offer, or one slot of it, would serve a request.

    It is of the same kind or a substitute, for whoever asked, and can be had in time.
    """
    offer, wanted = stock.offer.body, request.body
    kinds = {wanted.category, *wanted.substitutes}
    if offer.unit != wanted.unit or kinds.isdisjoint({offer.category, group_of(offer.category)}):
        return False
    if offer.audience and not {request.author, wanted.on_behalf_of}.intersection(offer.audience):
        return False
    from_ms = offer.from_ms if stock.slot is None else offer.slots[stock.slot].from_ms
    begin_ms = max(now_ms, from_ms or 0)
    ends = (end_of(state, stock.offer, stock.slot), times_of(state, request).needed_by_ms)
    return all(end is None or begin_ms <= end for end in ends)


def _lapses(state: State, key: bytes, request: bytes) -> int:
    """Return how many grants of this node a requester left without an answer."""
    mine = [promise for promise in grants_to(state, request) if promise.author == key]
    return sum(grant_state(state, promise.id).status == "lapsed" for promise in mine)


def _was_declined(state: State, key: bytes, stock: Stock, request: bytes, quantity: int) -> bool:
    """Return whether the requester declined as little of the same from this node before.

    Two clocks may disagree on whether a request has expired; without this rule the two nodes would
    grant and decline for ever.
    """
    return any(
        quantity >= promise.body.quantity
        and grant_state(state, promise.id).status in ("declined", "surplus")
        for promise in grants_to(state, request)
        if (promise.author, promise.refs[0], promise.body.slot) == (key, stock.purse, stock.slot)
    )


def answers(
    state: State, own_key: bytes, now_ms: int, is_frozen: Callable[[bytes], bool]
) -> Iterator[Draft]:
    """Yield answers to grants to the own requests: accept while there is need, decline the rest.

    A node that lost records may have accepted for an older request what it does not remember, and
    have renewed it. So it knows what such a request still needs at most: to what would fit it says
    nothing, unless the request was withdrawn.

    Args:
        state: what is known.
        own_key: this node's.
        now_ms: its clock.
        is_frozen: whether it may have forgotten what became of what an own log opened.
    """
    for request in state.by_author(own_key, Request):
        derived = request_state(state, request.id)
        room = request.body.quantity - derived.filled
        is_closed = derived.withdrawn or is_past(times_of(state, request).expires_ms, now_ms)
        is_unclear = is_frozen(request.log) and not derived.withdrawn
        for promise in grants_to(state, request.id):
            fits = promise.body.quantity <= room
            if grant_state(state, promise.id).status != "offered" or (fits and is_unclear):
                continue
            accept = fits and not is_closed
            room -= promise.body.quantity if accept else 0
            yield Draft(None, "answer", answer.content(accept), (promise.id,))


def receipts(state: State, own_key: bytes, now_ms: int) -> Iterator[Draft]:
    """Yield confirmations of hand-overs without a person, for demonstrations and harness runs.

    A granter says `handed` as soon as a grant was accepted; a requester `received` after that. What
    is lent comes back when its slot is over: the requester says so first, and then the granter.
    """
    given = state.by_author(own_key, Grant)
    for promise in given:
        became = grant_state(state, promise.id)
        if became.status == "accepted":
            yield _receipt("handed", promise.body.quantity, promise)
        elif became.status == "received" and became.brought is not None:
            yield _receipt("returned", became.brought, promise)
    for request in state.by_author(own_key, Request):
        for promise in grants_to(state, request.id):
            became = grant_state(state, promise.id)
            is_over = became.status == "received" and _is_slot_over(state, promise, now_ms)
            if became.status == "handed":
                yield _receipt("received", promise.body.quantity, promise)
            elif is_over and became.brought is None:
                yield _receipt("returned", became.received or 0, promise)


def next_return(state: State, own_key: bytes, now_ms: int) -> int | None:
    """Return when the next slot ends of what this node has borrowed, by the clock, or None."""
    ends: list[int] = []
    for request in state.by_author(own_key, Request):
        for promise in grants_to(state, request.id):
            became, offer = grant_state(state, promise.id), offer_of(state, promise)
            if became.status == "received" and offer and promise.body.slot is not None:
                ends.append(offer.body.slots[promise.body.slot].until_ms)
    return min((end for end in ends if end > now_ms), default=None)


def _receipt(side: str, quantity: int, promise: Statement[Grant]) -> Draft:
    return Draft(None, "receipt", receipt.content(side, quantity), (promise.id,))


def _is_slot_over(state: State, promise: Statement[Grant], now_ms: int) -> bool:
    """Return whether something was lent, and the time for that is over."""
    offer, slot = offer_of(state, promise), promise.body.slot
    return offer is not None and slot is not None and is_past(end_of(state, offer, slot), now_ms)


def is_open_offer(state: State, offer: Statement[Offer], now_ms: int) -> bool:
    """Return whether anybody may still grant something of an offer, and its time is not over."""
    if is_past(times_of(state, offer).expires_ms, now_ms):
        return False
    account = account_of(state, offer.id)
    amounts: list[tuple[int, int | None]] = [
        (free, index if offer.body.slots else None) for index, free in enumerate(account.free)
    ]
    for rights_id in account.ledger.given:
        rights = state.find(rights_id, Rights)
        slot = rights.body.slot if rights else None
        amounts.append((purse_of(state, rights_id).free, slot))
    return any(free and not is_past(end_of(state, offer, slot), now_ms) for free, slot in amounts)


def closing_ms(state: State, thing: Statement[object]) -> int | None:
    """Return from when on an offer or a request is not open, as far as is known; None for never.

    0 if it is not, whatever the time. Only what touches its derivation can change that.
    """
    if isinstance(thing.body, Request):
        request = cast("Statement[Request]", thing)
        is_closed = request_state(state, thing.id).withdrawn or lack(state, request) <= 0
    else:
        account = account_of(state, thing.id)
        is_closed = not account.ledger.given and not any(account.free)
    return 0 if is_closed else times_of(state, thing).expires_ms


def open_offers(state: State, now_ms: int) -> list[Statement[Offer]]:
    """Return offers of which something is left, oldest first."""
    offers = state.unsettled(Offer, now_ms)
    return [offer for offer in offers if is_open_offer(state, offer, now_ms)]


def open_requests(state: State, now_ms: int) -> list[Statement[Request]]:
    """Return requests that still lack something, oldest first."""
    requests = state.unsettled(Request, now_ms)
    return [each for each in requests if is_open_request(state, each, now_ms)]


def is_open_request(state: State, request: Statement[Request], now_ms: int) -> bool:
    """Return whether a request still lacks something, and its time is not over."""
    need = state.noted(request.id, _need)
    return not need.withdrawn and need.lack > 0 and not is_past(need.expires_ms, now_ms)


def lack(state: State, request: Statement[Request]) -> int:
    """Return what a request still lacks, in base units: asked, less what grants promise."""
    return state.noted(request.id, _need).lack


@dataclass(frozen=True, slots=True)
class _Need:
    """What each look at a request asks: a node looks at all of them before each decision."""

    withdrawn: bool
    lack: int
    expires_ms: int | None


def _need(state: State, record: bytes) -> _Need:
    """Return what a request still needs, whatever the time."""
    request = state.find(record, Request)
    assert request is not None
    withdrawn = request_state(state, record).withdrawn
    promised = sum(
        promise.body.quantity
        for promise in grants_to(state, record)
        if grant_state(state, promise.id).status in LIVE
    )
    return _Need(withdrawn, request.body.quantity - promised, times_of(state, request).expires_ms)
