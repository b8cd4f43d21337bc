"""The six factors, each an integer from 0 to 1000. Spec: section 8.8.3 and 8.8.4, SCORE-2, SCORE-3.

    urgency     how soon it is needed, by the class that counts
    equity      who has had less than the mean per member comes before who has had more
    ecology     little carbon, nothing spoilt, and something for living places
    proximity   near
    waiting     who has asked for long
    fill        how much of what the collective wants this offer could cover: mechanical efficiency

The bounds in `limits.py` are such that no intermediate here reaches 2^53; a test computes the worst
cases. Why each factor resists a way of cheating: equity counts what was received per member, so an
inflated request gains nothing; fill looks at all that a collective wants of a category, so cutting
a request into many gains nothing; waiting counts from the first posting, so renewing loses nothing.
"""

from typing import NamedTuple

from mycelia_protocol.limits import (
    MEMBERS_MAX,
    MEMBERS_SUM_MAX,
    METRES_MAX,
    RECEIVED_MAX,
    SECONDS_MAX,
)
from mycelia_protocol.sharing.exact import scaled, total
from mycelia_protocol.sharing.gates import available, first_part
from mycelia_protocol.sharing.policy import Policy
from mycelia_protocol.sharing.views import CollectiveView, OfferView, RequestView


class Measures(NamedTuple):
    """What of a candidate goes into its factors.

    Attributes:
        urgency: the class that counts, which may be less urgent than the declared one.
        metres: the distance that counts.
        carbon_mg: mg CO2e to bring 1,000 base units there.
        waited_s: since it was first posted.
        wanted: base units that its collective lacks in this category and unit.
        had: micro-person-days per member that its collective received.
    """

    urgency: str
    metres: int
    carbon_mg: int
    waited_s: int
    wanted: int
    had: int


class Factors(NamedTuple):
    """The six factors of a candidate, 0 to 1000 each, in the order of the policy's weights."""

    urgency: int
    equity: int
    ecology: int
    proximity: int
    waiting: int
    fill: int


class Setting(NamedTuple):
    """What all candidates of one decision have in common.

    Attributes:
        available: base units that can be given.
        first: the least that one request gets.
        mean: micro-person-days per member of the whole commons, once all of it is given.
        left_s: until the offer expires, None if it does not.
        grams: weight of 1,000 base units.
        carbon_factor: mg CO2e per tonne and km.
    """

    available: int
    first: int
    mean: int
    left_s: int | None
    grams: int
    carbon_factor: int


def setting(
    policy: Policy, offer: OfferView, everybody: list[CollectiveView], as_of_ms: int
) -> Setting:
    """Return what the candidates have in common.

    The mean counts this offer as given already. So it is above 0 when nobody has had anything yet,
    it stays the same while the offer is handed out, and each part makes its receiver's equity fall.
    """
    amount = available(offer)
    received = total(received_by(each) for each in everybody)
    members = total((head_count(each) for each in everybody), MEMBERS_SUM_MAX)
    received += policy.milli_person_days(offer.category, offer.unit, amount)
    return Setting(
        amount,
        first_part(offer),
        scaled(received, 1_000, members) if members else 0,
        None if offer.expires_ms is None else seconds(offer.expires_ms - as_of_ms),
        policy.grams(offer.category, offer.unit),
        policy.carbon_factor(offer.carrier),
    )


def measure(
    policy: Policy,
    shared: Setting,
    request: RequestView,
    collective: CollectiveView,
    metres: int,
    wanted: int,
    as_of_ms: int,
) -> Measures:
    """Return what of a candidate goes into its factors."""
    return Measures(
        effective_urgency(policy, request),
        metres,
        scaled(metres * shared.grams, shared.carbon_factor, 1_000_000_000),
        seconds(as_of_ms - request.first_posted_ms),
        wanted,
        had_per_member(collective, 0),
    )


def factors(
    policy: Policy, shared: Setting, found: Measures, collective: CollectiveView
) -> Factors:
    """Return the six factors."""
    return Factors(
        policy.urgency[found.urgency],
        equity(found.had, shared.mean),
        ecology(policy, shared, found.carbon_mg, collective.is_ecosystem),
        1_000 - min(1_000, found.metres * 1_000 // policy.distance_max_m),
        min(1_000, found.waited_s * 1_000 // policy.waiting_cap_s),
        min(shared.available, found.wanted) * 1_000 // found.wanted if found.wanted else 0,
    )


def equity(had: int, mean: int) -> int:
    """Return 1000 for who had nothing, 500 at the mean, 0 at twice the mean and above."""
    return 500 if mean == 0 else 1_000 - min(1_000, had * 500 // mean)


def ecology(policy: Policy, shared: Setting, carbon_mg: int, is_ecosystem: bool) -> int:
    """Return half for little carbon, a quarter for saving what would spoil, one for ecosystems."""
    carbon = 1_000 - min(1_000, carbon_mg * 1_000 // policy.carbon_cap_mg)
    rescue = 0
    if shared.left_s is not None:
        rescue = 1_000 - min(1_000, shared.left_s * 1_000 // policy.rescue_horizon_s)
    regeneration = 1_000 if is_ecosystem else 0
    return (2 * carbon + rescue + regeneration) // 4


def effective_urgency(policy: Policy, request: RequestView) -> str:
    """Return the class that counts: `now` only so often per collective and window, then `days`."""
    is_too_often = request.urgency == "now" and request.now_before >= policy.now_max
    return "days" if is_too_often else request.urgency


def distance_that_counts(policy: Policy, request: RequestView) -> int:
    """Return the metres to a request, or what the policy says where they are not known."""
    known = policy.distance_unknown_m if request.metres is None else request.metres
    return min(known, METRES_MAX)


def had_per_member(collective: CollectiveView, given: int) -> int:
    """Return the micro-person-days per member of a collective.

    Args:
        collective: what it received before.
        given: milli-person-days that it gets in this decision.
    """
    received = min(received_by(collective) + given, RECEIVED_MAX)
    return received * 1_000 // head_count(collective)


def received_by(collective: CollectiveView) -> int:
    """Return the milli-person-days received that count, at most `RECEIVED_MAX`."""
    return min(collective.received, RECEIVED_MAX)


def head_count(collective: CollectiveView) -> int:
    """Return the members that count, from 1 to `MEMBERS_MAX`."""
    return min(max(collective.members, 1), MEMBERS_MAX)


def seconds(span_ms: int) -> int:
    """Return a span of time in whole seconds, 0 if it is negative."""
    return min(max(span_ms, 0) // 1_000, SECONDS_MAX)
