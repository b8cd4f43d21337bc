"""Laws of the fold, for any set of records that members may write, honest or not."""

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from mycelia_protocol.charter import Charter
from mycelia_protocol.record import Record
from mycelia_protocol.state import State
from mycelia_protocol.types.grant import Grant
from mycelia_protocol.types.offer import Offer
from mycelia_protocol.types.promises import LIVE, grant_state, offer_state, request_state
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
