"""Smaller plans from a plan: fewer faults, nodes and posts, less time, weaker faults.

Every function is pure, returns a plan that fits together, and shifts nothing that it keeps: draws
are made by counter, so what is left happens as it did before.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterator
from dataclasses import replace
from typing import Any, Final, TypeAlias

from mycelia_sim.plan import Attempt, Cut, Kill, Plan, PlanLink, Post, Shape, Trip, Trouble

FaultKey: TypeAlias = tuple[str, str]  # the plan's field that holds the fault, and its id
Fault: TypeAlias = Cut | Kill | Shape | Trouble | Trip

FAULT_FIELDS: Final = ("cuts", "kills", "shapes", "troubles", "trips")
MODES_BY_STRENGTH: Final = ("delay", "queue", "drop", "reset")
DURATION_MIN_MS: Final = 1_000


def faults_of(plan: Plan) -> list[tuple[FaultKey, Fault]]:
    """Return all faults with their keys, in the order in which they begin."""
    found: list[tuple[FaultKey, Fault]] = [
        ((field, fault.id), fault) for field in FAULT_FIELDS for fault in getattr(plan, field)
    ]
    return sorted(found, key=lambda one: (one[1].at_ms, one[0]))


def keep_faults(plan: Plan, kept: Collection[FaultKey]) -> Plan:
    """Return the plan with these faults only."""
    changes: dict[str, Any] = {
        field: tuple(fault for fault in getattr(plan, field) if (field, fault.id) in kept)
        for field in FAULT_FIELDS
    }
    return replace(plan, **changes)


def change_fault(plan: Plan, key: FaultKey, **changes: object) -> Plan:
    """Return the plan with other values in one of its faults."""
    field, fault_id = key
    values = tuple(
        replace(fault, **changes) if fault.id == fault_id else fault
        for fault in getattr(plan, field)
    )
    everything: dict[str, Any] = {field: values}
    return replace(plan, **everything)


def keep_attempts(plan: Plan, kept: Collection[int]) -> Plan:
    """Return the plan with these attempts of adversaries only."""
    return replace(plan, attempts=tuple(one for one in plan.attempts if one.n in kept))


def keep_posts(plan: Plan, kept: Collection[int]) -> Plan:
    """Return the plan with these posts only; a withdraw or rights go with what they are of."""
    posts = tuple(
        post for post in plan.posts if post.n in kept and (post.of is None or post.of in kept)
    )
    return replace(plan, posts=posts)


def keep_nodes(plan: Plan, kept: Collection[str]) -> Plan:
    """Return the plan with these nodes only; neighbours of a node that goes are linked instead."""
    gone = [node.id for node in plan.nodes if node.id not in kept]
    links = list(plan.links)
    for node in gone:
        links = _bridged(links, node)
    around = {None, *kept}
    posts = {post.n for post in plan.posts if post.node in kept and post.to in around}
    smaller = replace(
        plan,
        nodes=tuple(node for node in plan.nodes if node.id in kept),
        links=tuple(links),
        cuts=tuple(cut for cut in (_cut_among(cut, kept) for cut in plan.cuts) if _parts(cut)),
        kills=tuple(kill for kill in plan.kills if kill.node in kept),
        shapes=tuple(
            shape for shape in (_shape_among(one, kept) for one in plan.shapes) if shape.links
        ),
        troubles=tuple(trouble for trouble in plan.troubles if trouble.node in kept),
        attempts=tuple(one for one in plan.attempts if _is_among(one, kept)),
        trips=tuple(one for one in plan.trips if one.source in kept and one.target in kept),
    )
    return keep_posts(smaller, posts)


def _bridged(links: list[PlanLink], gone: str) -> list[PlanLink]:
    """Take a node out and link its neighbours in a row, so that paths through it remain."""
    near: dict[str, int] = {}
    for link in links:
        if gone in (link.dialer, link.listener):
            near[link.listener if link.dialer == gone else link.dialer] = link.latency_ms
    rest = [link for link in links if gone not in (link.dialer, link.listener)]
    known = {frozenset((link.dialer, link.listener)) for link in rest}
    around = list(near)
    for one, other in itertools.pairwise(around):
        if frozenset((one, other)) not in known:
            rest.append(PlanLink(one, other, near[one] + near[other]))
    return rest


def _cut_among(cut: Cut, kept: Collection[str]) -> Cut:
    groups = (tuple(node for node in group if node in kept) for group in cut.groups)
    links = tuple(link for link in cut.links if set(link) <= set(kept))
    return replace(cut, groups=tuple(group for group in groups if group), links=links)


def _parts(cut: Cut) -> bool:
    """Return whether a cut still parts anybody."""
    return len(cut.groups) > 1 or bool(cut.links)


def _shape_among(shape: Shape, kept: Collection[str]) -> Shape:
    return replace(shape, links=tuple(link for link in shape.links if set(link) <= set(kept)))


def _is_among(attempt: Attempt, kept: Collection[str]) -> bool:
    return attempt.target in kept and attempt.victim in kept


def truncate(plan: Plan, duration_ms: int) -> Plan:
    """Return the plan cut short: what would begin later is gone, what would end later ends."""
    end_ms = max(DURATION_MIN_MS, duration_ms)

    def ended(fault: Any) -> Any:
        return replace(fault, until_ms=min(fault.until_ms, end_ms))

    posts = {post.n for post in plan.posts if post.at_ms < end_ms}
    shorter = replace(
        plan,
        duration_ms=end_ms,
        cuts=tuple(ended(cut) for cut in plan.cuts if cut.at_ms < end_ms),
        shapes=tuple(ended(shape) for shape in plan.shapes if shape.at_ms < end_ms),
        troubles=tuple(ended(trouble) for trouble in plan.troubles if trouble.at_ms < end_ms),
        # One ms before the end: a node that comes back at the end itself was not seen to restart.
        kills=tuple(
            replace(kill, restart_ms=min(kill.restart_ms, end_ms - 1))
            for kill in plan.kills
            if kill.at_ms < end_ms - 1
        ),
        attempts=tuple(attempt for attempt in plan.attempts if attempt.at_ms < end_ms),
        # Trips go on while nodes settle, which is as long as before.
        trips=tuple(one for one in plan.trips if one.at_ms < end_ms + plan.converge_within_ms),
    )
    return keep_posts(shorter, posts)


def shift(plan: Plan, by_ms: int) -> Plan:
    """Return the plan with everything earlier by so much; nothing may begin before that."""

    def earlier(one: Any) -> Any:
        names = ("at_ms", "until_ms", "restart_ms")
        times = {name: getattr(one, name, None) for name in names}
        changes = {name: time - by_ms for name, time in times.items() if time is not None}
        if isinstance(one, Post):
            changes["slots"] = tuple((a - by_ms, b - by_ms) for a, b in one.slots)
        return replace(one, **changes)

    fields = ("posts", *FAULT_FIELDS, "attempts")
    changes: dict[str, Any] = {
        field: tuple(earlier(one) for one in getattr(plan, field)) for field in fields
    }
    return replace(plan, duration_ms=max(DURATION_MIN_MS, plan.duration_ms - by_ms), **changes)


def first_ms(plan: Plan) -> int:
    """Return when the first thing of the plan happens; the plan's duration if nothing does."""
    begins = [post.at_ms for post in plan.posts] + [one.at_ms for one in plan.attempts]
    begins += [fault.at_ms for _, fault in faults_of(plan)]
    return min(begins, default=plan.duration_ms)


def shorter_faults(plan: Plan, key: FaultKey, fault: Fault) -> Iterator[Plan]:
    """Yield the plan with one fault an eighth, a quarter, a half as long."""
    name = "restart_ms" if isinstance(fault, Kill) else "until_ms"
    length_ms = getattr(fault, name) - fault.at_ms
    for part in (8, 4, 2):
        if length_ms // part >= 1:
            yield change_fault(plan, key, **{name: fault.at_ms + length_ms // part})


def weaker_faults(plan: Plan, key: FaultKey, fault: Fault) -> Iterator[Plan]:
    """Yield the plan with one fault less bad, the mildest first."""
    match fault:
        case Cut(mode=mode) if mode in MODES_BY_STRENGTH:
            for milder in MODES_BY_STRENGTH[: MODES_BY_STRENGTH.index(mode)]:
                yield change_fault(plan, key, mode=milder)
        case Kill(disk=disk) if disk != "keep":
            yield change_fault(plan, key, disk="keep", rollback=0)
            if fault.rollback > 1:
                yield change_fault(plan, key, rollback=1)
        case Shape():
            names = ("latency_ms", "jitter_ms", "loss_ppm", "duplicate_ppm", "reorder_ppm")
            for name in (*names, "rate_bps"):
                if getattr(fault, name):
                    yield change_fault(plan, key, **{name: 0})
        case Trouble(amount=amount):
            for part in (8, 2):
                if abs(amount) >= part:
                    yield change_fault(plan, key, amount=int(amount / part))
        case _:
            return


def even_links(plan: Plan) -> Plan:
    """Return the plan with the middle latency on every link."""
    latencies = sorted(link.latency_ms for link in plan.links)
    middle_ms = latencies[len(latencies) // 2] if latencies else 0
    return replace(plan, links=tuple(replace(link, latency_ms=middle_ms) for link in plan.links))
