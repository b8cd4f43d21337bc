"""Adding up what became of requests, grants and offers, one at a time. Spec: section 8.10.2.

A caller makes the outcomes from records; nothing here knows where they came from, and none is kept
but for the waits, of which a median is told. All sums stop at `AUDIT_SUM_MAX`.
"""

from array import array
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator

from mycelia_protocol.limits import AUDIT_SUM_MAX, MASS_MAX_G, METRES_MAX
from mycelia_protocol.sharing.audit import (
    Flow,
    GrantOutcome,
    OfferOutcome,
    RequestOutcome,
    Served,
)
from mycelia_protocol.sharing.exact import median, scaled
from mycelia_protocol.sharing.metrics import share_pm
from mycelia_protocol.sharing.policy import URGENCIES


class _Fared:
    """How some requests fared."""

    def __init__(self) -> None:
        self.count = 0
        self.met = 0
        self.worth = 0
        self.worth_served = 0
        self.waits = array("q")

    def add(self, outcome: RequestOutcome) -> None:
        self.count += 1
        self.met += outcome.served >= outcome.wanted
        self.worth += outcome.worth
        self.worth_served += outcome.worth_served
        if outcome.waited_s is not None:
            self.waits.append(outcome.waited_s)

    def take(self, other: "_Fared") -> None:
        self.count += other.count
        self.met += other.met
        self.worth += other.worth
        self.worth_served += other.worth_served
        self.waits.extend(other.waits)


class RequestTally:
    """How requests fared: of each collective, of each urgency class, and all."""

    def __init__(self, outcomes: Iterable[RequestOutcome] = ()) -> None:
        self._fared: dict[bytes, dict[str, _Fared]] = defaultdict(lambda: defaultdict(_Fared))
        for outcome in outcomes:
            self.add(outcome)

    def add(self, outcome: RequestOutcome) -> None:
        """Count a request."""
        self._fared[outcome.collective][outcome.urgency].add(outcome)

    def collectives(self) -> list[bytes]:
        """Return who asked for something, by key."""
        return sorted(self._fared)

    def served(self, collective: bytes | None = None, urgency: str | None = None) -> Served:
        """Return how the requests of a collective and of a class fared; of all if None is named."""
        found = _Fared()
        for each in self._some(collective, urgency):
            found.take(each)
        return Served(
            found.count,
            share_pm(found.met, found.count),
            share_pm(_capped(found.worth_served), _capped(found.worth)),
            median(found.waits),
        )

    def classes(self, collective: bytes | None = None) -> dict[str, Served]:
        """Return how each urgency class fared, in the order of urgency; none is left out."""
        return {name: self.served(collective, name) for name in URGENCIES}

    def mix(self, collective: bytes) -> dict[str, int]:
        """Return how a collective's requests fall into classes, per mille."""
        counts = {name: each.count for name, each in self._fared[collective].items()}
        whole = sum(counts.values())
        return {name: counts.get(name, 0) * 1_000 // whole for name in URGENCIES}

    def _some(self, collective: bytes | None, urgency: str | None) -> Iterator[_Fared]:
        for who in self.collectives() if collective is None else [collective]:
            for name, fared in self._fared[who].items():
                if urgency in (None, name):
                    yield fared


class GrantTally:
    """What grants moved, for whom, and how many were not decided by the policy."""

    def __init__(self, outcomes: Iterable[GrantOutcome] = ()) -> None:
        self._sums: Counter[str] = Counter()
        self._approvers: Counter[bytes] = Counter()
        for outcome in outcomes:
            self.add(outcome)

    def add(self, outcome: GrantOutcome) -> None:
        """Count a grant."""
        grams = min(outcome.grams, MASS_MAX_G)
        moved, sums = grams * min(outcome.metres, METRES_MAX), self._sums
        sums["count"] += 1
        sums["grams"] += grams
        sums["kg_km"] += moved // 1_000_000
        sums["carbon_g"] += scaled(moved, outcome.carbon_factor, 1_000_000_000) // 1_000
        sums["worth"] += outcome.worth
        sums["ecosystem"] += outcome.worth if outcome.is_ecosystem else 0
        sums["rescue"] += outcome.worth if outcome.is_rescue else 0
        sums["unconfirmed"] += not outcome.is_confirmed
        if outcome.approver is not None:
            self._approvers[outcome.approver] += 1

    def flow(self) -> Flow:
        """Return what came out."""
        sums = {name: _capped(value) for name, value in self._sums.items()}
        count, worth, kg = sums.get("count", 0), sums.get("worth", 0), sums.get("grams", 0) // 1_000
        kg_km, carbon_g = sums.get("kg_km", 0), sums.get("carbon_g", 0)
        return Flow(
            kg,
            kg_km,
            carbon_g,
            kg_km * 1_000 // kg if kg else None,
            carbon_g * 1_000 // kg if kg else None,
            share_pm(sums.get("ecosystem", 0), worth),
            share_pm(sums.get("rescue", 0), worth),
            share_pm(self._approvers.total(), count),
            share_pm(sums.get("unconfirmed", 0), count),
            tuple(sorted(self._approvers.items())),
        )


class OfferTally:
    """How much of what was offered expired."""

    def __init__(self, outcomes: Iterable[OfferOutcome] = ()) -> None:
        self._worth = 0
        self._expired = 0
        for outcome in outcomes:
            self.add(outcome)

    def add(self, outcome: OfferOutcome) -> None:
        """Count an offer."""
        self._worth += outcome.worth
        self._expired += outcome.worth_expired

    def expired_pm(self) -> int | None:
        """Return how much expired, per mille of its worth."""
        return share_pm(_capped(self._expired), _capped(self._worth))


def _capped(value: int) -> int:
    return min(value, AUDIT_SUM_MAX)
