"""Swarms and pairs of processes that speak as `bench/peers/lines.py` says."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import Final

from mycelia_bench.crew import Command, Crew, Talker
from mycelia_bench.errors import BenchError
from mycelia_bench.job import Job
from mycelia_bench.topology import DEGREE_MIN, random_links

LINKED_TIMEOUT_S: Final = 60.0
POLL_S: Final = 0.5


class TalkerSwarm:
    """An author and readers that note what comes by themselves."""

    def __init__(self, author: Talker, readers: Sequence[Talker], size: int) -> None:
        self._author = author
        self._readers = readers
        self._size = size

    async def publish(self, first: int, count: int, per_s: float) -> list[float]:
        """Let the author publish; see `Swarm`."""
        answer = await self._author.ask(
            "publish", first=first, count=count, size=self._size, per_s=per_s
        )
        return [float(sent) for sent in answer["sent"]]

    async def counts(self) -> list[int]:
        """Return how many records each reader has."""
        answers = await asyncio.gather(*(reader.ask("count") for reader in self._readers))
        return [int(answer["count"]) for answer in answers]

    async def listen(self) -> None:
        """Do nothing: they listen from the start."""

    async def arrivals(self, first: int, count: int) -> list[list[float | None]]:
        """Return when each reader had each record."""
        return [
            (await reader.ask("arrivals", first=first, count=count))["arrivals"]
            for reader in self._readers
        ]


class TalkerPair:
    """A giver and a newcomer that dials it."""

    def __init__(self, giver: Talker, newcomer: Talker, address: str) -> None:
        self._giver = giver
        self._newcomer = newcomer
        self._address = address

    @property
    def pids(self) -> tuple[int, int]:
        """Return the process ids of both."""
        return self._giver.pid, self._newcomer.pid

    async def connect(self) -> None:
        """Let the newcomer dial."""
        await self._newcomer.ask("connect", to=[self._address])

    async def count(self) -> int:
        """Return how many records the newcomer has."""
        return int((await self._newcomer.ask("count"))["count"])


async def start_mesh(crew: Crew, job: Job, command: Command) -> TalkerSwarm:
    """Start members that all run the same command, and link them; the first one is the author.

    Raises: BenchError.
    """
    members = await asyncio.gather(
        *(crew.start_talker(f"member-{number}", command) for number in range(job.nodes))
    )
    await link_up(members, job)
    return TalkerSwarm(members[0], members[1:], job.size)


async def link_up(members: Sequence[Talker], job: Job) -> None:
    """Link members at random, 4 to 6 each, and wait until they say so.

    Raises: BenchError.
    """
    for number, others in random_links(len(members), job.seed).items():
        addresses = [members[other].said["address"] for other in others]
        await members[number].ask("connect", to=addresses)
    wanted = min(DEGREE_MIN, len(members)) - 1  # a mesh may leave a link aside
    end = time.monotonic() + LINKED_TIMEOUT_S
    while True:
        answers = await asyncio.gather(*(member.ask("links") for member in members))
        links = [int(answer["count"]) for answer in answers]
        if min(links) >= wanted:
            return
        if time.monotonic() > end:
            raise BenchError(f"after {LINKED_TIMEOUT_S:g} s the members have only {links} links")
        await asyncio.sleep(POLL_S)
