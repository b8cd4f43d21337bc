"""How far offers, requests and hand-overs are, in a word. Spec: section 8.3.4 (not normative).

Views of the state and the clock, for people and for audits; nothing here decides anything.
"""

from typing import Literal

from mycelia_protocol.limits import UNCONFIRMED_AFTER_MS
from mycelia_protocol.purses import is_past
from mycelia_protocol.state import State
from mycelia_protocol.types.accounts import account_of, grants_from
from mycelia_protocol.types.base import Statement
from mycelia_protocol.types.grant import Grant
from mycelia_protocol.types.offer import Offer
from mycelia_protocol.types.promises import (
    LIVE,
    grant_state,
    grants_to,
    holdings_of,
    request_state,
    times_of,
)
from mycelia_protocol.types.receipt import confirmed
from mycelia_protocol.types.request import Request
from mycelia_protocol.types.withdraw import first_withdrawal

OfferStatus = Literal["open", "part_granted", "fully_granted", "fulfilled", "expired", "withdrawn"]
RequestStatus = Literal[
    "open",
    "part_granted",
    "granted",
    "part_fulfilled",
    "fulfilled",
    "expired",
    "withdrawn",
    "met_elsewhere",
]
TAKEN = ("received", "returned")


def offer_status(state: State, offer: Statement[Offer], now_ms: int) -> OfferStatus:
    """Return how far an offer is."""
    account, where = account_of(state, offer.id), holdings_of(state, offer.id)
    purses = [offer.id, *account.ledger.given]
    live = [
        became.status
        for purse in purses
        for grant in grants_from(state, purse)
        if (became := grant_state(state, grant.id)).status in LIVE
    ]
    is_all = not where.free and not where.escrow
    if is_all and live and all(status in TAKEN for status in live):
        return "fulfilled"
    if account.withdrawn:
        return "withdrawn"
    if is_past(times_of(state, offer).expires_ms, now_ms):
        return "expired"
    if is_all and live:
        return "fully_granted"
    return "part_granted" if live else "open"


def request_status(state: State, request: Statement[Request], now_ms: int) -> RequestStatus:
    """Return how far a request is."""
    derived = request_state(state, request.id)
    states = [grant_state(state, grant.id) for grant in grants_to(state, request.id)]
    received = sum(each.received or 0 for each in states)
    if received >= request.body.quantity:
        return "fulfilled"
    withdrawal = first_withdrawal(state, request)
    if withdrawal is not None:
        return "met_elsewhere" if withdrawal.body.met_elsewhere else "withdrawn"
    if received:
        return "part_fulfilled"
    if derived.filled >= request.body.quantity:
        return "granted"
    if is_past(times_of(state, request).expires_ms, now_ms):
        return "expired"
    is_promised = any(each.status in LIVE for each in states)
    return "part_granted" if is_promised else "open"


def is_unconfirmed(state: State, grant: Statement[Grant], now_ms: int) -> bool:
    """Return whether one side alone confirmed a hand-over, and the other had its time to do so."""
    request = state.find(grant.refs[1], Request)
    became = grant_state(state, grant.id)
    if request is None or (became.handed is None) == (became.received is None):
        return False
    side, author = ("handed", grant.author) if became.handed else ("received", request.author)
    said = confirmed(state, grant.id, author, side)
    return said is not None and said.first.time_ms + UNCONFIRMED_AFTER_MS <= now_ms
