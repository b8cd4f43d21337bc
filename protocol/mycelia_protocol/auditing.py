"""A whole audit: every decision made once more, and how everybody fared. Spec: section 8.10.

A function of the records that are here, of a time, and perhaps of a policy to compare with; so two
auditors with the same records show the same figures. It goes step by step, since it may take long.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from mycelia_protocol.charter import Charter
from mycelia_protocol.horizon import LogKey, Logs
from mycelia_protocol.outcomes import MEMBERS, outcomes_of, receiver_of
from mycelia_protocol.policies import in_force
from mycelia_protocol.recompute import Finding, deciding_logs, recompute_all
from mycelia_protocol.sharing.audit import Comparison, Difference, Replayed
from mycelia_protocol.sharing.figures import Figures, figures
from mycelia_protocol.sharing.health import Health, health
from mycelia_protocol.sharing.metrics import share_pm
from mycelia_protocol.sharing.policy import URGENCIES, Policy
from mycelia_protocol.state import State
from mycelia_protocol.types.parties import sightings_of
from mycelia_protocol.types.party import Party


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
class Audit:
    """What an audit found.

    Attributes:
        commons: its name.
        policy: the one in force at the end, by which things are worth something.
        decisions: how many there are.
        wrong: those that don't recompute though all is here, without what they were made from.
        unknown: those whose view is not all here.
        overridden: those that a person decided otherwise.
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
    decisions: int = 0
    wrong: list[Finding] = field(default_factory=list)
    unknown: list[Finding] = field(default_factory=list)
    overridden: list[Finding] = field(default_factory=list)
    replay: Replay | None = None

    @property
    def overridden_pm(self) -> int | None:
        """Of all decisions, those that a person made otherwise."""
        return share_pm(len(self.overridden), self.decisions)


class Auditor:
    """Goes over a history once; `audit` has what came out when `steps` is done.

    Args:
        charter: of the commons.
        logs: all records that are here, by log, from seq 0 on without a gap.
        as_of_ms: the time for which figures are told.
        other: a policy to compare with.
    """

    def __init__(
        self, charter: Charter, logs: Logs, as_of_ms: int, other: Policy | None = None
    ) -> None:
        self._logs: Final = logs
        self._charter: Final = charter
        self._other: Final = other
        self.audit: Final = _look(_folded(charter, logs), as_of_ms)

    def steps(self) -> Iterator[int]:
        """Make one decision after another once more; yield how many are done."""
        audit, replays = self.audit, _Replays(self.audit.receivers)
        keys: list[LogKey] = deciding_logs(self._logs)
        for found in recompute_all(self._charter, self._logs, keys, self._other):
            audit.decisions += 1
            bare = replace(found, again=None, inputs=None, otherwise=None)
            if found.missing:
                audit.unknown.append(bare)
            elif not found.recomputes:
                audit.wrong.append(bare)
            if found.override is not None:
                audit.overridden.append(bare)
            replays.add(found)
            yield audit.decisions
        for some in (audit.wrong, audit.unknown, audit.overridden):
            some.sort(key=lambda each: each.decision)
        if self._other is not None:
            audit.replay = replays.replay(self._other)


def _folded(charter: Charter, logs: Logs) -> State:
    """Return the state of all records."""
    state = State(charter)
    for key in sorted(logs):
        for record in logs[key]:
            state.add(record)
    return state


def _look(state: State, as_of_ms: int) -> Audit:
    """Return what a state says of how everybody fared; the state itself is large, and let go."""
    policy, parties = in_force(state), state.every(Party)
    profiles = ((key, state.profile(key)) for key in state.roster())
    names = {key: profile.name for key, profile in profiles if profile is not None}
    names |= {party.id: party.body.name for party in parties}
    everybody = [*state.roster(), *(party.id for party in parties)]
    living = [party for party in parties if party.body.form == "ecosystem"]
    return Audit(
        state.charter.name,
        as_of_ms,
        policy,
        names,
        {each: receiver_of(state, each) for each in everybody},
        figures(outcomes_of(state, policy, as_of_ms)),
        {party.id: health(sightings_of(state, party), as_of_ms) for party in living},
    )


class _Replays:
    """Adds up what another policy would have decided."""

    def __init__(self, receivers: Mapping[bytes, str]) -> None:
        self._of = receivers
        self._comparison = Comparison()
        self._classes: Counter[str] = Counter()
        self._receivers: Counter[str] = Counter()

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
                self._receivers[self._of.get(who, MEMBERS)] += sign * worth
            sums.append(tuple(sorted(worths.items())))
        after = otherwise.winner and otherwise.winner.collective
        self._comparison.add(Replayed(first, after, *sums))

    def replay(self, policy: Policy) -> Replay:
        """Return what came out."""
        classes = {name: self._classes[name] for name in URGENCIES}
        receivers = {name: self._receivers[name] for name in sorted(set(self._of.values()))}
        return Replay(policy, self._comparison.difference(), classes, receivers)
