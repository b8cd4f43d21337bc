"""A whole audit: every decision made once more, and how everybody fared. Spec: section 8.10.

A function of the records that are here, of a time, and perhaps of a policy to compare with; so two
auditors with the same records show the same figures. It goes step by step, since it may take long,
and holds no more than what is open at a time, and some bytes of each record.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Final, NamedTuple

from mycelia_protocol.approvals import approval_of
from mycelia_protocol.archive import Archive
from mycelia_protocol.charter import Charter
from mycelia_protocol.outcomes import MEMBERS, Reckoning, receiver_of
from mycelia_protocol.policies import in_force
from mycelia_protocol.recompute import Finding, Recomputing, deciding_logs
from mycelia_protocol.sharing.audit import Comparison, Difference, Replayed
from mycelia_protocol.sharing.figures import Figures, figures
from mycelia_protocol.sharing.health import Health, health
from mycelia_protocol.sharing.metrics import share_pm
from mycelia_protocol.sharing.policy import URGENCIES, Policy
from mycelia_protocol.state import State
from mycelia_protocol.types.decision import Decided
from mycelia_protocol.types.offer import Offer
from mycelia_protocol.types.parties import sightings_of
from mycelia_protocol.types.party import Party
from mycelia_protocol.types.request import Request

LISTED_MAX: Final = 1_000  # findings of one sort that an audit names; it counts all


@dataclass(frozen=True, slots=True)
class Replay:
    """What another policy would have decided, each time from the view as it was.

    Attributes:
        difference: who would stand first instead, and who gains and loses.
        classes, receivers: worth more or less, in milli-person-days, by class and kind of receiver.
    """

    policy: Policy
    difference: Difference
    classes: Mapping[str, int]
    receivers: Mapping[str, int]


@dataclass(slots=True)
class Findings:
    """Decisions of one sort: how many, and the first of them, without what they were made from."""

    count: int = 0
    first: list[Finding] = field(default_factory=list)

    def add(self, found: Finding) -> None:
        """Count one."""
        self.count += 1
        if len(self.first) < LISTED_MAX:
            self.first.append(found)


@dataclass(slots=True)
class Decisions:
    """What came of making all decisions once more.

    Attributes:
        count: how many there are.
        wrong: those that don't recompute though all is here.
        omitting: how many of these leave somebody out.
        superseded: how many of these follow a policy that was no longer in force.
        unknown: those whose view is not all here.
        overridden: those that a person decided otherwise.
        unapproved: ids of these for which nobody but their author says that it was approved.
        notable_count: how many are of one of these sorts.
    """

    count: int = 0
    wrong: Findings = field(default_factory=Findings)
    omitting: int = 0
    superseded: int = 0
    unknown: Findings = field(default_factory=Findings)
    overridden: Findings = field(default_factory=Findings)
    unapproved: frozenset[bytes] = frozenset()
    notable_count: int = 0

    def add(self, found: Finding) -> Finding | None:
        """Count a decision; return it if somebody should look at it."""
        self.count += 1
        bare = replace(found, again=None, inputs=None, otherwise=None)
        if found.missing:
            self.unknown.add(bare)
        elif not found.recomputes:
            self.wrong.add(bare)
            self.omitting += bool(found.omitted)
            self.superseded += found.is_superseded
        if found.override is not None:
            self.overridden.add(bare)
        if found.recomputes and found.override is None:
            return None
        self.notable_count += 1
        return bare

    @property
    def overridden_pm(self) -> int | None:
        """Of all decisions, those that a person made otherwise."""
        return share_pm(self.overridden.count, self.count)

    def notable(self) -> list[Finding]:
        """Return those that are named, each once, of each sort by id."""
        sorts = (self.wrong, self.unknown, self.overridden)
        ordered = (sorted(some.first, key=lambda each: each.decision) for some in sorts)
        return list({each.decision: each for each in chain(*ordered)}.values())


@dataclass(frozen=True, slots=True)
class Audit:
    """What an audit found.

    Attributes:
        commons: its name.
        policy: the one in force at the end, by which things are worth something.
        names: what collectives and parties call themselves, by id.
        receivers: what kind of receiver each of them is, in words.
    """

    commons: str
    as_of_ms: int
    policy: Policy
    names: Mapping[bytes, str]
    receivers: Mapping[bytes, str]
    figures: Figures
    health: Mapping[bytes, Health]
    decisions: Decisions
    replay: Replay | None = None


class Progress(NamedTuple):
    """How far an audit is.

    Attributes:
        stage: what is gone through: `decisions`, then `things`, which are offers and requests.
        found: a decision that somebody should look at.
    """

    stage: str
    done: int
    total: int
    found: Finding | None = None


class Auditor:
    """Goes over a history once.

    Args:
        charter: of the commons.
        archive: all records that are here.
        as_of_ms: the time for which figures are told.
        other: a policy to compare with.
    """

    def __init__(
        self, charter: Charter, archive: Archive, as_of_ms: int, other: Policy | None = None
    ) -> None:
        self._charter: Final = charter
        self._archive: Final = archive
        self._as_of_ms: Final = as_of_ms
        self._other: Final = other
        self._audit: Audit | None = None

    @property
    def audit(self) -> Audit:
        """What came out, once `steps` is done."""
        assert self._audit is not None
        return self._audit

    def steps(self) -> Iterator[Progress]:
        """Make one decision after another once more, and add up what became of everything."""
        charter, archive, other = self._charter, self._archive, self._other
        again = Recomputing(charter, archive, deciding_logs(archive), other)
        decisions, replays = Decisions(), _Replays()
        total, overridden = archive.count_of("decision"), set[bytes]()
        for found in again.findings():
            notable = decisions.add(found)
            if found.override is not None:
                overridden.add(found.decision)
            replays.add(found)
            yield Progress("decisions", decisions.count, total, notable)
        state = again.state()
        decisions.unapproved = frozenset(each for each in overridden if _is_unapproved(state, each))
        policy = in_force(state)
        reckoning = Reckoning(state, policy, self._as_of_ms, overridden)
        things = sorted(
            (*archive.of_kind("offer"), *archive.of_kind("request")),
            key=lambda position: (archive.written_s[position], position),
        )  # so that what belongs together is read together
        for done, position in enumerate(things, 1):
            record = archive.id_at(position)
            if (offer := state.find(record, Offer)) is not None:
                reckoning.look_at_offer(offer)
            if (request := state.find(record, Request)) is not None:
                reckoning.look_at_request(request)
            yield Progress("things", done, len(things))
        self._audit = self._summary(state, policy, reckoning, decisions, replays)

    def _summary(
        self,
        state: State,
        policy: Policy,
        reckoning: Reckoning,
        decisions: Decisions,
        replays: "_Replays",
    ) -> Audit:
        parties = state.every(Party)
        profiles = ((key, state.profile(key)) for key in state.roster())
        names = {key: profile.name for key, profile in profiles if profile is not None}
        names |= {party.id: party.body.name for party in parties}
        everybody = [*state.roster(), *(party.id for party in parties)]
        receivers = {each: receiver_of(state, each) for each in everybody}
        living = [party for party in parties if party.body.form == "ecosystem"]
        return Audit(
            self._charter.name,
            self._as_of_ms,
            policy,
            names,
            receivers,
            figures(reckoning.outcomes()),
            {each.id: health(sightings_of(state, each), self._as_of_ms) for each in living},
            decisions,
            None if self._other is None else replays.replay(self._other, receivers),
        )


def _is_unapproved(state: State, record: bytes) -> bool:
    decision = state.find(record, Decided)
    return decision is None or approval_of(state, decision) is None


class _Replays:
    """Adds up what another policy would have decided."""

    def __init__(self) -> None:
        self._comparison = Comparison()
        self._classes: Counter[str] = Counter()

    def add(self, found: Finding) -> None:
        """Count a decision that was also made by the other policy."""
        inputs, again, otherwise = found.inputs, found.again, found.otherwise
        if inputs is None or again is None or otherwise is None:
            return
        offer, requests = inputs.offer, {each.id: each for each in inputs.requests}
        before, first = again.grants, again.winner and again.winner.collective
        override = found.override
        if override is not None and override.chosen in requests:
            before = ((override.chosen, override.quantity),)
            first = requests[override.chosen].collective
        sums = []
        for sign, grants in ((-1, before), (1, otherwise.grants)):
            worths: Counter[bytes] = Counter()
            for request, quantity in grants:
                worth = inputs.policy.milli_person_days(offer.category, offer.unit, quantity)
                who = requests[request].collective
                worths[who] += worth
                self._classes[requests[request].urgency] += sign * worth
            sums.append(tuple(sorted(worths.items())))
        after = otherwise.winner and otherwise.winner.collective
        self._comparison.add(Replayed(first, after, *sums))

    def replay(self, policy: Policy, receivers: Mapping[bytes, str]) -> Replay:
        """Return what came out, with what kind of receiver everybody is."""
        difference, by_receiver = self._comparison.difference(), Counter[str]()
        for who, gain in difference.gains:
            by_receiver[receivers.get(who, MEMBERS)] += gain
        return Replay(
            policy,
            difference,
            {name: self._classes[name] for name in URGENCIES},
            {name: by_receiver[name] for name in sorted(set(receivers.values()))},
        )
