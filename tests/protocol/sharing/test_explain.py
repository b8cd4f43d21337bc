"""Explanations: made of numbers, complete, and true when somebody tries them out."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mycelia_protocol.sharing import change as kinds
from mycelia_protocol.sharing import decide as grounds
from mycelia_protocol.sharing.baselines import BASELINES, baseline
from mycelia_protocol.sharing.change import Change, Inputs, changes
from mycelia_protocol.sharing.decide import settle
from mycelia_protocol.sharing.explain import Words, explain, span_text
from mycelia_protocol.sharing.policy import FACTORS
from mycelia_protocol.sharing.views import CollectiveView
from support.decisions import DAY_MS, NOW_MS, Drawing, collectives, key, offer, request

NAMES = {key(name): name.title() for name in ("a", "b", "c", "d", "e", "f", "g")}
WORDS = Words(NAMES.__getitem__, lambda quantity: f"{quantity / 1_000:g} L")


def inputs(policy: str = "balanced", left: int = 12_000) -> Inputs:
    """Return a decision with a winner, others who want it, and each sort of those who can't."""
    wants = [
        request("a", "oak", 9_000, metres=2_000),
        request("b", "elm", 9_000, metres=9_000, first_posted_ms=NOW_MS - DAY_MS),
        request("c", "ash", 9_000, metres=60_000),
        request("d", "fir", 300),
        request("e", "fir", 3_000, unit="g"),
        request("f", "mill", expires_ms=1),
        request("g", "fir", 2_000, urgency="anytime", metres=45_000, first_posted_ms=NOW_MS),
    ]
    everybody = collectives("elm", "ash", "fir", oak=300)
    return Inputs(baseline(policy), offer(left), wants, everybody, NOW_MS)


def tell(decision: Inputs, most: int = 99) -> list[str]:
    """Return the sentences about a decision."""
    judgement = decision.judge()
    return explain(judgement, settle(judgement), changes(decision)[:most], WORDS)


def test_a_whole_explanation() -> None:
    """Who got what, the terms of both, what set them apart, all the others, and what if."""
    assert tell(inputs()) == [
        "Of 12 L, 12 L are given: B 5.5 L, A 6.5 L.",
        "It was handed out 0.5 L at a time, each time to whoever stood first then.",
        "B stood first with 663,100 of 1,000,000 points (urgency 300 x 700, equity 250 x 1000, "
        "ecology 200 x 320, proximity 100 x 820, waiting 100 x 71, fill 50 x 1000).",
        "A stood second with 541,950 of 1,000,000 points (urgency 300 x 700, equity 250 x 319, "
        "ecology 200 x 460, proximity 100 x 960, waiting 100 x 142, fill 50 x 1000).",
        "The margin is 121,150 points.",
        "For B spoke equity by 170,250.",
        "For A spoke ecology by 28,000, proximity by 14,000, waiting by 7,100.",
        "G stood too far behind with 340,000 points: nothing that it could take was left.",
        "D is no candidate: it can take 0 L, and the least is 0.5 L.",
        "F is no candidate: the request has expired; it is the giver's own.",
        "C is no candidate: it is 60,000 m away, and the limit 50,000 m.",
        "1 more request asks for something else, or in another unit.",
        "A would have stood first with 148 more weight on ecology and less on equity.",
        "A would have stood first, had it been of class now instead of days.",
        "A would have stood first, had it been of a collective that had received "
        "0.232 person-days less.",
        "C would have stood first, had it been 49,801 m nearer.",
    ]


def test_other_modes_show_no_scores() -> None:
    """Where scores decide nothing they are not shown; the reason is."""
    lot, two = tell(inputs("lottery"), 0), tell(inputs("two_choices"), 0)
    assert not any("points" in sentence for sentence in lot + two)
    assert any(sentence.startswith("Lots decided") for sentence in lot)
    had = "Of the two nearest B had less: 0 against 15,000 micro-person-days per member."
    assert had in two


def test_grounds_in_words() -> None:
    """Floors, earlier postings, hashes, distances and being alone have their own sentences."""
    plain = inputs()
    urgent = replace(plain.requests[0], urgency="now", metres=49_000)
    sentences = tell(replace(plain, requests=[urgent, *plain.requests[1:]]), 0)
    assert "A floor of the policy decided, not the score: requests of class now come first." in (
        sentences
    )
    assert "B had to wait: requests of class now come first." in sentences
    near, twin = request("a", "oak"), request("b", "elm")
    everybody = collectives("oak", "elm")
    even = replace(plain, collectives=everybody, requests=[near, twin])
    said = "All else is equal; the smaller hash of policy, offer and request decided."
    assert said in tell(even, 0)
    later = replace(twin, first_posted_ms=twin.first_posted_ms + 1)
    assert "All else is equal; A was posted earlier." in tell(
        replace(even, requests=[near, later]), 0
    )
    farther = replace(twin, metres=6_000)
    nearer = replace(even, policy=baseline("two_choices"), requests=[near, farther])
    assert "A is nearer than B: 5,000 m against 6,000 m." in tell(nearer, 0)
    assert "There was no other candidate." in tell(replace(even, requests=[near]))
    assert tell(replace(even, requests=[])) == [
        "Nothing of 12 L is given: no request is a candidate."
    ]


def test_every_gate_in_words() -> None:
    """Each gate that is failed has its reason, with the numbers of both sides."""
    plain = inputs()
    good = request("a", "oak")

    def reasons(**change: object) -> str:
        offered = replace(plain.offer, **change)  # type: ignore[arg-type]  # fields of an offer
        return tell(replace(plain, offer=offered, requests=[good]))[-1]

    assert reasons(audience=(key("elm"),)) == "A is no candidate: the offer is for others."
    assert reasons(expires_ms=NOW_MS) == "A is no candidate: the offer has expired."
    late = "A is no candidate: it can't be had before it is too late."
    assert reasons(until_ms=NOW_MS - 1) == late
    assert reasons(left=400) == "A is no candidate: less is left than 0.5 L."
    assert reasons(minimum=6_000) == ("A is no candidate: it can take 5 L, and the least is 6 L.")
    river = CollectiveView(key("river"), 5, 0, is_ecosystem=True)
    policy = replace(baseline("balanced"), floors=("ecology",), ecology_floor_pm=500)
    wants = [good, request("b", "river", 500)]
    both = Inputs(policy, plain.offer, wants, [*plain.collectives, river], NOW_MS)
    assert "A had to wait: ecosystems have not had their share." in tell(both)


@pytest.mark.parametrize(
    ("span_ms", "text"),
    [
        (0, "0 min"),
        (1, "1 min"),
        (60_000, "1 min"),
        (60_001, "2 min"),
        (3 * 3_600_000, "3 h"),
        (DAY_MS + 61 * 60_000, "1 d 1 h 1 min"),
    ],
)
def test_spans_are_rounded_up(span_ms: int, text: str) -> None:
    """A span said to be enough is enough: it is rounded up, never down."""
    assert span_text(span_ms) == text


def apply(found: Change, decision: Inputs, amount: int) -> Inputs:
    """Return the inputs with a change carried out by so much."""
    wanted = {each.id: each for each in decision.requests}
    if found.kind == kinds.WEIGHT:
        weights: dict[str, int] = dict(zip(FACTORS, decision.policy.weights, strict=True))
        weights[found.gains] += amount
        weights[found.loses] -= amount
        policy = replace(decision.policy, weights=tuple(weights.values()))
        return replace(decision, policy=policy)
    one = wanted[found.request]
    match found.kind:
        case kinds.POSTED:
            earlier = one.first_posted_ms - amount
            return decision.with_request(one.id, first_posted_ms=earlier)
        case kinds.NEARER:
            known = decision.policy.distance_unknown_m if one.metres is None else one.metres
            return decision.with_request(one.id, metres=min(known, 20_000_000) - amount)
        case kinds.HAD:
            had = next(each for each in decision.collectives if each.id == one.collective)
            return decision.with_received(had.id, had.received - amount)
        case _:
            return decision.with_request(one.id, urgency=found.gains)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32), st.sampled_from(BASELINES))
def test_what_is_said_to_change_the_outcome_does(seed: int, name: str) -> None:
    """Carried out, a change puts its leader first; by one less, whoever stood first still does."""
    decision = Inputs(baseline(name), *Drawing(seed, is_odd=False).world(), NOW_MS)
    before = decision.leader()
    for found in changes(decision):
        assert found.leader != before
        assert apply(found, decision, found.amount).leader() == found.leader
        less = apply(found, decision, found.amount - 1)
        if found.kind == kinds.WEIGHT:  # an equal score with the help of the hash does not count
            assert less.leader() == before or settle(less.judge()).ground == grounds.TIE
        elif found.kind != kinds.URGENCY:
            assert less.leader() != found.leader


def test_the_smallest_change_comes_first() -> None:
    """Changes are in order of size, one of each kind."""
    found = changes(inputs())
    assert [change.size for change in found] == sorted(change.size for change in found)
    assert len({change.kind for change in found}) == len(found) >= 4


def test_had_it_been_posted_earlier() -> None:
    """A close second would have stood first with an earlier posting, by a known span."""
    wants = [
        request("a", "oak", first_posted_ms=NOW_MS - 3 * DAY_MS),
        request("b", "elm", first_posted_ms=NOW_MS - 2 * DAY_MS),
    ]
    close = Inputs(baseline("balanced"), offer(), wants, collectives("oak", "elm"), NOW_MS)
    (earlier,) = [found for found in changes(close) if found.kind == kinds.POSTED]
    assert earlier.leader == key("b")
    assert earlier.amount == DAY_MS + 1  # then scores are equal, and it is the earlier posting
    assert "B would have stood first, had it been posted 1 d 1 min earlier." in tell(close)
