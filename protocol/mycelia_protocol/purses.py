"""What this node may grant now, and what it puts back. Spec: section 8.5 (not normative).

Every function is pure: from the state, and a clock for deadlines, to what may be spent or to the
drafts that this node should write. The walks of `types/accounts.py` make any spender safe; these
only see to it that nothing is spent which those would void, and that what can't be used comes back.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from mycelia_protocol.limits import LEASE_MARGIN_MS, REFS_MAX
from mycelia_protocol.publish import Draft
from mycelia_protocol.state import State
from mycelia_protocol.types import returns, withdraw
from mycelia_protocol.types.accounts import account_of, creditable, purse_of
from mycelia_protocol.types.base import Statement
from mycelia_protocol.types.grant import Grant
from mycelia_protocol.types.offer import Offer
from mycelia_protocol.types.promises import GrantStatus, grant_state, times_of
from mycelia_protocol.types.receipt import confirmed
from mycelia_protocol.types.request import Request
from mycelia_protocol.types.rights import Rights

CREDITS_MAX = REFS_MAX - 3  # returns that one grant names, beside purse, request and decision
BROKEN: tuple[GrantStatus, ...] = ("void", "overdrawn")  # statuses of what broke a rule
USELESS: tuple[GrantStatus, ...] = ("declined", "surplus", "void")  # statuses of what nobody gets


@dataclass(frozen=True, slots=True)
class Stock:
    """One amount that this node may grant from.

    Attributes:
        purse: what a grant names: the offer, or rights to it.
        offer: what it is of.
        slot: which slot, if it is lent.
        left: base units.
        credits: returns that a grant has to name, so that `left` is there.
    """

    purse: bytes
    offer: Statement[Offer]
    slot: int | None
    left: int
    credits: tuple[bytes, ...] = ()


def stocks(state: State, key: bytes, log: bytes | None, now_ms: int) -> Iterator[Stock]:
    """Yield what a node may grant now: of its own offers, then of rights that it holds.

    Args:
        state: what is known.
        key: the node's.
        log: the log that it writes on; rights given to another can't be spent.
        now_ms: its clock.
    """
    for offer in state.by_author(key, Offer):
        yield from _own_stocks(state, offer, now_ms)
    for rights in _held_rights(state, key):
        yield from _rights_stock(state, rights, log, now_ms)


def stock_of(
    state: State, key: bytes, log: bytes | None, purse: bytes, slot: int | None, now_ms: int
) -> Stock | None:
    """Return what `stocks` says of one purse and slot, None if it says nothing of it."""
    offer, rights = state.find(purse, Offer), state.find(purse, Rights)
    found: Iterator[Stock] = iter(())
    if offer is not None and offer.author == key:
        found = _own_stocks(state, offer, now_ms)
    elif rights is not None and rights.body.to == key and purse_of(state, purse).outcome == "held":
        found = _rights_stock(state, rights, log, now_ms)
    return next((stock for stock in found if stock.slot == slot), None)


def log_of(state: State, key: bytes, thing: bytes) -> bytes | None:
    """Return the own log that opened a purse or a request: what it came to stands there or later.

    None if it is not this node's, or not known.
    """
    offer, request = state.find(thing, Offer), state.find(thing, Request)
    rights = state.find(thing, Rights)
    for own in (offer, request):
        if own is not None and own.author == key:
            return own.log
    return rights.body.log if rights is not None and rights.body.to == key else None


def _rights_stock(
    state: State, rights: Statement[Rights], log: bytes | None, now_ms: int
) -> Iterator[Stock]:
    """Yield what is left of rights that hold, if they can be spent now on this log."""
    held_of = state.find(rights.refs[0], Offer)
    if held_of is None or rights.body.log != log or _is_ending(rights, now_ms):
        return
    left = purse_of(state, rights.id).free
    ends = (times_of(state, held_of).expires_ms, end_of(state, held_of, rights.body.slot))
    if left and not any(is_past(end, now_ms) for end in ends):
        yield Stock(rights.id, held_of, rights.body.slot, left)


def _own_stocks(state: State, offer: Statement[Offer], now_ms: int) -> Iterator[Stock]:
    """Yield what is left of an own offer, slot by slot, with what came back and may be named."""
    account = account_of(state, offer.id)
    if account.withdrawn or is_past(times_of(state, offer).expires_ms, now_ms):
        return
    left = list(account.free)
    named: list[list[bytes]] = [[] for _ in left]
    for index, back in creditable(state, offer):
        if len(named[index]) < CREDITS_MAX:
            named[index].append(back.id)
            left[index] += back.body.quantity
    for index, amount in enumerate(left):
        slot = index if offer.body.slots else None
        if amount and not is_past(end_of(state, offer, slot), now_ms):
            yield Stock(offer.id, offer, slot, amount, tuple(named[index]))


def put_back(state: State, key: bytes, now_ms: int) -> Iterator[Draft]:
    """Yield withdrawals of own grants that nobody gets: declined, surplus, never answered.

    They are final, whatever answer still comes; so the quantity can be granted again at once.
    """
    for grant in state.by_author(key, Grant):
        became = grant_state(state, grant.id)
        is_lapsed = became.status == "offered" and is_past(grant.body.accept_by_ms, now_ms)
        is_useless = is_lapsed or became.status in USELESS
        if became.holds and is_useless and not _is_handed(state, grant):
            reason = "not answered in time" if is_lapsed else ""
            yield Draft(None, "withdraw", withdraw.content(reason), (grant.id,))


def give_back(state: State, key: bytes, log: bytes | None, now_ms: int) -> Iterator[Draft]:
    """Yield returns of rights that this node can't use any more.

    Their time is nearly over, or they were given to a log that it does not write on any more.
    """
    for rights in _held_rights(state, key):
        free = purse_of(state, rights.id).free
        if state.is_forked((key, rights.body.log)):
            continue  # frozen: whoever wrote its other end may have handed it over
        if free and (_is_ending(rights, now_ms) or rights.body.log != log):
            yield Draft(None, "return", returns.content(free), (rights.id,))


def refusal(state: State, key: bytes, log: bytes | None, draft: Draft) -> str | None:
    """Say why a grant, rights or a return that somebody asked for can't be written; None if it can.

    What a grant or rights name as coming back counts if it is there.
    """
    quantity, slot = draft.content.get("quantity"), draft.content.get("slot")
    if not isinstance(quantity, int) or not draft.refs:
        return None  # malformed: its family says so
    offer, rights = state.find(draft.refs[0], Offer), state.find(draft.refs[0], Rights)
    if offer is not None and draft.kind != "return":
        if offer.author != key:
            return "the offer is another collective's"
        index = offer.body.slot_index(slot if isinstance(slot, int) else None)
        account = account_of(state, offer.id)
        if index is None or account.withdrawn:
            return "the offer was withdrawn" if account.withdrawn else "the offer has no such slot"
        back = [b for i, b in creditable(state, offer) if i == index and b.id in draft.refs]
        left, lot = account.free[index] + sum(b.body.quantity for b in back), offer.body.lot
    elif rights is not None and draft.kind != "rights":
        held_of = state.find(rights.refs[0], Offer)
        if rights.body.to != key or held_of is None:
            return "the rights are another collective's"
        if draft.kind == "grant" and (rights.body.log, rights.body.slot) != (log, slot):
            return "the rights are for another log of this node, or for another slot"
        left, lot = purse_of(state, rights.id).free, held_of.body.lot
    else:
        return "what it would spend is not known here"
    if quantity % lot:
        return f"it is no number of whole lots of {lot}"
    return f"only {left} base units are left, not {quantity}" if quantity > left else None


def next_deadline(state: State, key: bytes, now_ms: int) -> int | None:
    """Return when `put_back` or `give_back` will next have something to do, by the clock."""
    deadlines = [
        grant.body.accept_by_ms
        for grant in state.by_author(key, Grant)
        if grant.body.accept_by_ms is not None and grant_state(state, grant.id).status == "offered"
    ]
    deadlines += [
        rights.body.until_ms - LEASE_MARGIN_MS
        for rights in _held_rights(state, key)
        if rights.body.until_ms is not None and purse_of(state, rights.id).free
    ]
    return min((deadline for deadline in deadlines if deadline > now_ms), default=None)


def end_of(state: State, offer: Statement[Offer], slot: int | None) -> int | None:
    """Return when an offer, or one slot of it, can no longer be had; None for open."""
    return times_of(state, offer).until_ms if slot is None else offer.body.slots[slot].until_ms


def is_past(time_ms: int | None, now_ms: int) -> bool:
    """Return whether a time is over by this node's clock. A view, never in the fold."""
    return time_ms is not None and time_ms <= now_ms


def _is_handed(state: State, grant: Statement[Grant]) -> bool:
    """Return whether the goods were handed over, so that a grant can't be taken back."""
    handed = confirmed(state, grant.id, grant.author, "handed")
    return handed is not None and handed.quantity > 0


def _held_rights(state: State, key: bytes) -> list[Statement[Rights]]:
    """Return the rights that were given to a key and hold, oldest first."""
    found = state.addressed_to(key, Rights)
    return [rights for rights in found if purse_of(state, rights.id).outcome == "held"]


def _is_ending(rights: Statement[Rights], now_ms: int) -> bool:
    """Return whether the time of rights is so near its end that nothing is granted from them."""
    until_ms = rights.body.until_ms
    return until_ms is not None and until_ms - LEASE_MARGIN_MS <= now_ms
