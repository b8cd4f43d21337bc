"""What an audit counts, and what it tells. Spec: section 8.10.2, MET-3, MET-4.

A caller makes the outcomes from records; nothing here knows where they came from. `tally.py` adds
them up. Worth is in milli-person-days, by the policy in force.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from mycelia_protocol.sharing.metrics import share_pm


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
