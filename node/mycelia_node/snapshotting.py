"""Goes through a home's whole store and writes a snapshot: `python -m mycelia_node.snapshotting`.

It reads beside a daemon that goes on writing, log by log, so that it never holds up the writer for
long; what it has read of one log may be newer than of another, and any such set of records will do.
It needs as much memory as all records folded, and takes no notice of an earlier snapshot: so what
was wrong with one can't live on in the next.
"""

import contextlib
import gc
import hashlib
import os
import sqlite3
import sys
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Final

from mycelia_node.errors import NodeError, StoreError
from mycelia_node.home import FILE_MODE, Home
from mycelia_node.loading import LogKey, load_records
from mycelia_node.node import read_charter
from mycelia_node.snapshots import CHECK_SIZE, stamp
from mycelia_protocol.charter import Charter
from mycelia_protocol.erasures import Erasures
from mycelia_protocol.limits import INT_MAX
from mycelia_protocol.snapshot_writer import left_out, write_snapshot
from mycelia_protocol.state import State

NICENESS: Final = 19
SUFFIX: Final = ".new"


def make_snapshot(home: Home) -> None:
    """Write a snapshot of a home's store, all at once; a crash leaves the old one or the new.

    Raises:
        NodeError: there is no commons, the store is damaged, or the disk is full.
    """
    charter = read_charter(home)
    if charter is None:
        raise StoreError(f"{home.path} is in no commons yet.")
    uri = f"{home.database.absolute().as_uri()}?mode=ro"
    with contextlib.closing(sqlite3.connect(uri, uri=True)) as connection:
        left: set[LogKey] = set()
        while True:
            state, erasures, ids = _fold(connection, home.database, charter, left)
            more = left_out(state, ids)
            if not more:
                break
            left.update(more)
    _write(home, write_snapshot(state, erasures, ids, stamp()))


def _fold(
    connection: sqlite3.Connection, path: Path, charter: Charter, left: Collection[LogKey]
) -> tuple[State, Erasures, dict[LogKey, bytearray]]:
    """Fold all records but those of some logs."""
    state, erasures, parent = State(charter), Erasures(), os.getppid()
    ids: dict[LogKey, bytearray] = {}
    for records in load_records(connection, path, lambda key: INT_MAX if key in left else 0):
        if os.getppid() != parent:
            raise StoreError("Whoever wanted the snapshot is gone.")
        erasures.admit(records)
        for record in records:
            state.add(record)
            ids.setdefault((record.author, record.log), bytearray()).extend(record.id)
    return state, erasures, ids


def _write(home: Home, parts: Iterator[bytes]) -> None:
    """Put a file with its hash in front in the place of the old one."""
    fresh = home.snapshot.with_name(f"{home.snapshot.name}.{os.getpid()}{SUFFIX}")
    for stale in home.path.glob(f"{home.snapshot.name}.*{SUFFIX}"):
        stale.unlink(missing_ok=True)
    check = hashlib.sha256()
    try:
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE_MODE)
        with os.fdopen(descriptor, "wb") as file:
            file.write(bytes(CHECK_SIZE))
            for part in parts:
                check.update(part)
                file.write(part)
            file.seek(0)
            file.write(check.digest())
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(home.snapshot)
        home.sync()
    except OSError as error:
        fresh.unlink(missing_ok=True)
        raise StoreError(f"{home.snapshot} can't be written: {error.strerror}.") from error


def main(words: list[str]) -> int:
    """Make one; return the exit code."""
    try:
        make_snapshot(Home.at(words[0]))
    except NodeError as error:
        print(error, file=sys.stderr)  # noqa: T201  for the daemon's log
        return 1
    return 0


if __name__ == "__main__":
    os.nice(NICENESS)
    gc.disable()  # there are a million objects to make, and none of them is garbage
    sys.exit(main(sys.argv[1:]))
