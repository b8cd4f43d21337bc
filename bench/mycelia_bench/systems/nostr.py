"""A Nostr relay, and clients that check what it gives them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from mycelia_bench.crew import Command, Crew, Talker
from mycelia_bench.errors import BenchError
from mycelia_bench.install import PROGRAMS, install_python, python_of
from mycelia_bench.job import Job
from mycelia_bench.network import free_port
from mycelia_bench.system import About, Pair, Swarm
from mycelia_bench.systems.talkers import TalkerPair, TalkerSwarm

NAME: Final = "nostr"
READY_TIMEOUT_S: Final = 60.0
POLL_S: Final = 0.1
# The relay's own example, but for the database and the port: its validators check each signature.
SETTINGS: Final = """\
relay_name: bench
storage:
  sqlalchemy.url: sqlite+aiosqlite:///{database}
  num_concurrent_reqs: 10
  num_concurrent_adds: 2
  validators:
    - nostr_relay.validators.is_not_too_large
    - nostr_relay.validators.is_signed
    - nostr_relay.validators.is_recent
    - nostr_relay.validators.is_not_hellthread
verification:
  nip05_verification: disabled
gunicorn:
  bind: 127.0.0.1:{port}
  workers: 1
  loglevel: warning
authentication:
  enabled: false
message_timeout: 1800
subscription_limit: 32
max_limit: 6000
"""


class Nostr:
    """nostr-relay with clients by aionostr. The relay comes on top of the participants."""

    about = About(
        NAME,
        "Nostr (nostr-relay 1.14)",
        "a star around one relay",
        "Schnorr, each event, at the relay and at every reader",
        "nothing live; SQLite, an fsync for each 500, when catching up",
    )

    def install(self) -> None:
        """Install it; raises NotHere."""
        install_python(NAME)

    @asynccontextmanager
    async def swarm(self, crew: Crew, job: Job) -> AsyncIterator[Swarm]:
        """Start a relay, an author and readers."""
        relay = Relay(crew)
        await relay.start()
        author = await relay.client("author", "author")
        readers = await asyncio.gather(
            *(
                relay.client(f"reader-{number}", "reader", author.said["key"])
                for number in range(job.readers)
            )
        )
        await asyncio.gather(*(reader.ask("connect", to=[]) for reader in readers))
        yield TalkerSwarm(author, readers, job.size)

    @asynccontextmanager
    async def pair(self, crew: Crew, job: Job) -> AsyncIterator[Pair]:
        """Start a relay that has all records, and a reader with a database of its own."""
        relay = Relay(crew)
        key = await relay.load(job)
        process = await relay.start()
        newcomer = await relay.client("newcomer", "reader", key, crew.folder / "newcomer.db")
        yield TalkerPair(process, newcomer, relay.url)


class Relay:
    """One relay and those who call it."""

    def __init__(self, crew: Crew) -> None:
        self._crew = crew
        self._port = free_port()
        self._settings = crew.folder / "relay.yaml"
        settings = SETTINGS.format(database=crew.folder / "relay.db", port=self._port)
        self._settings.write_text(settings, "utf-8")
        self._command: Command = [python_of(NAME).with_name("nostr-relay"), "-c", self._settings]

    @property
    def url(self) -> str:
        """Return its address."""
        return f"ws://127.0.0.1:{self._port}"

    async def start(self) -> Talker:
        """Start it and wait until it takes connections; raises BenchError."""
        relay = await self._crew.start("relay", [*self._command, "serve"])
        end = time.monotonic() + READY_TIMEOUT_S
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", self._port)
            except OSError as error:
                if time.monotonic() > end:
                    message = f"the relay took no connection within {READY_TIMEOUT_S:g} s ({error})"
                    raise BenchError(message) from error
                await asyncio.sleep(POLL_S)
            else:
                writer.close()
                return relay

    async def client(self, name: str, role: str, *arguments: str | Path) -> Talker:
        """Start a client of it."""
        program: Command = [python_of(NAME), PROGRAMS / "nostr_client.py", role, self.url]
        return await self._crew.start_talker(name, [*program, *arguments])

    async def load(self, job: Job) -> str:
        """Write signed events into its database by its own command; return the author's key."""
        # `serve` alone makes the tables.
        maker = await self.start()
        await self._crew.end(maker)
        generator: Command = [python_of(NAME), PROGRAMS / "nostr_client.py", "events"]
        made = await self._crew.run("events", [*generator, str(job.missing), str(job.size)])
        key, _, events = made.partition(b"\n")
        path = self._crew.folder / "events.jsonl"
        path.write_bytes(events)
        await self._crew.run("load", [*self._command, "load", path])
        return key.decode()
