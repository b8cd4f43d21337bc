"""What a run really did to its network and its nodes, as the oracle reads it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from mycelia_sim.path import cut_directions
from mycelia_sim.plan import Plan
from mycelia_sim.virtual.loop import MS
from mycelia_sim.virtual.oracle import NEVER, Direction, Life, Oracle
from mycelia_sim.virtual.spans import Span, Spans

if TYPE_CHECKING:
    from mycelia_sim.virtual.world import World

Pair = tuple[str, str]
Turn = tuple[int, str]  # us, and what happened to a node: start, crash, pause, resume


def oracle_of(world: World) -> Oracle:
    """Return the oracle of a virtual run that is over."""
    plan, began_us, nodes = world.plan, world.began_us, list(world.nodes)
    pairs = [(s, t) for s, t in world.directions() if s in world.nodes and t in world.nodes]
    ways = {pair: Direction(world.path(*pair).latency_us) for pair in pairs}
    put_faults(plan, ways, began_us, planned_cuts(plan, began_us))
    lives = {}
    for node in nodes:
        full = [
            (began_us + trouble.at_ms * MS, began_us + trouble.until_ms * MS)
            for trouble in plan.troubles
            if trouble.node == node and trouble.kind == "disk_full"
        ]
        lives[node] = life_of(world.watch.lives.get(node, ()), began_us, full)
    disturbed = {node: life for node, life in lives.items() if life.mute}
    return Oracle(nodes, ways, disturbed, world.sync_us, world.couriers.sticks)


def planned_cuts(plan: Plan, began_us: int) -> dict[str, Span]:
    """Return from when to when (us) each cut holds, if all goes as planned."""
    return {cut.id: (began_us + cut.at_ms * MS, began_us + cut.until_ms * MS) for cut in plan.cuts}


def put_faults(
    plan: Plan, ways: dict[Pair, Direction], began_us: int, cuts: Mapping[str, Span]
) -> None:
    """Write into the directions when they were cut, and when slower."""
    held: dict[Pair, list[Span]] = {}
    for cut in plan.cuts:
        if cut.id not in cuts:
            continue
        start, end = cuts[cut.id]
        for pair in cut_directions(cut, list(ways)):
            if pair not in ways:
                continue
            if cut.mode == "delay":
                ways[pair].slower.append((start, end, cut.delay_ms * MS))
            else:
                held.setdefault(pair, []).append((start, end))
    for pair, spans in held.items():
        ways[pair].cuts = Spans(spans)
    for shape in plan.shapes:
        if shape.latency_ms > 0:
            start, end = (began_us + at * MS for at in (shape.at_ms, shape.until_ms))
            for pair in shape.links:
                if pair in ways:
                    ways[pair].slower.append((start, end, shape.latency_ms * MS))


def life_of(turns: Iterable[Turn], began_us: int, full: list[Span]) -> Life:
    """Return when a node was down, stopped, or could not write, since the workload began.

    Args:
        turns: in order of time; before the first start it was down.
        full: when its disk was.
    """
    down: list[Span] = []
    stopped: list[Span] = []
    down_since: int | None = 0
    stopped_since: int | None = None
    for at_us, what in turns:
        if what == "start" and down_since is not None:
            down.append((down_since, at_us))
            down_since = None
        elif what == "crash":
            down_since = at_us if down_since is None else down_since
            what = "resume"  # a process that is gone is not stopped any more
        if what == "pause":
            stopped_since = at_us
        elif what == "resume" and stopped_since is not None:
            stopped.append((stopped_since, at_us))
            stopped_since = None
    if down_since is not None:
        down.append((down_since, NEVER))
    if stopped_since is not None:
        stopped.append((stopped_since, NEVER))
    down = [span for span in down if span[1] > began_us]
    return Life(Spans(down), Spans([*down, *stopped]), Spans([*down, *stopped, *full]))
