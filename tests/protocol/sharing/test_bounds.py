"""Every number that comes up in a decision fits into a double, at the worst of all inputs."""

from dataclasses import replace
from itertools import product
from typing import Any

from mycelia_protocol.limits import INT_MAX, MEMBERS_MAX, METRES_MAX, QUANTITY_MAX, RECEIVED_MAX
from mycelia_protocol.sharing.decide import decide
from mycelia_protocol.sharing.policy import Policy, read_policy, write_policy
from mycelia_protocol.sharing.views import CollectiveView, OfferView, RequestView
from support.decisions import key
from support.tracked import Tracked
from vectors.cases_policy import policies

LARGE = read_policy(write_policy(policies()["large"]))
SMALL = read_policy(write_policy(policies()["small"]))


def extremes() -> list[Policy]:
    """Return policies at the ends of their bounds, and mixtures that make quotients large."""
    mixed = replace(LARGE, person_days=SMALL.person_days, carbon_cap_mg=1, distance_max_m=1)
    return [LARGE, SMALL, mixed, replace(mixed, mode="two-choices", waiting_cap_s=1)]


def track(view: Any) -> Any:
    """Return a view whose integers are watched."""
    numbers = {
        name: Tracked(value)
        for name in type(view).__dataclass_fields__
        if type(value := getattr(view, name)) is int
    }
    return replace(view, **numbers)


def test_no_intermediate_of_a_decision_reaches_2_to_the_53() -> None:
    """All corners of all inputs, also beyond their caps: the largest number is below 2^53."""
    edges = [(0, 0), (0, INT_MAX), (INT_MAX, 0), (INT_MAX, INT_MAX)]
    with Tracked.watch() as seen:
        for policy, left, (posted, expires), far in product(
            extremes(), (1, QUANTITY_MAX), edges, (0, METRES_MAX, INT_MAX)
        ):
            lot = max(1, left // 5)  # few steps: the sums at the end are what they are
            offer = OfferView(key("offer"), key("mill"), "food.water", "mL", left, lot, left - 1)
            requests = [
                RequestView(
                    *(key(name), key(name), "food.water", "mL", QUANTITY_MAX, "now", posted),
                    metres=far,
                )
                for name in ("oak", "elm", "river")
            ]
            for received, members in product((0, RECEIVED_MAX, INT_MAX), (0, 1, MEMBERS_MAX)):
                everybody = [
                    CollectiveView(key(name), members, received, name == "river")
                    for name in ("mill", "oak", "elm", "river")
                ]
                decide(
                    policy,
                    track(replace(offer, expires_ms=expires or None)),
                    [track(request) for request in requests],
                    [track(each) for each in everybody],
                    Tracked(INT_MAX if expires == 0 else 0),
                )
    assert seen.count > 50_000
    assert 8 * 10**15 < seen.largest <= INT_MAX  # 8.0 * 10^15 is in spec 8.8.4


def test_no_sum_over_a_whole_country_reaches_2_to_the_53() -> None:
    """With so many collectives that the sum of what they received is cut, too."""
    offer = OfferView(key("offer"), key("0"), "food.water", "mL", QUANTITY_MAX)
    crowd = [CollectiveView(str(n).encode(), 1, RECEIVED_MAX, n % 2 == 0) for n in range(100_099)]
    crowd.append(CollectiveView(key("oak"), Tracked(1), Tracked(RECEIVED_MAX), is_ecosystem=True))
    with Tracked.watch() as seen:  # a sum is watched from its last addend on
        decision = decide(extremes()[2], track(offer), [], crowd, 0)
    assert decision.mean >= 9_980_000_000_000
    assert 10**15 < seen.largest <= INT_MAX
