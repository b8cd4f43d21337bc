"""Stores for tests, their owner's thread played by the test, and the means to break them."""

import queue
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from mycelia_node.store import Report, SqliteStore
from mycelia_protocol.events import Range, RecordsRead
from mycelia_protocol.record import Record
from mycelia_sim.virtual.disk import MemoryStore
from mycelia_sim.virtual.loop import Loop
from node_records import COMMONS

DEADLINE_S = 10


@dataclass
class StoreKit:
    """A store, its owner's thread played by the test, and the means to break and reopen it."""

    path: Path
    posted: "queue.SimpleQueue[Callable[[], None]]" = field(default_factory=queue.SimpleQueue)
    reports: list[Report] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.store = self.open()

    def open(self) -> SqliteStore:
        """Open a store on the kit's path."""
        store = SqliteStore(self.path, COMMONS, self.posted.put)
        store.report = self.reports.append
        return store

    def reopen(self) -> None:
        """Close and open again, as a restart does."""
        self.store.close()
        self.drain()
        self.store = self.open()

    def wait(self, count: int) -> list[Report]:
        """Run what was posted until this many reports came; return and forget them."""
        while len(self.reports) < count:
            self.posted.get(timeout=DEADLINE_S)()
        taken, self.reports[:] = list(self.reports), []
        return taken

    def drain(self) -> None:
        """Run what was posted by now."""
        while not self.posted.empty():
            self.posted.get()()

    def put(self, number: int, records: list[Record]) -> list[Report]:
        """Submit one batch and wait for its report."""
        self.store.submit(number, tuple(records))
        return self.wait(1)

    def loaded(self) -> list[Record]:
        """Return everything that the store loads."""
        return [record for chunk in self.store.load() for record in chunk]

    def read(self, *ranges: Range, size_max: int = 1_000_000) -> list[Record]:
        """Read ranges and wait for the answer."""
        self.store.read(7, ranges, size_max)
        (report,) = self.wait(1)
        assert isinstance(report, RecordsRead)
        assert report.token == 7
        return list(report.records)

    def fill_disk(self) -> None:
        """Let every write fail from here on, as on a full disk."""
        connection = self.store._writer._connection
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages}")

    def free_disk(self) -> None:
        """Let writes succeed again."""
        self.store._writer._connection.execute("PRAGMA max_page_count = 1000000")


class MemoryKit(StoreKit):
    """The harness's store in memory, and virtual time for its owner."""

    def __post_init__(self) -> None:
        self.loop = Loop()
        self.memory = MemoryStore(self.loop, sync_us=1_000, read_us=100)
        self.memory.report = self.reports.append
        self.store = cast(SqliteStore, self.memory)  # what the laws use of a store, it has

    def reopen(self) -> None:
        """Stop once everything is written, and lose what only the process knew."""
        self.drain()
        self.memory.crash()

    def wait(self, count: int) -> list[Report]:
        """Let time pass until this many reports came; return and forget them."""
        while len(self.reports) < count:
            assert self.loop.next_us is not None, "the store will report nothing more"
            self.loop.run_until(self.loop.next_us + 1)
        taken, self.reports[:] = list(self.reports), []
        return taken

    def drain(self) -> None:
        """Let all time pass that anything waits for."""
        while self.loop.next_us is not None:
            self.loop.run_until(self.loop.next_us + 1)

    def fill_disk(self) -> None:
        """Let every write fail from here on."""
        self.memory.is_full = True

    def free_disk(self) -> None:
        """Let writes succeed again."""
        self.memory.is_full = False


def range_of(records: list[Record], first: int, last: int) -> Range:
    """Return a range of the log that these records are of."""
    return Range(records[0].author, records[0].log, first, last)
