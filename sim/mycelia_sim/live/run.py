"""One live run from a plan to its facts and what lies on the disks.

    prepare, start, found, join -> warm up -> workload and faults -> settle -> stop -> read disks

Whatever happens on the way, no process is left behind.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from mycelia_sim.audit import Holding, read_home
from mycelia_sim.errors import HarnessError
from mycelia_sim.evidence import Evidence
from mycelia_sim.facts import Facts
from mycelia_sim.live.chronicle import Chronicle
from mycelia_sim.live.couriers import Couriers
from mycelia_sim.live.ears import Ears
from mycelia_sim.live.fleet import Fleet
from mycelia_sim.live.liars import LiveLiars
from mycelia_sim.live.measure import Heard, metrics_of, spread_of
from mycelia_sim.live.merged import merged
from mycelia_sim.live.meter import Meter
from mycelia_sim.live.monitor import POLL_INTERVAL_S, Monitor, Snapshot
from mycelia_sim.live.network import Network, ProxyNetwork
from mycelia_sim.live.process import Command, node_command
from mycelia_sim.live.scales import LiveScales
from mycelia_sim.live.stage import Stage
from mycelia_sim.live.workload import Journal, People
from mycelia_sim.measured import Metric
from mycelia_sim.plan import Plan
from mycelia_sim.progress import Progress
from mycelia_sim.spread import series
from mycelia_sim.storyline import Look
from mycelia_sim.timeline import Latency

SETTLED_STREAK: Final = 4  # agreeing looks in a row: a grant waits for its turn, then more follows


@dataclass(frozen=True, slots=True)
class Places:
    """Where a run writes: its report folder, and the homes of its nodes."""

    folder: Path
    homes: Path

    @property
    def logs(self) -> Path:
        """Return the folder of the nodes' logs."""
        return self.folder / "nodes"


def network_of(plan: Plan, places: Places) -> Network:
    """Return what joins the daemons on the backend that a plan names."""
    if plan.backend != "switch":
        return ProxyNetwork(plan)
    from mycelia_sim.switch.network import SwitchNetwork  # of use on Linux alone

    return SwitchNetwork(plan, places.folder / "switch.log")


class _Calm:
    """Says of each look whether all nodes agreed, and nothing has changed since the look before.

    Args:
        forked: logs on which they can't agree.
    """

    def __init__(self, nodes: int, forked: Collection[tuple[str, str]]) -> None:
        self._nodes = nodes
        self._forked = forked
        self._before: Mapping[str, object] = {}

    def __call__(self, snapshot: Snapshot) -> bool:
        before, self._before = self._before, snapshot.said()
        return snapshot.is_agreed(self._nodes, self._forked) and before in ({}, self._before)


class LiveRun:
    """Runs one plan once; `facts` fill up meanwhile, so that an interrupted run can still tell."""

    def __init__(
        self, plan: Plan, places: Places, progress: Progress, command: Command = node_command
    ) -> None:
        self.facts = Facts()
        self._plan = plan
        self._places = places
        self._progress = progress
        self._network = network_of(plan, places)
        self._fleet = Fleet(plan, self._network, places.homes, places.logs, command)
        self._couriers = Couriers(plan, self._fleet, self.facts, places.homes)
        self._ears = Ears()
        self._fleet.on_ready = self._ears.listen
        self._meter = Meter(self._fleet)
        self._chronicle = Chronicle([node.id for node in plan.nodes])
        self._liars = LiveLiars(plan, self._network)
        samples = places.folder / "samples.jsonl"
        note = self._chronicle.note
        self._monitor = Monitor(self._fleet, samples, note, self._liars.authors)
        self._stage: Stage | None = None
        self._began_s = 0.0
        self._base = 0  # records that every node held when the workload began
        self._traffic: dict[str, int] = {}
        self._latency: tuple[Latency, ...] = ()

    async def run(self) -> list[Holding]:
        """Play the plan and return what each node holds in the end.

        Raises: HarnessError when the harness can't do its part; asyncio.CancelledError.
        """
        self._places.logs.mkdir(parents=True, exist_ok=True)
        self._fleet.warden.start(self._places.homes)
        try:
            await self._network.start()
            await self._play()
            with self._timed("stop"):
                await self._stop()
        except asyncio.CancelledError:
            self.facts.is_interrupted = True
            raise
        finally:
            await asyncio.shield(self._end())
        with self._timed("audit"):
            self._progress.phase("reading the disks")
            return [
                read_home(node.id, self._fleet.daemons[node.id].home) for node in self._plan.nodes
            ]

    def measure(self, evidence: Evidence) -> tuple[dict[str, Metric], dict[str, object]]:
        """Return the metrics of the run, and the counts on which they rest."""
        heard = self._heard()
        spread, coverage = spread_of(evidence, heard)
        if self._stage is not None:
            self._latency = series(spread, 0, self._stage.elapsed_ms())
        metrics, counts = metrics_of(evidence, spread, heard, self._meter, self._base)
        told = {"events_missed": self._ears.missed, "network": self._traffic}
        return metrics, {**counts, **coverage, **told}

    def _heard(self) -> Heard:
        """Return what is known of the way of the records, in us since the workload began."""
        began_ms, began_s = self.facts.began_ms, self._began_s
        exact = {
            place: {node: (at_ms - began_ms) * 1_000 for node, at_ms in times.items()}
            for place, times in self._ears.heard.items()
        }
        seen = {
            place: {node: round((at_s - began_s) * 1e6) for node, at_s in times.items()}
            for place, times in self._chronicle.seen.items()
        }
        turns = {
            node: [(round((at_s - began_s) * 1e6), what) for at_s, what in turns]
            for node, turns in self._fleet.turns.items()
        }
        cuts = self._stage.spans if self._stage is not None else {}
        return Heard(exact, seen, turns, cuts, self._couriers.sticks(began_s))

    def look(self) -> Look | None:
        """Return what was seen of the workload and after it, None if it never began."""
        samples = self._chronicle.samples(self._began_s) if self._began_s else ()
        return Look(samples, self._latency, 0) if samples else None

    def end_processes(self) -> None:
        """Kill whatever still runs; for a caller whose event loop is gone."""
        self._fleet.warden.end_all()

    async def _play(self) -> None:
        """Start, warm up, run the workload and wait until the nodes agree."""
        with self._timed("start"):
            await self._start()
        scales = LiveScales(self._fleet, self.facts)
        watching = [asyncio.create_task(each.run()) for each in (self._monitor, scales)]
        journal = Journal(self._places.folder / "acknowledged.jsonl", self.facts)
        stage = self._stage = Stage(
            self._plan,
            self._fleet,
            self._network,
            self._monitor,
            self._meter,
            self._liars,
            self._couriers,
            self.facts,
            self._progress,
        )
        try:
            with self._timed("warm_up"):
                await self._warm_up()
            with self._timed("workload"):
                self._progress.phase("sharing")
                people = People(self._plan, self._fleet, self.facts, journal, stage.elapsed_ms)
                await self._meter.mark("began")
                self._base = self._monitor.records
                self._began_s = time.monotonic()
                await stage.play(people)
            with self._timed("settle"):
                await self._settle()
                await stage.caught_up()
                await self._meter.mark("settled")
                self._traffic = await self._network.traffic()
                for line in await merged(self._plan, self._fleet, self.facts.began_ms):
                    self._progress.event(line)
        finally:
            await stage.close()
            self.facts.attempts = await self._liars.finish()
            self._ears.tell(self.facts)
            for task in watching:
                task.cancel()
            await asyncio.gather(*watching, return_exceptions=True)
            journal.close()
            self._note_keys()

    def _note_keys(self) -> None:
        """Write down who is who."""
        liars = {one: key.hex() for one, key in self._liars.keys.items()}
        self.facts.keys = {**self._fleet.keys, **liars}

    async def _start(self) -> None:
        """Bring all daemons up and into one commons; let the adversaries join."""
        nodes = len(self._plan.nodes)
        self._progress.phase(f"starting {nodes} nodes")
        self._fleet.prepare()
        await self._fleet.gather(lambda joined: self._progress.update(f"{joined} in the commons"))
        self._note_keys()
        keys = {node: bytes.fromhex(key) for node, key in self._fleet.keys.items()}
        await self._liars.join(keys, self._fleet.invite)

    async def _warm_up(self) -> None:
        """Wait until all nodes agree and all links are up; faults before would test the start.

        Raises: HarnessError when they do not agree within the bound.
        """
        self._progress.phase("warming up: waiting until all nodes agree and are linked")
        begin_s = time.monotonic()
        nodes = len(self._plan.nodes)
        meeting = asyncio.create_task(self._couriers.meet())
        try:
            agreed = await self._monitor.until(
                lambda snapshot: snapshot.is_agreed(nodes), self._plan.warmup_ms / 1000
            )
        finally:
            meeting.cancel()
            await asyncio.gather(meeting, return_exceptions=True)
        if agreed is None:
            last = self._monitor.last
            raise HarnessError(
                f"after {self._plan.warmup_ms / 1000:g} s of warming up {len(last.views)} of "
                f"{nodes} nodes answered and had {last.groups()} different states; see the logs "
                f"in {self._places.logs}, or lengthen run.warmup"
            )
        left_s = self._plan.warmup_ms / 1000 - (time.monotonic() - begin_s)
        await self._monitor.linked(len(self._plan.links), left_s)
        self.facts.warmed_up_ms = round((time.monotonic() - begin_s) * 1000)

    async def _settle(self) -> None:
        """Wait until all nodes agree and nothing new comes, or the bound is over.

        A plan that waits for quiescence says itself for how long nothing new must come.
        """
        self._progress.phase("no faults any more: waiting until all nodes agree")
        begin_s = time.monotonic()
        stop = self._plan.stop
        looks = SETTLED_STREAK
        if stop.when == "quiescent":
            looks = max(looks, 1 + -(-stop.quiet_for_ms // round(POLL_INTERVAL_S * 1000)))
        agreed = await self._monitor.until(
            _Calm(len(self._plan.nodes), self._liars.forked),
            self._plan.converge_within_ms / 1000,
            looks,
        )
        if agreed is not None:
            self.facts.settled_ms = max(0, round((agreed.at_s - begin_s) * 1000))
        self.facts.told = await self._monitor.told()

    async def _stop(self) -> None:
        self._progress.phase("stopping the nodes")
        fleet = self._fleet
        gone = [node for node, daemon in fleet.daemons.items() if not daemon.is_running]
        self.facts.crashed = sorted({*gone, *await fleet.stop()})

    async def _end(self) -> None:
        await self._ears.close()
        await self._fleet.end()
        await self._network.close()

    @contextlib.contextmanager
    def _timed(self, phase: str) -> Iterator[None]:
        begin_s = time.monotonic()
        try:
            yield
        finally:
            self.facts.timings_s[phase] = round(time.monotonic() - begin_s, 2)
