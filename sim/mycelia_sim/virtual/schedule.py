"""What a run really did to its network and its nodes, as the oracle reads it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mycelia_sim.path import cut_directions
from mycelia_sim.plan import Plan
from mycelia_sim.virtual.loop import MS
from mycelia_sim.virtual.oracle import NEVER, Direction, Life, Oracle
from mycelia_sim.virtual.spans import Span, Spans

if TYPE_CHECKING:
    from mycelia_sim.virtual.world import World

Pair = tuple[str, str]


def oracle_of(world: World) -> Oracle:
    """Return the oracle of a run that is over."""
    nodes = list(world.nodes)
    pairs = [(s, t) for s, t in world.directions() if s in world.nodes and t in world.nodes]
    ways = {pair: Direction(world.path(*pair).latency_us) for pair in pairs}
    _put_cuts(world.plan, world.began_us, ways)
    for shape in world.plan.shapes:
        if shape.latency_ms > 0:
            start, end = (world.began_us + at * MS for at in (shape.at_ms, shape.until_ms))
            for pair in shape.links:
                if pair in ways:
                    ways[pair].slower.append((start, end, shape.latency_ms * MS))
    lives = {node: _life(world, node) for node in nodes}
    disturbed = {node: life for node, life in lives.items() if life.mute}
    return Oracle(nodes, ways, disturbed, world.sync_us)


def _put_cuts(plan: Plan, began_us: int, ways: dict[Pair, Direction]) -> None:
    cuts: dict[Pair, list[Span]] = {}
    for cut in plan.cuts:
        start, end = began_us + cut.at_ms * MS, began_us + cut.until_ms * MS
        for pair in cut_directions(cut, list(ways)):
            if pair not in ways:
                continue
            if cut.mode == "delay":
                ways[pair].slower.append((start, end, cut.delay_ms * MS))
            else:
                cuts.setdefault(pair, []).append((start, end))
    for pair, spans in cuts.items():
        ways[pair].cuts = Spans(spans)


def _life(world: World, node: str) -> Life:
    """Return when a node was down, stopped, or could not write, since the workload began."""
    down: list[Span] = []
    stopped: list[Span] = []
    down_since: int | None = 0
    stopped_since: int | None = None
    for at_us, what in world.watch.lives.get(node, ()):
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
    began_us = world.began_us
    down = [span for span in down if span[1] > began_us]
    full = [
        (began_us + trouble.at_ms * MS, began_us + trouble.until_ms * MS)
        for trouble in world.plan.troubles
        if trouble.node == node and trouble.kind == "disk_full"
    ]
    return Life(Spans(down), Spans([*down, *stopped]), Spans([*down, *stopped, *full]))
