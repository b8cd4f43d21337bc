"""What became of requests, grants and offers: what an audit counts, out of a state. Spec: 8.10.5.

A function of the records, of a policy, by which unlike things are added up, and of a time.
"""

from collections import Counter, defaultdict
from collections.abc import Collection
from typing import Final

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
from mycelia_protocol.types.promises import grant_state, grants_to, holdings_of, times_of
from mycelia_protocol.types.request import Request
from mycelia_protocol.types.withdraw import first_withdrawal

AREA_E7 = 1_000_000  # a tenth of a degree, about 11 km: groups of neighbours, not of streets
MEMBERS, PEOPLE, LIVING = "members", "people without a node", "living places"
NOWHERE = "no place told"


class Reckoning:
    """Adds up what became of everything, offer by offer and request by request.

    Args:
        state: of all records that are here.
        policy: by which things are worth something.
        as_of_ms: what has expired then has expired; the window ends there.
        overridden: the decisions that name an override; None if each has to be looked at.
        into: what is added to.
    """

    def __init__(
        self,
        state: State,
        policy: Policy,
        as_of_ms: int,
        overridden: Collection[bytes] | None = None,
        into: Outcomes | None = None,
    ) -> None:
        self._state: Final = state
        self._policy: Final = policy
        self._as_of_ms: Final = as_of_ms
        self._overridden: Final = overridden
        self._found: Final = Outcomes() if into is None else into
        self._receivers: Final = _Groups()
        self._areas: Final = _Groups()
        self._received: Final[Counter[bytes]] = Counter()  # in the window

    def look_at_offer(self, offer: Statement[Offer]) -> None:
        """Count an offer."""
        outcome = _offer(self._state, self._policy, offer, self._as_of_ms)
        if outcome is not None:
            self._found.offers.add(outcome)

    def look_at_request(self, request: Statement[Request]) -> None:
        """Count a request, and what was granted to it."""
        state, policy = self._state, self._policy
        found = ((grant, delivery_of(state, grant)) for grant in grants_to(state, request.id))
        deliveries = [(grant, had) for grant, had in found if had is not None]
        if not deliveries and first_withdrawal(state, request) is not None:
            self._found.withdrawn += 1
            return
        outcome = _request(state, policy, request, [had for _, had in deliveries])
        self._found.requests.add(outcome)
        self._receivers.add(receiver_of(state, outcome.collective), outcome)
        self._areas.add(_area(request), outcome)
        for grant, had in deliveries:
            self._look_at_grant(grant, had)

    def outcomes(self) -> Outcomes:
        """Return what was found so far."""
        self._found.groups = {"receivers": self._receivers.pairs(), "areas": self._areas.pairs()}
        self._found.had = {
            who: had_per_member(
                CollectiveView(who, members, min(self._received[who], RECEIVED_MAX)), 0
            )
            for who, members, _ in everybody(self._state)
        }
        return self._found

    def _look_at_grant(self, grant: Statement[Grant], had: Delivery) -> None:
        state, policy = self._state, self._policy
        approver = _approver(state, grant, self._overridden)
        self._found.grants.add(_grant(state, policy, grant, had, self._as_of_ms, approver))
        if had.handed_ms > window_begin(policy, self._as_of_ms):
            worth = policy.milli_person_days(had.category, had.unit, had.quantity)
            self._received[had.who] += worth


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
    state: State,
    policy: Policy,
    grant: Statement[Grant],
    had: Delivery,
    as_of_ms: int,
    approver: bytes | None,
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
        approver=approver,
        is_confirmed=is_recent or None not in (became.handed, became.received),
        is_rescue=left_ms is not None and left_ms <= policy.rescue_horizon_s * 1_000,
        is_ecosystem=receiver_of(state, had.who) == LIVING,
    )


def _approver(
    state: State, grant: Statement[Grant], overridden: Collection[bytes] | None
) -> bytes | None:
    """Return who approved that a person decided otherwise, None if nobody did."""
    for ref in grant.refs[2:]:
        is_possible = overridden is None or ref in overridden
        decision = state.find(ref, Decided) if is_possible else None
        if decision is not None and decision.body.override is not None:
            return decision.body.override.approver
    return None


def _offer(
    state: State, policy: Policy, offer: Statement[Offer], as_of_ms: int
) -> OfferOutcome | None:
    """Return what became of an offer; None if there is no amount of it that can spoil."""
    body = offer.body
    if body.inexhaustible or body.terms == "lend":
        return None
    left = 0
    if is_past(times_of(state, offer).expires_ms, as_of_ms):
        where = holdings_of(state, offer.id)
        left = where.free + where.escrow
    return OfferOutcome(
        policy.milli_person_days(body.category, body.unit, account_of(state, offer.id).supply),
        policy.milli_person_days(body.category, body.unit, left),
    )
