"""Making the decisions of one log once more, from the records that they name. Spec: 8.10.4.

The log is gone through from its beginning. Each view says what else its author knew; that is folded
too, and then the same code decides as at the author's node. So nothing has to be believed: neither
who the candidates were, nor what they scored.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from mycelia_protocol.charter import Charter
from mycelia_protocol.gather import gather
from mycelia_protocol.limits import DECISION_ROWS_MAX
from mycelia_protocol.policies import in_force
from mycelia_protocol.purses import stocks
from mycelia_protocol.record import Record
from mycelia_protocol.sharing.change import Inputs
from mycelia_protocol.sharing.decide import Decision, decide
from mycelia_protocol.state import State
from mycelia_protocol.statements import read_statement
from mycelia_protocol.types.base import Statement
from mycelia_protocol.types.decision import Decided, rows_digest, rows_of
from mycelia_protocol.types.grant import Grant
from mycelia_protocol.types.heads import NOTHING, FullHead, View, chain, tag_of

LogKey = tuple[bytes, bytes]
Logs = Mapping[LogKey, Sequence[Record]]


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
    """

    decision: bytes
    author: bytes
    faults: tuple[str, ...] = ()
    omitted: tuple[bytes, ...] = ()
    missing: tuple[str, ...] = ()
    again: Decision | None = None
    inputs: Inputs | None = None

    @property
    def recomputes(self) -> bool:
        """Whether all is known, and the same came out."""
        return not (self.faults or self.omitted or self.missing)


def recompute(charter: Charter, logs: Logs, key: LogKey) -> Iterator[Finding]:
    """Yield a finding for each decision of a log, in its order.

    Args:
        charter: of the commons.
        logs: all records that are here, by log, from seq 0 on without a gap.
        key: author and log whose decisions are made once more.
    """
    horizon, state = _Horizon(logs, key), State(charter)
    granted = _granted(logs[key])
    for record in logs[key]:
        statement = read_statement(record)
        body = None if statement is None else statement.body
        if isinstance(body, View | Decided):
            for known in horizon.widen(body.view if isinstance(body, Decided) else body):
                state.add(known)
        if isinstance(body, Decided):
            decision = cast("Statement[Decided]", statement)
            faults, missing = tuple(horizon.faults), tuple(horizon.missing)
            if missing:
                yield Finding(record.id, record.author, faults, (), missing)
            else:
                yield _compare(state, decision, faults, granted[record.id])
        state.add(record)


class _Horizon:
    """What a log's author had seen, as far as it says so, and what of it is here (VIEW-4)."""

    def __init__(self, logs: Logs, key: LogKey) -> None:
        self.faults: list[str] = []
        self.missing: list[str] = []
        self._logs = logs
        self._tags = {tag_of(*each): each for each in sorted(logs) if each != key}
        self._seen: dict[LogKey, int] = {}  # how many records of each log
        self._digest = NOTHING

    def widen(self, view: View) -> Iterator[Record]:
        """Yield the records that came into view."""
        full = []
        for head in view.heads:
            log = self._tags.get(head.tag)
            records = self._logs.get(log, ()) if log else ()
            if log is None or head.seq >= len(records):
                self.missing.append(f"log {head.tag.hex()} up to record {head.seq}")
                continue
            last, seen = records[head.seq], self._seen.get(log, 0)
            if not last.id.startswith(head.prefix):
                self.missing.append(f"record {head.seq} of log {head.tag.hex()}, another branch")
                continue
            if head.seq < seen:
                self.faults.append(f"its view of log {head.tag.hex()} goes back")
                continue
            full.append(FullHead(last.author, last.log, last.seq, last.id))
            self._seen[log] = head.seq + 1
            yield from records[seen : head.seq + 1]
        if not self.missing and chain(self._digest, full) != view.digest:
            self.faults.append("its view has another digest")
        self._digest = view.digest


def _granted(records: Sequence[Record]) -> Mapping[bytes, list[Statement[Grant]]]:
    """Return the grants of a log by what they name beside purse and request."""
    found = defaultdict[bytes, list[Statement[Grant]]](list)
    for record in records:
        statement = read_statement(record) if record.kind == "grant" else None
        if statement is not None:
            for ref in statement.refs[2:]:
                found[ref].append(cast("Statement[Grant]", statement))
    return found


def _compare(
    state: State,
    decision: Statement[Decided],
    before: tuple[str, ...],
    granted: Sequence[Statement[Grant]],
) -> Finding:
    """Decide once more, and say what differs."""
    body, faults = decision.body, list(before)
    policy = in_force(state)
    if body.policy != policy.id:
        faults.append("it follows a policy that was not in force")
    shelf = stocks(state, decision.author, decision.log, body.as_of_ms)
    here = [each for each in shelf if (each.purse, each.slot) == (decision.refs[0], body.slot)]
    if not here:
        faults.append("nothing could be given from its purse")
        return Finding(decision.id, decision.author, tuple(faults))
    inputs = gather(state, decision.author, here[0], policy, body.as_of_ms)
    again = decide(policy, inputs.offer, inputs.requests, inputs.collectives, body.as_of_ms)
    faults += [
        f"{name} is {was!s}, and should be {should!s}"
        for name, was, should in _numbers(decision.body, again, here[0].left)
        if was != should
    ]
    faults += _wrong_grants(decision, again, granted)
    shown = {row.request for row in body.rows}
    rows = rows_of(again)
    looked_at = rows if body.total <= DECISION_ROWS_MAX else rows[:DECISION_ROWS_MAX]
    omitted = tuple(row.request for row in looked_at if row.request not in shown)
    return Finding(decision.id, decision.author, tuple(faults), omitted, (), again, inputs)


def _numbers(body: Decided, again: Decision, left: int) -> Iterator[tuple[str, object, object]]:
    """Yield (name, as it was, as it should be) of what a decision says."""
    rows = rows_of(again)
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
