"""Asks all running nodes again and again what they hold, and tells when they agree."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from mycelia_sim.live.client import CallFailed
from mycelia_sim.live.fleet import Fleet

POLL_INTERVAL_S: Final = 0.5
POLLS_AT_ONCE: Final = 8
POLL_TIMEOUT_S: Final = 5.0  # a node that was stopped just now does not answer
PEERS_EVERY: Final = 8  # a node tells its links at one look of so many: it takes a fold

LogKey = tuple[str, str]  # author and log
Extents = dict[LogKey, int]  # log -> number of records


@dataclass(frozen=True, slots=True)
class View:
    """What one node said it holds.

    Attributes:
        digest: of what honest authors wrote; equal ones mean that this is equal.
        records, extents: of that, too.
        liars: the logs of adversaries: number of records, and id of the last.
    """

    digest: str
    records: int
    extents: Extents
    liars: Mapping[LogKey, tuple[int, str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What all running nodes said at about one time (monotonic seconds)."""

    at_s: float
    views: dict[str, View]

    def groups(self) -> int:
        """Return how many different states there are among the nodes, of what is honest."""
        return len({view.digest for view in self.views.values()})

    def is_agreed(self, nodes: int, forked: Collection[LogKey] = ()) -> bool:
        """Return whether this many nodes answered, and all alike, but for some logs."""
        if len(self.views) != nodes or self.groups() != 1:
            return False
        first, *others = self.views.values()
        if any(view.extents != first.extents for view in others):
            return False
        logs = {log for view in self.views.values() for log in view.liars} - set(forked)
        return all(
            len({view.liars.get(log) for view in self.views.values()}) == 1 for log in sorted(logs)
        )

    def said(self) -> dict[str, tuple[str, Mapping[LogKey, tuple[int, str]]]]:
        """Return what each node holds, such that it is equal only if nothing has changed."""
        return {node: (view.digest, view.liars) for node, view in self.views.items()}

    def union(self) -> Extents:
        """Return all that anybody holds, and that is honest."""
        union: Extents = {}
        for view in self.views.values():
            for log, count in view.extents.items():
                union[log] = max(count, union.get(log, 0))
        return union

    def holds(self, wanted: Extents, nodes: int) -> bool:
        """Return whether this many nodes answered and each holds at least `wanted`."""
        return len(self.views) == nodes and all(
            view.extents.get(log, 0) >= count
            for view in self.views.values()
            for log, count in wanted.items()
        )

    def is_parted(self, groups: Sequence[Sequence[str]]) -> bool:
        """Return whether some group holds something that some other group lacks."""
        unions = [
            Snapshot(self.at_s, {n: v for n, v in self.views.items() if n in group}).union()
            for group in groups
        ]
        return any(union != unions[0] for union in unions)


def view_of(told: Mapping[str, Any], authors: Collection[str]) -> View:
    """Read what `GET /v1/heads` tells; what some authors wrote stands apart from the rest."""
    extents: Extents = {}
    liars: dict[LogKey, tuple[int, str]] = {}
    honest = sha256()
    for row in told["logs"]:
        log, count, head = (row["author"], row["log"]), int(row["seq"]) + 1, str(row["head"])
        if row["author"] in authors:
            liars[log] = (count, head)
        else:
            extents[log] = count
            honest.update(f"{log} {count} {head}\n".encode())
    return View(honest.hexdigest(), sum(extents.values()), extents, liars)


Note = Callable[[Snapshot, Mapping[str, int]], None]


class Monitor:
    """Polls a fleet; whoever waits is woken by each new snapshot.

    Args:
        note: is given every snapshot, and the number of links that each node told last.
        liars: the keys of adversaries, as nodes tell them.
    """

    def __init__(
        self, fleet: Fleet, samples: Path, note: Note, liars: frozenset[str] = frozenset()
    ) -> None:
        self._fleet = fleet
        self._liars = liars
        self._note = note
        self._peers: dict[str, int] = {}
        self._turn = 0
        self._samples = samples
        self._changed = asyncio.Condition()
        self._limit = asyncio.Semaphore(POLLS_AT_ONCE)
        self._began_s = time.monotonic()
        self.last = Snapshot(0.0, {})
        self.records = 0

    async def run(self) -> None:
        """Poll until cancelled, and write a line of samples each time."""
        with self._samples.open("a", encoding="utf-8") as file:
            while True:
                snapshot = await self.look()
                counts = {node: view.records for node, view in sorted(snapshot.views.items())}
                at_ms = round((snapshot.at_s - self._began_s) * 1000)
                line = {"t_ms": at_ms, "groups": snapshot.groups(), "records": counts}
                file.write(json.dumps(line) + "\n")
                file.flush()
                await self._ask_peers()
                await asyncio.sleep(POLL_INTERVAL_S)

    async def look(self) -> Snapshot:
        """Ask all running nodes once, now."""
        begin_s = time.monotonic()
        nodes = self._fleet.running()
        views = await asyncio.gather(*(self._ask(node) for node in nodes))
        found = {node: view for node, view in zip(nodes, views, strict=True) if view is not None}
        snapshot = Snapshot(begin_s, found)
        async with self._changed:
            self.last = snapshot
            self.records = max((view.records for view in found.values()), default=self.records)
            self._changed.notify_all()
        self._note(snapshot, self._peers)
        return snapshot

    async def _ask_peers(self) -> None:
        """Ask some nodes how many links they have; all of them have their turn."""
        self._turn += 1
        for node in self._fleet.running()[self._turn % PEERS_EVERY :: PEERS_EVERY]:
            await self._ask_links(node)

    async def _ask_links(self, node: str) -> None:
        """Ask a node how many links it has."""
        client = self._fleet.client(node)
        if client is not None:
            with contextlib.suppress(CallFailed):
                self._peers[node] = len((await client.get("/v1/status"))["peers"])

    async def linked(self, links: int, timeout_s: float) -> bool:
        """Wait until the nodes have so many links among them; return whether that came in time."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                while True:
                    await asyncio.gather(*(self._ask_links(one) for one in self._fleet.running()))
                    if sum(self._peers.values()) >= 2 * links:
                        return True
                    await asyncio.sleep(POLL_INTERVAL_S)
        return False

    async def _ask(self, node: str) -> View | None:
        client = self._fleet.client(node)
        if client is None:
            return None
        async with self._limit:
            try:
                async with asyncio.timeout(POLL_TIMEOUT_S):
                    heads = await client.get("/v1/heads")
            except (CallFailed, TimeoutError):
                return None
        return view_of(heads, self._liars)

    async def told(self) -> dict[str, tuple[str, int]]:
        """Return the state digest (text) and number of records that each running node tells."""
        told: dict[str, tuple[str, int]] = {}
        for node in self._fleet.running():
            client = self._fleet.client(node)
            if client is not None:
                with contextlib.suppress(CallFailed):
                    status = await client.get("/v1/status")
                    told[node] = (str(status["state_digest"]), int(status["records"]))
        return told

    async def until(
        self, is_true: Callable[[Snapshot], bool], timeout_s: float, streak: int = 1
    ) -> Snapshot | None:
        """Return the first snapshot of `streak` in a row for which something is true.

        Returns None when that does not come within the time.
        """
        first: Snapshot | None = None
        seen = 0
        try:
            async with asyncio.timeout(timeout_s):
                while seen < streak:
                    async with self._changed:
                        await self._changed.wait()  # only `look` wakes, with a new snapshot
                        last = self.last
                    if is_true(last):
                        seen += 1
                        first = first or last
                    else:
                        first, seen = None, 0
        except TimeoutError:
            return None
        return first
