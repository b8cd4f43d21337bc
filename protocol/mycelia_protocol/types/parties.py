"""On whose behalf somebody speaks, and which claims and observations count. Spec: section 7."""

from mycelia_protocol.encoding import Value
from mycelia_protocol.sharing.health import Sighting
from mycelia_protocol.types.base import Facts, Statement
from mycelia_protocol.types.claim import Claim
from mycelia_protocol.types.observation import Observation
from mycelia_protocol.types.offer import Offer
from mycelia_protocol.types.party import Party
from mycelia_protocol.types.request import Request
from mycelia_protocol.types.withdraw import first_withdrawal


def speaks_for(key: bytes, party: Statement[Party]) -> bool:
    """Return whether a key may ask on behalf of a party: its author, or one of its guardians."""
    return key == party.author or key in party.body.guardians


def party_of(facts: Facts, thing: Statement[Offer] | Statement[Request]) -> Statement[Party] | None:
    """Return the party that a request is for, or whose an offer is; None if its author's own."""
    named = thing.body.on_behalf_of
    party = facts.find(named, Party) if named is not None else None
    return party if party is not None and speaks_for(thing.author, party) else None


def side_of(facts: Facts, thing: Statement[Offer] | Statement[Request]) -> bytes:
    """Return who gives or gets: the id of a party, or the key of the author (PARTY-2)."""
    party = party_of(facts, thing)
    return thing.author if party is None else party.id


def sightings_of(facts: Facts, party: Statement[Party]) -> list[Sighting]:
    """Return what was seen of a living place and not taken back (OBS-1), by observer and order."""
    if party.body.form != "ecosystem":
        return []
    return [
        Sighting(each.body.indicator, each.author, each.body.value_pm, each.time_ms)
        for each in facts.about(party.id, Observation)
        if first_withdrawal(facts, each) is None
    ]


def observation_row(facts: Facts, statement: Statement[object]) -> list[Value]:
    """Return an observation's row in the state digest: whether it counts."""
    seen = facts.find(statement.id, Observation)
    assert seen is not None
    party = facts.find(seen.refs[0], Party)
    is_living = party is not None and party.body.form == "ecosystem"
    return [statement.id, is_living and first_withdrawal(facts, seen) is None]


def is_standing(facts: Facts, claim: Statement[Claim]) -> bool:
    """Return whether a claim counts (CLAIM-1).

    It is by who asked, names a slot only if the offer has it, and was not taken back.
    """
    offer, request = facts.find(claim.refs[0], Offer), facts.find(claim.refs[1], Request)
    if offer is None or request is None or claim.author != request.author:
        return False
    has_slot = claim.body.slot is None or offer.body.slot_index(claim.body.slot) is not None
    return has_slot and first_withdrawal(facts, claim) is None


def claims_of(facts: Facts, request: Statement[Request]) -> list[Statement[Claim]]:
    """Return the claims of a request that count, the one liked best first."""
    claims = [claim for claim in facts.about(request.id, Claim) if is_standing(facts, claim)]
    return sorted(claims, key=lambda claim: (claim.body.rank, claim.order))


def claim_row(facts: Facts, statement: Statement[object]) -> list[Value]:
    """Return a claim's row in the state digest: whether it counts."""
    claim = facts.find(statement.id, Claim)
    assert claim is not None
    return [statement.id, is_standing(facts, claim)]
