"""The snapshot of a home's store: a file beside node.db, made now and then by another process.

    node.snapshot = SHA-256 of all that follows (32 bytes) || what `snapshot_writer` wrote

With it a start reads the tables where they lie, and out of the store only what came since. It is
worth nothing by itself, and is left aside, to be made anew, whenever anything is in doubt: a byte
is not as it was written, the core's code has changed by a line, or the store does not end a log
where the snapshot says that it went on. What is below the heads hangs on them by hashes, and each
record that is read later has to have the id that it had.
"""

import asyncio
import hashlib
import logging
import mmap
import sqlite3
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Final

from mycelia_node.database import open_database, unusable
from mycelia_node.errors import StoreError
from mycelia_node.home import Home
from mycelia_node.rows import Row
from mycelia_node.sources import sources_digest
from mycelia_protocol.errors import LocalError, RemoteError
from mycelia_protocol.record import Record
from mycelia_protocol.snapshot import Snapshot

log = logging.getLogger("mycelia.store")

CHECK_SIZE: Final = 32  # bytes of the hash in front
STAMP_SIZE: Final = 16
FRESH_MIN: Final = 20_000  # records that a start folds anew: a second's work
FRESH_PART: Final = 16  # or so many of the store's: a sixteenth
LOOK_INTERVAL_S: Final = 3_600.0
SELECT_RECORD: Final = "SELECT header, signature, body FROM records WHERE log = ? AND seq = ?"


def stamp() -> bytes:
    """Return what tells snapshots that this code wrote from those of any other."""
    return sources_digest(("mycelia_protocol",), STAMP_SIZE)


def open_snapshot(home: Home, commons: bytes) -> "tuple[Snapshot, Shelf] | None":
    """Return the snapshot of a home's store, or None if there is none that can be trusted.

    The shelf out of which it reads has to be closed, after the last look at anything.
    """
    try:
        with home.snapshot.open("rb") as file:
            data = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    except (OSError, ValueError):  # none is there, or it is empty
        return None
    if hashlib.sha256(data[CHECK_SIZE:]).digest() != data[:CHECK_SIZE]:
        log.warning("the snapshot of the store is damaged: it is made anew")
        return None
    if isinstance(data.obj, mmap.mmap):
        data.obj.madvise(mmap.MADV_DONTNEED)  # it was read once; few pages of it are needed again
    shelf = Shelf(home.database, commons)
    try:
        snapshot = Snapshot(data[CHECK_SIZE:], stamp(), shelf.fetch)
        if snapshot.commons != commons:
            raise LocalError("it is of another commons")
        for part in snapshot.parts:
            snapshot.record_at(part.end - 1)
    except (LocalError, StoreError) as error:
        log.info("the snapshot of the store is left aside: %s", error)
        shelf.close()
        return None
    return snapshot, shelf


class Shelf:
    """Reads single records out of a store, in the thread that asks."""

    def __init__(self, path: Path, commons: bytes) -> None:
        """Open it.

        Raises:
            StoreError: it can't be opened.
        """
        self._path = path
        self._commons = commons
        self._connection = open_database(path)
        self._number = lru_cache(None)(self._find_number)

    def fetch(self, author: bytes, log_id: bytes, seq: int) -> Record:
        """Return the record at a place.

        Raises:
            StoreError: none is there, or it is damaged.
        """
        try:
            place = (self._number(author, log_id), seq)
            rows = self._connection.execute(SELECT_RECORD, place).fetchall()
            if not rows:
                raise StoreError(f"Record {seq} of a log is not in {self._path} any more.")
            ((header, signature, body),) = rows
            row = Row(self._commons, author, log_id, seq, header, signature, body)
            return row.restore(None)
        except (sqlite3.Error, RemoteError) as error:
            raise unusable(self._path, error) from error

    def close(self) -> None:
        """Close it; whoever closes a database last moves its WAL into the file."""
        self._connection.close()

    def _find_number(self, author: bytes, log_id: bytes) -> int | None:
        query = "SELECT id FROM logs WHERE author = ? AND log = ?"
        row = self._connection.execute(query, (author, log_id)).fetchone()
        return None if row is None else int(row[0])


class SnapshotKeeper:
    """Opens the snapshot of a home, and has it made anew when much has come since.

    Args:
        held: says how many records the store holds.
    """

    def __init__(self, home: Home, commons: bytes, held: Callable[[], int]) -> None:
        self._home = home
        self._commons = commons
        self._covered = 0  # records in the last snapshot
        self._held = held
        self._shelf: Shelf | None = None
        self._task: asyncio.Task[None] | None = None

    def open(self) -> Snapshot | None:
        """Return the snapshot, if there is one that can be trusted; the store must be open."""
        opened = open_snapshot(self._home, self._commons)
        if opened is None:
            return None
        snapshot, self._shelf = opened
        self._covered = snapshot.count
        return snapshot

    def close(self) -> None:
        """Read no more, after the last look at anything."""
        if self._shelf is not None:
            self._shelf.close()

    def discard(self) -> None:
        """Close it, and forget it: it may be why something went wrong."""
        self.close()
        self._home.snapshot.unlink(missing_ok=True)

    def start(self) -> None:
        """Begin to look, now and every hour."""
        self._task = asyncio.create_task(self._look())

    async def stop(self) -> None:
        """End that, and the process that makes one."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def _look(self) -> None:
        while True:
            held = self._held()
            if held - self._covered >= max(FRESH_MIN, held // FRESH_PART):
                self._covered = held  # if it fails, not before as many have come again
                await self._make()
            await asyncio.sleep(LOOK_INTERVAL_S)

    async def _make(self) -> None:
        """Let another process go through the whole store: it takes a minute or more for a year."""
        command = (sys.executable, "-m", "mycelia_node.snapshotting", str(self._home.path))
        try:
            process = await asyncio.create_subprocess_exec(
                *command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.PIPE,
            )
        except OSError as error:
            log.warning("no snapshot of the store was made: %s", error)
            return
        try:
            _, told = await process.communicate()
        except asyncio.CancelledError:
            process.kill()
            await process.wait()
            raise
        if process.returncode:
            log.warning("no snapshot of the store was made: %s", told.decode(errors="replace"))
        else:
            log.info("a snapshot of the store was made")
