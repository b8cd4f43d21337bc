"""Gossipsub by py-libp2p."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from mycelia_bench.crew import Crew
from mycelia_bench.install import PROGRAMS, install_python, python_of
from mycelia_bench.job import Job
from mycelia_bench.system import About, Swarm
from mycelia_bench.systems.talkers import start_mesh

NAME: Final = "libp2p"


class PyLibp2p:
    """py-libp2p. Gossipsub keeps no history, so there is nothing to catch up with."""

    about = About(
        NAME,
        "gossipsub (py-libp2p 0.8.1)",
        "random, degree 4-6",
        "Ed25519, each message, at every member",
        "nothing",
    )

    def install(self) -> None:
        """Install it; raises NotHere."""
        install_python(NAME)

    @asynccontextmanager
    async def swarm(self, crew: Crew, job: Job) -> AsyncIterator[Swarm]:
        """Start and link all members; the first one is the author."""
        yield await start_mesh(crew, job, [python_of(NAME), PROGRAMS / "libp2p_node.py"])

    def pair(self, crew: Crew, job: Job) -> None:
        """Return None."""
