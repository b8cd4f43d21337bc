"""What is different between two runs: plans, verdicts, metrics, and where their traces part."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Final

from mycelia_sim.divergence import Divergence, compare
from mycelia_sim.plan import Plan
from mycelia_sim.plan_file import plan_hash
from mycelia_sim.reduce import faults_of
from mycelia_sim.run_folder import RunFolder
from mycelia_sim.telling import Thing, seconds, tell
from mycelia_sim.verdict import Check

TOLD_MAX: Final = 12  # things of one kind that are told one by one
_PLAIN: Final = (
    *("scenario", "title", "seed", "backend", "receipts"),
    *("policy", "in_force", "preposition", "presence", "stop"),
    *("checkpoint_after", "acknowledge_within_ms", "compact_after_ms", "compacting"),
)
_TIMES: Final = ("warmup_ms", "duration_ms", "converge_within_ms")
_COUNTS: Final = (
    "records",
    "acknowledged",
    "settled_s",
    "converged_after_heal_s",
    "virtual_s",
    "wall_s",
    "cpu_s",
    "events",
    "peak_rss_mib",
)


@dataclass(frozen=True, slots=True)
class Figure:
    """One number of two runs; None where a run does not have it."""

    name: str
    one: float | None
    other: float | None

    @property
    def ratio(self) -> float | None:
        """How many times the first the second is, None where that means nothing."""
        if not self.one or self.other is None:
            return None
        return self.other / self.one


@dataclass(frozen=True, slots=True)
class RunDiff:
    """What is different between run A and run B, in words where words do.

    Attributes:
        is_same_plan: to the letter.
        figures: those that differ.
        equal: how many others are the same.
        is_compared: whether both left a chain of their trace; only then is there a divergence.
    """

    is_same_plan: bool
    plan: tuple[str, ...]
    checks: tuple[str, ...]
    figures: tuple[Figure, ...]
    equal: int
    versions: tuple[str, ...]
    is_compared: bool
    divergence: Divergence | None


def diff_runs(one: RunFolder, other: RunFolder) -> RunDiff:
    """Compare two runs.

    Raises: ScenarioError when a file of theirs is damaged.
    """
    a, b = _numbers(one.summary), _numbers(other.summary)
    figures = [Figure(name, a.get(name), b.get(name)) for name in dict.fromkeys((*a, *b))]
    differing = tuple(figure for figure in figures if figure.one != figure.other)
    chains = one.chain(), other.chain()
    divergence = None
    if chains[0] is not None and chains[1] is not None:
        divergence = compare(chains[0], chains[1], one.lines(), other.lines())
    return RunDiff(
        is_same_plan=plan_hash(one.plan) == plan_hash(other.plan),
        plan=tuple(diff_plans(one.plan, other.plan)),
        checks=tuple(_checks(one, other)),
        figures=differing,
        equal=len(figures) - len(differing),
        versions=tuple(_versions(one.summary, other.summary)),
        is_compared=None not in chains,
        divergence=divergence,
    )


# --- plans ---


def diff_plans(one: Plan, other: Plan) -> Iterator[str]:
    """Yield in words what differs between two plans."""
    for name in _PLAIN:
        a, b = getattr(one, name), getattr(other, name)
        if a != b:
            yield f"{name}: {a} | {b}"
    for name in _TIMES:
        a, b = getattr(one, name), getattr(other, name)
        if a != b:
            yield f"{name.removesuffix('_ms')}: {seconds(a)} | {seconds(b)}"
    yield from _names("nodes", [n.id for n in one.nodes], [n.id for n in other.nodes])
    sites = {node.id: node for node in other.nodes}
    moved = [n.id for n in one.nodes if sites.get(n.id, n) != n]
    if moved:
        yield f"nodes: {len(moved)} stand for other sites, {moved[0]} first"
    yield from _links(one, other)
    yield from _things("fault", dict(faults_of(one)), dict(faults_of(other)), one, other)
    yield from _things(
        "post", {p.n: p for p in one.posts}, {p.n: p for p in other.posts}, one, other
    )
    yield from _things(
        "attempt", {a.n: a for a in one.attempts}, {a.n: a for a in other.attempts}, one, other
    )
    for name in ("invariants", "sometimes"):
        yield from _names(name, getattr(one, name), getattr(other, name))
    limits = [[f"{x.metric} {x.compare} {x.value:g}" for x in p.limits] for p in (one, other)]
    yield from _names("limits", *limits)


def _names(what: str, one: Sequence[str], other: Sequence[str]) -> Iterator[str]:
    """Yield what only one of two lists names."""
    for side, names, others in (("A", one, other), ("B", other, one)):
        only = [name for name in names if name not in others]
        if only:
            more = f" and {len(only) - TOLD_MAX} more" if len(only) > TOLD_MAX else ""
            yield f"{what}: only in {side}: {', '.join(only[:TOLD_MAX])}{more}"


def _links(one: Plan, other: Plan) -> Iterator[str]:
    pairs = [{(x.dialer, x.listener): x.latency_ms for x in plan.links} for plan in (one, other)]
    names = [[f"{a}-{b}" for a, b in found] for found in pairs]
    yield from _names("links", *names)
    common = [pair for pair in pairs[0] if pair in pairs[1]]
    changed = [pair for pair in common if pairs[0][pair] != pairs[1][pair]]
    if changed:
        (a, b), was, now = changed[0], pairs[0][changed[0]], pairs[1][changed[0]]
        yield f"links: {len(changed)} have another latency; {a}-{b}: {was} ms | {now} ms"


def _things(
    what: str, one: Mapping[Any, Thing], other: Mapping[Any, Thing], a: Plan, b: Plan
) -> Iterator[str]:
    """Yield which faults, posts or attempts only one plan has, and which are not alike."""
    only = {
        "A": [(a, thing) for key, thing in one.items() if key not in other],
        "B": [(b, thing) for key, thing in other.items() if key not in one],
    }
    for side, found in only.items():
        for plan, thing in found[:TOLD_MAX]:
            yield f"{what}: only in {side}: at {seconds(thing.at_ms)} {tell(plan, thing)}"
        if len(found) > TOLD_MAX:
            yield f"{what}: only in {side}: {len(found) - TOLD_MAX} more"
    changed = [(thing, other[k]) for k, thing in one.items() if k in other and other[k] != thing]
    told = len(changed) if len(changed) <= TOLD_MAX else 3
    for thing, now in changed[:told]:
        yield f"{what} {_id(thing)}: {', '.join(_fields(thing, now))}"
    if len(changed) > told:
        yield f"{what}: {len(changed) - told} more are not alike"


def _id(thing: Thing) -> str:
    return str(getattr(thing, "id", None) or getattr(thing, "n", ""))


def _fields(one: Thing, other: Thing) -> Iterator[str]:
    """Yield the fields in which two things of the same name differ."""
    for field in fields(one):
        a, b = getattr(one, field.name), getattr(other, field.name, None)
        if a == b:
            continue
        if field.name in ("groups", "links"):
            yield f"other {field.name}"
        elif field.name.endswith("_ms"):
            yield f"{field.name.removesuffix('_ms')} {seconds(a)} | {seconds(b or 0)}"
        else:
            yield f"{field.name} {a} | {b}"


# --- what came of them ---


def _checks(one: RunFolder, other: RunFolder) -> Iterator[str]:
    """Yield the verdicts, and the checks that judge otherwise."""
    if one.verdict != other.verdict:
        yield f"verdict: {one.verdict or 'none'} | {other.verdict or 'none'}"
    before, after = one.checks(), other.checks()
    if not before or not after:
        return
    yield from _otherwise(before, after)


def _otherwise(before: list[Check], after: list[Check]) -> Iterator[str]:
    was = {check.name: check for check in before}
    now = {check.name: check for check in after}
    for name in dict.fromkeys((*was, *now)):
        a, b = was.get(name), now.get(name)
        if a is None or b is None:
            yield f"{name}: only looked at in {'B' if a is None else 'A'}"
        elif a.verdict != b.verdict:
            told = a if a.verdict != "pass" else b
            yield f"{name}: {a.verdict} | {b.verdict}; {told.detail}"


def _versions(one: Mapping[str, Any], other: Mapping[str, Any]) -> Iterator[str]:
    then, now = one.get("versions") or {}, other.get("versions") or {}
    for name in dict.fromkeys((*then, *now)):
        if then.get(name) != now.get(name):
            yield f"{name}: {then.get(name)} | {now.get(name)}"


def _numbers(summary: Mapping[str, Any]) -> dict[str, float]:
    """Return all counts and metrics that a run has, by dotted name."""
    found: dict[str, Any] = {name: summary.get(name) for name in _COUNTS}
    for name, value in (summary.get("metrics") or {}).items():
        if isinstance(value, dict):
            found |= {f"{name}.{part}": number for part, number in value.items()}
        else:
            found[name] = value
    return {name: value for name, value in found.items() if type(value) in (int, float)}
