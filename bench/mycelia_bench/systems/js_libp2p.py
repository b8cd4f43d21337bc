"""Gossipsub by js-libp2p."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from mycelia_bench.crew import Crew
from mycelia_bench.install import install_node, node, script
from mycelia_bench.job import Job
from mycelia_bench.system import About, Swarm
from mycelia_bench.systems.talkers import start_mesh


class JsLibp2p:
    """js-libp2p. Gossipsub keeps no history, so there is nothing to catch up with."""

    about = About(
        "js-libp2p",
        "gossipsub (js-libp2p 3.3.11)",
        "random, degree 4-6",
        "Ed25519, each message, at every member",
        "nothing",
    )

    def install(self) -> None:
        """Install it; raises NotHere."""
        install_node()

    @asynccontextmanager
    async def swarm(self, crew: Crew, job: Job) -> AsyncIterator[Swarm]:
        """Start and link all members; the first one is the author."""
        yield await start_mesh(crew, job, [node(), script("gossipsub.mjs")])

    def pair(self, crew: Crew, job: Job) -> None:
        """Return None."""
