"""Making decisions once more, from the records that they name. Spec: 8.10.4.

Each view says what its author knew; that is folded, and then the same code decides as at the
author's node. So nothing has to be believed: neither who the candidates were, nor what they scored.
`horizon.py` says in which order, so that states only grow. They are folded over an archive, so that
a history of any length fits into memory.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias, cast

from mycelia_protocol.archive import KIND_NUMBERS, Archive, LogKey, Logs
from mycelia_protocol.archived import ArchiveIndex
from mycelia_protocol.charter import Charter
from mycelia_protocol.gatherer import Gatherer
from mycelia_protocol.horizon import Chain, Chains, Sight
from mycelia_protocol.limits import DECISION_ROWS_MAX
from mycelia_protocol.policies import in_force, is_superseded
from mycelia_protocol.purses import Stock, stock_of
from mycelia_protocol.sharing.change import Inputs
from mycelia_protocol.sharing.decide import Decision, decide
from mycelia_protocol.sharing.policy import Policy
from mycelia_protocol.state import State
from mycelia_protocol.types.base import Statement
from mycelia_protocol.types.decision import Decided, Override, Row, rows_digest, rows_of
from mycelia_protocol.types.grant import Grant


@dataclass(frozen=True, slots=True)
class Finding:
    """What came of making a decision once more.

    Attributes:
        decision, author: ids.
        faults: what is not as it has to be, in words; empty if it recomputes.
        omitted: requests that were open in the view and are not among the rows.
        missing: what of the view is not here, in words; then nothing else can be said.
        again: what should have been decided; None if that can't be said.
        inputs: what it is decided from; None likewise.
        override: what a person decided instead.
        is_superseded: whether it follows a policy whose successor was in its view.
        otherwise: what another policy that was asked about decides from the same view.
    """

    decision: bytes
    author: bytes
    faults: tuple[str, ...] = ()
    omitted: tuple[bytes, ...] = ()
    missing: tuple[str, ...] = ()
    again: Decision | None = None
    inputs: Inputs | None = None
    override: Override | None = None
    is_superseded: bool = False
    otherwise: Decision | None = None

    @property
    def recomputes(self) -> bool:
        """Whether all is known, and the same came out."""
        return not (self.faults or self.omitted or self.missing)


# (decision, faults of its view, its grants, how much of each log is here if not all) -> finding
Name: TypeAlias = tuple[
    bytes, tuple[str, ...], tuple[bytes, ...], tuple[LogKey, ...], tuple[int, ...]
]
Known: TypeAlias = dict[Name, Finding]


DERIVATIONS_MAX: Final = 16_384  # of all chains together; about 10 MiB
REFRESH_AFTER: Final = 4_096  # records, so that what they touch need not be kept for long


def recompute(charter: Charter, logs: Logs, key: LogKey) -> Iterator[Finding]:
    """Yield a finding for each decision of a log, in its order."""
    return Recomputing(charter, Archive.of(logs), [key]).findings()


def deciding_logs(archive: Archive) -> list[LogKey]:
    """Return the logs in which something was decided, in order."""
    return [
        key
        for number, key in enumerate(archive.names)
        if any(archive.of_kind("decision", archive.of_log(number)))
    ]


class Recomputing:
    """Makes the decisions of some logs once more.

    Args:
        charter: of the commons.
        archive: all records that are here.
        keys: authors and logs whose decisions are made once more.
        other: a policy by which they are also made.
        known: what was found in other copies, by the same `other`, to look up and to add to: what
            comes out follows from the records in the view, which its digest names, and the grants.
    """

    def __init__(
        self,
        charter: Charter,
        archive: Archive,
        keys: Sequence[LogKey],
        other: Policy | None = None,
        known: Known | None = None,
    ) -> None:
        self._charter: Final = charter
        self._archive: Final = archive
        self._other: Final = other
        self._known: Final = known
        self._chains: Final = Chains(archive, keys)
        self._views: Final[dict[Chain, _View]] = {}

    def findings(self) -> Iterator[Finding]:
        """Yield a finding for each decision, those that were made from least first."""
        known = self._known
        for sight, chain in self._chains.sights():
            decision = self._decision(sight)
            if chain is None:
                yield _unknown(sight, decision, sight.missing)
                continue
            grants = self._grants(sight, decision)
            if known is None:
                yield self._view_of(chain).look(sight, decision, grants)
                continue
            name = self._name(sight, decision, grants)
            if name not in known:
                known[name] = self._view_of(chain).look(sight, decision, grants)
            yield known[name]

    def state(self) -> State:
        """Return the state of all records; ends what can be found."""
        views = self._views.values()
        largest = max(views, key=lambda each: each.folded, default=None)
        view = largest or _View(self._charter, self._archive, None)
        self._views.clear()
        view.widen(self._archive.lengths)
        return view.state

    def _view_of(self, chain: Chain) -> "_View":
        """Return the state that grows along a chain."""
        view = self._views.get(chain)
        if view is None:
            view = self._views[chain] = _View(self._charter, self._archive, self._other)
            for each in self._views.values():
                each.state.derivations_max = DERIVATIONS_MAX // len(self._views)
        return view

    def _decision(self, sight: Sight) -> Statement[Decided]:
        position = self._archive.begins[sight.log] + sight.seq
        return cast("Statement[Decided]", self._archive.at(position).statement)

    def _grants(self, sight: Sight, decision: Statement[Decided]) -> list[Statement[Grant]]:
        """Return the grants that name a decision, of the same log and in its order."""
        archive, log = self._archive, self._archive.of_log(sight.log)
        said = archive.speakers(decision.id).get(KIND_NUMBERS["grant"], ())
        found = (archive.at(position).statement for position, _ in said if position in log)
        return [
            cast("Statement[Grant]", one)
            for one in found
            if one is not None and decision.id in one.refs[2:]
        ]

    def _name(
        self, sight: Sight, decision: Statement[Decided], grants: Sequence[Statement[Grant]]
    ) -> Name:
        """Return all from which a finding follows.

        Its view's digest names the records in view. Where some are left aside what is here counts,
        too: of a log that is proven to part that is what both ends have in common.
        """
        ids = tuple(grant.id for grant in grants)
        if not sight.aside:
            return (decision.id, sight.faults, ids, (), ())
        return (decision.id, sight.faults, ids, tuple(self._archive.names), tuple(sight.counts))


class _View:
    """Makes the decisions of one chain once more, with one state that grows.

    Attributes:
        folded: how many records are.
    """

    def __init__(self, charter: Charter, archive: Archive, other: Policy | None) -> None:
        self.folded = 0
        self._looked = 0  # at so many of them
        self.state: Final = State(charter, archive.read, ArchiveIndex(archive))
        self._archive: Final = archive
        self._other: Final = other
        self._counts = [0] * len(archive.names)  # records that are folded, by log
        self._gatherer: Final = Gatherer(self.state)

    def widen(self, counts: Sequence[int]) -> None:
        """Fold all that has come into view."""
        archive, state = self._archive, self.state
        for number, (before, count) in enumerate(zip(self._counts, counts, strict=True)):
            if before < count:
                begin = archive.begins[number]
                for position in range(begin + before, begin + count):
                    state.add(archive.at(position).record)
                self._counts[number] = count
                self.folded += count - before
                if self.folded - self._looked >= REFRESH_AFTER:
                    self._gatherer.refresh()
                    self._looked = self.folded

    def look(
        self, sight: Sight, decision: Statement[Decided], grants: Sequence[Statement[Grant]]
    ) -> Finding:
        """Let what is new come into view, and make the next decision once more."""
        self.widen(sight.counts)
        found = self._compare(decision, sight.faults, grants)
        if sight.aside and not found.recomputes:  # perhaps for what was left aside
            return _unknown(sight, decision, sight.aside)
        return found

    def _compare(
        self,
        decision: Statement[Decided],
        before: Sequence[str],
        granted: Sequence[Statement[Grant]],
    ) -> Finding:
        """Decide once more, and say what differs."""
        state, body, faults = self.state, decision.body, list(before)
        key, log, as_of_ms = decision.author, decision.log, body.as_of_ms
        policy = in_force(state)
        is_old = is_superseded(state, body.policy)
        if body.policy != policy.id:
            faults.append("it follows a policy that was not in force")
        stock = stock_of(state, key, log, decision.refs[0], body.slot, as_of_ms)
        if stock is None:
            faults.append("nothing could be given from its purse")
            return Finding(
                decision.id,
                key,
                tuple(faults),
                override=body.override,
                is_superseded=is_old,
            )
        inputs = self._gatherer.gather(key, stock, policy, as_of_ms)
        again = decide(policy, inputs.offer, inputs.requests, inputs.collectives, as_of_ms)
        rows, otherwise = rows_of(again), self._decide_otherwise(key, stock, as_of_ms)
        faults += [
            f"{name} is {was!s}, and should be {should!s}"
            for name, was, should in _numbers(body, again, rows, stock.left)
            if was != should
        ]
        faults += _wrong_grants(decision, again, granted)
        shown = {row.request for row in body.rows}
        looked_at = rows if body.total <= DECISION_ROWS_MAX else rows[:DECISION_ROWS_MAX]
        omitted = tuple(row.request for row in looked_at if row.request not in shown)
        return Finding(
            decision.id,
            key,
            tuple(faults),
            omitted,
            (),
            again,
            inputs,
            body.override,
            is_old,
            otherwise,
        )

    def _decide_otherwise(self, key: bytes, stock: Stock, as_of_ms: int) -> Decision | None:
        """Decide by the policy that was asked about, from its own window and worth."""
        if self._other is None:
            return None
        inputs = self._gatherer.gather(key, stock, self._other, as_of_ms)
        return decide(self._other, inputs.offer, inputs.requests, inputs.collectives, as_of_ms)


def _unknown(sight: Sight, decision: Statement[Decided], missing: tuple[str, ...]) -> Finding:
    """Return what is said where not all of a view is here, or nothing of the decision itself."""
    body: object = decision.body
    override = body.override if isinstance(body, Decided) else None
    return Finding(decision.id, decision.author, sight.faults, missing=missing, override=override)


def _numbers(
    body: Decided, again: Decision, rows: Sequence[Row], left: int
) -> Iterator[tuple[str, object, object]]:
    """Yield (name, as it was, as it should be) of what a decision says."""
    yield "left", body.left, left
    yield "total", body.total, len(rows)
    yield "ground", body.ground, again.ground
    yield "margin", body.margin, again.margin
    if body.rows and rows:
        yield "the first", _short(body.rows[0].request), _short(rows[0].request)
    for was, should in zip(body.rows, rows, strict=False):
        if was.request != should.request:
            break
        name = f"of request {_short(was.request)} "
        yield name + "the score", was.score, should.score
        yield name + "what is given", was.given, should.given
        yield name + "factors", was.factors, should.factors
        yield name + "gates", was.gates, should.gates
    yield "digest", _short(body.digest), _short(rows_digest(rows))


def _wrong_grants(
    decision: Statement[Decided], again: Decision, granted: Sequence[Statement[Grant]]
) -> Iterator[str]:
    """Yield what is wrong with the grants that name a decision (DEC-5)."""
    override = decision.body.override
    due = dict(again.grants) if override is None else {override.chosen: override.quantity}
    for grant in granted:
        name = f"its grant {_short(grant.id)}"
        if (grant.refs[0], grant.body.slot) != (decision.refs[0], decision.body.slot):
            yield f"{name} spends something else"
        elif due.pop(grant.refs[1], None) != grant.body.quantity:
            yield f"{name} is not what was decided"


def _short(record: bytes) -> str:
    return record[:8].hex()
