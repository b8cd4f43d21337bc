"""People who carry bundles between real nodes, with the command that everybody uses."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any, Final

from mycelia_sim.backends import CARRY
from mycelia_sim.errors import HarnessError
from mycelia_sim.facts import Facts, TroubleFact
from mycelia_sim.live.fleet import Fleet
from mycelia_sim.plan import Plan, Trip
from mycelia_sim.virtual.oracle import Stick

MEET_PAUSE_S: Final = 1.0  # between two rounds of sticks before the workload
TRIPS_AT_ONCE: Final = 2  # each takes two processes, one after the other


class Couriers:
    """All who carry in one run.

    Args:
        folder: where the sticks lie; of a trip that is over nothing stays.
    """

    def __init__(self, plan: Plan, fleet: Fleet, facts: Facts, folder: Path) -> None:
        self._plan = plan
        self._fleet = fleet
        self._facts = facts
        self._folder = folder
        self._turn = asyncio.Semaphore(TRIPS_AT_ONCE)
        self._done: list[tuple[str, float, str, float]] = []  # from, left, to, came; monotonic s
        for trip in plan.trips:
            facts.troubles[trip.id] = TroubleFact(CARRY, trip.target)

    async def go(self, trip: Trip, way_s: float) -> int:
        """Make a bundle, carry it for a while, take it in; return how many records were new.

        Raises: HarnessError when the command fails at a node that runs.
        """
        new = await self._carry(trip.id, trip.source, trip.target, way_s)
        fact = self._facts.troubles[trip.id]
        fact.amount, fact.has_fired = new, new > 0
        return new

    async def meet(self) -> None:
        """Carry between parts of the city that no link joins, until cancelled.

        So all know each other before the workload begins, as they would by links: whoever joined
        far from the founder can read nobody before the vouches have come.
        """
        founder, *others = parts_of(self._plan)
        while others:
            for number, part in enumerate(others):
                await self._carry(f"meet-{number}", founder[0], part[0], 0)
            await asyncio.sleep(MEET_PAUSE_S)
            for number, part in enumerate(others):
                await self._carry(f"meet-{number}", part[0], founder[0], 0)
            await asyncio.sleep(MEET_PAUSE_S)

    def sticks(self, began_s: float) -> list[Stick]:
        """Return what was carried, in us since a time (monotonic s)."""
        return [
            Stick(source, round((left_s - began_s) * 1e6), target, round((came_s - began_s) * 1e6))
            for source, left_s, target, came_s in self._done
        ]

    async def _carry(self, name: str, source: str, target: str, way_s: float) -> int:
        stick = self._folder / f"{name}.mycelia"
        try:
            if await self._run(source, "out", stick) is None:
                return 0
            left_s = time.monotonic()
            await asyncio.sleep(way_s)
            came_s = time.monotonic()
            answer = await self._run(target, "in", stick)
            if answer is None:
                return 0
            self._done.append((source, left_s, target, came_s))
            return int(answer["new"])
        finally:
            stick.unlink(missing_ok=True)

    async def _run(self, node: str, word: str, stick: Path) -> dict[str, Any] | None:
        """Run `mycelia carry` at a node; return its answer, None if the node is down.

        Raises: HarnessError when it fails otherwise.
        """
        if self._fleet.client(node) is None:
            return None
        home = self._fleet.daemons[node].home
        words = ("-m", "mycelia_node", "--home", str(home), "--json", "carry", word, str(stick))
        async with self._turn:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                *words,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                start_new_session=True,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)},
            )
            self._fleet.warden.add(process.pid)
            try:
                out, err = await process.communicate()
            finally:
                if process.returncode is None:
                    with contextlib.suppress(ProcessLookupError):
                        os.killpg(process.pid, signal.SIGKILL)
                    await process.wait()
                self._fleet.warden.remove(process.pid)
        if process.returncode == 0:
            answer: dict[str, Any] = json.loads(out)
            return answer
        if self._fleet.client(node) is None:  # it was killed meanwhile
            return None
        name = self._fleet.daemons[node].name
        raise HarnessError(f"{name}: carry {word} failed: {err.decode(errors='replace').strip()}")


def parts_of(plan: Plan) -> list[list[str]]:
    """Return the parts of the city that links hold together, the founder's first."""
    part = {node.id: {node.id} for node in plan.nodes}
    for link in plan.links:
        one, other = part[link.dialer], part[link.listener]
        if one is not other:
            one |= other
            for member in other:
                part[member] = one
    found: list[list[str]] = []
    for node in plan.nodes:
        nodes = sorted(part[node.id])
        if nodes not in found:
            found.append(nodes)
    return found
