"""The plan: everything that was drawn, resolved once at the start. It is what runs and replays.

A plan is plain values and goes through JSON unchanged. It holds no distribution and no selector,
so that taking one fault or one post out of it shifts nothing else.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from mycelia_sim.errors import ScenarioError, nearest
from mycelia_sim.strict_json import build, filled

PLAN_SCHEMA: Final = 3


@dataclass(frozen=True, slots=True)
class PlanNode:
    """One node and the site that it stands for."""

    id: str
    name: str
    district: str
    side: str
    latitude: float
    longitude: float


@dataclass(frozen=True, slots=True)
class PlanLink:
    """`dialer` keeps a link to `listener`; `latency_ms` is added in each direction."""

    dialer: str
    listener: str
    latency_ms: int


@dataclass(frozen=True, slots=True)
class Post:
    """Somebody at `node` writes something at `at_ms` after the beginning of the workload.

    Attributes:
        kind: offer, request, withdraw, rights, renew or dispute.
        of: number `n` of what a withdraw takes back, of the offer from which rights let somebody
            else grant half of what is left, of the offer or request that goes on, or of the request
            whose author disputes what it was granted; else None.
        urgency: only for requests.
        slots: when an offer is lent, as spans (from, until) after the beginning of the workload.
        to: the node that rights go to, else None.
        until_ms: when rights end, or an offer or a request drops off the list, or will do so when
            it is renewed, after the beginning of the workload; None for never.
    """

    n: int
    at_ms: int
    node: str
    kind: str
    category: str
    title: str
    quantity: int
    unit: str
    lot: int
    urgency: str | None
    of: int | None
    slots: tuple[tuple[int, int], ...] = ()
    to: str | None = None
    until_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Cut:
    """No bytes pass between the groups, or on `links`, from `at_ms` to `until_ms`.

    With `oneway` only what the first group sends to the second is cut.

    Attributes:
        kind: what the scenario called it: partition, isolate, bridge, flap, clog, swizzle_clog.
        links: directions (source, target) cut besides those between groups.
    """

    id: str
    at_ms: int
    until_ms: int
    mode: str
    oneway: bool
    delay_ms: int
    groups: tuple[tuple[str, ...], ...]
    kind: str
    links: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Kill:
    """The daemon of `node` gets SIGKILL at `at_ms` and is started again at `restart_ms`.

    Attributes:
        disk: what the disk is like at the restart. `keep`: as after SIGKILL, with the write that
            was under way, of which the node never heard; `drop_unsynced`: as after a power cut,
            without it; `torn`: with a part of it, of which the store makes nothing; `bitflip`: a
            bit is wrong, so that the store refuses it all and its owner starts anew; `wipe`:
            empty; `restore_old`: an older backup.
        rollback: records that `restore_old` takes back.
    """

    id: str
    at_ms: int
    node: str
    restart_ms: int
    disk: str
    rollback: int


@dataclass(frozen=True, slots=True)
class Shape:
    """Some directions between nodes are worse than planned for a while.

    Attributes:
        links: directions (source, target).
        latency_ms, jitter_ms: added time, and up to so much more, drawn for each message.
        loss_ppm, duplicate_ppm, reorder_ppm: packets in a million.
        rate_bps: bits a second; 0 leaves the rate.
    """

    id: str
    at_ms: int
    until_ms: int
    links: tuple[tuple[str, str], ...]
    latency_ms: int
    jitter_ms: int
    loss_ppm: int
    duplicate_ppm: int
    reorder_ppm: int
    rate_bps: int

    @property
    def is_fault(self) -> bool:
        """Whether it comes from a fault; else the links are always like this, to the run's end."""
        return not self.id.startswith("link-")


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something befalls one node for a while.

    Attributes:
        kind: `pause` the process is stopped and goes on; `slow` every event takes `amount` us;
            `leave`, `restart` it stops politely and comes back; `join` it comes late;
            `clock_bump` its clock jumps by `amount` ms; `clock_drift` runs `amount` ppm fast;
            `disk_full` nothing can be written; `drop_unsynced` power is lost and comes back at
            once.
    """

    id: str
    kind: str
    at_ms: int
    until_ms: int
    node: str
    amount: int


@dataclass(frozen=True, slots=True)
class Trip:
    """A bundle is made at `source` at `at_ms`, carried, and taken in at `target` at `until_ms`.

    Trips go on while nodes settle: it may be by them alone that some ever agree.
    """

    id: str
    at_ms: int
    until_ms: int
    source: str
    target: str


@dataclass(frozen=True, slots=True)
class Attempt:
    """An adversary does one wrong thing to `target`, in the name of `victim` where it forges."""

    n: int
    adversary: str
    at_ms: int
    behaviour: str
    target: str
    victim: str


@dataclass(frozen=True, slots=True)
class Limit:
    """A metric of the run's summary may not be beyond a value; times are in ms.

    Attributes:
        compare: "<=" or ">=".
    """

    metric: str
    compare: str
    value: float


@dataclass(frozen=True, slots=True)
class Stop:
    """When a run ends.

    Attributes:
        when: `converged`: once all agree after the workload; `quiescent`: once nothing new came
            for `quiet_for_ms` after that; `duration`: after all of its time; `first_violation`:
            also at the first thing that must never happen.
        max_events: a run in virtual time ends after so many, whatever happens.
    """

    when: str = "converged"
    quiet_for_ms: int = 10_000
    max_events: int = 1_000_000_000


@dataclass(frozen=True)
class Plan:
    """One resolved run; all times in ms after the beginning of the workload, else durations.

    Attributes:
        compacting: the nodes that keep only the compact form of what is older than
            `compact_after_ms` and confirmed.
    """

    schema: int
    scenario: str
    title: str
    seed: int
    backend: str
    warmup_ms: int
    duration_ms: int
    converge_within_ms: int
    receipts: str
    nodes: tuple[PlanNode, ...]
    links: tuple[PlanLink, ...]
    posts: tuple[Post, ...]
    cuts: tuple[Cut, ...]
    kills: tuple[Kill, ...]
    shapes: tuple[Shape, ...]
    troubles: tuple[Trouble, ...]
    attempts: tuple[Attempt, ...]
    invariants: tuple[str, ...]
    sometimes: tuple[str, ...]
    limits: tuple[Limit, ...] = ()
    stop: Stop = Stop()
    trips: tuple[Trip, ...] = ()
    preposition: bool = False
    presence: bool = False
    policy: str = "fifo"
    in_force: str = "fifo"
    accept_within_ms: int | None = None
    checkpoint_after: int | None = None
    acknowledge_within_ms: int | None = None
    compact_after_ms: int | None = None
    compacting: tuple[str, ...] = ()

    @property
    def agreed_policy(self) -> str | None:
        """The baseline that the founder puts in force and nodes decide by; None with fifo."""
        return self.in_force if self.policy == "commons" else None

    @cached_property
    def _by_id(self) -> dict[str, PlanNode]:
        return {node.id: node for node in self.nodes}

    def node(self, node_id: str) -> PlanNode:
        """Return the node with this id."""
        return self._by_id[node_id]

    def to_json(self) -> str:
        """Return the plan as JSON text, one post, link and attempt a line."""
        parts = []
        for key, value in _members(self):
            if isinstance(value, tuple) and value and not isinstance(value[0], str):
                lines = ",\n  ".join(_line(item) for item in value)
                parts.append(f' "{key}": [\n  {lines}\n ]')
            else:
                parts.append(f' "{key}": {_line(value)}')
        return "{\n" + ",\n".join(parts) + "\n}\n"


def _members(value: Any) -> Iterator[tuple[str, Any]]:
    for field in fields(value):
        yield field.name, getattr(value, field.name)


def _line(value: Any) -> str:
    """Return one value as JSON; what lies inside a dataclass is plain."""
    return json.dumps(value, ensure_ascii=False, default=lambda inner: dict(_members(inner)))


def load_plan(path: Path) -> Plan:
    """Read a plan.json.

    Raises: ScenarioError when it is not one, or does not fit together.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise ScenarioError(f"{path}: cannot be read as a plan: {error}") from error
    return build_plan(data, path.name, str(path))


def build_plan(data: object, place: str, name: str = "") -> Plan:
    """Return the plan that plain values describe; `place` and `name` name them in errors.

    A plan from before a key was there means what it meant then: that is the key's default.

    Raises: ScenarioError when they are none, or do not fit together.
    """
    if not isinstance(data, dict) or data.get("schema") != PLAN_SCHEMA:
        raise ScenarioError(f"{name or place}: is not a plan of schema {PLAN_SCHEMA}")
    plan = build(Plan, filled(Plan, data), place)
    _check(plan, place)
    return plan


def _check(plan: Plan, place: str) -> None:
    """Refuse a plan that speaks of nodes or posts that it does not have."""
    known = {node.id for node in plan.nodes}
    named = [*(link.dialer for link in plan.links), *(link.listener for link in plan.links)]
    named += [*(post.node for post in plan.posts), *(kill.node for kill in plan.kills)]
    named += plan.compacting
    named += [post.to for post in plan.posts if post.to is not None]
    named += [one for cut in plan.cuts for group in (*cut.groups, *cut.links) for one in group]
    named += [one for shape in plan.shapes for link in shape.links for one in link]
    named += [trouble.node for trouble in plan.troubles]
    named += [one for trip in plan.trips for one in (trip.source, trip.target)]
    named += [one for a in plan.attempts for one in (a.target, a.victim)]
    for one in named:
        if one not in known:
            raise ScenarioError(f"{place}: there is no node '{one}'{nearest(one, known)}")
    if len(known) < 2 or len(known) != len(plan.nodes):
        raise ScenarioError(f"{place}: a plan needs two nodes or more, each with its own id")
    posts = {post.n for post in plan.posts}
    if any(post.of is not None and post.of not in posts for post in plan.posts):
        raise ScenarioError(f"{place}: a post speaks of another one that is not in the plan")
