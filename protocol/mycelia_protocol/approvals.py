"""Whether whoever is named as approver of an override said so. Spec: 7.22, `DEC-7`.

A name costs nothing: that somebody approved shows only by a record of theirs. One serves one
decision.
"""

from collections.abc import Iterator

from mycelia_protocol.state import State
from mycelia_protocol.types.base import Statement
from mycelia_protocol.types.consent import Consent
from mycelia_protocol.types.decision import Decided


def approval_of(state: State, decision: Statement[Decided]) -> Statement[Consent] | None:
    """Return the approver's own consent to an override, None if there is none that counts."""
    override = decision.body.override
    if override is None or len(decision.refs) < 2:
        return None
    meant = (decision.refs[0], override.chosen, override.quantity, decision.body.slot)
    consent = state.find(decision.refs[1], Consent)
    if consent is None or override.approver == decision.author:
        return None
    if consent.author != override.approver or _meant(consent) != meant:
        return None
    first = next(_served(state, consent, decision.author))
    return consent if first.id == decision.id else None


def unused_consent(
    state: State, decider: bytes, approver: bytes, meant: tuple[bytes, bytes, int, int | None]
) -> bytes | None:
    """Return the oldest consent of an approver to this that no decision of the decider names.

    Args:
        state: what is known.
        decider: whose decision it will be.
        approver: who has to have said so.
        meant: purse, request, base units and slot.
    """
    for consent in state.about(meant[1], Consent):
        is_meant = consent.author == approver and _meant(consent) == meant
        if is_meant and next(_served(state, consent, decider), None) is None:
            return consent.id
    return None


def _meant(consent: Statement[Consent]) -> tuple[bytes, bytes, int, int | None]:
    """Return purse, request, base units and slot of what is agreed to."""
    purse, request = consent.refs
    return purse, request, consent.body.quantity, consent.body.slot


def _served(
    state: State, consent: Statement[Consent], decider: bytes
) -> Iterator[Statement[Decided]]:
    """Yield the decisions of somebody that name a consent, in their order."""
    return (each for each in state.about(consent.id, Decided) if each.author == decider)
