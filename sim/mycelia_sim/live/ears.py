"""Listens to what every daemon tells of the records that come to its disk, and when.

Each daemon sends an event for each record, with the time by its own clock. All daemons of a run
follow the clock of one machine, so the times of two can be compared to about a millisecond. A
daemon that has just started again may take in some records before anybody listens to it.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from typing import TypeAlias

from mycelia_sim.live.client import CallFailed, Client

Place: TypeAlias = tuple[str, str, int]  # author and log as text, seq


class Ears:
    """Hears all daemons of a run.

    Attributes:
        heard: place of a record -> node -> wall clock (ms) when it was on that node's disk first.
        missed: events that daemons dropped, since they were not read in time.
    """

    def __init__(self) -> None:
        self.heard: dict[Place, dict[str, int]] = defaultdict(dict)
        self.missed = 0
        self._tasks: set[asyncio.Task[None]] = set()

    def listen(self, node: str, client: Client) -> None:
        """Begin to listen to a daemon that is ready, until it ends."""
        task = asyncio.create_task(self._listen(node, client))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Stop listening."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _listen(self, node: str, client: Client) -> None:
        try:
            async for event in client.stream("/v1/events"):
                if event.get("event") == "record":
                    place = (str(event["author"]), str(event["log"]), int(event["seq"]))
                    self.heard[place].setdefault(node, int(event["time_ms"]))
                elif event.get("event") == "missed":
                    self.missed += int(event["count"])
        except CallFailed:
            return  # it was killed, or is gone
