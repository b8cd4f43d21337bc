"""Making decisions once more, from the records that they name. Spec: 8.10.4.

Each view says what its author knew; that is folded, and then the same code decides as at the
author's node. So nothing has to be believed: neither who the candidates were, nor what they scored.
`horizon.py` says in which order, so that a state only grows.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeAlias, cast

from mycelia_protocol.charter import Charter
from mycelia_protocol.gatherer import Gatherer
from mycelia_protocol.horizon import Chain, LogKey, Logs, Step, chains
from mycelia_protocol.limits import DECISION_ROWS_MAX
from mycelia_protocol.policies import in_force, is_superseded
from mycelia_protocol.purses import Stock, stock_of
from mycelia_protocol.record import Record
from mycelia_protocol.sharing.change import Inputs
from mycelia_protocol.sharing.decide import Decision, decide
from mycelia_protocol.sharing.policy import Policy
from mycelia_protocol.state import State
from mycelia_protocol.statements import Reader, read_statement
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


def recompute(charter: Charter, logs: Logs, key: LogKey) -> Iterator[Finding]:
    """Yield a finding for each decision of a log, in its order; arguments as `recompute_all`."""
    places = {record.id: seq for seq, record in enumerate(logs[key])}
    found = recompute_all(charter, logs, [key])
    return iter(sorted(found, key=lambda finding: places[finding.decision]))


def recompute_all(
    charter: Charter,
    logs: Logs,
    keys: Sequence[LogKey],
    other: Policy | None = None,
    read: Reader = read_statement,
    known: Known | None = None,
) -> Iterator[Finding]:
    """Yield a finding for each decision of some logs, in the order in which they are made again.

    Args:
        charter: of the commons.
        logs: all records that are here, by log, from seq 0 on without a gap.
        keys: authors and logs whose decisions are made once more.
        other: a policy by which they are also made.
        read: reads bodies; one that remembers saves whoever looks at many copies of the same logs.
        known: what was found in other copies, by the same `other`, to look up and to add to: what
            comes out follows from the records in the view, which its digest names, and the grants.
    """
    granted = _granted(logs, keys)
    for chain in chains(logs, keys):
        again = _Again(charter, logs, chain, granted, other, read, known)
        yield from map(again.look, chain.steps)


def deciding_logs(logs: Logs) -> list[LogKey]:
    """Return the logs in which something was decided, in order."""
    return sorted(
        key for key, records in logs.items() if any(each.kind == "decision" for each in records)
    )


def _granted(logs: Logs, keys: Sequence[LogKey]) -> Mapping[bytes, list[int]]:
    """Return by decision where in its log the grants stand that name it; so with returns."""
    found = defaultdict[bytes, list[int]](list)
    for key in keys:
        for seq, record in enumerate(logs[key]):
            if record.kind == "grant":
                for ref in record.refs[2:]:
                    found[ref].append(seq)
    return found


class _Again:
    """Makes the decisions of one chain once more, with one state that grows."""

    def __init__(
        self,
        charter: Charter,
        logs: Logs,
        chain: Chain,
        granted: Mapping[bytes, list[int]],
        other: Policy | None,
        read: Reader,
        known: Known | None,
    ) -> None:
        self._reader: Final = read
        self._known: Final = known
        self._logs: Final = logs
        self._names: Final = chain.logs
        self._granted: Final = granted
        self._other: Final = other
        self._counts = [0] * len(chain.logs)  # records in view, by log
        self._folded = [0] * len(chain.logs)  # the same, as far as the state holds them
        self._read_before: dict[bytes, Statement[object]] = {}  # decisions that come to be folded
        self._state = State(charter, self._read)
        self._gatherer = Gatherer(self._state)

    def _read(self, record: Record, depth: int) -> Statement[object] | None:
        """Read a statement, unless it was read already: decisions are long."""
        known = self._read_before.pop(record.id, None)
        if known is None:
            return self._reader(record, depth)
        return replace(known, order=(depth, *known.order[1:]))

    def look(self, step: Step) -> Finding:
        """Let what is new come into view, and make the next decision once more."""
        for number, count in zip(step.news[::2], step.news[1::2], strict=True):
            self._counts[number] = count
        records = self._logs[self._names[step.log]]
        decision = self._reader(records[step.seq], 0)
        assert decision is not None  # else it would be no step
        self._read_before[decision.id] = decision
        if step.missing:
            return Finding(decision.id, decision.author, step.faults, (), step.missing)
        grants = [records[seq] for seq in self._granted.get(decision.id, ())]
        name = self._name(step, decision.id, grants)
        if self._known is not None and name in self._known:
            return self._known[name]
        self._fold()
        read = [self._reader(grant, 0) for grant in grants]
        found = self._compare(
            cast("Statement[Decided]", decision),
            step.faults,
            [cast("Statement[Grant]", each) for each in read if each is not None],
        )
        if step.aside and not found.recomputes:  # perhaps for what was left aside
            found = Finding(decision.id, decision.author, step.faults, (), step.aside)
        if self._known is not None:
            self._known[name] = found
        return found

    def _name(self, step: Step, decision: bytes, grants: Sequence[Record]) -> Name:
        """Return all from which a finding follows.

        Its view's digest names the records in view. Where some are left aside what is here counts,
        too: of a log that is proven to part that is what both ends have in common.
        """
        ids = tuple(grant.id for grant in grants)
        if not step.aside:
            return (decision, step.faults, ids, (), ())
        return (decision, step.faults, ids, tuple(self._names), tuple(self._counts))

    def _fold(self) -> None:
        """Fold all that has come into view."""
        for number, (before, count) in enumerate(zip(self._folded, self._counts, strict=True)):
            if before < count:
                for record in self._logs[self._names[number]][before:count]:
                    self._state.add(record)
                self._folded[number] = count

    def _compare(
        self,
        decision: Statement[Decided],
        before: Sequence[str],
        granted: Sequence[Statement[Grant]],
    ) -> Finding:
        """Decide once more, and say what differs."""
        state, body, faults = self._state, decision.body, list(before)
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
