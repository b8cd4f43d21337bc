"""What has become of a grant, and how far a request is filled. Spec: section 8.3.2.

A grant holds if its purse does (`accounts.py`) and it fits its request. The request's log is where
it is filled: walking its author's acceptances in order, one counts while the sum stays within what
was asked; one that goes beyond is *surplus*.

    waiting                          something that it rests on is not here yet
    void, overdrawn                  it broke a rule
    offered -> accepted -> handed -> received -> returned
    disputed                         one side says that something went wrong after the acceptance
    declined, surplus                by the requester; its author puts the quantity back
    cancelled, lapsed                by its author, unless it had handed the goods over before
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from mycelia_protocol.types.accounts import (
    account_of,
    offer_of,
    outcome_of,
    purse_of,
    renewals,
)
from mycelia_protocol.types.answer import first_answer, first_answers
from mycelia_protocol.types.base import Facts, Statement
from mycelia_protocol.types.dispute import Dispute
from mycelia_protocol.types.grant import Grant
from mycelia_protocol.types.ledger import taken_back
from mycelia_protocol.types.offer import Offer
from mycelia_protocol.types.receipt import confirmed
from mycelia_protocol.types.request import Request
from mycelia_protocol.types.withdraw import first_withdrawal

GrantStatus = Literal[
    "waiting",
    "void",
    "overdrawn",
    "offered",
    "accepted",
    "handed",
    "received",
    "returned",
    "disputed",
    "declined",
    "surplus",
    "cancelled",
    "lapsed",
]
LIVE: tuple[GrantStatus, ...] = (
    "offered",
    "accepted",
    "handed",
    "received",
    "returned",
    "disputed",
)


@dataclass(frozen=True, slots=True)
class RequestState:
    """What follows for a request.

    Attributes:
        accepted: grant id -> base units that were accepted, in the requester's order.
        surplus: grants accepted beyond what was asked.
        withdrawn: whether the requester took the request back.
    """

    accepted: dict[bytes, int]
    surplus: tuple[bytes, ...]
    withdrawn: bool

    @property
    def filled(self) -> int:
        """Base units accepted."""
        return sum(self.accepted.values())


@dataclass(frozen=True, slots=True)
class GrantState:
    """What has become of a grant.

    Attributes:
        holds: whether it takes its quantity from its purse now.
        handed, received: base units that granter and requester confirmed; None for nothing yet.
        brought, returned: base units that the requester says it brought back, and that the granter
            has again.
    """

    status: GrantStatus
    holds: bool
    handed: int | None = None
    received: int | None = None
    brought: int | None = None
    returned: int | None = None


def grants_to(facts: Facts, request: bytes) -> Iterator[Statement[Grant]]:
    """Yield the grants that name a request, by author and order."""
    return (grant for grant in facts.about(request, Grant) if grant.refs[1] == request)


def is_fitting(facts: Facts, grant: Statement[Grant], request: Statement[Request]) -> bool:
    """Return whether a grant is in the request's unit, and to somebody else (GRANT-1)."""
    offer = offer_of(facts, grant)
    assert offer is not None  # else its purse waits
    return offer.body.unit == request.body.unit and grant.author != request.author


def derive_request(facts: Facts, statement: Statement[object]) -> RequestState:
    """Walk the acceptances of a request in their author's order (GRANT-3)."""
    request = facts.find(statement.id, Request)
    assert request is not None
    accepted, surplus, filled = dict[bytes, int](), list[bytes](), 0
    grants = {grant.id: grant for grant in grants_to(facts, request.id)}
    for answer in first_answers(facts, request.author, sorted(grants)):
        grant = grants[answer.refs[0]]
        if (
            not answer.body.accept
            or outcome_of(facts, grant) != "held"
            or not is_fitting(facts, grant, request)
        ):
            continue
        if filled + grant.body.quantity > request.body.quantity:
            surplus.append(grant.id)
        else:
            filled += grant.body.quantity
            accepted[grant.id] = grant.body.quantity
    return RequestState(accepted, tuple(surplus), first_withdrawal(facts, request) is not None)


def derive_grant(facts: Facts, statement: Statement[object]) -> GrantState:
    """Say what has become of a grant."""
    grant = facts.find(statement.id, Grant)
    assert grant is not None
    outcome = outcome_of(facts, grant)
    holds = outcome == "held"
    if outcome == "waiting" or outcome == "void" or outcome == "overdrawn":
        return GrantState(outcome, holds)
    request = facts.find(grant.refs[1], Request)
    if request is None:
        return GrantState("waiting", holds)
    if not is_fitting(facts, grant, request):
        return GrantState("void", holds)
    status = _status(facts, grant, request, holds)
    if status != "accepted":
        return GrantState(status, holds)
    amounts = _confirmations(facts, grant, request)
    handed, received, _, returned = amounts
    if standing_disputes(facts, grant.id, (grant.author, request.author)):
        status = "disputed"
    elif returned is not None:
        status = "returned"
    elif received is not None:
        status = "received"
    elif handed is not None:
        status = "handed"
    return GrantState(status, holds, *amounts)


def _confirmations(
    facts: Facts, grant: Statement[Grant], request: Statement[Request]
) -> tuple[int | None, int | None, int | None, int | None]:
    """Return what was handed, received, brought back and returned, in base units."""

    def said(author: bytes, side: str) -> int | None:
        found = confirmed(facts, grant.id, author, side)
        return None if found is None else found.quantity

    giver, taker = grant.author, request.author
    return (
        said(giver, "handed"),
        said(taker, "received"),
        said(taker, "returned"),
        said(giver, "returned"),
    )


def _status(
    facts: Facts, grant: Statement[Grant], request: Statement[Request], holds: bool
) -> GrantStatus:
    """Return what the answer and the withdrawal of a fitting grant make of it."""
    answer = first_answer(facts, request.author, grant.id)
    if answer is not None and not answer.body.accept:
        return "declined"
    if not holds:
        withdrawal, end_ms = taken_back(facts, grant), grant.body.accept_by_ms
        is_late = withdrawal and end_ms is not None and withdrawal.time_ms >= end_ms
        return "lapsed" if is_late else "cancelled"
    derived = request_state(facts, request.id)
    if grant.id in derived.surplus:
        return "surplus"
    return "accepted" if grant.id in derived.accepted else "offered"


def standing_disputes(
    facts: Facts, grant: bytes, sides: tuple[bytes, ...]
) -> list[Statement[Dispute]]:
    """Return disputes about a grant by some of its sides that were not withdrawn (DISPUTE-1)."""
    return [
        each
        for each in facts.about(grant, Dispute)
        if each.author in sides and first_withdrawal(facts, each) is None
    ]


def request_state(facts: Facts, request: bytes) -> RequestState:
    """Return the remembered derivation of a request that is here."""
    state = facts.derived(request)
    assert isinstance(state, RequestState)
    return state


def grant_state(facts: Facts, grant: bytes) -> GrantState:
    """Return the remembered derivation of a grant that is here."""
    state = facts.derived(grant)
    assert isinstance(state, GrantState)
    return state


@dataclass(frozen=True, slots=True)
class Times:
    """When an offer or a request ends, renewals counted; None for open.

    Attributes:
        expires_ms: when it spoils or fades, or drops off the list.
        until_ms: until when an offer can be had.
        needed_by_ms: when it is too late for a request.
    """

    expires_ms: int | None
    until_ms: int | None
    needed_by_ms: int | None


def times_of(facts: Facts, thing: Statement[object]) -> Times:
    """Return the times of an offer or a request: for each, what its author said last (RENEW-2)."""
    body = thing.body
    expires_ms = body.expires_ms if isinstance(body, Offer | Request) else None
    until_ms = body.until_ms if isinstance(body, Offer) else None
    needed_by_ms = body.needed_by_ms if isinstance(body, Request) else None
    for renewal in renewals(facts, thing):
        now = renewal.body
        expires_ms = expires_ms if now.expires_ms is None else now.expires_ms
        until_ms = until_ms if now.until_ms is None else now.until_ms
        needed_by_ms = needed_by_ms if now.needed_by_ms is None else now.needed_by_ms
    return Times(expires_ms, until_ms, needed_by_ms)


@dataclass(frozen=True, slots=True)
class Holdings:
    """Where everything of an offer is, in base units, all slots together (ESC-7).

    The account's supply is free + escrow + granted + burnt, unless the offer is inexhaustible.

    Attributes:
        free: what its author may still grant.
        escrow: what holders may still grant, or gave back and its author has not taken in.
        granted: what grants hold, its author's and those of holders.
        burnt: what was left when it was withdrawn, and came back after that.
    """

    free: int
    escrow: int
    granted: int
    burnt: int


def holdings_of(facts: Facts, offer: bytes) -> Holdings:
    """Add up where everything of an offer is."""
    account = account_of(facts, offer)
    granted, escrow = sum(account.ledger.held.values()), 0
    for rights in account.ledger.given:
        purse = purse_of(facts, rights)
        granted += sum(purse.ledger.held.values())
        escrow += purse.free + purse.returned - account.credited.get(rights, 0)
    return Holdings(sum(account.free), escrow, granted, account.burnt)
