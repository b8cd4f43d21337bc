"""What follows from offers, requests, grants, answers and receipts together. Spec: section 8.3.

**Nothing is promised twice**, on any replica, from any set of records:

1. A grant is *sound* if it breaks no rule that looks at it, its offer and its request alone.
2. Walk a request's acceptances in the requester's order. One counts while the sum stays within what
   was asked; one that goes beyond is *surplus* and holds nothing.
3. Walk an offer's sound grants in the provider's order, leaving out those that were released
   (declined, surplus or cancelled). One for which too little is left, in its slot if the thing is
   lent, or that comes after the offer's withdrawal, is *overdrawn*: void, and counted as a
   violation of its author.

Each step looks only at the ones before it, so the outcome is a function of the set. What has become
of one grant:

    waiting      its offer or request is not here yet
    void         not sound
    overdrawn    see 3
    offered -> accepted -> handed -> received
    declined, surplus      by the requester
    cancelled    by the provider, for good, unless it had handed the goods over before
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from mycelia_protocol.encoding import Value
from mycelia_protocol.types.answer import first_answer, first_answers
from mycelia_protocol.types.base import Facts, Statement
from mycelia_protocol.types.grant import Grant
from mycelia_protocol.types.offer import Offer
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
]
LIVE: tuple[GrantStatus, ...] = ("offered", "accepted", "handed", "received")


@dataclass(frozen=True, slots=True)
class OfferState:
    """What follows for an offer.

    Attributes:
        spent: grant id -> base units, for every grant that holds, in the provider's order.
        overdrawn: ids of the grants that were void when their turn came.
        withdrawn: whether the author took back what was left.
        free: base units that may still be granted, for each slot if it is lent; 0 once withdrawn.
    """

    spent: dict[bytes, int]
    overdrawn: tuple[bytes, ...]
    withdrawn: bool
    free: tuple[int, ...]

    @property
    def left(self) -> int:
        """Base units that may still be granted, in all slots together."""
        return sum(self.free)

    @property
    def granted(self) -> int:
        """Base units promised by grants that hold."""
        return sum(self.spent.values())


@dataclass(frozen=True, slots=True)
class RequestState:
    """What follows for a request.

    Attributes:
        accepted: grant id -> base units that were accepted, in the requester's order.
        surplus: grants accepted beyond what was asked; they hold nothing.
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
    """What has become of a grant, and what each side confirmed in base units (None: nothing)."""

    status: GrantStatus
    handed: int | None = None
    received: int | None = None


def is_waiting(facts: Facts, grant: Statement[Grant]) -> bool:
    """Return whether the offer or the request of a grant is not here yet."""
    offer, request = grant.refs
    return facts.find(offer, Offer) is None or facts.find(request, Request) is None


def is_sound(facts: Facts, grant: Statement[Grant]) -> bool:
    """Return whether a grant breaks no rule that looks at it, its offer and its request (GRANT-1).

    The provider grants from its own offer, to somebody else, in the same unit, in whole lots, and
    for one slot if it is lent.
    """
    offer = facts.find(grant.refs[0], Offer)
    request = facts.find(grant.refs[1], Request)
    if offer is None or request is None:
        return False
    return (
        grant.author == offer.author
        and grant.author != request.author
        and offer.body.unit == request.body.unit
        and grant.body.quantity % offer.body.lot == 0
        and offer.body.purse_of(grant.body.slot) is not None
    )


def is_cancelled(facts: Facts, grant: Statement[Grant]) -> bool:
    """Return whether the provider withdrew a grant before it handed anything over."""
    withdrawal = first_withdrawal(facts, grant)
    if withdrawal is None:
        return False
    handed = first_receipt(facts, grant.id, grant.author, "handed")
    return handed is None or withdrawal < handed.order


def is_released(facts: Facts, grant: Statement[Grant]) -> bool:
    """Return whether a sound grant spends nothing: declined, surplus or cancelled."""
    if is_cancelled(facts, grant):
        return True
    request = facts.find(grant.refs[1], Request)
    assert request is not None
    answer = first_answer(facts, request.author, grant.id)
    if answer is None:
        return False
    return not answer.body.accept or grant.id in request_state(facts, request.id).surplus


def derive_request(facts: Facts, statement: Statement[object]) -> RequestState:
    """Walk the acceptances of a request in their author's order."""
    request = statement.body
    assert isinstance(request, Request)
    accepted, surplus, filled = dict[bytes, int](), list[bytes](), 0
    grants = {grant.id: grant for grant in facts.about(statement.id, Grant)}
    for answer in first_answers(facts, statement.author, sorted(grants)):
        grant = grants[answer.refs[0]]
        if not answer.body.accept or not is_sound(facts, grant) or is_cancelled(facts, grant):
            continue
        if filled + grant.body.quantity > request.quantity:
            surplus.append(grant.id)
        else:
            filled += grant.body.quantity
            accepted[grant.id] = grant.body.quantity
    return RequestState(accepted, tuple(surplus), first_withdrawal(facts, statement) is not None)


def derive_offer(facts: Facts, statement: Statement[object]) -> OfferState:
    """Walk the grants of an offer in their author's order."""
    offer = statement.body
    assert isinstance(offer, Offer)
    withdrawal = first_withdrawal(facts, statement)
    free = [offer.quantity] * offer.purses
    spent, overdrawn = dict[bytes, int](), list[bytes]()
    for grant in facts.about(statement.id, Grant):
        if not is_sound(facts, grant) or is_released(facts, grant):
            continue
        purse = offer.purse_of(grant.body.slot)
        assert purse is not None  # a sound grant names one
        too_late = withdrawal is not None and grant.order > withdrawal
        if too_late or grant.body.quantity > free[purse]:
            overdrawn.append(grant.id)
            continue
        spent[grant.id] = grant.body.quantity
        if not offer.inexhaustible:
            free[purse] -= grant.body.quantity
    withdrawn = withdrawal is not None
    left = (0,) * offer.purses if withdrawn else tuple(free)
    return OfferState(spent, tuple(overdrawn), withdrawn, left)


def derive_grant(facts: Facts, statement: Statement[object]) -> GrantState:
    """Say what has become of a grant."""
    grant = facts.find(statement.id, Grant)
    assert grant is not None
    if is_waiting(facts, grant):
        return GrantState("waiting")
    if not is_sound(facts, grant):
        return GrantState("void")
    if is_cancelled(facts, grant):
        return GrantState("cancelled")
    request = facts.find(grant.refs[1], Request)
    assert request is not None
    if is_released(facts, grant):
        answer = first_answer(facts, request.author, grant.id)
        return GrantState("surplus" if answer and answer.body.accept else "declined")
    if grant.id not in offer_state(facts, grant.refs[0]).spent:
        return GrantState("overdrawn")
    if grant.id not in request_state(facts, request.id).accepted:
        return GrantState("offered")
    handed = first_receipt(facts, grant.id, grant.author, "handed")
    received = first_receipt(facts, grant.id, request.author, "received")
    status: GrantStatus = "received" if received else "handed" if handed else "accepted"
    return GrantState(
        status,
        handed.body.quantity if handed else None,
        received.body.quantity if received else None,
    )


def offer_state(facts: Facts, offer: bytes) -> OfferState:
    """Return the remembered derivation of an offer that is here."""
    state = facts.derived(offer)
    assert isinstance(state, OfferState)
    return state


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


def offer_row(facts: Facts, statement: Statement[object]) -> list[Value]:
    """Return an offer's row in the state digest."""
    state = offer_state(facts, statement.id)
    free: list[Value] = list(state.free)
    return [statement.id, state.granted, free, state.withdrawn, len(state.overdrawn)]


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
    return [statement.id, state.status, state.handed, state.received]


def touched(facts: Facts, statement: Statement[object]) -> Iterable[bytes]:
    """Return the ids of offers, requests and grants whose derivation may change.

    A statement reaches the requests that it speaks of, directly, through a grant, or, if it is an
    offer, through its grants, which may now be sound; from there the offers of all their grants,
    since a surplus that appears or goes frees or takes quantity; and from an offer all its grants.

    What was derived through a request's or an offer's walk left that walk derived. So where none
    is, nothing that rests on it is either, and its grants need not be gone through: else each
    grant of thousands would cost as much as all before it. What a statement itself completes was
    waited for without a walk, and is always gone through.
    """
    requests, offers = set[bytes](), set[bytes]()
    found = [statement.id, *statement.refs]
    for record in tuple(found):
        grant = facts.find(record, Grant)
        for target in grant.refs if grant else (record,):
            if facts.find(target, Request):
                requests.add(target)
            if facts.find(target, Offer):
                offers.add(target)
    if isinstance(statement.body, Offer):
        requests.update(grant.refs[1] for grant in facts.about(statement.id, Grant))
    for request in sorted(requests):
        if request == statement.id or facts.is_derived(request):
            offers.update(grant.refs[0] for grant in facts.about(request, Grant))
            found += [grant.id for grant in facts.about(request, Grant)]
    for offer in sorted(offers):
        if offer == statement.id or facts.is_derived(offer):
            found += [grant.id for grant in facts.about(offer, Grant)]
    return [*found, *sorted(requests), *sorted(offers)]
