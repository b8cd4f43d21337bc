"""Laws of the fold, for any set of records that members may write, honest or not."""

import random
from functools import cache
from itertools import permutations

from hypothesis import given, settings
from hypothesis import strategies as st

from mycelia_protocol.allocate import is_open_request, lack
from mycelia_protocol.charter import Charter
from mycelia_protocol.record import Record
from mycelia_protocol.state import State
from mycelia_protocol.types.accounts import account_of, offer_of, purse_of, rights_from
from mycelia_protocol.types.base import Statement
from mycelia_protocol.types.dependents import touched
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
from mycelia_protocol.types.request import Request
from mycelia_protocol.types.rights import Rights
from support.histories import OFTEN, STEPS, Step, history
from support.scribe import village

DERIVED = ("offer", "rights", "request", "grant")


def folded(charter: Charter, records: list[Record]) -> State:
    """Return the state of records added in this order."""
    state = State(charter)
    for record in records:
        state.add(record)
    return state


@settings(max_examples=150, deadline=None)
@given(STEPS, st.randoms(use_true_random=False), st.booleans())
def test_any_order_gives_the_same_state(steps: list[Step], rng: random.Random, looks: bool) -> None:
    """FOLD-1: the digest depends on the set alone, even if it is asked for on the way."""
    charter, records = history(steps)
    expected = folded(charter, records).digest()
    shuffled = list(records)
    rng.shuffle(shuffled)
    state = State(charter)
    for record in shuffled:
        state.add(record)
        if looks:
            state.digest()
    assert state.digest() == expected


@settings(max_examples=150, deadline=None)
@given(STEPS, st.randoms(use_true_random=False))
def test_nothing_that_was_looked_at_stays_outdated(steps: list[Step], rng: random.Random) -> None:
    """FOLD-1: whatever is asked for between records, answers are those of a fresh state."""
    charter, records = history(steps)
    rng.shuffle(records)
    state = State(charter)
    for added, record in enumerate(records):
        state.add(record)
        known = [one for one in records[: added + 1] if one.kind in DERIVED]
        fresh = folded(charter, records[: added + 1])
        for one in rng.sample(known, min(len(known), rng.randint(0, 4))):
            if fresh.statement(one.id) is not None:
                assert follows(state, one.id) == follows(fresh, one.id), one.kind


def follows(state: State, record: bytes) -> tuple[object, ...]:
    """Return what is remembered of a record: of a request also what it lacks, and when it ends."""
    derived, request = state.derived(record), state.find(record, Request)
    if request is None:
        return (derived,)
    ends = times_of(state, request).expires_ms or 0
    opens = [is_open_request(state, request, now_ms) for now_ms in (0, ends - 1, ends)]
    return (derived, lack(state, request), *opens)


def test_every_order_of_one_hand_over_is_derived_anew_after_every_look() -> None:
    """FOLD-1: the same for all orders of two competing grants, an acceptance and a withdrawal."""
    charter, (mill, oak, elm) = village(3)
    offer, request = mill.offer(5), oak.request(5)
    first, rival = mill.grant(5, offer, request), elm.grant(5, elm.offer(5), request)
    moving = [offer, request, first, rival, oak.answer(True, first), mill.withdraw(first)]
    still = [one for who in (mill, oak, elm) for one in who.written if one not in moving]
    looked_at = (request, offer, first, rival)

    @cache
    def expected(seen: frozenset[int]) -> list[tuple[bytes, object]]:
        fresh = folded(charter, [*still, *(moving[n] for n in sorted(seen))])
        return [(one.id, follows(fresh, one.id)) for one in looked_at if fresh.statement(one.id)]

    for order in permutations(range(len(moving))):
        state = folded(charter, still)
        for count, n in enumerate(order, start=1):
            state.add(moving[n])
            for one, derived in expected(frozenset(order[:count])):
                assert follows(state, one) == derived


@settings(max_examples=150, deadline=None)
@given(STEPS, st.integers(0, 60))
def test_nothing_is_promised_twice(steps: list[Step], known: int) -> None:
    """For every subset that a replica may hold, promises stay within offers and requests."""
    charter, records = history(steps)
    state = folded(charter, records[: max(4, known)])
    for offer in state.every(Offer):
        where = holdings_of(state, offer.id)
        whole = account_of(state, offer.id).supply
        assert where.free + where.escrow + where.granted + where.burnt == whole
        assert min(where.free, where.escrow, where.granted, where.burnt) >= 0
        for slot in range(offer.body.slot_count):
            most = whole // offer.body.slot_count
            assert 0 <= live_in(state, offer, slot) <= most
    for rights in state.every(Rights):
        purse = purse_of(state, rights.id)
        held = sum(purse.ledger.held.values())
        whole = rights.body.quantity if purse.outcome == "held" else 0
        assert held + purse.free + purse.returned == whole
    for request in state.every(Request):
        taken = [
            grant.body.quantity
            for grant in grants_to(state, request.id)
            if grant_state(state, grant.id).status in ("accepted", "handed", "received")
        ]
        assert sum(taken) <= request_state(state, request.id).filled <= request.body.quantity


def live_in(state: State, offer: Statement[Offer], slot: int) -> int:
    """Return how much of one slot people were promised, by whomever."""
    return sum(
        grant.body.quantity
        for grant in state.every(Grant)
        if grant_state(state, grant.id).status in LIVE
        and offer_of(state, grant) == offer
        and (grant.body.slot or 0) == slot
    )


def test_the_laws_are_not_vacuous() -> None:
    """The histories do hold grants of each status, from offers and from rights, and returns."""
    seen: set[str] = set()
    rng = random.Random(5)
    for _ in range(200):
        steps: list[Step] = []
        for _ in range(40):
            kind, who, quantity = rng.choice(OFTEN), rng.randrange(3), rng.randint(1, 12)
            steps.append((kind, who, rng.randrange(31), rng.randrange(31), quantity))
        state = folded(*history(steps))
        seen |= {grant_state(state, grant.id).status for grant in state.every(Grant)}
        for offer in state.every(Offer):
            account = account_of(state, offer.id)
            seen |= {"credited"} if account.credited else set()
            held = [purse_of(state, each.id).ledger.held for each in rights_from(state, offer.id)]
            seen |= {"by a holder"} if any(held) else set()
    assert {"overdrawn", "cancelled", "declined", "void", "offered", "accepted"} <= seen
    assert {"surplus", "handed", "received", "disputed", "credited", "by a holder"} <= seen


def test_a_grant_among_hundreds_costs_no_more_than_the_first() -> None:
    """A provider that grants from one offer again and again makes no later record dear."""
    charter, (mill, oak) = village(2)
    offer, request = mill.offer(1_000), oak.request(1)
    grants = [mill.grant(1, offer, request) for _ in range(300)]
    state = folded(charter, [*mill.written, *oak.written])
    last = state.find(grants[-1].id, Grant)
    assert last is not None
    assert len(list(touched(state, last))) < 10
