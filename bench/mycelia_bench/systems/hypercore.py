"""One hypercore, held by all."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from mycelia_bench.crew import Crew, Talker
from mycelia_bench.install import install_node, node, script
from mycelia_bench.job import Job
from mycelia_bench.system import About, Pair, Swarm
from mycelia_bench.systems.talkers import TalkerPair, TalkerSwarm, link_up


class Hypercore:
    """hypercore, replicated over TCP by its own stream."""

    about = About(
        "hypercore",
        "hypercore 11.39.5",
        "random, degree 4-6",
        "Ed25519, the root of each append, at every holder",
        "all records (RocksDB, no fsync)",
    )

    def install(self) -> None:
        """Install it; raises NotHere."""
        install_node()

    async def _start(self, crew: Crew, name: str, key: str | None = None) -> Talker:
        command = [node(), script("hypercore.mjs"), crew.folder / name]
        return await crew.start_talker(name, command if key is None else [*command, key])

    @asynccontextmanager
    async def swarm(self, crew: Crew, job: Job) -> AsyncIterator[Swarm]:
        """Start the author, then readers of its core, and link all."""
        author = await self._start(crew, "author")
        readers = await asyncio.gather(
            *(
                self._start(crew, f"reader-{number}", author.said["key"])
                for number in range(job.readers)
            )
        )
        await link_up([author, *readers], job)
        yield TalkerSwarm(author, readers, job.size)

    @asynccontextmanager
    async def pair(self, crew: Crew, job: Job) -> AsyncIterator[Pair]:
        """Start a giver with all records, and a reader that lacks them."""
        giver = await self._start(crew, "giver")
        await giver.ask("fill", count=job.missing, size=job.size)
        newcomer = await self._start(crew, "newcomer", giver.said["key"])
        yield TalkerPair(giver, newcomer, giver.said["address"])
