"""Vectors of section 8.8: decisions with everything that comes up on the way.

Names stand for ids (the README says how), and policies for cases of the suite `policy`.
"""

from dataclasses import replace
from typing import Any, Final

from mycelia_protocol.sharing.baselines import BASELINES
from mycelia_protocol.sharing.views import CollectiveView, RequestView
from support.decisions import DAY_MS, NOW_MS, Drawing, collectives, key, offer, request
from vectors.cases_policy import policies
from vectors.scoring_case import add
from vectors.scoring_factors import add_factors
from vectors.suite import Suite

NOTES: Final = {
    "Factor": "One factor over its range.",
    "Gate": "A request that is no candidate, and why.",
    "Cap": "At a cap or beyond it: the intermediates are largest.",
    "Tie": "Equal scores, postings, or both.",
    "Mode": "Another order than that of scores.",
    "Floor": "Somebody goes first whatever the score.",
    "Parts": "An offer that is handed out in many parts, in few, or not to the end.",
    "Rounding": "A quotient that is no integer.",
    "Drawn": "A whole small world, drawn.",
}


def build() -> Suite:
    """Return the suite."""
    suite = Suite("scoring", NOTES)
    add_factors(suite)
    for add_some in (_gates, _ties, _modes, _floors, _parts, _worlds):
        add_some(suite)
    return suite


def _gates(suite: Suite) -> None:
    good = request("a", "oak")
    offered = offer(audience=tuple(map(key, ("mill", "oak"))), from_ms=NOW_MS + 5, minimum=900)
    offered = replace(offered, until_ms=NOW_MS + 9, expires_ms=NOW_MS + 1)
    for comment, other in (
        ("expired this moment", replace(good, expires_ms=NOW_MS)),
        ("expires in 1 ms", replace(good, expires_ms=NOW_MS + 1)),
        ("the provider's own", replace(good, collective=key("mill"))),
        ("another category", replace(good, category="food.dry")),
        ("a substitute by code", replace(good, category="a.b", substitutes=("food.water",))),
        ("a substitute by group", replace(good, category="a.b", substitutes=("work", "food"))),
        ("a substitute that is not", replace(good, category="a.b", substitutes=("foo", "food.w"))),
        ("another unit", replace(good, unit="g")),
        ("another unit, and expired", replace(good, unit="g", expires_ms=0)),
        ("not in the audience", replace(good, collective=key("elm"))),
        ("needed before it can be had", replace(good, needed_by_ms=NOW_MS + 4)),
        ("needed just when it can be had", replace(good, needed_by_ms=NOW_MS + 5)),
        ("at the largest distance", replace(good, metres=50_000)),
        ("1 m too far", replace(good, metres=50_001)),
        ("lacks less than the minimum", replace(good, lacking=999)),
        ("lacks the minimum in whole lots", replace(good, lacking=1_000)),
        ("declined as much", replace(good, grant_max=999)),
        ("lacks nothing", replace(good, lacking=0)),
    ):
        wants = [replace(other, id=key("b")), good]
        add(suite, comment, "SCORE-1", "balanced", offered, wants, flags="Gate")
    everything = request("b", "mill", 0, category="a.b", unit="g", metres=10**8, needed_by_ms=0)
    everything = replace(everything, expires_ms=0)
    only_elm = replace(offered, audience=(key("elm"),))
    add(suite, "all gates at once", "SCORE-1", "balanced", only_elm, [everything], flags="Gate")
    changes: tuple[tuple[str, dict[str, Any]], ...] = (
        ("the offer expired", {"expires_ms": NOW_MS}),
        ("the offer's time is over", {"until_ms": NOW_MS - 1}),
        ("the offer's last moment", {"until_ms": NOW_MS}),
        ("the offer begins after it ends", {"from_ms": NOW_MS + 2, "until_ms": NOW_MS + 1}),
        ("less is left than a lot", {"left": 499}),
        ("less is left than the minimum", {"left": 1_499, "minimum": 1_001}),
        ("nothing is left", {"left": 0}),
    )
    for comment, change in changes:
        of = replace(offer(), **change)
        add(suite, comment, "SCORE-1", "balanced", of, [good], flags="Gate")
    nobody: list[RequestView] = []
    add(suite, "no request at all", "SCORE-1", "balanced", offer(), nobody, flags="Gate")


def _ties(suite: Suite) -> None:
    everybody = collectives("oak", "elm", "ash", "fir")
    who = (("a", "oak"), ("b", "elm"), ("c", "ash"), ("d", "fir"))
    for policy in ("balanced", "fifo", "nearest", "mechanical", "even", "fair", "equity"):
        same = [request(name, collective, 20_000) for name, collective in who]
        add(
            suite, f"{policy}: four alike", "SCORE-4", policy, offer(), same, everybody, flags="Tie"
        )
        later = [
            replace(each, first_posted_ms=each.first_posted_ms + n)
            for n, each in enumerate(reversed(same))
        ]
        comment = f"{policy}: 1 ms apart"
        add(suite, comment, "SCORE-4", policy, offer(), later, everybody, flags="Tie")
        pairs = [replace(each, first_posted_ms=NOW_MS - n // 2) for n, each in enumerate(same)]
        comment = f"{policy}: two pairs"
        add(suite, comment, "SCORE-4", policy, offer(7_500), pairs, everybody, flags="Tie")
        one = [replace(each, collective=key("oak")) for each in same]
        comment = f"{policy}: four of one collective"
        add(suite, comment, "SCORE-4", policy, offer(), one, everybody, flags="Tie")


def _modes(suite: Suite) -> None:
    everybody = collectives("oak", "elm", "ash", oak=500, elm=100, ash=5_000)
    wants = [
        request("a", "ash", 9_000, first_posted_ms=NOW_MS - 20 * DAY_MS, metres=30_000),
        request("b", "oak", 9_000, metres=100),
        request("c", "elm", 9_000, metres=300, urgency="anytime"),
        request("d", "ash", 9_000, metres=20_000, urgency="now"),
        request("e", "oak", 2_000, metres=101),
    ]
    for policy in (*BASELINES, "lots with floors", "two with floors"):
        for left in (500, 5_000, 20_000, 60_000):
            comment = f"{policy}: {left} mL"
            add(suite, comment, "SCORE-4", policy, offer(left), wants, everybody, flags="Mode")
    for had in (0, 1, 49, 50, 51):
        two = [request("a", "oak", 9_000, metres=100), request("b", "elm", 9_000, metres=200)]
        of = collectives(oak=50, elm=had)
        comment = f"of two, the nearer had 50, the other {had}"
        add(suite, comment, "SCORE-4", "two_choices", offer(), two, of, flags="Mode Tie")


def _floors(suite: Suite) -> None:
    river = CollectiveView(key("river"), 5, 100, is_ecosystem=True)
    wants = [
        request("a", "oak", 4_000, urgency="now", metres=40_000),
        request("b", "elm", 20_000, metres=100),
        request("c", "river", 20_000, metres=30_000, urgency="anytime"),
        request("d", "river", 1_000, metres=49_000, urgency="now"),
    ]
    for policy in ("balanced", "urgent first", "ecology first", "ecology alone", "no floors"):
        for left in (500, 3_000, 12_000):
            for received in (0, 300, 3_000):
                everybody = [*collectives("elm", oak=received), river]
                comment = f"{policy}: {left} mL, people had {received}"
                add(suite, comment, "SCORE-5", policy, offer(left), wants, everybody, flags="Floor")
        comment = f"{policy}: nobody of the floors"
        add(suite, comment, "SCORE-5", policy, offer(), wants[1:2], flags="Floor")


def _parts(suite: Suite) -> None:
    everybody = collectives("oak", "elm", "ash")
    who = (("a", "oak"), ("b", "elm"), ("c", "ash"))
    wants = [request(name, one, 20_000, metres=100) for name, one in who]
    for left, lot, minimum in (
        *((9_000, 500, 0), (9_499, 500, 0), (10, 3, 0), (10, 3, 4), (7, 1, 3), (8, 1, 3)),
        *((5_000, 500, 1_200), (2_500, 500, 1_200), (1_400, 500, 1_200), (900, 900, 0)),
        *((1_000, 1, 0), (1_001, 1, 0), (2_000, 1, 0), (2_001, 1, 0), (59_999, 7, 0)),
        *((3_000, 1, 2_000), (60_000, 1, 59), (60_001, 1, 61)),
    ):
        offered = offer(left, lot=lot, minimum=minimum)
        comment = f"{left} in lots of {lot}, at least {minimum}"
        add(suite, comment, "SCORE-6 SCORE-8", "fair", offered, wants, everybody, flags="Parts")
    for lacking in ((700, 20_000, 1_500), (1, 499, 501), (0, 500, 20_000), (333, 334, 10**9)):
        some = [replace(each, lacking=n) for each, n in zip(wants, lacking, strict=True)]
        comment = f"lacking {lacking}"
        add(suite, comment, "SCORE-6 SCORE-8", "fair", offer(), some, everybody, flags="Parts")
        comment = f"lacking {lacking}, piece by piece"
        single = offer(1_700, lot=1)
        add(suite, comment, "SCORE-6 SCORE-8", "equity", single, some, everybody, flags="Parts")


def _worlds(suite: Suite) -> None:
    names = sorted(set(policies()) - {"large", "small"})
    for number in range(100):
        world = Drawing(number, is_odd=number % 3 == 0, requests_max=6).world()
        policy = names[number % len(names)]
        add(suite, f"world {number} under {policy}", "SCORE-6", policy, *world, flags="Drawn")
