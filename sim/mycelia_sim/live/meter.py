"""Adds up what all daemons received, over all their lives; see `mycelia_node.tally`.

A daemon's counts begin anew at each start. So they are read at certain moments, and just before a
daemon is killed or leaves; what it counts in the milliseconds after that is lost.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable
from typing import Any, Final

from mycelia_node.tally import Tally
from mycelia_sim.live.client import CallFailed
from mycelia_sim.live.fleet import Fleet

READ_TIMEOUT_S: Final = 2.0
READS_AT_ONCE: Final = 8


class Meter:
    """Reads the counts of a fleet.

    Attributes:
        marks: name -> what all had counted at that moment.
    """

    def __init__(self, fleet: Fleet) -> None:
        self.marks: dict[str, Tally] = {}
        self._fleet = fleet
        self._lives: dict[tuple[str, int], dict[str, Any]] = {}  # (node, start) -> last counts
        self._limit = asyncio.Semaphore(READS_AT_ONCE)

    @property
    def lives(self) -> int:
        """How many lives of daemons were read at least once."""
        return len(self._lives)

    async def read(self, nodes: Iterable[str] | None = None) -> None:
        """Read the counts of some daemons, or of all that run."""
        chosen = self._fleet.running() if nodes is None else nodes
        await asyncio.gather(*(self._read(node) for node in chosen))

    async def mark(self, name: str) -> None:
        """Read all, and remember the sum under a name."""
        await self.read()
        self.marks[name] = self.total()

    def total(self) -> Tally:
        """Return the sum of what was read last of each life."""
        sum_of_all = Tally()
        for counts in self._lives.values():
            sum_of_all.frames.update(counts["frames"])
            sum_of_all.bytes.update(counts["bytes"])
            sum_of_all.records.update(counts["records"])
            sum_of_all.verifications += counts["verifications"]
        return sum_of_all

    def between(self, first: str, last: str) -> Tally:
        """Return what was counted between two marks; a mark that is missing counts as nothing."""
        return minus(self.marks.get(last, Tally()), self.marks.get(first, Tally()))

    async def _read(self, node: str) -> None:
        client = self._fleet.client(node)
        if client is None:
            return
        life = (node, self._fleet.daemons[node].starts)
        async with self._limit:
            try:
                async with asyncio.timeout(READ_TIMEOUT_S):
                    self._lives[life] = await client.get("/v1/traffic")
            except (CallFailed, TimeoutError):
                return


def minus(one: Tally, other: Tally) -> Tally:
    """Return what one tally counts beyond another."""

    def less(whole: Counter[str], part: Counter[str]) -> Counter[str]:
        return Counter({n: count - part[n] for n, count in whole.items() if count != part[n]})

    return Tally(
        less(one.frames, other.frames),
        less(one.bytes, other.bytes),
        less(one.records, other.records),
        one.verifications - other.verifications,
    )
