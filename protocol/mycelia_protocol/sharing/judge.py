"""All candidates of one decision with gates, factors, scores and order. Spec: sections 8.8.2-8.8.6.

This is where things stand before the first part is handed out. `decide` goes on from here.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from operator import mul
from typing import NamedTuple

from mycelia_protocol.crypto import TIE, digest
from mycelia_protocol.errors import LocalError
from mycelia_protocol.limits import STEPS_MAX, SUM_MAX
from mycelia_protocol.sharing.exact import scaled_up, total
from mycelia_protocol.sharing.factors import (
    Factors,
    Measures,
    Setting,
    distance_that_counts,
    factors,
    measure,
    received_by,
    setting,
)
from mycelia_protocol.sharing.gates import (
    CATEGORY,
    UNIT,
    failed_gates,
)
from mycelia_protocol.sharing.policy import Policy
from mycelia_protocol.sharing.views import CollectiveView, OfferView, RequestView


class Row(NamedTuple):
    """One request as it stands in a decision.

    Attributes:
        gates: those that it fails; a candidate fails none.
        measures, factors, score: None if category or unit don't fit, since nothing compares then.
        tie: what decides last: H("tie", policy, offer, request).
    """

    request: RequestView
    collective: CollectiveView
    gates: tuple[str, ...]
    measures: Measures | None
    factors: Factors | None
    score: int | None
    tie: bytes


@dataclass(frozen=True, slots=True)
class Judgement:
    """Everything that is known before the first part is handed out.

    Attributes:
        portion: what is handed out in one step; see `portion_of`.
        reserve: base units that go to ecosystems first, if the policy has that floor.
        shared: what all candidates have in common.
        rows: one for each request, in the order in which they came.
    """

    policy: Policy
    offer: OfferView
    as_of_ms: int
    portion: int
    reserve: int
    shared: Setting
    rows: tuple[Row, ...]

    @property
    def candidates(self) -> list[Row]:
        """The rows that pass all gates."""
        return [row for row in self.rows if not row.gates]


def judge(
    policy: Policy,
    offer: OfferView,
    requests: Sequence[RequestView],
    collectives: Iterable[CollectiveView],
    as_of_ms: int,
) -> Judgement:
    """Judge all requests for one offer.

    Args:
        policy: what the commons voted.
        offer: what is to be given.
        requests: all that are open; see `views.py`.
        collectives: all of the commons.
        as_of_ms: the time of the decision.

    Raises:
        LocalError: a request is there twice, or its collective is not among the collectives.
    """
    everybody = {each.id: each for each in collectives}
    if len({request.id for request in requests}) != len(requests):
        raise LocalError("a request is there twice")
    shared = setting(policy, offer, list(everybody.values()), as_of_ms)
    wanted = _wanted(offer, requests)
    rows = []
    for request in requests:
        if request.collective not in everybody:
            raise LocalError(f"nothing is known of collective {request.collective.hex()}")
        key = (request.collective, request.category)
        who = everybody[request.collective]
        rows.append(_row(policy, offer, shared, request, who, wanted.get(key, 0), as_of_ms))
    return Judgement(
        policy,
        offer,
        as_of_ms,
        portion_of(shared.available, offer.lot),
        _reserve(policy, offer, list(everybody.values()), shared.available),
        shared,
        tuple(rows),
    )


def portion_of(amount: int, lot: int) -> int:
    """Return what is handed out in one step: a lot, or so many that `STEPS_MAX` steps are enough.

    It bounds the work on an offer of a million tiny lots for whoever recomputes the decision.
    """
    return lot * max(1, (amount // lot + STEPS_MAX - 1) // STEPS_MAX)


def score_of(policy: Policy, found: Factors) -> int:
    """Return the weighted sum, 0 to 1,000,000."""
    return sum(map(mul, policy.weights, found))


def _wanted(offer: OfferView, requests: Sequence[RequestView]) -> dict[tuple[bytes, str], int]:
    """Return what each collective lacks of each category, in the offer's unit.

    Taken together, so that nobody gains by cutting a request into many.
    """
    wanted: defaultdict[tuple[bytes, str], int] = defaultdict(int)
    for request in requests:
        if request.unit == offer.unit:
            key = (request.collective, request.category)
            wanted[key] = min(wanted[key] + request.lacking, SUM_MAX)
    return wanted


def _row(
    policy: Policy,
    offer: OfferView,
    shared: Setting,
    request: RequestView,
    collective: CollectiveView,
    wanted: int,
    as_of_ms: int,
) -> Row:
    metres = distance_that_counts(policy, request)
    gates = failed_gates(policy, offer, request, as_of_ms, metres, shared.available, shared.first)
    tie = digest(TIE, policy.id, offer.id, request.id)
    if CATEGORY in gates or UNIT in gates:
        return Row(request, collective, gates, None, None, None, tie)
    measures = measure(policy, shared, request, collective, metres, wanted, as_of_ms)
    found = factors(policy, shared, measures, collective)
    return Row(request, collective, gates, measures, found, score_of(policy, found), tie)


def _reserve(
    policy: Policy, offer: OfferView, everybody: Sequence[CollectiveView], amount: int
) -> int:
    """Return how many base units ecosystems lack of their share, once all of the offer is given.

    At most the whole offer. 0 if the policy has no such floor.
    """
    if "ecology" not in policy.floors:
        return 0
    theirs = total(received_by(each) for each in everybody if each.is_ecosystem)
    all_of_it = total(received_by(each) for each in everybody)
    worth = policy.milli_person_days(offer.category, offer.unit, amount)
    due = scaled_up(all_of_it + worth, policy.ecology_floor_pm, 1_000)
    lacking = min(max(due - theirs, 0), worth)
    return scaled_up(lacking, policy.reference(offer.category, offer.unit), 1_000)
