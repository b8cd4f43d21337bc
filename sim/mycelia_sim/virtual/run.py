"""One run in virtual time, from a plan to a verdict; nothing is written here.

world -> disks -> evidence -> checks, metrics, what the panorama draws
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Final

from mycelia_protocol.identity import to_text
from mycelia_sim.checkers import judge_all
from mycelia_sim.evidence import Evidence, gather
from mycelia_sim.interrupts import interrupts
from mycelia_sim.measured import Measured, Stopwatch, peak_rss_mib
from mycelia_sim.plan import Plan
from mycelia_sim.progress import Progress
from mycelia_sim.splits import Splits
from mycelia_sim.spread import series
from mycelia_sim.storyline import Look
from mycelia_sim.verdict import Check
from mycelia_sim.virtual.disks import Seen, read_disks
from mycelia_sim.virtual.metrics import caught_up_ms, metrics_of, spread_of
from mycelia_sim.virtual.samples import Sampler
from mycelia_sim.virtual.trace import Trace
from mycelia_sim.virtual.world import Exhausted, World

TOLD_MAX: Final = 64  # engines asked for the digest of their state, which costs a fold each
SAY_EVERY_S: Final = 0.2
COLLECT_EVERY: Final = (50_000, 50, 50)  # new containers, young and middle collections


@dataclass(frozen=True, slots=True)
class Played:
    """A run that is over, and judged.

    Attributes:
        look: what the panorama draws, but for the messages around a violation.
    """

    world: World
    evidence: Evidence
    checks: tuple[Check, ...]
    measured: Measured
    look: Look


def play_virtual(
    plan: Plan,
    progress: Progress | None = None,
    trace: Trace | None = None,
    unjudged: Callable[[Evidence], None] | None = None,
) -> Played:
    """Run a plan and judge it; Ctrl-C ends the run, and what there is by then is judged.

    So does the bound on events; then, too, only what was proved counts.

    Args:
        unjudged: is given what there is to judge if somebody interrupts the judging.

    Raises: KeyboardInterrupt when somebody did.
    """
    sampler = Sampler(plan)
    teller = None if progress is None else Teller(progress, plan)

    def report(world: World) -> None:
        sampler.tell(world)
        if teller is not None:
            teller.tell(world)

    with _rare_collections():
        world = World(plan, report, trace)
        watch = Stopwatch()
        _run(world)
        sampler.take(world)
        wall_s, cpu_s = watch.wall_s, watch.cpu_s
        world.facts.timings_s["run"] = round(wall_s, 2)
        if progress is not None:
            progress.phase("judging")
        if unjudged is None:
            return _judge(world, sampler, Measured(wall_s, cpu_s, 0))
        try:
            return _judge(world, sampler, Measured(wall_s, cpu_s, 0))
        except KeyboardInterrupt:
            unjudged(_gather(world))
            raise


@contextmanager
def _rare_collections() -> Iterator[None]:
    """Look for garbage in cycles rarely.

    Nearly all that a world makes lives to its end, or dies without a cycle. Looking through it at
    the usual pace was a third of what a run of a thousand nodes cost.
    """
    usual = gc.get_threshold()
    gc.set_threshold(*COLLECT_EVERY)
    try:
        yield
    finally:
        gc.set_threshold(*usual)


def _run(world: World) -> None:
    """Run a world to its end, or until somebody or its bound ends it."""
    with interrupts():
        try:
            world.run()
        except KeyboardInterrupt:
            world.facts.is_interrupted = True
        except Exhausted:
            world.facts.is_exhausted = True


def _judge(world: World, sampler: Sampler, cost: Measured) -> Played:
    watch = Stopwatch()
    evidence = _gather(world)
    spread = spread_of(world, evidence)
    metrics, counts = metrics_of(world, spread, evidence)
    checks = judge_all(evidence, metrics)
    world.facts.timings_s["judge"] = round(watch.wall_s, 2)
    measured = replace(
        cost,
        peak_rss_mib=peak_rss_mib(),
        virtual_s=world.loop.now_us / 1e6,
        events=world.loop.events,
        trace_digest=world.trace_digest,
        metrics=metrics,
        counts={**counts, "plain_sessions": world.is_plain},
    )
    look = Look(tuple(sampler.samples), series(spread, world.began_us, world.elapsed_ms), 0)
    return Played(world, evidence, tuple(checks), measured, look)


def _gather(world: World) -> Evidence:
    world.facts.caught_up_ms = caught_up_ms(world)
    _ask(world)
    return gather(world.plan, world.facts, read_disks(world), Seen(world))


def _ask(world: World) -> None:
    """Ask engines for their state digest and number of records, evenly over all nodes."""
    nodes = list(world.nodes.values())
    for node in nodes[:: -(-len(nodes) // TOLD_MAX)]:
        if node.engine is not None:
            digest = to_text("state", node.engine.state.digest())
            world.facts.told[node.id] = (digest, node.engine.logs.record_count())


class Teller:
    """Says now and then how far a run is."""

    def __init__(self, progress: Progress, plan: Plan) -> None:
        self._progress = progress
        self._duration_ms = plan.duration_ms
        self._splits = Splits(plan)
        self._said_s = time.monotonic()
        self._events = 0
        self._virtual_us = 0
        progress.phase("virtual: linking")

    def tell(self, world: World) -> None:
        """Say how far it is, if the last word was a moment ago."""
        now_s = time.monotonic()
        passed_s = now_s - self._said_s
        if passed_s < SAY_EVERY_S:
            return
        rate = (world.loop.events - self._events) / passed_s
        speed = (world.loop.now_us - self._virtual_us) / 1e6 / passed_s
        self._said_s, self._events, self._virtual_us = now_s, world.loop.events, world.loop.now_us
        known = len(world.journeys)
        nodes = world.nodes.values()
        up = sum(node.is_up for node in nodes)
        behind = sum(world.liars_logs.honest_records(node.store) < known for node in nodes)
        elapsed_s, all_s = world.elapsed_ms / 1000, self._duration_ms / 1000
        split = self._splits.words(world.elapsed_ms) if world.has_begun else ""
        left_s = max(0.0, all_s - elapsed_s) / speed if speed else 0.0
        self._progress.line(
            f"virtual {_clock(elapsed_s)}/{_clock(all_s)} | {speed:.3g}x | {_count(rate)} ev/s"
            f" | nodes {up}/{len(nodes)}{f' | {split}' if split else ''} | behind {behind}"
            f" | ETA {_clock(left_s)}"
        )


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02}"


def _count(rate: float) -> str:
    return f"{rate / 1000:.0f}k" if rate >= 1000 else f"{rate:.0f}"
