"""Mycelia: real daemons with their own settings, found, joined and called as people's tools do."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final, Self

from mycelia_bench.crew import Command, Crew
from mycelia_bench.errors import BenchError
from mycelia_bench.job import Job
from mycelia_bench.network import free_port
from mycelia_bench.system import About, Pair, Swarm
from mycelia_bench.systems.mycelia_log import fill, offer
from mycelia_bench.topology import DEGREE_MIN
from mycelia_node.home import Home
from mycelia_sim.live.client import Client
from mycelia_sim.live.ears import Ears
from mycelia_sim.live.process import Daemon, node_command

POSTS_AT_ONCE: Final = 100  # calls under way at full speed: as many as aiohttp opens connections
LEVEL_TIMEOUT_S: Final = 120.0
POLL_S: Final = 0.5
CONFIG: Final = """\
version = 1
[node]
name = "{name}"
[link]
listen = "127.0.0.1:{port}"
[share]
policy = "none"
[growth]
checkpoint_after = 0
"""


class Mycelia:
    """Our node: it finds its own links, keeps everything, and says so after an fsync."""

    about = About(
        "mycelia",
        "Mycelia",
        "its own overlay",
        "Ed25519, at every node; a run of a log by its last one",
        "all records (SQLite, fsync)",
    )

    def install(self) -> None:
        """Do nothing: it is here."""

    @asynccontextmanager
    async def swarm(self, crew: Crew, job: Job) -> AsyncIterator[Swarm]:
        """Start all daemons; the first founds a commons, the others join it by invites."""
        async with Group(crew) as group:
            members = await asyncio.gather(
                *(group.start(f"node-{number}") for number in range(job.nodes))
            )
            await members[0].client.post("/v1/found", {"name": "Bench"})
            for member in members[1:]:
                await member.join(await members[0].invite())
            await group.level()
            author = members[0]
            yield DaemonSwarm(author, members[1:], await author.next_seq(author), job.size)

    @asynccontextmanager
    async def pair(self, crew: Crew, job: Job) -> AsyncIterator[Pair]:
        """Start a daemon whose store was filled before, and one that is in no commons yet."""
        async with Group(crew) as group:
            home = group.prepare("giver")
            command: Command = [
                sys.executable,
                "-m",
                "mycelia_node",
                "--home",
                home,
                "found",
                "Bench",
            ]
            await crew.run("found", command)
            await asyncio.to_thread(fill, Home.at(home), job.missing, job.size)
            giver = await group.start("giver")
            yield DaemonPair(giver, await group.start("newcomer"), await giver.invite())


class Member:
    """One daemon and a client of it."""

    def __init__(self, daemon: Daemon) -> None:
        assert daemon.ready is not None
        self.key = daemon.ready.key
        self.pid = daemon.ready.pid
        self.listen = daemon.ready.listen
        self.client = Client(daemon.ready.socket)

    async def invite(self) -> str:
        """Return an invite to its commons."""
        return str((await self.client.post("/v1/invites", {"days": 1}))["invite"])

    async def join(self, invite: str) -> None:
        """Enter a commons."""
        await self.client.post("/v1/join", {"invite": invite})

    async def next_seq(self, author: Member) -> int:
        """Return where the log goes on that this daemon has of an author; 0 if it has none."""
        heads = await self.client.get("/v1/heads")
        return max(
            (row["seq"] + 1 for row in heads["logs"] if row["author"] == author.key), default=0
        )

    async def records(self) -> int:
        """Return how many records it has on its disk."""
        return int((await self.client.get("/v1/heads"))["records"])


class Group:
    """All daemons of one measurement."""

    def __init__(self, crew: Crew) -> None:
        self._crew = crew
        self._daemons: list[Daemon] = []
        self._members: list[Member] = []

    async def __aenter__(self) -> Self:
        """Return the group."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """End all daemons."""
        await asyncio.gather(*(member.client.close() for member in self._members))
        await asyncio.gather(*(daemon.kill() for daemon in self._daemons))

    def prepare(self, name: str) -> Path:
        """Make a home with settings, unless it is there; return it."""
        home = self._crew.folder / name
        if not home.exists():
            home.mkdir(mode=0o700)
            (home / "config.toml").write_text(CONFIG.format(name=name, port=free_port()), "utf-8")
        return home

    async def start(self, name: str) -> Member:
        """Start a daemon; raises HarnessError."""
        log = self._crew.folder / f"{name}.log"
        daemon = Daemon(name, self.prepare(name), log, node_command, self._crew.warden)
        self._daemons.append(daemon)
        await daemon.start()
        member = Member(daemon)
        self._members.append(member)
        return member

    async def level(self) -> None:
        """Wait until all have enough links and the same records.

        Raises: BenchError.
        """
        wanted = min(DEGREE_MIN, len(self._members) - 1)
        end = time.monotonic() + LEVEL_TIMEOUT_S
        while True:
            answers = [await member.client.get("/v1/status") for member in self._members]
            links = [len(answer["peers"]) for answer in answers]
            digests = {answer["state_digest"] for answer in answers}
            if min(links) >= wanted and len(digests) == 1:
                return
            if time.monotonic() > end:
                message = f"after {LEVEL_TIMEOUT_S:g} s: links {links}, {len(digests)} states"
                raise BenchError(message)
            await asyncio.sleep(POLL_S)


class DaemonSwarm:
    """Linked daemons: one publishes offers through its API, the others store them."""

    def __init__(self, author: Member, readers: list[Member], first_seq: int, size: int) -> None:
        self._author = author
        self._readers = readers
        self._first_seq = first_seq  # where record 0 stands in the author's log
        self._size = size
        self._ears: dict[str, Ears] = {}

    async def publish(self, first: int, count: int, per_s: float) -> list[float]:
        """Post offers, one call each."""
        sent = [0.0] * count
        turns = asyncio.Semaphore(1 if per_s else POSTS_AT_ONCE)
        begin = time.monotonic()

        async def post(index: int) -> None:
            async with turns:
                if per_s:
                    await asyncio.sleep(max(0.0, begin + index / per_s - time.monotonic()))
                sent[index] = time.time() * 1000
                await self._author.client.post("/v1/offers", offer(first + index, self._size))

        async with asyncio.TaskGroup() as tasks:
            for index in range(count):
                tasks.create_task(post(index))
        return sent

    async def counts(self) -> list[int]:
        """Return how many records of the author each reader has on its disk."""
        seqs = await asyncio.gather(*(reader.next_seq(self._author) for reader in self._readers))
        return [max(0, seq - self._first_seq) for seq in seqs]

    async def listen(self) -> None:
        """Open every reader's stream of events."""
        self._ears = {reader.key: Ears() for reader in self._readers}
        for reader in self._readers:
            self._ears[reader.key].listen(reader.key, reader.client)

    async def arrivals(self, first: int, count: int) -> list[list[float | None]]:
        """Return when each record was on each reader's disk; close the streams."""
        found: list[list[float | None]] = []
        for key, ears in self._ears.items():
            await ears.close()
            by_seq = {
                place[2]: times[key]
                for place, times in ears.heard.items()
                if place[0] == self._author.key
            }
            numbers = range(first + self._first_seq, first + self._first_seq + count)
            found.append([by_seq.get(seq) for seq in numbers])
        return found


class DaemonPair:
    """A daemon with a long log, and one that joins by its invite."""

    def __init__(self, giver: Member, newcomer: Member, invite: str) -> None:
        self._giver = giver
        self._newcomer = newcomer
        self._invite = invite

    @property
    def pids(self) -> tuple[int, int]:
        """Return the process ids of both."""
        return self._giver.pid, self._newcomer.pid

    async def connect(self) -> None:
        """Join."""
        await self._newcomer.join(self._invite)

    async def count(self) -> int:
        """Return how many records the newcomer has on its disk."""
        return await self._newcomer.records()
