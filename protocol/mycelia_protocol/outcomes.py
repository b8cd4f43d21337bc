"""What became of requests, grants and offers: what an audit counts, out of a state. Spec: 8.10.5.

A function of the records, of a policy, by which unlike things are added up, and of a time.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator

from mycelia_protocol.gather import Delivery, delivery_of, everybody, metres_of, window_begin
from mycelia_protocol.limits import AUDIT_SUM_MAX, RECEIVED_MAX, UNCONFIRMED_AFTER_MS
from mycelia_protocol.purses import is_past
from mycelia_protocol.sharing.audit import GrantOutcome, OfferOutcome, RequestOutcome
from mycelia_protocol.sharing.factors import had_per_member
from mycelia_protocol.sharing.figures import Outcomes
from mycelia_protocol.sharing.policy import Policy
from mycelia_protocol.sharing.views import CollectiveView
from mycelia_protocol.state import State
from mycelia_protocol.types.accounts import account_of, offer_of
from mycelia_protocol.types.base import Statement
from mycelia_protocol.types.decision import Decided
from mycelia_protocol.types.grant import Grant
from mycelia_protocol.types.offer import Offer
from mycelia_protocol.types.parties import side_of
from mycelia_protocol.types.party import Party
from mycelia_protocol.types.promises import grant_state, holdings_of, times_of
from mycelia_protocol.types.request import Request
from mycelia_protocol.types.withdraw import first_withdrawal

AREA_E7 = 1_000_000  # a tenth of a degree, about 11 km: groups of neighbours, not of streets
MEMBERS, PEOPLE, LIVING = "members", "people without a node", "living places"
NOWHERE = "no place told"


def outcomes_of(state: State, policy: Policy, as_of_ms: int) -> Outcomes:
    """Return what became of everything.

    Args:
        state: of all records that are here.
        policy: by which things are worth something.
        as_of_ms: what has expired then has expired; the window ends there.
    """
    grants = {grant.id: grant for grant in state.every(Grant)}
    found = ((grant, delivery_of(state, grants[grant])) for grant in grants)
    deliveries = {grant: had for grant, had in found if had is not None}
    by_request = defaultdict[bytes, list[Delivery]](list)
    for grant, had in deliveries.items():
        by_request[grants[grant].refs[1]].append(had)
    requests, withdrawn = list[RequestOutcome](), 0
    receivers, areas = _Groups(), _Groups()
    for request in state.every(Request):
        had_here = by_request.get(request.id, [])
        if not had_here and first_withdrawal(state, request) is not None:
            withdrawn += 1
            continue
        requests.append(_request(state, policy, request, had_here))
        receivers.add(receiver_of(state, requests[-1].collective), requests[-1])
        areas.add(_area(request), requests[-1])
    handed = [
        _grant(state, policy, grants[each], deliveries[each], as_of_ms) for each in deliveries
    ]
    return Outcomes(
        requests=tuple(requests),
        withdrawn=withdrawn,
        grants=tuple(handed),
        offers=tuple(_offers(state, policy, as_of_ms)),
        groups={"receivers": receivers.pairs(), "areas": areas.pairs()},
        had=_had(state, policy, deliveries.values(), as_of_ms),
    )


class _Groups:
    """Adds up what was served and what was wanted, by group."""

    def __init__(self) -> None:
        self._sums = defaultdict[str, list[int]](lambda: [0, 0])

    def add(self, group: str, outcome: RequestOutcome) -> None:
        """Count a request."""
        self._sums[group][0] += outcome.worth_served
        self._sums[group][1] += outcome.worth

    def pairs(self) -> dict[str, tuple[int, int]]:
        """Return (served, wanted) of each group, by name."""
        sums = sorted(self._sums.items())
        return {
            name: (min(served, AUDIT_SUM_MAX), min(wanted, AUDIT_SUM_MAX))
            for name, (served, wanted) in sums
        }


def _request(
    state: State, policy: Policy, request: Statement[Request], had: list[Delivery]
) -> RequestOutcome:
    body, who = request.body, side_of(state, request)
    served = min(sum(each.quantity for each in had), body.quantity)
    first_ms = min((each.handed_ms for each in had), default=None)
    return RequestOutcome(
        collective=who,
        urgency=body.urgency,
        wanted=body.quantity,
        served=served,
        worth=policy.milli_person_days(body.category, body.unit, body.quantity),
        worth_served=policy.milli_person_days(body.category, body.unit, served),
        waited_s=None if first_ms is None else max(first_ms - request.time_ms, 0) // 1_000,
    )


def receiver_of(state: State, who: bytes) -> str:
    """Return what kind of receiver somebody is, in words."""
    party = state.find(who, Party)
    if party is None:
        return MEMBERS
    return LIVING if party.body.form == "ecosystem" else PEOPLE


def _area(request: Statement[Request]) -> str:
    """Return the corner of the area in which a request is, in tenths of a degree."""
    place = request.body.place
    if place is None:
        return NOWHERE
    north, east = place.lat_e7 // AREA_E7, place.lon_e7 // AREA_E7
    return f"{_tenths(north)}/{_tenths(east)}"


def _tenths(value: int) -> str:
    return f"{'-' if value < 0 else ''}{abs(value) // 10}.{abs(value) % 10}"


def _grant(
    state: State, policy: Policy, grant: Statement[Grant], had: Delivery, as_of_ms: int
) -> GrantOutcome:
    offer, request = offer_of(state, grant), state.find(grant.refs[1], Request)
    assert offer is not None  # else nothing was handed over
    assert request is not None
    became, expires_ms = grant_state(state, grant.id), times_of(state, offer).expires_ms
    metres = metres_of(offer, request)
    is_recent = as_of_ms - had.handed_ms < UNCONFIRMED_AFTER_MS
    left_ms = None if expires_ms is None else expires_ms - had.handed_ms
    return GrantOutcome(
        worth=policy.milli_person_days(had.category, had.unit, had.quantity),
        grams=had.quantity * policy.grams(had.category, had.unit) // 1_000,
        metres=policy.distance_unknown_m if metres is None else metres,
        carbon_factor=policy.carbon_factor(offer.body.carrier),
        approver=_approver(state, grant),
        is_confirmed=is_recent or None not in (became.handed, became.received),
        is_rescue=left_ms is not None and left_ms <= policy.rescue_horizon_s * 1_000,
        is_ecosystem=receiver_of(state, had.who) == LIVING,
    )


def _approver(state: State, grant: Statement[Grant]) -> bytes | None:
    """Return who approved that a person decided otherwise, None if nobody did."""
    for ref in grant.refs[2:]:
        decision = state.find(ref, Decided)
        if decision is not None and decision.body.override is not None:
            return decision.body.override.approver
    return None


def _offers(state: State, policy: Policy, as_of_ms: int) -> Iterator[OfferOutcome]:
    """Yield what became of offers of which there is an amount that can spoil."""
    for offer in state.every(Offer):
        body = offer.body
        if body.inexhaustible or body.terms == "lend":
            continue
        left = 0
        if is_past(times_of(state, offer).expires_ms, as_of_ms):
            where = holdings_of(state, offer.id)
            left = where.free + where.escrow
        supply = account_of(state, offer.id).supply
        yield OfferOutcome(
            policy.milli_person_days(body.category, body.unit, supply),
            policy.milli_person_days(body.category, body.unit, left),
        )


def _had(
    state: State, policy: Policy, deliveries: Iterable[Delivery], as_of_ms: int
) -> dict[bytes, int]:
    """Return what each collective had in the window, per member (8.8.3)."""
    since_ms, received = window_begin(policy, as_of_ms), defaultdict[bytes, int](int)
    for had in deliveries:
        if had.handed_ms > since_ms:
            received[had.who] += policy.milli_person_days(had.category, had.unit, had.quantity)
    return {
        who: had_per_member(CollectiveView(who, members, min(received[who], RECEIVED_MAX)), 0)
        for who, members, _ in everybody(state)
    }
