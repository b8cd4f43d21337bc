"""Figures of audits: known values, laws, unknown where nothing can be said, below 2^53."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mycelia_protocol.errors import LimitExceeded
from mycelia_protocol.limits import (
    AUDIT_SUM_MAX,
    AUDIT_VALUES_MAX,
    HEALTH_WINDOW_MS,
    INT_MAX,
    RECEIVED_MAX,
)
from mycelia_protocol.sharing.audit import (
    GrantOutcome,
    Replayed,
    RequestOutcome,
    compare,
)
from mycelia_protocol.sharing.exact import isqrt, median, scaled, scaled_up
from mycelia_protocol.sharing.health import INDICATORS, Sighting, health
from mycelia_protocol.sharing.metrics import four_fifths_pm, gini_pm, least_to_mean_pm, share_pm
from mycelia_protocol.sharing.tally import GrantTally, RequestTally
from support.decisions import NOW_MS, key
from support.tracked import Tracked

amounts = st.lists(st.integers(0, 10**7), min_size=1, max_size=40)


@given(st.integers(0, 10**15), st.integers(0, 1_000), st.integers(1, 10**9))
def test_scaling_is_exact(value: int, times: int, over: int) -> None:
    """The quotient without the large product is the quotient, rounded down or up."""
    assert scaled(value, times, over) == value * times // over
    assert scaled_up(value, times, over) == -(-value * times // over)


@given(st.integers(0, INT_MAX))
def test_the_root_in_doubles_needs_its_correction_only(number: int) -> None:
    """The rule of the spec for a rounded root gives the exact one, up to 2^53."""
    root = int(float(number) ** 0.5)
    while root * root > number:
        root -= 1
    while (root + 1) * (root + 1) <= number:
        root += 1
    assert root == isqrt(number)


def test_known_coefficients() -> None:
    """Gini, least to mean and four fifths of small worlds that one can do by hand."""
    assert gini_pm([0, 0, 0, 10]) == gini_pm([10, 0, 0, 0]) == 750
    assert gini_pm([1, 2, 3, 4]) == 250
    assert gini_pm([7, 7, 7]) == gini_pm([0, 0]) == 0
    assert gini_pm([]) is None
    assert least_to_mean_pm([2, 4, 6]) == 500
    assert least_to_mean_pm([0, 4]) == 0
    assert least_to_mean_pm([0, 0]) == 1_000
    assert least_to_mean_pm([]) is None
    assert four_fifths_pm({"north": (4, 5), "south": (1, 1)}) == 800
    assert four_fifths_pm({"north": (4, 5), "south": (0, 0)}) is None
    assert four_fifths_pm({"north": (0, 5), "south": (0, 9)}) == 1_000
    assert share_pm(0, 0) is None


@given(amounts)
def test_gini_is_half_the_mean_difference(values: list[int]) -> None:
    """The ranked sum is the mean difference of all pairs, and the order is no matter."""
    whole, pairs = sum(values), sum(abs(a - b) for a in values for b in values)
    assert gini_pm(values) == (pairs * 1_000 // (2 * len(values) * whole) if whole else 0)
    assert gini_pm(values[::-1]) == gini_pm(values)


@given(amounts, st.integers(0, 39))
def test_giving_to_the_poorest_makes_nothing_less_fair(values: list[int], most: int) -> None:
    """Ratios stay in range, and what the poorest gets, up to the next one, lowers Gini."""
    gini, least = gini_pm(values), least_to_mean_pm(values)
    assert gini is not None
    assert least is not None
    assert 0 <= gini < 1_000
    assert 0 <= least <= 1_000
    ordered = sorted(values)
    gain = min(most, ordered[1] - ordered[0]) if len(ordered) > 1 else 0
    assert (gini_pm([ordered[0] + gain, *ordered[1:]]) or 0) <= gini


def test_values_that_are_huge_are_made_smaller() -> None:
    """No intermediate of a coefficient reaches 2^53, with as many and as large values as may be."""
    assert AUDIT_VALUES_MAX * RECEIVED_MAX <= INT_MAX
    for count, value in ((9_000, RECEIVED_MAX), (2, RECEIVED_MAX + 1), (3_000, 1)):
        most = Tracked(value)
        with Tracked.watch() as seen:
            assert gini_pm([most] * (count - 1) + [Tracked(0)]) is not None
            assert least_to_mean_pm([most] * 10) == 1_000
        assert seen.largest <= INT_MAX
    with pytest.raises(LimitExceeded):
        gini_pm([0] * (AUDIT_VALUES_MAX + 1))


def test_sums_stop() -> None:
    """Figures with everything at its cap stay below 2^53."""
    grant = GrantOutcome(
        *(Tracked(10**13), Tracked(INT_MAX), Tracked(INT_MAX), Tracked(4_000_000)),
        approver=key("oak"),
    )
    with Tracked.watch() as seen:
        figures = GrantTally([grant] * 500).flow()
    assert seen.largest <= INT_MAX
    assert figures.kg == 200_000_000
    assert figures.kg_km == 4_000_000_000_000
    assert figures.carbon_g == AUDIT_SUM_MAX
    assert figures.approvers == ((key("oak"), 500),)
    worth = Tracked(AUDIT_SUM_MAX * 100)
    request = RequestOutcome(key("oak"), "now", 1, 1, worth, worth, 0)
    assert RequestTally([request] * 3).classes()["now"].worth_pm == 1_000


def test_classes_that_nobody_declared_are_there() -> None:
    """A class without requests is shown, as unknown."""
    found = RequestTally([RequestOutcome(key("oak"), "week", 10, 4, 10, 4, 60)]).classes()
    assert list(found) == ["now", "days", "week", "anytime"]
    assert (found["now"].count, found["now"].met_pm, found["now"].wait_s) == (0, None, None)
    assert (found["week"].met_pm, found["week"].worth_pm, found["week"].wait_s) == (0, 400, 60)


def test_replay_shows_winners_and_losers() -> None:
    """Who gains and who loses are both there, and those without a change are not."""
    oak, elm, ash = key("oak"), key("elm"), key("ash")
    found = compare(
        [
            Replayed(oak, elm, ((oak, 5), (ash, 2)), ((elm, 5), (ash, 2))),
            Replayed(ash, ash, ((ash, 9),), ((ash, 9),)),
        ]
    )
    assert (found.changed, found.changed_pm) == (1, 500)
    assert dict(found.gains) == {oak: -5, elm: 5}


def test_unknown_is_not_good() -> None:
    """One observer is not enough, old sightings say nothing, and too little is unknown."""
    two = [Sighting(each, key(who), 800, NOW_MS) for each in INDICATORS[:3] for who in ("a", "b")]
    assert health(two, NOW_MS).index == 800
    assert health(two, NOW_MS).values["waste"] is None
    assert health(two[:-1], NOW_MS).index is None
    assert health(two, NOW_MS + HEALTH_WINDOW_MS).index == 800
    assert health(two, NOW_MS + HEALTH_WINDOW_MS + 1).index is None
    assert health(two, NOW_MS - 1).index is None


def test_the_worst_indicator_counts_half() -> None:
    """A place that is fine but for its water is not fine."""
    seen = [
        Sighting(each, key(who), 100 if each == "water" else 900, NOW_MS)
        for each in INDICATORS
        for who in ("a", "b")
    ]
    assert health(seen, NOW_MS).index == (100 + (100 + 4 * 900) // 5) // 2
    corrected = [*seen, *(Sighting("water", key(who), 700, NOW_MS + 1) for who in ("a", "b"))]
    assert health(corrected, NOW_MS + 1).values["water"] == 700


def test_medians() -> None:
    """The middle, the lower half of two in the middle, and nothing of nothing."""
    assert [median(values) for values in ([3, 1, 2], [4, 1], [])] == [2, 2, None]
