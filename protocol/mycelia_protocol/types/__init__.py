"""The record families and their registry. Spec: section 7.

One family a file: its field table, its dataclass, how it is read. A new family is one file and one
line here; nothing else in the core lists kinds. A record of a kind that is not in the registry is
stored, relayed and left out of the fold, so that a later version may add some.
"""

from typing import Final

from mycelia_protocol.limits import REFS_MAX
from mycelia_protocol.types import (
    acknowledge,
    answer,
    checkpoint,
    claim,
    consent,
    decision,
    dispute,
    erase,
    fork,
    grant,
    incarnation,
    message,
    observation,
    offer,
    parties,
    party,
    policy,
    profile,
    promises,
    receipt,
    renew,
    request,
    returns,
    rights,
    rows,
    view,
    vouch,
    withdraw,
)
from mycelia_protocol.types.accounts import derive_account, derive_purse
from mycelia_protocol.types.base import Kind
from mycelia_protocol.types.dependents import touched

KINDS: Final[dict[str, Kind]] = {
    kind.name: kind
    for kind in (
        Kind("incarnation", incarnation.FIELDS, 0, incarnation.read),
        Kind("vouch", vouch.FIELDS, 0, vouch.read, row=vouch.row),
        Kind("profile", profile.FIELDS, 0, profile.read, row=profile.row),
        Kind("offer", offer.FIELDS, 0, offer.read, derive_account, rows.offer_row, touched),
        Kind(
            "request",
            request.FIELDS,
            0,
            request.read,
            promises.derive_request,
            rows.request_row,
            touched,
        ),
        Kind(
            "grant",
            grant.FIELDS,
            2,
            grant.read,
            promises.derive_grant,
            rows.grant_row,
            touched,
            REFS_MAX,
            recall=rows.grant_of,
        ),
        Kind(
            "rights",
            rights.FIELDS,
            1,
            rights.read,
            derive_purse,
            rows.rights_row,
            touched,
            REFS_MAX,
            rights.addressee,
        ),
        Kind("return", returns.FIELDS, 1, returns.read, touches=touched),
        Kind("answer", answer.FIELDS, 1, answer.read, touches=touched),
        Kind("receipt", receipt.FIELDS, 1, receipt.read, touches=touched, refs_max=2),
        Kind("dispute", dispute.FIELDS, 1, dispute.read, touches=touched),
        Kind("renew", renew.FIELDS, 1, renew.read, touches=touched),
        Kind("claim", claim.FIELDS, 2, claim.read, row=parties.claim_row),
        Kind("party", party.FIELDS, 0, party.read),
        Kind("observation", observation.FIELDS, 1, observation.read, row=parties.observation_row),
        Kind(
            "message",
            message.FIELDS,
            0,
            message.read,
            refs_max=REFS_MAX,
            addressee=message.addressee,
        ),
        Kind("policy", policy.FIELDS, 0, policy.read),
        Kind("view", view.FIELDS, 0, view.read),
        Kind("decision", decision.FIELDS, 1, decision.read, touches=touched, refs_max=2),
        Kind("consent", consent.FIELDS, 2, consent.read),
        Kind("withdraw", withdraw.FIELDS, 1, withdraw.read, touches=touched),
        Kind("checkpoint", checkpoint.FIELDS, 0, checkpoint.read),
        Kind("acknowledge", acknowledge.FIELDS, 0, acknowledge.read),
        Kind("erase", erase.FIELDS, 0, erase.read),
        Kind("fork", fork.FIELDS, 0, fork.read, addressee=fork.addressee),
    )
}
