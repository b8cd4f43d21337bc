"""timeline.json: what one run looked like from outside, sample by sample; the panorama draws it.

Both backends write the same file. It holds what was seen, and nothing that is derived from it:
health, states and curves are computed by who draws them.

All times are integer milliseconds after the beginning of the workload. JSON keys are the names of
the fields. Readers refuse unknown and missing keys; a change of shape raises `TIMELINE_SCHEMA`.

Size: a file holds two numbers per node and sample. Writers keep to about 600 samples, and to about
200 from 1,000 nodes on.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import Final, Literal, get_args

from mycelia_sim.errors import ScenarioError
from mycelia_sim.strict_json import build

TIMELINE_SCHEMA: Final = 1
FILE_NAME: Final = "timeline.json"

EventKind = Literal[
    "offer",
    "request",
    "grant",
    "answer",
    "receipt",
    "withdraw",
    "rights",
    "return",
    "kill",
    "restart",
    "forgery",
    "violation",
    "cut",
    "heal",
    "carry",
]
EVENT_KINDS: Final[tuple[str, ...]] = get_args(EventKind)
BACKENDS: Final = ("live", "virtual", "switch")


@dataclass(frozen=True, slots=True)
class Node:
    """One node and where it stands; degrees, north and east positive."""

    id: str
    name: str
    district: str
    side: str
    lat: float
    lon: float


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault that the run played, as it was really applied.

    Attributes:
        kind: the scenario's word: partition, isolate, crash, clog, degrade, leave, wipe, ...
        until_ms: when it was lifted; the run's end if it never was.
        groups: node ids; no traffic between different groups while it lasts. () if it parts none.
        nodes: the nodes that it hit; () if it is about links alone.
        links: single links (in either order) that it cut besides.
        label: a few words for people: "the river is cut".
    """

    id: str
    kind: str
    at_ms: int
    until_ms: int
    groups: tuple[tuple[str, ...], ...]
    nodes: tuple[str, ...]
    links: tuple[tuple[str, str], ...]
    label: str


@dataclass(frozen=True, slots=True)
class Sample:
    """What all nodes held and saw at about one time.

    Attributes:
        union: number of different records that anybody who ran held.
        have: per node, in the order of `Timeline.nodes`: records held, None while it was down.
        peers: per node: open links, None while it was down or if nobody asked.
        agreeing: size of the largest set of nodes with equal digests.
    """

    t_ms: int
    union: int
    have: tuple[int | None, ...]
    peers: tuple[int | None, ...]
    agreeing: int


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened; `node` and `record` (hex, may be cut short) are "" if there is none.

    `text` is a short clause for people, without the node's name: "asked for 12 warm meals".
    """

    t_ms: int
    node: str
    kind: str
    text: str
    record: str


@dataclass(frozen=True, slots=True)
class Latency:
    """How long records first seen in a window from `t_ms` on took to other nodes; None if unknown.

    Stretch is the latency over the earliest possible arrival; only the oracle knows it.
    """

    t_ms: int
    p50_ms: int | None
    p90_ms: int | None
    p99_ms: int | None
    stretch_p50: float | None
    stretch_p99: float | None


@dataclass(frozen=True, slots=True)
class Message:
    """One message near a violation; `arrived_ms` is None when it was lost."""

    sent_ms: int
    arrived_ms: int | None
    sender: str
    receiver: str
    kind: str
    record: str


@dataclass(frozen=True, slots=True)
class Violation:
    """The first breach of an invariant, and what was on the way around it."""

    t_ms: int
    check: str
    detail: str
    nodes: tuple[str, ...]
    messages: tuple[Message, ...]


@dataclass(frozen=True, slots=True)
class Timeline:
    """One run.

    Attributes:
        title: what the scenario says about itself, one line.
        resolution_ms: how coarse times of arrival are: the polling interval, 0 when exact.
        links: (dialer, listener) pairs that the plan keeps connected.
        samples: by time, the first at or near 0.
        violation: the first breach of an invariant, None if there was none.
    """

    schema: int
    backend: str
    scenario: str
    title: str
    seed: int
    duration_ms: int
    resolution_ms: int
    nodes: tuple[Node, ...]
    links: tuple[tuple[str, str], ...]
    faults: tuple[Fault, ...]
    samples: tuple[Sample, ...]
    events: tuple[Event, ...]
    latency: tuple[Latency, ...]
    violation: Violation | None


def write_timeline(path: Path, timeline: Timeline) -> None:
    """Write the file, one node, sample or event a line.

    Raises: ScenarioError when the timeline does not fit together; OSError.
    """
    check(timeline, path.name)
    parts = []
    for key, value in _plain(timeline).items():
        if isinstance(value, tuple) and value:
            lines = ",\n".join(_compact(item) for item in value)
            parts.append(f'"{key}":[\n{lines}\n]')
        else:
            parts.append(f'"{key}":{_compact(value)}')
    path.write_text("{\n" + ",\n".join(parts) + "\n}\n", "utf-8")


def _plain(value: object) -> dict[str, object]:
    """Return a dataclass as a dict, its values untouched: `asdict` would copy every number."""
    if not is_dataclass(value):
        raise TypeError(f"{type(value).__name__} has no place in a timeline")
    return {field.name: getattr(value, field.name) for field in fields(value)}


def _compact(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=_plain)


def load_timeline(path: Path) -> Timeline:
    """Read a timeline.json strictly.

    Raises: ScenarioError when it is not one, or does not fit together.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise ScenarioError(f"{path}: cannot be read as a timeline: {error}") from error
    timeline = build(Timeline, data, path.name)
    check(timeline, path.name)
    return timeline


def check(timeline: Timeline, place: str) -> None:
    """Refuse a timeline that contradicts itself.

    Raises: ScenarioError.
    """
    if timeline.schema != TIMELINE_SCHEMA:
        raise ScenarioError(f"{place}: is of schema {timeline.schema}, not {TIMELINE_SCHEMA}")
    if timeline.backend not in BACKENDS:
        raise ScenarioError(f"{place}: unknown backend '{timeline.backend}'")
    if timeline.duration_ms <= 0 or timeline.resolution_ms < 0:
        raise ScenarioError(f"{place}: duration_ms must be above 0, resolution_ms at least 0")
    known = {node.id for node in timeline.nodes}
    if not known or len(known) != len(timeline.nodes):
        raise ScenarioError(f"{place}: needs at least one node, and each with its own id")
    for where, node in _named(timeline):
        if node not in known:
            raise ScenarioError(f"{place}: {where} names a node '{node}' that there is not")
    _check_samples(timeline, place)
    for fault in timeline.faults:
        if fault.until_ms < fault.at_ms:
            raise ScenarioError(f"{place}: fault '{fault.id}' ends before it begins")
    for n, event in enumerate(timeline.events):
        if event.kind not in EVENT_KINDS:
            raise ScenarioError(f"{place}: events[{n}] is of the unknown kind '{event.kind}'")


def _check_samples(timeline: Timeline, place: str) -> None:
    count, before_ms = len(timeline.nodes), None
    if not timeline.samples:
        raise ScenarioError(f"{place}: has no sample, so there is nothing to draw")
    for n, sample in enumerate(timeline.samples):
        if len(sample.have) != count or len(sample.peers) != count:
            raise ScenarioError(f"{place}: samples[{n}] must say something of all {count} nodes")
        if before_ms is not None and sample.t_ms < before_ms:
            raise ScenarioError(f"{place}: samples[{n}] lies before the one in front of it")
        if not 0 <= sample.agreeing <= count:
            raise ScenarioError(f"{place}: samples[{n}].agreeing must be 0 to {count}")
        most = max((have for have in sample.have if have is not None), default=0)
        if most > sample.union:
            raise ScenarioError(f"{place}: samples[{n}].union is less than what one node holds")
        before_ms = sample.t_ms


def _named(timeline: Timeline) -> list[tuple[str, str]]:
    """Return (where, node id) for everything that names a node."""
    named = [("links", node) for link in timeline.links for node in link]
    for fault in timeline.faults:
        named += [(f"fault '{fault.id}'", node) for group in fault.groups for node in group]
        named += [(f"fault '{fault.id}'", node) for node in fault.nodes]
        named += [(f"fault '{fault.id}'", node) for link in fault.links for node in link]
    named += [("events", event.node) for event in timeline.events if event.node]
    if timeline.violation is not None:
        named += [("violation", node) for node in timeline.violation.nodes]
        for message in timeline.violation.messages:
            named += [("violation", node) for node in (message.sender, message.receiver)]
    return named
