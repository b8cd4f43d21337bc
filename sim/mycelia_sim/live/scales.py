"""Asks daemons how much they keep in memory for others; what is too much becomes a fact, once each.

A look is a moment: what was too much for less than a look's distance stays unseen.
"""

from __future__ import annotations

import asyncio
import time
from typing import Final

from mycelia_sim.facts import Facts, Overrun
from mycelia_sim.live.client import CallFailed
from mycelia_sim.live.fleet import Fleet

LOOK_EVERY_S: Final = 1.0  # while there are adversaries
LOOK_SELDOM_S: Final = 5.0
ANSWER_S: Final = 5.0


class LiveScales:
    """Measures all daemons of a run."""

    def __init__(self, fleet: Fleet, facts: Facts) -> None:
        self._fleet = fleet
        self._facts = facts
        self._every_s = LOOK_EVERY_S if fleet.plan.attempts else LOOK_SELDOM_S
        self._told: set[tuple[str, str]] = set()

    async def run(self) -> None:
        """Measure now, and again and again until cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(self._every_s)

    async def look(self) -> None:
        """Measure all that run, once."""
        await asyncio.gather(*(self._weigh(node) for node in self._fleet.running()))

    async def _weigh(self, node: str) -> None:
        client = self._fleet.client(node)
        if client is None:
            return
        try:
            async with asyncio.timeout(ANSWER_S):
                told = await client.get("/v1/burden")
        except (CallFailed, TimeoutError):
            return  # it was stopped just now
        self._facts.looks += 1
        now_ms = time.time_ns() // 1_000_000
        at_ms = now_ms - (self._facts.began_ms or now_ms)
        for row in told["items"]:
            what, amount, bound = row["what"], row["amount"], row["bound"]
            if amount > bound and (node, what) not in self._told:
                self._told.add((node, what))
                self._facts.overruns.append(Overrun(node, at_ms, what, amount, bound))
