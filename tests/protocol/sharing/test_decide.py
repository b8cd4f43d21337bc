"""Decisions in small worlds: who gets how much, what counted, and why others did not."""

from dataclasses import replace

import pytest

from mycelia_protocol.errors import LocalError
from mycelia_protocol.limits import STEPS_MAX
from mycelia_protocol.sharing import decide as grounds
from mycelia_protocol.sharing.baselines import BASELINES, baseline
from mycelia_protocol.sharing.decide import Decision, decide
from mycelia_protocol.sharing.policy import FACTORS
from mycelia_protocol.sharing.views import CollectiveView, OfferView, RequestView
from support.decisions import DAY_MS, NOW_MS, collectives, key, offer, request

EVEN = replace(baseline("balanced"), floors=())
EQUITY = replace(EVEN, weights=tuple(1_000 * (name == "equity") for name in FACTORS))


def given(decision: Decision, *names: str) -> list[int]:
    """Return what these requests got."""
    found = dict(decision.grants)
    return [found.get(key(name), 0) for name in names]


def gates(decision: Decision, name: str) -> tuple[str, ...]:
    """Return the gates that a request failed."""
    return next(each.gates for each in decision.candidates if each.request == key(name))


def test_nobody_and_one() -> None:
    """Without candidates nobody wins; alone one wins, and gets no more than it lacks."""
    nothing = decide(EVEN, offer(), [], collectives(), NOW_MS)
    assert (nothing.ground, nothing.winner, nothing.runner_up) == (grounds.NOBODY, None, None)
    assert nothing.margin is None
    assert nothing.grants == ()
    alone = decide(EVEN, offer(), [request("r", "oak", 1_700)], collectives("oak"), NOW_MS)
    assert alone.ground == grounds.ALONE
    assert given(alone, "r") == [1_500]
    assert alone.margin is None


def test_a_large_offer_spreads() -> None:
    """With nothing but equity, equals get equal parts, and who had some gets less."""
    wants = [request(name, name, 20_000) for name in ("oak", "elm", "ash")]
    decision = decide(EQUITY, offer(9_000), wants, collectives("oak", "elm", "ash"), NOW_MS)
    assert given(decision, "oak", "elm", "ash") == [3_000, 3_000, 3_000]
    everybody = collectives("elm", "ash", oak=200)  # 3 L of water
    decision = decide(EQUITY, offer(9_000), wants, everybody, NOW_MS)
    assert given(decision, "oak", "elm", "ash") == [1_000, 4_000, 4_000]


def test_equity_is_per_member() -> None:
    """A collective of three times as many gets three times as much."""
    everybody = [CollectiveView(key("oak"), 30), CollectiveView(key("elm"), 10)]
    wants = [request("oak", "oak", 50_000), request("elm", "elm", 50_000)]
    decision = decide(EQUITY, offer(8_000), wants, everybody, NOW_MS)
    assert given(decision, "oak", "elm") == [6_000, 2_000]


def test_the_first_offer_of_a_commons_spreads_too() -> None:
    """When nobody has had anything, the mean counts the offer itself, so equity tells apart."""
    decision = decide(EQUITY, offer(), [request("r", "oak")], collectives("oak"), NOW_MS)
    assert decision.mean == 666 * 1_000 // 40
    assert decision.winner is not None
    assert decision.winner.factors is not None
    assert decision.winner.factors.equity == 1_000


def test_each_gate() -> None:
    """Each way of being no candidate is named, and all at once."""
    everybody = collectives("oak", "elm")
    offered = offer(
        audience=(key("oak"), key("mill")), from_ms=NOW_MS + 5, until_ms=NOW_MS + 9, minimum=900
    )
    requests = [
        request("good", "oak"),
        request("expired", "oak", expires_ms=NOW_MS),
        request("own", "mill"),
        request("other", "oak", category="food.dry"),
        request("unit", "oak", unit="g"),
        request("stranger", "elm"),
        request("early", "oak", needed_by_ms=NOW_MS + 4),
        request("far", "oak", metres=50_001),
        request("small", "oak", 999),
        request("declined", "oak", grant_max=500),
        request("all", "elm", 0, category="a.b", unit="g", metres=60_000, needed_by_ms=0),
    ]
    decision = decide(EVEN, offered, requests, everybody, NOW_MS)
    found = {name: gates(decision, name) for name in ("good", "expired", "own", "other", "unit")}
    assert found == {
        "good": (),
        "expired": ("live",),
        "own": ("own",),
        "other": ("category",),
        "unit": ("unit",),
    }
    assert [gates(decision, name) for name in ("stranger", "early", "far", "small")] == [
        ("audience",),
        ("window",),
        ("distance",),
        ("portion",),
    ]
    assert gates(decision, "declined") == ("portion",)
    assert gates(decision, "all") == (
        *("category", "unit", "audience", "window", "distance", "portion"),
    )
    assert [each.score is None for each in decision.candidates if "unit" in each.gates] == [
        True
    ] * 2
    assert decision.ground == grounds.ALONE
    over = decide(EVEN, offer(expires_ms=NOW_MS), requests[:1], everybody, NOW_MS)
    assert gates(over, "good") == ("live",)


def test_substitutes() -> None:
    """A code, or a whole group, that would do as well makes a candidate."""
    for substitutes in (("food.water",), ("food",)):
        wants = [request("r", "oak", category="wash.water", substitutes=substitutes)]
        decision = decide(EVEN, offer(), wants, collectives("oak"), NOW_MS)
        assert gates(decision, "r") == ()
    wants = [request("r", "oak", category="wash.water", substitutes=("wash",))]
    assert gates(decide(EVEN, offer(), wants, collectives("oak"), NOW_MS), "r") == ("category",)


def test_grounds_of_order() -> None:
    """Scores decide, then the earlier posting, then the hash, which is the same for everybody."""
    everybody = collectives("oak", "elm")
    near, far = request("near", "oak", metres=4_000), request("far", "elm", metres=9_000)
    by_score = decide(EVEN, offer(), [far, near], everybody, NOW_MS)
    assert by_score.ground == grounds.SCORE
    assert by_score.winner is not None
    assert by_score.winner.request == key("near")
    assert (by_score.margin or 0) > 0
    late = replace(near, id=key("late"), first_posted_ms=near.first_posted_ms + 1)
    by_time = decide(EVEN, offer(), [late, replace(near, collective=key("elm"))], everybody, NOW_MS)
    assert (by_time.ground, by_time.margin) == (grounds.POSTED, 0)
    twin = replace(near, id=key("twin"), collective=key("elm"))
    by_hash = decide(EVEN, offer(), [near, twin], everybody, NOW_MS)
    assert (by_hash.ground, by_hash.margin) == (grounds.TIE, 0)
    ties = [each.tie for each in by_hash.candidates]
    assert ties == sorted(ties)
    other = decide(replace(EVEN, id=key("other")), offer(), [near, twin], everybody, NOW_MS)
    assert {each.tie for each in other.candidates}.isdisjoint(ties)


def test_urgent_first() -> None:
    """With the floor `urgent`, danger to life comes before any score; others wait their turn."""
    policy = replace(EVEN, floors=("urgent",))
    urgent = request("urgent", "oak", 2_000, urgency="now", metres=40_000)
    near = request("near", "elm", 20_000, metres=0, first_posted_ms=0)
    everybody = collectives("elm", oak=900)
    decision = decide(policy, offer(5_000), [near, urgent], everybody, NOW_MS)
    assert decision.ground == grounds.FLOOR
    assert (decision.margin or 0) < 0
    assert given(decision, "urgent", "near") == [2_000, 3_000]
    assert gates(decision, "near") == ("urgent-first",)
    assert given(decide(EVEN, offer(2_000), [near, urgent], everybody, NOW_MS), "near") == [2_000]


def test_now_is_budgeted() -> None:
    """More requests of class `now` than the policy allows count as `days`."""
    policy = replace(EVEN, floors=("urgent",), now_max=2)
    wants = [
        request("second", "oak", urgency="now", now_before=1),
        request("third", "oak", urgency="now", now_before=2),
    ]
    decision = decide(policy, offer(), wants, collectives("oak"), NOW_MS)
    classes = [each.measures.urgency for each in decision.candidates if each.measures]
    assert classes == ["now", "days"]
    assert gates(decision, "third") == ("urgent-first",)


def test_ecology_first() -> None:
    """With the floor `ecology`, living places get their share before anybody else, and no more."""
    policy = replace(EVEN, floors=("ecology",), ecology_floor_pm=200)
    river = CollectiveView(key("river"), 5, 0, is_ecosystem=True)
    wants = [request("people", "oak", 20_000), request("river", "river", 20_000, metres=40_000)]
    everybody = [*collectives("oak"), river]
    decision = decide(policy, offer(10_000), wants, everybody, NOW_MS)
    assert decision.reserve == 2_010  # 134 of 666 milli-person-days, rounded up
    assert gates(decision, "people") == ("ecology-first",)
    assert dict(decision.grants)[key("river")] >= 2_500
    sated = [*collectives("oak"), replace(river, received=10_000)]
    decision = decide(policy, offer(10_000), wants, sated, NOW_MS)
    assert decision.reserve == 0
    assert gates(decision, "people") == ()


def test_what_a_request_gets_at_least() -> None:
    """An offer's minimum is rounded up to whole lots, and who can't take it gets nothing."""
    wants = [request("a", "oak", 3_000), request("b", "elm", 3_000), request("c", "ash", 1_000)]
    everybody = collectives("oak", "elm", "ash")
    decision = decide(EQUITY, offer(4_000, minimum=1_200), wants, everybody, NOW_MS)
    assert decision.first == 1_500
    assert sorted(given(decision, "a", "b")) == [2_000, 2_000]
    assert gates(decision, "c") == ("portion",)
    last = decide(EQUITY, offer(2_500, minimum=1_200), wants[:2], everybody, NOW_MS)
    assert sorted(given(last, "a", "b")) == [0, 2_500]


def test_a_million_tiny_lots_are_few_steps() -> None:
    """A large offer in small lots goes out in `STEPS_MAX` parts, still in whole lots."""
    wants = [request("a", "oak", 10**9), request("b", "elm", 333)]
    offered = offer(10**9, lot=1)
    decision = decide(EQUITY, offered, wants, collectives("oak", "elm"), NOW_MS)
    assert decision.portion == 10**9 // STEPS_MAX
    assert given(decision, "a", "b") == [10**9 - 333, 333]
    assert decide(EQUITY, offer(lot=1, left=1_001), [], [], NOW_MS).portion == 2


def test_the_baselines_choose_as_they_say() -> None:
    """Five policies, one world, and a different winner for each reason."""
    everybody = collectives("oak", "elm", "ash", oak=500, elm=100, ash=5_000)
    wants = [
        request("old", "ash", 9_000, first_posted_ms=NOW_MS - 20 * DAY_MS, metres=30_000),
        request("near", "oak", 9_000, metres=100),
        request("poor", "elm", 9_000, metres=300, urgency="anytime"),
        request("urgent", "ash", 9_000, metres=20_000, urgency="now"),
    ]

    def winner(name: str) -> bytes:
        decision = decide(baseline(name), offer(), wants, everybody, NOW_MS)
        assert decision.winner is not None
        return decision.winner.request

    assert winner("fifo") == key("old")
    assert winner("nearest") == key("near")
    assert winner("mechanical") == key("near")
    assert winner("two_choices") == key("poor")
    assert winner("balanced") == key("urgent")
    drawn = decide(baseline("lottery"), offer(), wants, everybody, NOW_MS)
    assert drawn.ground == grounds.LOT
    assert [each.tie for each in drawn.candidates] == sorted(each.tie for each in drawn.candidates)


def test_fifo_beyond_the_cap_is_still_by_age() -> None:
    """Who have both waited longer than the cap are served by age all the same."""
    wants = [
        request(name, "oak", 9_000, first_posted_ms=NOW_MS - days * DAY_MS)
        for name, days in (("a", 30), ("b", 31), ("c", 400))
    ]
    decision = decide(baseline("fifo"), offer(), wants, collectives("oak"), NOW_MS)
    assert [each.request for each in decision.candidates] == [key("c"), key("b"), key("a")]
    assert decision.ground == grounds.POSTED


def test_of_the_two_nearest() -> None:
    """Two requests of the nearest collective are one choice; equals go to the nearer."""
    policy = baseline("two_choices")
    wants = [
        request("first", "oak", metres=100),
        request("second", "oak", metres=200),
        request("other", "elm", metres=900),
        request("third", "ash", metres=950),
    ]
    fuller = decide(policy, offer(), wants, collectives("elm", "ash", oak=50), NOW_MS)
    assert fuller.ground == grounds.HAD
    assert [each.request for each in fuller.candidates] == [
        *(key("other"), key("first"), key("second"), key("third"))
    ]
    equal = decide(policy, offer(), wants, collectives("oak", "elm", "ash"), NOW_MS)
    assert equal.ground == grounds.NEARER
    assert equal.candidates[0].request == key("first")
    assert given(equal, "first", "other") == [5_000, 5_000]


@pytest.mark.parametrize("name", BASELINES)
def test_place_and_time_that_are_not_known(name: str) -> None:
    """A request without a place counts as at the policy's distance; one from the future waits 0."""
    policy = baseline(name)
    wants = [request("r", "oak", metres=None, first_posted_ms=NOW_MS + DAY_MS)]
    (candidate,) = decide(policy, offer(), wants, collectives("oak"), NOW_MS).candidates
    assert candidate.measures is not None
    assert candidate.measures.metres == policy.distance_unknown_m
    assert candidate.measures.waited_s == 0


def test_carbon_saving_and_regeneration() -> None:
    """Ecology is half carbon, a quarter what would spoil, a quarter living places."""
    river = CollectiveView(key("river"), 5, 0, is_ecosystem=True)

    def ecology(offered: OfferView, wanted: RequestView) -> tuple[int, int]:
        decision = decide(EVEN, offered, [wanted], [*collectives("oak"), river], NOW_MS)
        (candidate,) = decision.candidates
        assert candidate.factors is not None
        assert candidate.measures is not None
        return candidate.factors.ecology, candidate.measures.carbon_mg

    assert ecology(offer(carrier="foot"), request("r", "oak")) == (500, 0)
    # 5 km x 1 kg in a van of 600 g CO2e per tonne and km: 3 g, a fifth of the cap
    assert ecology(offer(carrier="van"), request("r", "oak")) == (400, 3_000)
    assert ecology(offer(carrier="foot"), request("r", "river")) == (750, 0)
    spoiling = offer(carrier="foot", expires_ms=NOW_MS + 1)
    assert ecology(spoiling, request("r", "river")) == (1_000, 0)
    keeps = offer(carrier="foot", expires_ms=NOW_MS + 8 * DAY_MS)
    assert ecology(keeps, request("r", "oak")) == (500, 0)


def test_what_a_caller_may_not_leave_out() -> None:
    """A request of an unknown collective, or the same request twice, is the caller's bug."""
    with pytest.raises(LocalError, match="nothing is known"):
        decide(EVEN, offer(), [request("r", "oak")], collectives("elm"), NOW_MS)
    with pytest.raises(LocalError, match="twice"):
        decide(EVEN, offer(), [request("r", "oak")] * 2, collectives("oak"), NOW_MS)
