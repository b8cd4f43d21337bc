"""What is in a plan, in words: one clause for each fault, post and attempt."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from mycelia_sim.plan import Attempt, Cut, Kill, Plan, Post, Shape, Trip, Trouble
from mycelia_sim.storyline import CRASHES, TROUBLES

NAMES_MAX: Final = 4  # nodes or links that are named one by one

Thing = Cut | Kill | Shape | Trouble | Trip | Post | Attempt

_MODES: Final = {
    "drop": "nothing passes {way}",
    "delay": "everything {way} comes {delay} late",
    "queue": "everything {way} waits for the end of it",
    "reset": "connections {way} are reset",
}


def seconds(ms: float) -> str:
    """Return a time in words: "12.5 s"."""
    return f"{ms / 1000:g} s"


def tell(plan: Plan, thing: Thing) -> str:
    """Return what happens, without when it begins."""
    match thing:
        case Cut():
            return f"{_cut(plan, thing)}, until {seconds(thing.until_ms)}"
        case Kill():
            _, words = CRASHES.get(thing.disk, ("", "loses power"))
            if thing.disk == "restore_old":
                words += f" that lacks {thing.rollback} records"
            return f"{_node(plan, thing.node)} {words}, is back at {seconds(thing.restart_ms)}"
        case Shape():
            where = _links(thing.links)
            return f"{where}: {', '.join(_worse(thing))}, until {seconds(thing.until_ms)}"
        case Trouble():
            words = _trouble(thing)
            return f"{_node(plan, thing.node)} {words}, until {seconds(thing.until_ms)}"
        case Trip():
            way = f"{_node(plan, thing.source)} to {_node(plan, thing.target)}"
            return f"a stick goes from {way}, and is there at {seconds(thing.until_ms)}"
        case Post():
            return f"{_node(plan, thing.node)} {_post(thing)}"
        case Attempt():
            what = thing.behaviour.replace("_", " ")
            return f"{thing.adversary} tries on {thing.target} to {what}, naming {thing.victim}"


def _node(plan: Plan, node: str) -> str:
    return f"{node} ({plan.node(node).name})"


def _cut(plan: Plan, cut: Cut) -> str:
    groups = [_group(plan, group) for group in cut.groups]
    if len(groups) == 2:
        way = (
            f"from {groups[0]} to {groups[1]}" if cut.oneway else f"between {' and '.join(groups)}"
        )
    elif groups:
        way = f"between any of {'; '.join(groups)}"
    else:
        way = f"on {_links(cut.links)}"
    if groups and cut.links:
        way += f" and on {_links(cut.links)}"
    text = _MODES[cut.mode].format(way=way, delay=seconds(cut.delay_ms))
    return f"{cut.kind.replace('_', ' ')}: {text}"


def _group(plan: Plan, group: Sequence[str]) -> str:
    """Name a group by its side of the river if it is all of that, else by its nodes."""
    for side in sorted({node.side for node in plan.nodes}):
        if tuple(node.id for node in plan.nodes if node.side == side) == tuple(group):
            return f"{side} ({len(group)} nodes)" if len(group) > 1 else f"{side} ({group[0]})"
    return _some(group)


def _links(links: Iterable[tuple[str, str]]) -> str:
    """Name directions; those of both ways together."""
    ways = list(links)
    both = {pair for pair in ways if pair[::-1] in ways and pair[0] < pair[1]}
    names = [f"{a}-{b}" for a, b in ways if (a, b) in both]
    names += [f"{a}->{b}" for a, b in ways if (b, a) not in ways]
    return f"link {names[0]}" if len(names) == 1 else f"links {_some(names)}"


def _some(names: Sequence[str]) -> str:
    if len(names) <= NAMES_MAX:
        return ", ".join(names)
    return f"{', '.join(names[: NAMES_MAX - 1])} and {len(names) - NAMES_MAX + 1} more"


def _worse(shape: Shape) -> list[str]:
    words = [
        (shape.latency_ms, f"{shape.latency_ms} ms slower"),
        (shape.jitter_ms, f"up to {shape.jitter_ms} ms of jitter"),
        (shape.loss_ppm, f"{shape.loss_ppm / 10_000:g} % of packets lost"),
        (shape.duplicate_ppm, f"{shape.duplicate_ppm / 10_000:g} % doubled"),
        (shape.reorder_ppm, f"{shape.reorder_ppm / 10_000:g} % overtaken"),
        (shape.rate_bps, f"{shape.rate_bps / 1000:g} kbit/s at most"),
    ]
    return [text for value, text in words if value] or ["no worse than planned"]


def _trouble(trouble: Trouble) -> str:
    words = TROUBLES.get(trouble.kind, trouble.kind.replace("_", " "))
    match trouble.kind:
        case "slow":
            return f"{words}, each event takes {trouble.amount / 1000:g} ms"
        case "clock_bump":
            return f"{words} by {seconds(trouble.amount)}"
        case "clock_drift":
            return f"{words} by {trouble.amount} ppm"
        case _:
            return words


def _post(post: Post) -> str:
    if post.kind == "withdraw":
        return f"takes back its post {post.of}"
    if post.kind == "renew":
        return f"lets its post {post.of} go on"
    if post.kind == "dispute":
        return f"disputes what it was granted for its post {post.of}"
    if post.kind == "rights":
        return f"lets {post.to} grant half of what is left of its post {post.of}"
    unit = "" if post.unit == "1" else f"{post.unit} of "
    verb = "asks for" if post.kind == "request" else "lends" if post.slots else "offers"
    return f"{verb} {post.quantity} {unit}{post.title}"
