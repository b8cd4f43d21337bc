"""The plan: everything that was drawn, resolved once at the start. It is what runs and replays.

A plan is plain values and goes through JSON unchanged. It holds no distribution and no selector,
so that taking one fault or one post out of it shifts nothing else.
"""

from __future__ import annotations

import json
import types
from dataclasses import asdict, dataclass, fields, is_dataclass
from pathlib import Path
from typing import Any, Final, Union, get_args, get_origin, get_type_hints

from mycelia_sim.errors import ScenarioError, nearest

PLAN_SCHEMA: Final = 1


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
        kind: offer, request or withdraw.
        of: number `n` of the offer or request that a withdraw takes back, else None.
        urgency: only for requests.
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
        disk: what the disk is like at the restart: `keep`; `wipe`: empty; `restore_old`: an older
            backup; `torn`: the last write is incomplete; `bitflip`: a bit of a record is wrong.
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


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something befalls one node for a while.

    Attributes:
        kind: `pause` the process is stopped and goes on; `slow` every event takes `amount` us;
            `leave` it stops politely and comes back; `clock_bump` its clock jumps by `amount` ms;
            `clock_drift` runs `amount` ppm fast; `disk_full` nothing can be written;
            `drop_unsynced` power is lost and comes back at once.
    """

    id: str
    kind: str
    at_ms: int
    until_ms: int
    node: str
    amount: int


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
class Plan:
    """One resolved run; all times in ms after the beginning of the workload, else durations."""

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

    def node(self, node_id: str) -> PlanNode:
        """Return the node with this id."""
        return next(node for node in self.nodes if node.id == node_id)

    def to_json(self) -> str:
        """Return the plan as JSON text, one post, link and attempt a line."""
        parts = []
        for key, value in asdict(self).items():
            if isinstance(value, (list, tuple)) and value and isinstance(value[0], dict):
                lines = ",\n  ".join(json.dumps(item, ensure_ascii=False) for item in value)
                parts.append(f' "{key}": [\n  {lines}\n ]')
            else:
                parts.append(f' "{key}": {json.dumps(value, ensure_ascii=False)}')
        return "{\n" + ",\n".join(parts) + "\n}\n"


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

    Raises: ScenarioError when they are none, or do not fit together.
    """
    if not isinstance(data, dict) or data.get("schema") != PLAN_SCHEMA:
        raise ScenarioError(f"{name or place}: is not a plan of schema {PLAN_SCHEMA}")
    plan: Plan = _value(Plan, data, place)
    _check(plan, place)
    return plan


def _check(plan: Plan, place: str) -> None:
    """Refuse a plan that speaks of nodes or posts that it does not have."""
    known = {node.id for node in plan.nodes}
    named = [*(link.dialer for link in plan.links), *(link.listener for link in plan.links)]
    named += [*(post.node for post in plan.posts), *(kill.node for kill in plan.kills)]
    named += [one for cut in plan.cuts for group in (*cut.groups, *cut.links) for one in group]
    named += [one for shape in plan.shapes for link in shape.links for one in link]
    named += [trouble.node for trouble in plan.troubles]
    named += [one for a in plan.attempts for one in (a.target, a.victim)]
    for one in named:
        if one not in known:
            raise ScenarioError(f"{place}: there is no node '{one}'{nearest(one, known)}")
    if len(known) < 2 or len(known) != len(plan.nodes):
        raise ScenarioError(f"{place}: a plan needs two nodes or more, each with its own id")
    posts = {post.n for post in plan.posts}
    if any(post.of is not None and post.of not in posts for post in plan.posts):
        raise ScenarioError(f"{place}: a withdraw takes back a post that is not in the plan")


def _value(kind: Any, data: Any, place: str) -> Any:
    """Build a value of the annotated type from JSON, strictly."""
    if is_dataclass(kind) and isinstance(kind, type):
        return _object(kind, data, place)
    origin = get_origin(kind)
    if origin in (Union, types.UnionType):
        inner = [part for part in get_args(kind) if part is not type(None)]
        return None if data is None else _value(inner[0], data, place)
    if origin is tuple:
        if not isinstance(data, list):
            raise ScenarioError(f"{place}: must be a list")
        (item, _) = get_args(kind)
        return tuple(_value(item, part, f"{place}[{n}]") for n, part in enumerate(data))
    if kind is float and isinstance(data, int) and not isinstance(data, bool):
        return float(data)
    if type(data) is not kind:
        word = getattr(kind, "__name__", str(kind))
        raise ScenarioError(f"{place}: must be {word}, not {data!r}")
    return data


def _object(kind: type, data: Any, place: str) -> Any:
    if not isinstance(data, dict):
        raise ScenarioError(f"{place}: must be an object")
    hints = get_type_hints(kind)
    names = [field.name for field in fields(kind)]
    for key in sorted(data):
        if key not in names:
            raise ScenarioError(f"{place}: unknown key '{key}'{nearest(key, names)}")
    missing = [name for name in names if name not in data]
    if missing:
        raise ScenarioError(f"{place}: '{missing[0]}' is missing")
    return kind(**{name: _value(hints[name], data[name], f"{place}.{name}") for name in names})
