"""Who may be given something at all. Spec: section 8.8.2, SCORE-1.

A gate is passed or not, whatever the score would be. All of them are looked at, so that somebody
who got nothing is told every reason at once.
"""

from typing import Final

from mycelia_protocol.sharing.categories import group_of
from mycelia_protocol.sharing.policy import Policy
from mycelia_protocol.sharing.views import OfferView, RequestView

LIVE: Final = "live"  # neither offer nor request has expired
OWN: Final = "own"  # nobody gives to itself
CATEGORY: Final = "category"  # what is asked for, or a substitute that would do
UNIT: Final = "unit"
AUDIENCE: Final = "audience"  # whom the offer is for
WINDOW: Final = "window"  # it can be had before it is too late
DISTANCE: Final = "distance"
PORTION: Final = "portion"  # the smallest part that is given is not more than is lacking
URGENT_FIRST: Final = "urgent-first"  # a floor: requests of class `now` come first
ECOLOGY_FIRST: Final = "ecology-first"  # a floor: ecosystems have not had their share

GATES: Final = (LIVE, OWN, CATEGORY, UNIT, AUDIENCE, WINDOW, DISTANCE, PORTION)
FLOOR_GATES: Final = {"urgent": URGENT_FIRST, "ecology": ECOLOGY_FIRST}


def failed_gates(
    policy: Policy,
    offer: OfferView,
    request: RequestView,
    as_of_ms: int,
    metres: int,
    amount: int,
    first: int,
) -> tuple[str, ...]:
    """Return the gates that a request fails, in the order of `GATES`; () if it is a candidate.

    Args:
        policy: for the largest distance.
        offer: what is to be given.
        request: who would get it.
        as_of_ms: when the decision is made, by the provider's clock.
        metres: the distance that counts.
        amount: `available(offer)`.
        first: `first_part(offer)`.
    """
    failed = []
    if _is_over(offer.expires_ms, as_of_ms) or _is_over(request.expires_ms, as_of_ms):
        failed.append(LIVE)
    if request.collective == offer.provider:
        failed.append(OWN)
    if request.category != offer.category and not would_do(offer.category, request):
        failed.append(CATEGORY)
    if request.unit != offer.unit:
        failed.append(UNIT)
    if offer.audience and request.collective not in offer.audience:
        failed.append(AUDIENCE)
    if not _do_meet(offer, request, as_of_ms):
        failed.append(WINDOW)
    if metres > policy.distance_max_m:
        failed.append(DISTANCE)
    if room(offer, request) < first or amount < first:
        failed.append(PORTION)
    return tuple(failed)


def would_do(category: str, request: RequestView) -> bool:
    """Return whether a category, or all of its group, is a substitute for what is asked for."""
    return category in request.substitutes or group_of(category) in request.substitutes


def available(offer: OfferView) -> int:
    """Return what can be given in whole lots, in base units."""
    return offer.left // offer.lot * offer.lot


def room(offer: OfferView, request: RequestView) -> int:
    """Return what a request can take in whole lots, in base units."""
    return min(request.lacking, request.grant_max) // offer.lot * offer.lot


def first_part(offer: OfferView) -> int:
    """Return the least that a request gets: a lot, or as many as make the minimum."""
    return max(1, (offer.minimum + offer.lot - 1) // offer.lot) * offer.lot


def _is_over(expires_ms: int | None, as_of_ms: int) -> bool:
    return expires_ms is not None and expires_ms <= as_of_ms


def _do_meet(offer: OfferView, request: RequestView, as_of_ms: int) -> bool:
    """Return whether some moment is neither before the offer nor after either side's end."""
    begin = as_of_ms if offer.from_ms is None else max(as_of_ms, offer.from_ms)
    if request.needed_by_ms is not None and request.needed_by_ms < begin:
        return False
    return offer.until_ms is None or offer.until_ms >= begin
