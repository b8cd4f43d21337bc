"""Laws of the fold, for any set of records that members may write, honest or not."""

import random
from itertools import permutations
from typing import cast

from hypothesis import given, settings
from hypothesis import strategies as st

from mycelia_protocol.charter import Charter
from mycelia_protocol.record import Record
from mycelia_protocol.state import State
from mycelia_protocol.types.base import Statement
from mycelia_protocol.types.grant import Grant
from mycelia_protocol.types.offer import Offer
from mycelia_protocol.types.promises import (
    LIVE,
    grant_state,
    offer_state,
    request_state,
    touched,
)
from mycelia_protocol.types.request import Request
from support.scribe import Scribe, village

Step = tuple[str, int, int, int, int]
STEPS = st.lists(
    st.tuples(
        st.sampled_from(
            ["offer", "request", "grant", "answer", "receipt", "withdraw", "reincarnate"]
        ),
        st.integers(0, 2),
        st.integers(0, 30),
        st.integers(0, 30),
        st.integers(1, 12),
    ),
    max_size=40,
)


def history(steps: list[Step]) -> tuple[Charter, list[Record]]:
    """Write what the steps say; members overspend, over-accept and contradict themselves freely."""
    charter, scribes = village(3)
    made: dict[str, list[Record]] = {"offer": [], "request": [], "grant": []}
    for kind, who, first, second, quantity in steps:
        _write(scribes[who], kind, made, first, second, quantity)
    return charter, [record for scribe in scribes for record in scribe.written]


def _write(
    scribe: Scribe,
    kind: str,
    made: dict[str, list[Record]],
    first: int,
    second: int,
    quantity: int,
) -> None:
    offers, requests, grants = made["offer"], made["request"], made["grant"]
    if kind == "offer":
        offers.append(scribe.offer(quantity))
    elif kind == "request":
        requests.append(scribe.request(quantity))
    elif kind == "reincarnate":
        scribe.reincarnate()
    elif kind == "grant" and offers and requests:
        offer, request = offers[first % len(offers)], requests[second % len(requests)]
        grants.append(scribe.grant(quantity, offer, request))
    elif kind == "answer" and grants:
        scribe.answer(bool(second % 3), grants[first % len(grants)])
    elif kind == "receipt" and grants:
        side = ("handed", "received")[second % 2]
        scribe.receipt(side, quantity, grants[first % len(grants)])
    elif kind == "withdraw" and (everything := offers + requests + grants):
        scribe.withdraw(everything[first % len(everything)])


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


@settings(max_examples=300, deadline=None)
@given(STEPS, st.randoms(use_true_random=False))
def test_nothing_that_was_looked_at_stays_outdated(steps: list[Step], rng: random.Random) -> None:
    """FOLD-1: whatever is asked for between records, answers are those of a fresh state."""
    charter, records = history(steps)
    rng.shuffle(records)
    state = State(charter)
    asked = {"offer": offer_state, "request": request_state, "grant": grant_state}
    for added, record in enumerate(records):
        state.add(record)
        known = [one for one in records[: added + 1] if one.kind in asked]
        fresh = folded(charter, records[: added + 1])
        for one in rng.sample(known, min(len(known), rng.randint(0, 4))):
            if fresh.statement(one.id) is not None:
                assert asked[one.kind](state, one.id) == asked[one.kind](fresh, one.id)


def test_every_order_of_one_hand_over_is_derived_anew_after_every_look() -> None:
    """FOLD-1: the same for all orders of two competing grants, an acceptance and a withdrawal."""
    charter, (mill, oak, elm) = village(3)
    offer, request = mill.offer(5), oak.request(5)
    first, rival = mill.grant(5, offer, request), elm.grant(5, elm.offer(5), request)
    moving = [offer, request, first, rival, oak.answer(True, first), mill.withdraw(first)]
    still = [one for who in (mill, oak, elm) for one in who.written if one not in moving]
    for order in permutations(moving):
        state, seen = folded(charter, still), list(still)
        for record in order:
            state.add(record)
            seen.append(record)
            fresh = folded(charter, seen)
            if fresh.statement(request.id):
                assert request_state(state, request.id) == request_state(fresh, request.id)
            if fresh.statement(offer.id):
                assert offer_state(state, offer.id) == offer_state(fresh, offer.id)


@settings(max_examples=150, deadline=None)
@given(STEPS, st.integers(0, 60))
def test_nothing_is_promised_twice(steps: list[Step], known: int) -> None:
    """For every subset that a replica may hold, promises stay within offers and requests."""
    charter, records = history(steps)
    state = folded(charter, records[: max(4, known)])
    for offer in state.every(Offer):
        derived = offer_state(state, offer.id)
        assert derived.granted <= offer.body.quantity
        assert derived.left == (0 if derived.withdrawn else offer.body.quantity - derived.granted)
        live = [g for g in state.about(offer.id, Grant) if grant_state(state, g.id).status in LIVE]
        assert sum(grant.body.quantity for grant in live) == derived.granted
    for request in state.every(Request):
        taken = [
            grant.body.quantity
            for grant in state.about(request.id, Grant)
            if grant_state(state, grant.id).status in ("accepted", "handed", "received")
        ]
        assert sum(taken) <= request_state(state, request.id).filled <= request.body.quantity


def test_the_laws_are_not_vacuous() -> None:
    """The histories do hold overdrawn, surplus, cancelled and received grants."""
    seen: set[str] = set()
    rng = random.Random(5)
    kinds = ["offer", "request", "grant", "grant", "answer", "answer", "receipt", "withdraw"]
    for _ in range(60):
        steps: list[Step] = []
        for _ in range(40):
            kind, who, quantity = rng.choice(kinds), rng.randrange(3), rng.randint(1, 12)
            steps.append((kind, who, rng.randrange(31), rng.randrange(31), quantity))
        state = folded(*history(steps))
        seen |= {grant_state(state, grant.id).status for grant in state.every(Grant)}
    assert {"overdrawn", "cancelled", "declined", "void", "offered", "accepted"} <= seen


def test_a_grant_among_hundreds_costs_no_more_than_the_first() -> None:
    """A provider that grants from one offer again and again makes no later record dear."""
    charter, (mill, oak) = village(2)
    offer, request = mill.offer(1_000), oak.request(1)
    grants = [mill.grant(1, offer, request) for _ in range(300)]
    state = folded(charter, [*mill.written, *oak.written])
    last = state.find(grants[-1].id, Grant)
    assert last is not None
    assert len(list(touched(state, cast("Statement[object]", last)))) < 10
