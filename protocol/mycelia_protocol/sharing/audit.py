"""What an audit counts, over a list of what became of things. Spec: section 8.10.2, MET-3, MET-4.

A caller makes the outcomes from records; nothing here knows where they came from. All sums stop at
`AUDIT_SUM_MAX`. Worth is in milli-person-days, by the policy in force.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from mycelia_protocol.limits import AUDIT_SUM_MAX, MASS_MAX_G, METRES_MAX
from mycelia_protocol.sharing.exact import median, scaled, total
from mycelia_protocol.sharing.metrics import share_pm
from mycelia_protocol.sharing.policy import URGENCIES


@dataclass(frozen=True, slots=True)
class RequestOutcome:
    """What became of a request.

    Attributes:
        collective: who asked.
        urgency: the class that was declared.
        wanted: what was asked for, in base units.
        served: what was received of it.
        worth: of what was asked for, in milli-person-days.
        worth_served: of what was received.
        waited_s: from the first posting to the first receipt, None if there was none.
    """

    collective: bytes
    urgency: str
    wanted: int
    served: int
    worth: int
    worth_served: int
    waited_s: int | None


@dataclass(frozen=True, slots=True)
class GrantOutcome:
    """What became of a grant that was handed over.

    Attributes:
        worth: in milli-person-days.
        grams: what was moved.
        metres: how far.
        carbon_factor: mg CO2e per tonne and km.
        approver: who approved that a person decided otherwise; None if nobody did.
        is_confirmed: whether both sides said so.
        is_rescue: whether it would have spoilt within the policy's horizon.
        is_ecosystem: whether it was for a living place.
    """

    worth: int
    grams: int
    metres: int
    carbon_factor: int
    approver: bytes | None = None
    is_confirmed: bool = True
    is_rescue: bool = False
    is_ecosystem: bool = False


@dataclass(frozen=True, slots=True)
class OfferOutcome:
    """What became of an offer: its worth, and how much of that expired before it was given."""

    worth: int
    worth_expired: int


@dataclass(frozen=True, slots=True)
class Checked:
    """A decision that somebody recomputed.

    Attributes:
        decision: id of its record.
        recomputes: whether the same came out.
        omitted: requests that were open in its view and are not in it.
        is_superseded: whether its author's own log shows that it had seen a later policy before.
    """

    decision: bytes
    recomputes: bool
    omitted: tuple[bytes, ...] = ()
    is_superseded: bool = False


@dataclass(frozen=True, slots=True)
class Faults:
    """Decisions that are not as they should be, by id; each of the three must be empty."""

    mismatching: tuple[bytes, ...]
    omitting: tuple[bytes, ...]
    superseded: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Served:
    """How the requests of one urgency class, or of one collective, fared.

    Attributes:
        count: requests.
        met_pm: of them served in full.
        worth_pm: of what they were worth, served.
        wait_s: median of those that received something.
    """

    count: int
    met_pm: int | None
    worth_pm: int | None
    wait_s: int | None


@dataclass(frozen=True, slots=True)
class Flow:
    """What grants moved, and at what price.

    Attributes:
        kg, kg_km: mass, and mass times distance.
        carbon_g: CO2e.
        metres_per_kg: mean way of a kilogram.
        carbon_mg_per_kg: CO2e of a kilogram.
        ecosystem_pm: of the worth, to living places.
        rescue_pm: of the worth, saved from spoiling.
        override_pm: of the grants, decided otherwise by a person.
        unconfirmed_pm: of the grants, with a receipt of one side alone.
        approvers: who approved how many overrides, by key.
    """

    kg: int
    kg_km: int
    carbon_g: int
    metres_per_kg: int | None
    carbon_mg_per_kg: int | None
    ecosystem_pm: int | None
    rescue_pm: int | None
    override_pm: int | None
    unconfirmed_pm: int | None
    approvers: tuple[tuple[bytes, int], ...]


@dataclass(frozen=True, slots=True)
class Replayed:
    """One decision under two policies: who stood first, and who got how much worth."""

    before: bytes | None
    after: bytes | None
    worth_before: tuple[tuple[bytes, int], ...]
    worth_after: tuple[tuple[bytes, int], ...]


@dataclass(frozen=True, slots=True)
class Difference:
    """What another policy would have changed.

    Attributes:
        changed: decisions in which somebody else stands first.
        changed_pm: of all.
        gains: for each collective what it gets more, below 0 if less, in milli-person-days; by key,
            without those for whom nothing changes.
    """

    changed: int
    changed_pm: int | None
    gains: tuple[tuple[bytes, int], ...]


def served_by_class(outcomes: Iterable[RequestOutcome]) -> dict[str, Served]:
    """Return how each urgency class fared, in the order of urgency; none is left out."""
    by_class = defaultdict[str, list[RequestOutcome]](list)
    for outcome in outcomes:
        by_class[outcome.urgency].append(outcome)
    return {name: served(by_class[name]) for name in URGENCIES}


def by_collective(outcomes: Iterable[RequestOutcome]) -> dict[bytes, list[RequestOutcome]]:
    """Return the outcomes of each collective that asked for something, by key."""
    found = defaultdict[bytes, list[RequestOutcome]](list)
    for outcome in outcomes:
        found[outcome.collective].append(outcome)
    return dict(sorted(found.items()))


def served(outcomes: Sequence[RequestOutcome]) -> Served:
    """Return how some requests fared."""
    met = sum(each.served >= each.wanted for each in outcomes)
    return Served(
        len(outcomes),
        share_pm(met, len(outcomes)),
        share_pm(
            total((each.worth_served for each in outcomes), AUDIT_SUM_MAX),
            total((each.worth for each in outcomes), AUDIT_SUM_MAX),
        ),
        median([each.waited_s for each in outcomes if each.waited_s is not None]),
    )


def urgency_mix(outcomes: Iterable[RequestOutcome]) -> dict[bytes, dict[str, int]]:
    """Return for each collective, by key, how its requests fall into classes, per mille."""
    counts = defaultdict[bytes, Counter[str]](Counter)
    for outcome in outcomes:
        counts[outcome.collective][outcome.urgency] += 1
    return {
        collective: {
            name: counts[collective][name] * 1_000 // counts[collective].total()
            for name in URGENCIES
        }
        for collective in sorted(counts)
    }


def flow(outcomes: Sequence[GrantOutcome]) -> Flow:
    """Return what grants moved, for whom, and how many were not decided by the policy."""
    moved = [min(each.grams, MASS_MAX_G) * min(each.metres, METRES_MAX) for each in outcomes]
    kg = total((min(each.grams, MASS_MAX_G) for each in outcomes), AUDIT_SUM_MAX) // 1_000
    kg_km = total((each // 1_000_000 for each in moved), AUDIT_SUM_MAX)
    carbon_g = total(
        (
            scaled(each, outcome.carbon_factor, 1_000_000_000) // 1_000
            for each, outcome in zip(moved, outcomes, strict=True)
        ),
        AUDIT_SUM_MAX,
    )
    worth = _worth(outcomes)
    approvers = Counter(each.approver for each in outcomes if each.approver is not None)
    return Flow(
        kg,
        kg_km,
        carbon_g,
        kg_km * 1_000 // kg if kg else None,
        carbon_g * 1_000 // kg if kg else None,
        share_pm(_worth(each for each in outcomes if each.is_ecosystem), worth),
        share_pm(_worth(each for each in outcomes if each.is_rescue), worth),
        share_pm(approvers.total(), len(outcomes)),
        share_pm(sum(not each.is_confirmed for each in outcomes), len(outcomes)),
        tuple(sorted(approvers.items())),
    )


def expired_pm(outcomes: Sequence[OfferOutcome]) -> int | None:
    """Return how much of what was offered expired, per mille of its worth."""
    return share_pm(
        total((each.worth_expired for each in outcomes), AUDIT_SUM_MAX),
        total((each.worth for each in outcomes), AUDIT_SUM_MAX),
    )


def faults(checked: Iterable[Checked]) -> Faults:
    """Return the decisions that don't recompute, leave somebody out, or follow an old policy."""
    ordered = sorted(checked, key=lambda each: each.decision)
    return Faults(
        tuple(each.decision for each in ordered if not each.recomputes),
        tuple(each.decision for each in ordered if each.omitted),
        tuple(each.decision for each in ordered if each.is_superseded),
    )


def _worth(outcomes: Iterable[GrantOutcome]) -> int:
    return total((each.worth for each in outcomes), AUDIT_SUM_MAX)


class Comparison:
    """Adds up what another policy would have changed, decision by decision."""

    def __init__(self) -> None:
        self._decisions = 0
        self._changed = 0
        self._gains: Counter[bytes] = Counter()

    def add(self, decision: Replayed) -> None:
        """Count a decision."""
        self._decisions += 1
        self._changed += decision.before != decision.after
        for who, worth in decision.worth_after:
            self._gains[who] += worth
        for who, worth in decision.worth_before:
            self._gains[who] -= worth

    def difference(self) -> Difference:
        """Return what came out so far."""
        gains = tuple((who, gain) for who, gain in sorted(self._gains.items()) if gain)
        return Difference(self._changed, share_pm(self._changed, self._decisions), gains)


def compare(decisions: Iterable[Replayed]) -> Difference:
    """Return what another policy would have changed, for those who gain and those who lose."""
    comparison = Comparison()
    for each in decisions:
        comparison.add(each)
    return comparison.difference()
