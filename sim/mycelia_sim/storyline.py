"""Puts the timeline of a judged run together: faults as they were played, and what people wrote.

Backends differ only in how they see: each brings its own `Look`, everything else is the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from mycelia_sim.audit import Held
from mycelia_sim.evidence import Evidence
from mycelia_sim.facts import Facts
from mycelia_sim.plan import Cut, Kill, Plan, Trouble
from mycelia_sim.timeline import (
    TIMELINE_SCHEMA,
    Event,
    Fault,
    Latency,
    Message,
    Node,
    Sample,
    Timeline,
    Violation,
)
from mycelia_sim.verdict import Check

SAMPLES_MAX: Final = 600
SAMPLES_MAX_LARGE: Final = 200  # from 1,000 nodes on
RECORD_CHARACTERS: Final = 16

CRASHES: Final = {
    "wipe": ("wipe", "loses everything"),
    "restore_old": ("restore_old", "comes back from an old backup"),
    "drop_unsynced": ("crash", "loses power and what was not synced"),
    "torn": ("crash", "loses power in the middle of a write"),
    "bitflip": ("crash", "loses power, and a bit of its disk flips"),
}
TROUBLES: Final = {
    "pause": "is frozen",
    "slow": "is slow",
    "restart": "is started anew",
    "leave": "rests",
    "join": "joins late",
    "clock_bump": "has a clock that jumped",
    "clock_drift": "has a clock that drifts",
    "disk_full": "has a full disk",
    "drop_unsynced": "loses power for a moment",
}
CUTS: Final = {
    "bridge": "only a bridge is left",
    "flap": "links flap",
    "clog": "links are clogged",
    "swizzle_clog": "links are clogged in turn",
}


@dataclass(frozen=True, slots=True)
class Look:
    """What a backend saw while a run went on.

    Attributes:
        samples: by time; at least one.
        resolution_ms: how coarse times of arrival are, 0 when exact.
        messages: those around the first violation.
    """

    samples: tuple[Sample, ...]
    latency: tuple[Latency, ...]
    resolution_ms: int
    messages: tuple[Message, ...] = ()


def assemble(evidence: Evidence, checks: Sequence[Check], look: Look) -> Timeline:
    """Return the timeline of a run."""
    plan = evidence.plan
    samples = thin(look.samples, len(plan.nodes))
    duration_ms = max(1, samples[-1].t_ms)
    faults = tuple(sorted(_faults(plan, evidence.facts), key=lambda fault: fault.at_ms))
    violation = _violation(plan, checks, look.messages)
    events = [*_written(evidence), *_fault_events(plan, faults), *_attempts(plan, evidence.facts)]
    events += _trips(plan, evidence.facts)
    if violation is not None:
        node = violation.nodes[0] if violation.nodes else ""
        events.append(Event(violation.t_ms, node, "violation", f"breaks {violation.check}", ""))
    return Timeline(
        schema=TIMELINE_SCHEMA,
        backend=plan.backend,
        scenario=plan.scenario,
        title=plan.title,
        seed=plan.seed,
        duration_ms=duration_ms,
        resolution_ms=look.resolution_ms,
        nodes=tuple(
            Node(n.id, n.name, n.district, n.side, n.latitude, n.longitude) for n in plan.nodes
        ),
        links=tuple((link.dialer, link.listener) for link in plan.links),
        faults=faults,
        samples=samples,
        events=tuple(
            event
            for event in sorted(events, key=lambda event: (event.t_ms, event.kind, event.node))
            if 0 <= event.t_ms <= duration_ms
        ),
        latency=look.latency,
        violation=violation,
    )


def thin(samples: Sequence[Sample], nodes: int) -> tuple[Sample, ...]:
    """Return at most so many samples as a file should hold, evenly, the first and last in it."""
    most = SAMPLES_MAX if nodes < 1_000 else SAMPLES_MAX_LARGE
    if len(samples) <= most:
        return tuple(samples)
    last = len(samples) - 1
    return tuple(samples[n * last // (most - 1)] for n in range(most))


def _faults(plan: Plan, facts: Facts) -> Iterator[Fault]:
    """Yield the faults that really happened."""
    for cut in plan.cuts:
        if cut.id in facts.cuts:
            yield _cut(plan, cut)
    for kill in plan.kills:
        fact = facts.kills.get(kill.id)
        if fact is not None and fact.has_fired:
            yield _crash(plan, kill)
    for shape in plan.shapes:
        if shape.is_fault:
            label = f"{len({frozenset(link) for link in shape.links})} links are worse"
            yield Fault(shape.id, "degrade", shape.at_ms, shape.until_ms, (), (), (), label)
    for trouble in plan.troubles:
        fired = facts.troubles.get(trouble.id)
        if fired is not None and fired.has_fired:
            yield _trouble(plan, trouble)


def _cut(plan: Plan, cut: Cut) -> Fault:
    """Return a cut; one that only delays parts nobody."""
    is_slow = cut.mode == "delay"
    groups = () if is_slow or len(cut.groups) < 2 else cut.groups
    links = () if is_slow else cut.links
    label = _cut_label(plan, cut, "slow" if is_slow else "cut")
    label += " in one direction" if cut.oneway else ""
    return Fault(cut.id, cut.kind, cut.at_ms, cut.until_ms, groups, (), links, label)


def _cut_label(plan: Plan, cut: Cut, word: str) -> str:
    sides = sorted(sorted({plan.node(node).side for node in group}) for group in cut.groups)
    if sides == [["east"], ["west"]]:
        return f"the river is {word}"
    if cut.kind in CUTS:
        return CUTS[cut.kind]
    if cut.kind == "isolate" and cut.groups:
        return f"{min(map(len, cut.groups))} nodes are isolated"
    return f"the network is {word}" + (f" into {len(cut.groups)}" if word == "cut" else "")


def _crash(plan: Plan, kill: Kill) -> Fault:
    kind, words = CRASHES.get(kill.disk, ("crash", "loses power"))
    label = f"{plan.node(kill.node).name} {words}"
    return Fault(kill.id, kind, kill.at_ms, kill.restart_ms, (), (kill.node,), (), label)


def _trouble(plan: Plan, trouble: Trouble) -> Fault:
    words = TROUBLES.get(trouble.kind, trouble.kind.replace("_", " "))
    label = f"{plan.node(trouble.node).name} {words}"
    at_ms, until_ms = trouble.at_ms, max(trouble.at_ms, trouble.until_ms)
    return Fault(trouble.id, trouble.kind, at_ms, until_ms, (), (trouble.node,), (), label)


def _fault_events(plan: Plan, faults: Sequence[Fault]) -> Iterator[Event]:
    """Yield the two ends of each fault."""
    for fault in faults:
        if not fault.nodes:
            began = f"{fault.label[0].upper()}{fault.label[1:]}"
            ended = "The links are as before" if fault.kind == "degrade" else "The links are back"
            yield Event(fault.at_ms, "", "cut", began, "")
            yield Event(fault.until_ms, "", "heal", ended, "")
        for node in fault.nodes:
            began = fault.label.removeprefix(f"{plan.node(node).name} ")
            yield Event(fault.at_ms, node, "kill", began, "")
            yield Event(fault.until_ms, node, "restart", "is back", "")


def _trips(plan: Plan, facts: Facts) -> Iterator[Event]:
    """Yield what people carried from node to node, where it brought something new."""
    for trip in plan.trips:
        fact = facts.troubles.get(trip.id)
        if fact is not None and fact.has_fired:
            words = f"gets {fact.amount:,} records by stick from {plan.node(trip.source).name}"
            yield Event(trip.until_ms, trip.target, "carry", words, "")


def _attempts(plan: Plan, facts: Facts) -> Iterator[Event]:
    """Yield what the adversaries really got through to a node."""
    at_ms = {attempt.n: attempt.at_ms for attempt in plan.attempts}
    for fact in facts.attempts:
        if fact.is_delivered and fact.n in at_ms:
            words = f"meets an adversary: {fact.behaviour.replace('_', ' ')}"
            yield Event(at_ms[fact.n], fact.target, "forgery", words, "")


def _written(evidence: Evidence) -> Iterator[Event]:
    """Yield what people and their nodes wrote about sharing."""
    facts, records = evidence.facts, evidence.library.records
    for record in records.values():
        node = evidence.node_of.get(record.author)
        if node is None or record.kind not in WORDS:
            continue
        seen_ms = None if evidence.sightings is None else evidence.sightings.born_ms(record.id)
        at_ms = record.time_ms - facts.began_ms if seen_ms is None else seen_ms
        text = _words(record, records)
        yield Event(at_ms, node, record.kind, text, record.id.hex()[:RECORD_CHARACTERS])


WORDS: Final = {
    "offer": "offers",
    "request": "asks for",
    "grant": "promises",
    "rights": "lets a neighbour promise",
    "return": "need not promise",
    "answer": "accepts",
    "receipt": "hands over",
    "withdraw": "takes back",
}


def _words(record: Held, records: dict[bytes, Held]) -> str:
    """Return a clause such as "promises 12 Warm meals"."""
    verb = WORDS[record.kind]
    if record.kind == "answer" and record.content.get("accept") is not True:
        verb = "declines"
    if record.kind == "receipt":
        side = str(record.content.get("side"))
        verb = {"received": "has received", "returned": "tells of the return of"}.get(side, verb)
    amount = record.content.get("quantity")
    thing: Held | None = record
    while thing is not None and "title" not in thing.content:
        thing = records.get(thing.refs[0]) if thing.refs else None
        if thing is not None and amount is None:
            amount = thing.content.get("quantity")
    if thing is None:
        return f"{verb} something"
    unit = str(thing.content.get("unit", "1"))
    much = f"{amount:,}" if isinstance(amount, int) else "some"
    return f"{verb} {much} {'' if unit == '1' else f'{unit} of '}{thing.content['title']}"


def _violation(
    plan: Plan, checks: Sequence[Check], messages: tuple[Message, ...]
) -> Violation | None:
    """Return the first breach of safety that can be placed in time."""
    placed = [
        (check.first.at_ms, check)
        for check in checks
        if check.verdict == "fail"
        and check.family == "safety"
        and check.first is not None
        and check.first.at_ms is not None
    ]
    if not placed:
        return None
    at_ms, check = min(placed, key=lambda one: one[0])
    known = {node.id for node in plan.nodes}
    assert check.first is not None
    nodes = (check.first.node,) if check.first.node in known else ()
    near = tuple(m for m in messages if m.sender in known and m.receiver in known)
    return Violation(at_ms, check.name, check.detail, nodes, near)
