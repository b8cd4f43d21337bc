"""One run in virtual time, from a plan to a verdict, with the report that a live run leaves too.

    world -> disks -> evidence -> checks -> summary, verdict, journal, timeline, trace

`play_virtual` leaves nothing behind; `run_virtual` writes a folder.
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import Final

from mycelia_protocol.identity import to_text
from mycelia_sim.checkers import check_all
from mycelia_sim.evidence import Evidence, gather
from mycelia_sim.plan import Plan
from mycelia_sim.progress import Progress
from mycelia_sim.verdict import Check, interrupted
from mycelia_sim.virtual.disks import Seen, read_disks
from mycelia_sim.virtual.trace import Trace
from mycelia_sim.virtual.world import World

TOLD_MAX: Final = 64  # engines asked for the digest of their state, which costs a fold each


@dataclass(frozen=True, slots=True)
class Played:
    """A run that is over, and judged."""

    world: World
    evidence: Evidence
    checks: tuple[Check, ...]


def play_virtual(
    plan: Plan, progress: Progress | None = None, trace: Trace | None = None
) -> Played:
    """Run a plan and judge it; Ctrl-C ends the run, and what there is by then is judged."""
    world = World(plan, None if progress is None else _Teller(progress, plan).tell, trace)
    with _interrupts():
        try:
            world.run()
        except KeyboardInterrupt:
            world.facts.is_interrupted = True
    if progress is not None:
        progress.phase("judging")
    _ask(world)
    evidence = gather(plan, world.facts, read_disks(world), Seen(world))
    checks = check_all(evidence)
    if world.facts.is_interrupted:
        checks = [interrupted(check) for check in checks]
    return Played(world, evidence, tuple(checks))


@contextmanager
def _interrupts() -> Iterator[None]:
    """Let a polite end of the process end the run as Ctrl-C does."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def end(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = {number: signal.signal(number, end) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _ask(world: World) -> None:
    """Ask engines for their state digest and number of records, evenly over all nodes."""
    nodes = list(world.nodes.values())
    for node in nodes[:: -(-len(nodes) // TOLD_MAX)]:
        if node.engine is not None:
            digest = to_text("state", node.engine.state.digest())
            world.facts.told[node.id] = (digest, node.engine.logs.record_count())


class _Teller:
    """Says now and then how far a run is."""

    def __init__(self, progress: Progress, plan: Plan) -> None:
        self._progress = progress
        self._duration_ms = plan.duration_ms
        self._began_s = self._said_s = time.monotonic()
        self._events = 0
        self._virtual_us = 0
        progress.phase("virtual: linking")

    def tell(self, world: World) -> None:
        """Say how far it is, if the last word was a moment ago."""
        now_s = time.monotonic()
        passed_s = now_s - self._said_s
        if passed_s < 0.2:
            return
        rate = (world.loop.events - self._events) / passed_s
        speed = (world.loop.now_us - self._virtual_us) / 1e6 / passed_s
        self._said_s, self._events, self._virtual_us = now_s, world.loop.events, world.loop.now_us
        known = len(world.journeys)
        nodes = world.nodes.values()
        up = sum(node.is_up for node in nodes)
        behind = sum(world.cast.honest_records(node.store) < known for node in nodes)
        elapsed_s, all_s = world.elapsed_ms / 1000, self._duration_ms / 1000
        left_s = max(0.0, all_s - elapsed_s) / speed if speed else 0.0
        self._progress.line(
            f"virtual {_clock(elapsed_s)}/{_clock(all_s)} | {speed:.3g}x | {_count(rate)} ev/s"
            f" | nodes {up}/{len(nodes)} | behind {behind} | ETA {_clock(left_s)}"
        )


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02}"


def _count(rate: float) -> str:
    return f"{rate / 1000:.0f}k" if rate >= 1000 else f"{rate:.0f}"
