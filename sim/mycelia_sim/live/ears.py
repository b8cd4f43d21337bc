"""Listens to what every daemon tells: which records came to its disk, who broke a rule, and when.

Each daemon sends an event for each of these, with the time by its own clock. All daemons of a run
follow the clock of one machine, so the times of two can be compared to about a millisecond. A
daemon that has just started again may take in some records before anybody listens to it.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from dataclasses import replace
from typing import Any, TypeAlias

from mycelia_protocol.identity import from_text
from mycelia_sim.facts import Blame, Facts, ForkFact
from mycelia_sim.live.client import CallFailed, Client

Place: TypeAlias = tuple[str, str, int]  # author and log as text, seq


class Ears:
    """Hears all daemons of a run.

    Attributes:
        heard: place of a record -> node -> wall clock (ms) when it was on that node's disk first.
        missed: events that daemons dropped, since they were not read in time.
        forks: logs of which nodes saw two ends.
        blames: whom nodes held responsible for what; once a key and code. Both with wall clocks.
    """

    def __init__(self) -> None:
        self.heard: dict[Place, dict[str, int]] = defaultdict(dict)
        self.missed = 0
        self.forks: list[ForkFact] = []
        self.blames: list[Blame] = []
        self._accused: set[tuple[str, str]] = set()
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
                self._take(node, event)
        except CallFailed:
            return  # it was killed, or is gone

    def _take(self, node: str, event: dict[str, Any]) -> None:
        match event.get("event"):
            case "record":
                place = (str(event["author"]), str(event["log"]), int(event["seq"]))
                self.heard[place].setdefault(node, int(event["time_ms"]))
            case "missed":
                self.missed += int(event["count"])
            case "fork-seen":
                author, log = from_text(event["key"], "key"), from_text(event["log"], "log")
                at_ms = int(event["time_ms"])
                self.forks.append(ForkFact(node, author.hex(), log.hex(), event["seq"], at_ms))
            case "peer-misbehaved" if event["key"] is not None:
                self._blame(node, event)
            case _:
                pass

    def _blame(self, node: str, event: dict[str, Any]) -> None:
        accused, code = from_text(event["key"], "key").hex(), str(event["code"])
        if (accused, code) not in self._accused:
            self._accused.add((accused, code))
            at_ms = int(event["time_ms"])
            self.blames.append(Blame(node, accused, code, str(event["reason"]), at_ms))

    def tell(self, facts: Facts) -> None:
        """Add to the facts who was blamed for what, once the workload began."""
        if not (began_ms := facts.began_ms):
            return
        facts.forks = [replace(one, at_ms=one.at_ms - began_ms) for one in self.forks]
        facts.blames = [replace(one, at_ms=one.at_ms - began_ms) for one in self.blames]
