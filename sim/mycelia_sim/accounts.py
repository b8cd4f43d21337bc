"""What was offered, asked, granted and handed over, counted from the records on all disks.

Counted by side of the river, for the report; and by group of each cut while it lasted, to see
whether life went on on both sides.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import TypeAlias

from mycelia_sim.audit import Held
from mycelia_sim.facts import Facts, Sightings
from mycelia_sim.plan import Cut, Plan

When: TypeAlias = Callable[[Held], int]  # ms after the beginning of the workload

COLUMNS = ("offered", "asked", "granted", "accepted", "lapsed", "handed", "received")


@dataclass(slots=True)
class Tally:
    """How many records there are of one step, and the amounts in them by unit."""

    count: int = 0
    in_cut: int = 0
    amounts: dict[str, int] = field(default_factory=dict)

    def add(self, unit: str, amount: int, *, is_in_cut: bool) -> None:
        """Count one record."""
        self.count += 1
        self.in_cut += is_in_cut
        self.amounts[unit] = self.amounts.get(unit, 0) + amount


@dataclass(frozen=True, slots=True)
class Activity:
    """What one group did while a cut lasted."""

    cut: str
    group: str
    posts: int
    grants: int


@dataclass(frozen=True, slots=True)
class Accounts:
    """All counts of a run; `sides` maps side -> step -> tally."""

    sides: dict[str, dict[str, Tally]]
    activity: tuple[Activity, ...]
    crossings: int  # grants from one side to the other

    def to_json(self) -> dict[str, object]:
        """Return the counts as plain values."""
        return {
            side: {step: asdict(tally) for step, tally in steps.items()}
            for side, steps in self.sides.items()
        }


def count(
    plan: Plan, facts: Facts, records: Mapping[bytes, Held], sightings: Sightings | None = None
) -> Accounts:
    """Count what lies on all disks together; a side is that of the record's author.

    What adversaries wrote is left out.
    """
    side_of = {node.id: node.side for node in plan.nodes}
    node_of = {bytes.fromhex(key): node for node, key in facts.keys.items() if node in side_of}
    sides: dict[str, dict[str, Tally]] = {
        side: {step: Tally() for step in COLUMNS} for side in sorted(set(side_of.values()))
    }
    when, spans = when_written(facts, sightings), cut_spans(plan.cuts)
    crossings = 0
    for record in records.values():
        node = node_of.get(record.author)
        found = _step(record, records)
        if node is None or found is None:
            continue
        step, thing = found
        unit = str(thing.content.get("unit", "?")) if thing else "?"
        amount = _amount(record, records)
        at_ms = when(record)
        is_in_cut = any(first <= at_ms < until for first, until in spans)
        sides[side_of[node]][step].add(unit, amount, is_in_cut=is_in_cut)
        if step == "granted" and thing is not None and len(record.refs) > 1:
            request = records.get(record.refs[1])
            other = node_of.get(request.author) if request else None
            crossings += other is not None and side_of[other] != side_of[node]
    return Accounts(sides, _activity(plan, records.values(), node_of, when), crossings)


def _step(record: Held, records: Mapping[bytes, Held]) -> tuple[str, Held | None] | None:
    """Return which step of sharing a record is, and the offer or request that it is about."""
    match record.kind:
        case "offer":
            return "offered", record
        case "request":
            return "asked", record
        case "grant" if record.refs:  # a liar's may speak of nothing
            return "granted", _offered(record, records)
        case "answer" if record.content.get("accept") is True:
            return "accepted", _thing(record, records)
        case "withdraw" if is_lapse(record, records):
            return "lapsed", _thing(record, records)
        case "receipt" if record.content.get("side") != "returned":
            side = record.content.get("side")
            return ("handed" if side == "handed" else "received"), _thing(record, records)
        case _:
            return None


def is_lapse(record: Held, records: Mapping[bytes, Held]) -> bool:
    """Return whether a grant is taken back, since nobody answered it in time."""
    grant = records.get(record.refs[0]) if record.kind == "withdraw" else None
    if grant is None or grant.kind != "grant" or grant.author != record.author:
        return False
    ends_ms = grant.content.get("accept_by_ms")
    return isinstance(ends_ms, int) and record.time_ms >= ends_ms


def _thing(record: Held, records: Mapping[bytes, Held]) -> Held | None:
    """Return the offer behind an answer's or a receipt's grant."""
    grant = records.get(record.refs[0]) if record.refs else None
    return _offered(grant, records) if grant and grant.refs else None


def _offered(grant: Held, records: Mapping[bytes, Held]) -> Held | None:
    """Return the offer that a grant is of, at one remove if it spends rights."""
    purse = records.get(grant.refs[0])
    if purse is not None and purse.kind == "rights":
        return records.get(purse.refs[0])
    return purse


def _amount(record: Held, records: Mapping[bytes, Held]) -> int:
    if record.kind in ("answer", "withdraw") and record.refs:
        grant = records.get(record.refs[0])
        return int(grant.content.get("quantity", 0)) if grant else 0
    return int(record.content.get("quantity", 0))


def _activity(
    plan: Plan, records: Iterable[Held], node_of: Mapping[bytes, str], when: When
) -> tuple[Activity, ...]:
    """Count posts and grants of each group within each partition."""
    side_of = {node.id: node.side for node in plan.nodes}
    times: dict[tuple[str, str], list[int]] = defaultdict(list)
    for record in records:
        node = node_of.get(record.author)
        if node is not None:
            kind = "post" if record.kind in ("offer", "request") else record.kind
            times[node, kind].append(when(record))
    result = []
    for cut in (cut for cut in plan.cuts if cut.kind == "partition"):
        for n, group in enumerate(cut.groups):
            sides = sorted({side_of[node] for node in group})
            name = sides[0] if len(sides) == 1 else f"group {n + 1}"
            posts, grants = (
                sum(
                    cut.at_ms <= at_ms < cut.until_ms
                    for node in group
                    for at_ms in times.get((node, kind), ())
                )
                for kind in ("post", "grant")
            )
            result.append(Activity(cut.id, name, posts, grants))
    return tuple(result)


def when_written(facts: Facts, sightings: Sightings | None) -> When:
    """Return what tells when a record was written: as seen, else by its author's clock."""

    def when(record: Held) -> int:
        born_ms = None if sightings is None else sightings.born_ms(record.id)
        return record.time_ms - facts.began_ms if born_ms is None else born_ms

    return when


def cut_spans(cuts: Iterable[Cut]) -> list[tuple[int, int]]:
    """Return the times (ms from, until) in which some cut lasted, none touching the next."""
    spans: list[tuple[int, int]] = []
    for at_ms, until_ms in sorted((cut.at_ms, cut.until_ms) for cut in cuts):
        if spans and at_ms <= spans[-1][1]:
            spans[-1] = (spans[-1][0], max(until_ms, spans[-1][1]))
        else:
            spans.append((at_ms, until_ms))
    return spans
