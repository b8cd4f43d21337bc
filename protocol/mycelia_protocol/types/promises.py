"""What has become of a grant, and how far a request is filled. Spec: section 8.3.2.

A grant holds if its purse does (`accounts.py`) and it fits its request. The request's log is where
it is filled: walking its author's acceptances in order, one counts while the sum stays within what
was asked; one that goes beyond is *surplus*.

    waiting                          something that it rests on is not here yet
    void, overdrawn                  it broke a rule
    offered -> accepted -> handed -> received
    declined, surplus                by the requester; its author puts the quantity back
    cancelled, lapsed                by its author, unless it had handed the goods over before
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from mycelia_protocol.encoding import Value
from mycelia_protocol.types.accounts import (
    account_of,
    offer_of,
    outcome_of,
    purse_of,
)
from mycelia_protocol.types.answer import first_answer, first_answers
from mycelia_protocol.types.base import Facts, Statement
from mycelia_protocol.types.grant import Grant
from mycelia_protocol.types.parties import receiver_of
from mycelia_protocol.types.receipt import first_receipt
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
    "declined",
    "surplus",
    "cancelled",
    "lapsed",
]
LIVE: tuple[GrantStatus, ...] = ("offered", "accepted", "handed", "received")


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
        handed, received: base units that each side confirmed; None for nothing yet.
    """

    status: GrantStatus
    holds: bool
    handed: int | None = None
    received: int | None = None


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
    handed = first_receipt(facts, grant.id, grant.author, "handed")
    received = first_receipt(facts, grant.id, request.author, "received")
    return GrantState(
        "received" if received else "handed" if handed else "accepted",
        holds,
        handed.body.quantity if handed else None,
        received.body.quantity if received else None,
    )


def _status(
    facts: Facts, grant: Statement[Grant], request: Statement[Request], holds: bool
) -> GrantStatus:
    """Return what the answer and the withdrawal of a fitting grant make of it."""
    answer = first_answer(facts, request.author, grant.id)
    if answer is not None and not answer.body.accept:
        return "declined"
    if not holds:
        withdrawal, end_ms = first_withdrawal(facts, grant), grant.body.accept_by_ms
        is_late = withdrawal and end_ms is not None and withdrawal.time_ms >= end_ms
        return "lapsed" if is_late else "cancelled"
    derived = request_state(facts, request.id)
    if grant.id in derived.surplus:
        return "surplus"
    return "accepted" if grant.id in derived.accepted else "offered"


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
class Holdings:
    """Where everything of an offer is, in base units, all slots together (ESC-7).

    What was offered is free + escrow + granted + burnt, unless the offer is inexhaustible.

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


# --- rows of the state digest ---


def offer_row(facts: Facts, statement: Statement[object]) -> list[Value]:
    """Return an offer's row: what is granted, given, free, burnt, and whether it was withdrawn."""
    account = account_of(facts, statement.id)
    ledger = account.ledger
    given = sum(ledger.given.values()) - sum(account.credited.values())
    return [
        statement.id,
        sum(ledger.held.values()),
        given,
        list(account.free),
        account.burnt,
        account.withdrawn,
        len(ledger.overdrawn),
    ]


def rights_row(facts: Facts, statement: Statement[object]) -> list[Value]:
    """Return the row of rights: whether they hold, what is granted, free and returned."""
    purse = purse_of(facts, statement.id)
    ledger = purse.ledger
    granted = sum(ledger.held.values())
    row: list[Value] = [statement.id, purse.outcome, granted, purse.free, purse.returned]
    return [*row, len(ledger.overdrawn)]


def request_row(facts: Facts, statement: Statement[object]) -> list[Value]:
    """Return a request's row in the state digest."""
    state = request_state(facts, statement.id)
    request = facts.find(statement.id, Request)
    assert request is not None
    receiver = receiver_of(facts, request)
    return [statement.id, state.filled, len(state.surplus), state.withdrawn, receiver]


def grant_row(facts: Facts, statement: Statement[object]) -> list[Value]:
    """Return a grant's row in the state digest."""
    state = grant_state(facts, statement.id)
    return [statement.id, state.status, state.holds, state.handed, state.received]
