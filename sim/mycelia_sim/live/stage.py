"""The workload and the faults of one run, each at its time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from mycelia_node.text import count
from mycelia_sim.facts import CutFact, Facts, KillFact, TroubleFact
from mycelia_sim.live.couriers import Couriers
from mycelia_sim.live.fleet import Fleet
from mycelia_sim.live.liars import LiveLiars
from mycelia_sim.live.meter import Meter
from mycelia_sim.live.monitor import Monitor
from mycelia_sim.live.network import Network
from mycelia_sim.live.workload import People
from mycelia_sim.plan import Attempt, Cut, Kill, Plan, Shape, Trip, Trouble
from mycelia_sim.progress import Progress
from mycelia_sim.splits import Splits

TICK_S: Final = 0.25  # how often the progress line is renewed


@dataclass(frozen=True, slots=True)
class Due:
    """Something to be done at a time; at equal times the smaller rank comes first."""

    at_ms: int
    rank: int
    act: Callable[[], Awaitable[None]]


class Stage:
    """Plays one plan on a fleet that runs and agrees.

    Attributes:
        spans: cut -> (from, until) in us since the beginning in which it certainly held; only those
            that have ended.
    """

    def __init__(
        self,
        plan: Plan,
        fleet: Fleet,
        network: Network,
        monitor: Monitor,
        meter: Meter,
        liars: LiveLiars,
        couriers: Couriers,
        facts: Facts,
        progress: Progress,
    ) -> None:
        self._plan = plan
        self._fleet = fleet
        self._network = network
        self._monitor = monitor
        self._meter = meter
        self._liars = liars
        self._couriers = couriers
        self._facts = facts
        self._progress = progress
        self._splits = Splits(plan)
        self._began_s = time.monotonic()
        self._tasks: set[asyncio.Task[None]] = set()
        self._catch_up: asyncio.Task[None] | None = None
        self._bent: list[tuple[Shape, TroubleFact]] = []
        self._power = {node.id: asyncio.Lock() for node in plan.nodes}  # one power cut at a time
        self._cut_us: dict[str, int] = {}
        self.spans: dict[str, tuple[int, int]] = {}
        self._late: asyncio.Task[None] | None = None

    def elapsed_ms(self) -> int:
        """Return the time since the beginning of the workload in ms."""
        return round((time.monotonic() - self._began_s) * 1000)

    def _elapsed_us(self) -> int:
        return round((time.monotonic() - self._began_s) * 1_000_000)

    async def play(self, people: People) -> None:
        """Do everything at its time, and wait until the last of it is done.

        Raises: HarnessError when a daemon can't be started again.
        """
        self._began_s = time.monotonic()
        self._facts.began_ms = time.time_ns() // 1_000_000
        for due in sorted(self._timeline(people), key=lambda due: (due.at_ms, due.rank)):
            await self._wait_until(due.at_ms)
            self._begin(due.act())
        await self._wait_until(self._plan.duration_ms)
        self._facts.attempts = await self._liars.finish()
        await self._finish()
        self._late = asyncio.create_task(self._carry_on())

    async def _carry_on(self) -> None:
        """Let people carry sticks while the nodes settle, as before."""
        late = [trip for trip in self._plan.trips if trip.at_ms >= self._plan.duration_ms]
        async with asyncio.TaskGroup() as group:
            for trip in sorted(late, key=lambda trip: trip.at_ms):
                await asyncio.sleep(max(0, trip.at_ms - self.elapsed_ms()) / 1000)
                group.create_task(self._trip(trip))

    def _timeline(self, people: People) -> list[Due]:
        """Return all that happens in a run."""
        plan = self._plan
        dues = [Due(post.at_ms, 2, _bind(people.post, post)) for post in plan.posts]
        dues += [Due(cut.at_ms, 0, _bind(self._cut, cut)) for cut in plan.cuts]
        dues += [Due(cut.until_ms, 1, _bind(self._heal, cut)) for cut in plan.cuts]
        dues += [Due(kill.at_ms, 3, _bind(self._kill, kill)) for kill in plan.kills]
        for shape in plan.shapes:
            dues.append(Due(shape.at_ms, 0, _bind(self._bend, shape)))
        for trouble in plan.troubles:
            dues.append(Due(trouble.at_ms, 3, _bind(self._upset, trouble)))
        dues += [Due(attempt.at_ms, 4, _bind(self._attempt, attempt)) for attempt in plan.attempts]
        dues += [
            Due(trip.at_ms, 5, _bind(self._trip, trip))
            for trip in plan.trips
            if trip.at_ms < plan.duration_ms
        ]
        return dues

    async def _wait_until(self, at_ms: int) -> None:
        while (left_ms := at_ms - self.elapsed_ms()) > 0:
            self._say()
            self._raise_if_broken()
            await asyncio.sleep(min(left_ms / 1000, TICK_S))

    def _begin(self, work: Awaitable[None]) -> None:
        async def run() -> None:
            await work

        self._tasks.add(asyncio.create_task(run()))

    def _raise_if_broken(self) -> None:
        """Raise what an action or an adversary raised, and forget the actions that are done."""
        self._liars.raise_if_broken()
        done = {task for task in self._tasks if task.done()}
        self._tasks -= done
        for task in done:
            task.result()

    async def _finish(self) -> None:
        """Wait for what is under way, restarts among it."""
        while self._tasks:
            await asyncio.wait(self._tasks, timeout=TICK_S)
            self._say()
            self._raise_if_broken()

    async def close(self) -> None:
        """Stop whatever is under way."""
        more = (self._catch_up, self._late)
        tasks = [*self._tasks, *(task for task in more if task is not None)]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _say(self) -> None:
        running, all_nodes = len(self._fleet.running()), len(self._plan.nodes)
        last = self._monitor.last
        split = self._splits.words(self.elapsed_ms(), self._cut_us.keys() - self.spans.keys())
        self._progress.update(
            f"{self.elapsed_ms() / 1000:.0f}/{self._plan.duration_ms / 1000:.0f} s"
            f" | nodes {running}/{all_nodes}{f' | {split}' if split else ''}"
            f" | records {self._monitor.records}"
            f" | states {last.groups()}"
            f" | saved {len(self._facts.acknowledged)}"
        )

    # --- faults ---

    async def _cut(self, cut: Cut) -> None:
        fact = self._facts.cuts[cut.id] = CutFact()
        fact.links = await self._network.apply(cut)
        self._cut_us[cut.id] = self._elapsed_us()
        ways = "one way" if cut.oneway else "both ways"
        names = " | ".join(self._group_name(group) for group in cut.groups) or cut.kind
        self._progress.event(f"cut: {names}, {fact.links} links, {cut.mode}, {ways}")

    async def _heal(self, cut: Cut) -> None:
        snapshot = await self._monitor.look()
        await self._meter.mark("healed")
        fact = self._facts.cuts[cut.id]
        self.spans[cut.id] = (self._cut_us[cut.id], self._elapsed_us())
        tally = await self._network.lift(cut)
        fact.bytes, fact.connections, fact.is_lifted = tally.bytes, tally.connections, True
        fact.is_parted = snapshot.is_parted(cut.groups) if cut.groups else snapshot.groups() > 1
        self._progress.event(
            f"heal: {tally.bytes} bytes and {tally.connections} connections were held back; "
            f"{snapshot.groups()} different states"
        )
        if cut.until_ms == max(other.until_ms for other in self._plan.cuts):
            self._catch_up = asyncio.create_task(self._measure_catch_up(snapshot.union()))

    async def _measure_catch_up(self, wanted: dict[tuple[str, str], int]) -> None:
        """Note when all nodes hold everything that any node held at the heal."""
        healed_ms = self.elapsed_ms()
        limit_s = (self._plan.duration_ms - healed_ms + self._plan.converge_within_ms) / 1000
        nodes = len(self._plan.nodes)
        found = await self._monitor.until(lambda s: s.holds(wanted, nodes), max(limit_s, 1.0))
        if found is not None:
            caught_up_ms = round((found.at_s - self._began_s) * 1000) - healed_ms
            self._facts.caught_up_ms = max(0, caught_up_ms)
            self._progress.event(
                f"caught up: every node holds all of both sides, {caught_up_ms / 1000:.1f} s "
                "after the heal"
            )

    async def caught_up(self) -> None:
        """Wait for the measurement that a heal began, if there was one; the links rest.

        Raises: HarnessError when a stick could not be carried meanwhile.
        """
        if self._catch_up is not None:
            await self._catch_up
        if self._late is not None and self._late.done():
            self._late.result()
        while self._bent:
            await self._unbend(*self._bent.pop())

    async def _kill(self, kill: Kill) -> None:
        """Take a node's power and give it back; while another cut has it, wait until it is up."""
        fact = self._facts.kills.setdefault(kill.id, KillFact(kill.node))
        async with self._power[kill.node]:
            await self._meter.read([kill.node])
            fact.has_fired = await self._fleet.kill(kill.node)
            self._progress.event(f"SIGKILL: {self._plan.node(kill.node).name}")
            await self._rest_until(kill.restart_ms)
            await self._fleet.start(kill.node)
        fact.has_restarted = True
        self._progress.event(f"back: {self._plan.node(kill.node).name}")

    async def _bend(self, shape: Shape) -> None:
        """Make links worse until the shape ends, or the run."""
        fact = self._facts.troubles[shape.id] = TroubleFact("degrade", "")
        await self._network.bend(shape)
        if shape.is_fault:
            self._progress.event(f"worse: {len(shape.links)} directions")
            await self._rest_until(shape.until_ms)
            await self._unbend(shape, fact)
        else:
            self._bent.append((shape, fact))  # links are like this; they stay so while nodes settle

    async def _unbend(self, shape: Shape, fact: TroubleFact) -> None:
        fact.amount = await self._network.unbend(shape)
        fact.has_fired = fact.amount > 0

    async def _upset(self, trouble: Trouble) -> None:
        """Let something befall a node, for a while."""
        fact = self._facts.troubles[trouble.id] = TroubleFact(trouble.kind, trouble.node)
        name, fleet = self._plan.node(trouble.node).name, self._fleet
        if trouble.kind == "pause":
            fact.has_fired = fleet.pause(trouble.node)
        else:
            await self._meter.read([trouble.node])
            fact.has_fired = await fleet.leave(trouble.node)
        self._progress.event(f"{trouble.kind}: {name}")
        await self._rest_until(trouble.until_ms)
        if trouble.kind == "pause":
            fleet.resume(trouble.node)
        elif fact.has_fired:
            await fleet.start(trouble.node)
        self._progress.event(f"back: {name}")

    async def _rest_until(self, at_ms: int) -> None:
        await asyncio.sleep(max(0, at_ms - self.elapsed_ms()) / 1000)

    async def _attempt(self, attempt: Attempt) -> None:
        self._liars.begin(attempt)

    async def _trip(self, trip: Trip) -> None:
        new = await self._couriers.go(trip, (trip.until_ms - trip.at_ms) / 1000)
        if new:
            names = [self._plan.node(node).name for node in (trip.source, trip.target)]
            self._progress.event(f"by stick: {count(new, 'new record')}, {' to '.join(names)}")

    def _group_name(self, group: tuple[str, ...]) -> str:
        sides = sorted({self._plan.node(node).side for node in group})
        return f"{sides[0] if len(sides) == 1 else 'group'} ({len(group)} nodes)"


def _bind(act: Callable[..., Awaitable[None]], *arguments: object) -> Callable[[], Awaitable[None]]:
    return lambda: act(*arguments)
