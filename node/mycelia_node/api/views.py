"""The state as JSON: what the API answers. Times in ms, quantities in base units, ids as text."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable
from typing import TypeVar

from mycelia_node.names import id_text, name_of
from mycelia_protocol.allocate import is_open_offer, lack
from mycelia_protocol.purses import BROKEN, is_past
from mycelia_protocol.state import State
from mycelia_protocol.statuses import offer_status, request_status
from mycelia_protocol.types.accounts import account_of, grants_from, offer_of, purse_of, rights_from
from mycelia_protocol.types.base import Statement
from mycelia_protocol.types.claim import Claim
from mycelia_protocol.types.dispute import Dispute
from mycelia_protocol.types.grant import Grant
from mycelia_protocol.types.ledger import taken_back
from mycelia_protocol.types.offer import Offer
from mycelia_protocol.types.parties import claims_of, party_of
from mycelia_protocol.types.party import Party
from mycelia_protocol.types.place import Place
from mycelia_protocol.types.promises import (
    grant_state,
    grants_to,
    holdings_of,
    request_state,
    standing_disputes,
    times_of,
)
from mycelia_protocol.types.request import Request
from mycelia_protocol.types.rights import Rights

Json = dict[str, object]
T = TypeVar("T")
VIEWS_IN_A_ROW = 200  # about 10 ms of work


async def each(statements: Iterable[T], view: Callable[[T], Json]) -> list[Json]:
    """Return the views of many statements, letting links and timers have their turn between."""
    views: list[Json] = []
    for statement in statements:
        views.append(view(statement))
        if len(views) % VIEWS_IN_A_ROW == 0:
            await asyncio.sleep(0)
    return views


def collective(state: State, key: bytes) -> Json:
    """Return a collective: key and name."""
    return {"key": id_text("key", key), "name": name_of(state, key)}


def offer_view(state: State, offer: Statement[Offer], own_key: bytes, now_ms: int) -> Json:
    """Return an offer, what its author may still grant, and what others may."""
    body, account = offer.body, account_of(state, offer.id)
    where = holdings_of(state, offer.id)
    return {
        **_thing(state, offer, own_key, now_ms),
        "terms": body.terms,
        "lot": body.lot,
        "minimum": body.minimum,
        "slots": [
            {"from_ms": slot.from_ms, "until_ms": slot.until_ms, "left": left}
            for slot, left in zip(body.slots, account.free, strict=False)
        ],
        "from_ms": body.from_ms,
        "until_ms": times_of(state, offer).until_ms,
        "carrier": body.carrier,
        "audience": [collective(state, key) for key in body.audience],
        "renewing": body.renewing,
        "status": offer_status(state, offer, now_ms),
        "inexhaustible": body.inexhaustible,
        "ask": body.ask,
        "granted": where.granted,
        "left": where.free,
        "escrow": where.escrow,
        "withdrawn": account.withdrawn,
        "open": is_open_offer(state, offer, now_ms),
    }


def request_view(state: State, request: Statement[Request], own_key: bytes, now_ms: int) -> Json:
    """Return a request and how far it is filled."""
    body, derived = request.body, request_state(state, request.id)
    lacking = 0 if derived.withdrawn else max(lack(state, request), 0)
    return {
        **_thing(state, request, own_key, now_ms),
        "urgency": body.urgency,
        "needed_by_ms": times_of(state, request).needed_by_ms,
        "people": body.people,
        "substitutes": list(body.substitutes),
        "status": request_status(state, request, now_ms),
        "filled": derived.filled,
        "lacking": lacking,
        "withdrawn": derived.withdrawn,
        "open": lacking > 0 and not is_past(times_of(state, request).expires_ms, now_ms),
    }


def grant_view(state: State, grant: Statement[Grant], own_key: bytes) -> Json:
    """Return a grant, what has become of it, and what this node should do about it."""
    derived = grant_state(state, grant.id)
    offer, request = offer_of(state, grant), state.find(grant.refs[1], Request)
    rights = state.find(grant.refs[0], Rights)
    return {
        "id": id_text("record", grant.id),
        "kind": "grant",
        "status": derived.status,
        "quantity": grant.body.quantity,
        "slot": _slot_view(offer, grant.body.slot),
        "unit": offer.body.unit if offer else None,
        "category": offer.body.category if offer else None,
        "title": offer.body.title if offer else None,
        "offer": id_text("record", offer.id) if offer else None,
        "rights": id_text("record", rights.id) if rights else None,
        "request": id_text("record", grant.refs[1]),
        "provider": collective(state, grant.author),
        "requester": collective(state, request.author) if request else None,
        "handed": derived.handed,
        "received": derived.received,
        "brought": derived.brought,
        "returned": derived.returned,
        "needs": needs(state, grant, own_key),
        "accept_by_ms": grant.body.accept_by_ms,
        "time_ms": grant.time_ms,
    }


def needs(state: State, grant: Statement[Grant], own_key: bytes) -> list[str]:
    """Return what this node's people may do about a grant now."""
    derived, offer = grant_state(state, grant.id), offer_of(state, grant)
    request = state.find(grant.refs[1], Request)
    provider, requester = grant.author, request.author if request else None
    is_lent = offer is not None and bool(offer.body.slots)
    actions: list[str] = []
    is_done = derived.status in ("accepted", "handed", "received", "returned")
    if requester == own_key:
        if derived.status == "offered":
            actions += ["accept", "decline"]
        if derived.status in ("accepted", "handed"):
            actions.append("received")
        if is_lent and derived.status == "received" and derived.brought is None:
            actions.append("returned")
    if provider == own_key:
        if derived.handed is None and derived.status in ("accepted", "received"):
            actions.append("handed")
        if is_lent and derived.status in ("handed", "received"):
            actions.append("returned")
        is_broken = derived.status in BROKEN and taken_back(state, grant) is None
        if derived.status in ("offered", "accepted") or is_broken:
            actions.append("withdraw")
    if is_done and own_key in (provider, requester):
        actions.append("dispute")
    if own_dispute(state, grant, own_key) is not None:
        actions.append("settle")
    return actions


def own_dispute(state: State, grant: Statement[Grant], own_key: bytes) -> Statement[Dispute] | None:
    """Return the first dispute of a grant by this node that still stands, or None."""
    return next(iter(standing_disputes(state, grant.id, (own_key,))), None)


def grant_counts(state: State) -> Counter[str]:
    """Return how many grants there are of each status."""
    return Counter(str(row[1]) for row in state.rows("grant"))


def overdrawn_rights(state: State) -> int:
    """Return how many rights were given beyond what there was."""
    return sum(row[1] == "overdrawn" for row in state.rows("rights"))


def _thing(
    state: State, thing: Statement[Offer] | Statement[Request], own_key: bytes, now_ms: int
) -> Json:
    """Return what offers and requests have in common."""
    body, expires_ms = thing.body, times_of(state, thing).expires_ms
    return {
        "id": id_text("record", thing.id),
        "kind": thing.kind,
        "author": collective(state, thing.author),
        "mine": thing.author == own_key,
        "category": body.category,
        "title": body.title,
        "quantity": body.quantity,
        "unit": body.unit,
        "note": body.note,
        "expires_ms": expires_ms,
        "expired": is_past(expires_ms, now_ms),
        "party": party_view(party_of(state, thing)),
        "place": place_view(body.place),
        "time_ms": thing.time_ms,
    }


def _rights_status(state: State, rights: Statement[Rights]) -> str:
    """Return what became of rights; `frozen` if they lie in a log that is proven to part."""
    outcome = purse_of(state, rights.id).outcome
    is_frozen = state.is_forked((rights.body.to, rights.body.log))
    return "frozen" if outcome == "held" and is_frozen else outcome


def rights_view(state: State, rights: Statement[Rights], own_key: bytes) -> Json:
    """Return rights: who gave whom how much of what, and what of it may still be granted."""
    offer, purse = state.find(rights.refs[0], Offer), purse_of(state, rights.id)
    return {
        "id": id_text("record", rights.id),
        "kind": "rights",
        "status": _rights_status(state, rights),
        "offer": id_text("record", rights.refs[0]),
        "title": offer.body.title if offer else None,
        "quantity": rights.body.quantity,
        "unit": offer.body.unit if offer else None,
        "slot": _slot_view(offer, rights.body.slot),
        "issuer": collective(state, rights.author),
        "holder": collective(state, rights.body.to),
        "log": id_text("log", rights.body.log),
        "left": purse.free,
        "granted": sum(purse.ledger.held.values()),
        "returned": purse.returned,
        "until_ms": rights.body.until_ms,
        "reason": rights.body.reason,
        "mine": own_key in (rights.author, rights.body.to),
        "time_ms": rights.time_ms,
    }


def related(state: State, thing: bytes, own_key: bytes) -> Json:
    """Return what was granted of an offer or for a request, and its rights or its claims."""
    request = state.find(thing, Request)
    if request is not None:
        claims = claims_of(state, request)
        grants = list(grants_to(state, thing))
        return {
            "grants": [grant_view(state, grant, own_key) for grant in grants],
            "claims": [claim_view(claim) for claim in claims],
        }
    given = list(rights_from(state, thing))
    purses = [thing, *(rights.id for rights in given)]
    spent = [grant for purse in purses for grant in grants_from(state, purse)]
    return {
        "grants": [grant_view(state, grant, own_key) for grant in spent],
        "rights": [rights_view(state, rights, own_key) for rights in given],
    }


def claim_view(claim: Statement[Claim]) -> Json:
    """Return a claim that counts."""
    return {
        "id": id_text("record", claim.id),
        "offer": id_text("record", claim.refs[0]),
        "quantity": claim.body.quantity,
        "rank": claim.body.rank,
        "slot": claim.body.slot,
    }


def party_view(party: Statement[Party] | None) -> Json | None:
    """Return the party that a request is for, or whose an offer is, or None."""
    if party is None:
        return None
    return {"id": id_text("record", party.id), "name": party.body.name, "form": party.body.form}


def _slot_view(offer: Statement[Offer] | None, number: int | None) -> Json | None:
    """Return the span of time in which something is lent, or None."""
    if offer is None or number is None or number >= len(offer.body.slots):
        return None
    slot = offer.body.slots[number]
    return {"from_ms": slot.from_ms, "until_ms": slot.until_ms}


def place_view(place: Place | None) -> Json | None:
    """Return a coarse place, or None."""
    if place is None:
        return None
    return {"lat_e7": place.lat_e7, "lon_e7": place.lon_e7, "cell_e7": place.cell_e7}
