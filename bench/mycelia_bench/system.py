"""The small interface behind which each system lives; `systems/` has one file for each."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from mycelia_bench.crew import Crew
from mycelia_bench.job import Job


@dataclass(frozen=True, slots=True)
class About:
    """What a reader of the figures has to know of a system.

    Attributes:
        name: one word, for `--only` and results.
        title: with its version.
        shape: who is linked with whom.
        checks: what is signed, and who checks it.
        keeps: what a reader has on its disk.
    """

    name: str
    title: str
    shape: str
    checks: str
    keeps: str


class Swarm(Protocol):
    """Processes of one system that run and are linked: one author, the others readers."""

    async def publish(self, first: int, count: int, per_s: float) -> list[float]:
        """Let the author publish records, `per_s` 0: as fast as it can.

        Returns:
            The wall clock (ms) at which each was handed over.
        """
        ...

    async def counts(self) -> list[int]:
        """Return how many different records of the author each reader has."""
        ...

    async def listen(self) -> None:
        """Begin to note when records come, if that is not done anyway."""
        ...

    async def arrivals(self, first: int, count: int) -> list[list[float | None]]:
        """Return for each reader when (wall clock, ms) it had each record; stop listening."""
        ...


class Pair(Protocol):
    """A giver that has all records, and a newcomer that has none and does not know it yet."""

    async def connect(self) -> None:
        """Let the newcomer know where the giver is."""
        ...

    async def count(self) -> int:
        """Return how many records the newcomer has, checked and kept."""
        ...

    @property
    def pids(self) -> tuple[int, int]:
        """Return the process ids of the giver and of the newcomer."""
        ...


class System(Protocol):
    """Something that spreads signed records."""

    @property
    def about(self) -> About:
        """Return what it is."""
        ...

    def install(self) -> None:
        """See to it that it is here, if need be from a public registry.

        Raises: NotHere.
        """
        ...

    def swarm(self, crew: Crew, job: Job) -> AbstractAsyncContextManager[Swarm]:
        """Start and link all participants; raises BenchError."""
        ...

    def pair(self, crew: Crew, job: Job) -> AbstractAsyncContextManager[Pair] | None:
        """Start a giver and a newcomer, or None if the system keeps nothing to catch up with."""
        ...
