"""Cases of section 8.8.4: each factor over its range, and all inputs at their caps."""

from dataclasses import replace
from typing import Final

from mycelia_protocol.sharing.views import CollectiveView
from support.decisions import DAY_MS, NOW_MS, collectives, key, offer, request
from vectors.scoring_case import add
from vectors.suite import Suite

INT_MAX: Final = 2**53 - 1


def add_factors(suite: Suite) -> None:
    """Add all cases of this file."""
    for add_some in (_urgency, _equity, _ecology, _proximity, _waiting, _fill, _caps):
        add_some(suite)


def _urgency(suite: Suite) -> None:
    for urgency in ("now", "days", "week", "anytime"):
        wants = [request("a", "oak", urgency=urgency), request("b", "elm")]
        add(suite, f"class {urgency}", "SCORE-2", "urgency", offer(), wants, flags="Factor")
    for before in (1, 9, 10, 11, INT_MAX):
        wants = [request("a", "oak", urgency="now", now_before=before), request("b", "elm")]
        comment = f"{before} requests of class now before"
        add(suite, comment, "SCORE-2", "urgency", offer(), wants, flags="Factor")
    wants = [request("a", "oak", urgency="now")]
    add(suite, "none counts as now", "SCORE-2", "none now", offer(), wants, flags="Factor")


def _equity(suite: Suite) -> None:
    wants = [request("a", "oak"), request("b", "elm")]
    for had in (0, 1, 2, 333, 665, 666, 667, 1_332, 2_000, 4_000, 40_000):
        everybody = collectives("elm", oak=had)
        comment = f"one had {had} milli-person-days, the other none"
        add(suite, comment, "SCORE-2", "equity", offer(), wants, everybody, flags="Factor Rounding")
    for members in (0, 1, 2, 3, 7, 999):
        everybody = [CollectiveView(key("oak"), members, 500), CollectiveView(key("elm"), 20, 500)]
        comment = f"the same for {members} members and for 20"
        add(suite, comment, "SCORE-2", "equity", offer(), wants, everybody, flags="Factor Rounding")
    tiny, crowd = offer(14, lot=1), [CollectiveView(key(name), 10**6) for name in ("oak", "elm")]
    add(suite, "a mean of 0", "SCORE-2", "equity", tiny, wants, crowd, flags="Factor Rounding")


def _ecology(suite: Suite) -> None:
    living = [*collectives("oak"), CollectiveView(key("river"), 5, 0, is_ecosystem=True)]
    wants = [request("a", "oak"), request("b", "river")]
    for carrier in ("foot", "bicycle", "cargo-bicycle", "truck", "van", "car", "airship"):
        offered = offer(carrier=carrier)
        add(suite, f"by {carrier}", "SCORE-2", "ecology", offered, wants, living, flags="Factor")
    for metres in (1, 999, 24_999, 25_000, 25_001):
        far = [replace(each, metres=metres) for each in wants]
        comment = f"{metres} m by van"
        flags = "Factor Rounding"
        add(suite, comment, "SCORE-2", "ecology", offer(), far, living, flags=flags)
    for days in (1, 3, 6, 7, 8):
        offered = offer(expires_ms=NOW_MS + days * DAY_MS - 1, carrier="foot")
        comment = f"spoils in almost {days} days"
        flags = "Factor Rounding"
        add(suite, comment, "SCORE-2", "ecology", offered, wants, living, flags=flags)
    for category, unit in (
        *(
            ("food.meal", "1"),
            ("shelter.bedding", "1"),
            ("care.infant", "1"),
            ("care.child", "min"),
        ),
        *(("energy.heat", "W.h"), ("energy.electric", "W.h"), ("food.dry", "g")),
    ):
        offered = replace(offer(20, lot=1), category=category, unit=unit)
        same = [replace(each, category=category, unit=unit, lacking=7) for each in wants]
        comment = f"the weight of {category} in {unit}"
        add(suite, comment, "SCORE-2", "ecology", offered, same, living, flags="Factor")


def _proximity(suite: Suite) -> None:
    for metres in (None, 0, 49, 50, 51, 25_000, 49_950, 49_999, 50_000):
        wants = [request("a", "oak", metres=metres), request("b", "elm", metres=24_000)]
        comment = "a distance that is not known" if metres is None else f"{metres} m"
        flags = "Factor Rounding"
        add(suite, comment, "SCORE-2 DIST-3", "proximity", offer(), wants, flags=flags)


def _waiting(suite: Suite) -> None:
    for age_ms in (-1, 0, 999, 1_000, 1_209_599, 1_209_600, 7 * DAY_MS, 14 * DAY_MS, 15 * DAY_MS):
        wants = [
            request("a", "oak", first_posted_ms=NOW_MS - age_ms),
            request("b", "elm", first_posted_ms=NOW_MS - 3 * DAY_MS),
        ]
        comment = f"posted {age_ms} ms ago"
        add(suite, comment, "SCORE-2", "waiting", offer(), wants, flags="Factor Rounding")


def _fill(suite: Suite) -> None:
    for lacking in (1, 499, 500, 9_999, 10_000, 10_001, 30_000, 10**9):
        wants = [request("a", "oak", lacking), request("b", "elm", 12_000)]
        comment = f"{lacking} mL lacking, 10 L offered"
        add(suite, comment, "SCORE-2", "fill", offer(), wants, flags="Factor Rounding")
    cut = [*(request(name, "oak", 5_000) for name in "abc"), request("d", "elm", 15_000)]
    add(suite, "one whole, the other cut in three", "SCORE-2", "fill", offer(), cut, flags="Factor")
    others = [
        request("a", "oak", 5_000),
        request("b", "oak", 10_000, category="food.dry"),
        request("c", "oak", 10_000, unit="g"),
        request("d", "oak", 10_000, metres=60_000),
        request("e", "elm", 15_000),
    ]
    comment = "what counts as wanted: same category and unit, candidate or not"
    add(suite, comment, "SCORE-2", "fill", offer(), others, flags="Factor")


def _caps(suite: Suite) -> None:
    largest = offer(10**9, lot=10**7, carrier="a" * 24, expires_ms=INT_MAX)
    edge = {"metres": 20_000_000, "first_posted_ms": 0, "urgency": "now"}
    for policy in ("large", "small"):
        for metres in (0, 1, 19_999_999, 20_000_000, 20_000_001, INT_MAX, None):
            wants = [request("a", "oak", 10**9, **{**edge, "metres": metres})]
            add(suite, f"{policy}: {metres} m", "SCORE-2", policy, largest, wants, flags="Cap")
        for received in (10**10 - 1, 10**10, 10**10 + 1, INT_MAX):
            for members in (1, 10**6, 10**6 + 1):
                everybody = [
                    CollectiveView(key("oak"), members, received, is_ecosystem=True),
                    CollectiveView(key("elm"), 1, received),
                ]
                wants = [
                    request(name, who, 10**9, **edge) for name, who in (("a", "oak"), ("b", "elm"))
                ]
                comment = f"{policy}: {received} received by {members}"
                add(suite, comment, "SCORE-2", policy, largest, wants, everybody, flags="Cap")
        for as_of, posted, expires in (
            (INT_MAX, 0, INT_MAX),
            (0, 0, INT_MAX),
            (0, INT_MAX, 10**13 + 1),
            (10**13, 0, 2 * 10**13),
            (10**13 + 999, 0, 2 * 10**13 + 1_998),
            (10**13 - 1, 0, 2 * 10**13 - 2),
        ):
            offered = replace(largest, expires_ms=expires)
            wants = [request("a", "oak", 10**9, metres=1, first_posted_ms=posted)]
            comment = f"{policy}: posted at {posted}, now {as_of}, expires at {expires}"
            add(suite, comment, "SCORE-2", policy, offered, wants, as_of=as_of, flags="Cap")
        many = [request(f"request {n}", "oak", 10**9, metres=1) for n in range(6)]
        add(suite, f"{policy}: a large sum", "SCORE-2", policy, largest, many, flags="Cap")
    for minimum in (10**9 - 1, 10**9):
        of = offer(10**9, lot=10**9 - 1, minimum=minimum)
        wants = [request("a", "oak", 10**9)]
        add(suite, f"a minimum of {minimum}", "SCORE-1", "balanced", of, wants, flags="Cap")
