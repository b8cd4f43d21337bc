"""The snapshot of a home: what a start makes of it, and all that can be wrong with one."""

import asyncio
import contextlib
import random
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from mycelia_node import snapshots
from mycelia_node.errors import StoreError
from mycelia_node.home import Home
from mycelia_node.snapshots import SnapshotKeeper, open_snapshot
from mycelia_node.snapshotting import main, make_snapshot
from mycelia_node.store import SqliteStore
from mycelia_protocol.engine import Engine
from mycelia_protocol.events import RecordsLoaded, SnapshotLoaded, StoreLoaded
from mycelia_protocol.record import Record
from mycelia_protocol.types.fork import content as fork
from node_daemons import Daemon, settle_port, wait_for
from support.scribe import Scribe, village

TIMEOUT_S = 30.0


@dataclass
class Town:
    """A home, and who wrote what is in its store."""

    home: Home
    mill: Scribe
    oak: Scribe

    def write(self, *records: Record) -> None:
        """Put records into the store, as a daemon would."""
        store = SqliteStore(self.home.database, self.mill.commons, lambda report: report())
        store.submit(0, records)
        store.close()


@pytest.fixture
def town(tmp_path: Path) -> Town:
    """A home with some offers and grants in its store."""
    home = Home.at(tmp_path / "home")
    charter, (mill, oak) = village(2)
    settle_port(home)
    home.write_private(home.key, mill.seed.hex().encode() + b"\n")
    home.write_private(home.charter, charter.encode())
    for quantity in range(1, 6):
        grant = mill.grant(quantity, mill.offer(2 * quantity), oak.request(quantity))
        oak.answer(True, grant)
    found = Town(home, mill, oak)
    found.write(*mill.written, *oak.written)
    return found


def start(town: Town) -> tuple[bytes, int]:
    """Start an engine on a home as a node does; return its digest and how many records it read."""
    commons = town.mill.commons
    store = SqliteStore(town.home.database, commons, lambda report: report())
    keeper = SnapshotKeeper(town.home, commons, lambda: 0)
    engine = Engine(town.mill.charter, town.mill.seed, random.Random(1))
    try:
        snapshot, read = keeper.open(), 0
        if snapshot is not None:
            engine.handle(SnapshotLoaded(snapshot), 0)
        for records in store.load(snapshot.length_of if snapshot else lambda _: 0):
            engine.handle(RecordsLoaded(records), 0)
            read += len(records)
        engine.handle(StoreLoaded(None), 0)
        assert engine.logs.record_count() == read + (snapshot.count if snapshot else 0)
        return engine.state.digest(), read
    finally:
        store.close()
        keeper.close()


def test_a_start_reads_what_came_since(town: Town) -> None:
    """With a snapshot the rest alone is read, and it comes to the same; also once more is there."""
    whole, count = start(town)
    make_snapshot(town.home)
    assert start(town) == (whole, 0)
    town.write(last := town.mill.offer(50), town.oak.request(3))
    after = start(town)
    assert (after[0] != whole, after[1]) == (True, 2)
    town.home.snapshot.unlink()
    assert start(town) == (after[0], count + 2)
    make_snapshot(town.home)
    assert start(town) == (after[0], 0)
    assert last.id.hex() not in {path.name for path in town.home.path.iterdir()}
    assert town.home.snapshot.stat().st_mode & 0o077 == 0


def test_a_log_that_parts_is_read_anew_each_time(town: Town) -> None:
    """The contested log, and a stranger's, are left out of a snapshot, and all else is in it."""
    stranger = Scribe(bytes(32), town.mill.charter, town.mill.rng)
    rival = Scribe(town.oak.seed, town.mill.charter, town.mill.rng)
    rival.log, rival.written = town.oak.log, town.oak.written[:3]
    rival.withdraw(town.oak.written[1])
    ends = [town.oak.written[3:], rival.written[3:]]
    proof = stranger.write("fork", fork(ends))
    town.write(*stranger.written)
    whole, _ = start(town)
    make_snapshot(town.home)
    assert start(town) == (whole, len(town.oak.written) + len(stranger.written))
    assert proof.kind == "fork"


@pytest.mark.parametrize(
    "harm",
    [
        lambda data: data[:-1],
        lambda data: data[:40],
        lambda _: b"",
        lambda data: data[:100] + bytes([data[100] ^ 1]) + data[101:],
        lambda data: data[:-9] + bytes([data[-9] ^ 128]) + data[-8:],
    ],
)
def test_a_damaged_snapshot_is_left_aside(town: Town, harm: Callable[[bytes], bytes]) -> None:
    """Torn at its end or changed by a bit: all is read, as if there were none."""
    whole = start(town)
    make_snapshot(town.home)
    town.home.snapshot.write_bytes(harm(town.home.snapshot.read_bytes()))
    assert start(town) == whole


def test_other_code_does_not_use_it(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """A line of the core that changes makes every snapshot worthless, and it is made anew."""
    whole = start(town)
    make_snapshot(town.home)
    monkeypatch.setattr(snapshots, "stamp", lambda: b"another line")
    assert start(town) == whole


def test_a_store_from_a_backup_does_not_use_it(town: Town) -> None:
    """A store that ends before the snapshot, or in another branch, is read from its beginning."""
    backup, before = town.home.database.read_bytes(), start(town)
    town.write(town.mill.offer(50))
    make_snapshot(town.home)
    assert start(town)[1] == 0
    town.home.database.write_bytes(backup)
    assert start(town) == before
    rival = Scribe(town.mill.seed, town.mill.charter, town.mill.rng)
    rival.log, rival.written = town.mill.log, town.mill.written[:-1]
    town.write(rival.offer(49))
    assert start(town)[1] == before[1] + 1


def test_a_record_that_is_gone_below_is_loud(town: Town) -> None:
    """What a snapshot covers and the store has lost is told as damage, never taken as absent."""
    make_snapshot(town.home)
    offer = next(each for each in town.mill.written if each.kind == "offer")
    with contextlib.closing(sqlite3.connect(town.home.database)) as connection:
        connection.execute("UPDATE records SET body = x'00' WHERE seq = ?", (offer.seq,))
        connection.commit()
    opened = open_snapshot(town.home, town.mill.commons)
    assert opened is not None
    snapshot, shelf = opened
    with pytest.raises(StoreError, match="damaged"):
        snapshot.record_at(snapshot.find(offer.id))
    with pytest.raises(StoreError, match="not in"):
        shelf.fetch(town.mill.key, town.mill.log, 999)
    shelf.close()
    with pytest.raises(StoreError, match="not in"), contextlib.closing(shelf_of(town)) as other:
        other.fetch(bytes(32), bytes(8), 0)


def shelf_of(town: Town) -> snapshots.Shelf:
    """Return a shelf of a home's store."""
    return snapshots.Shelf(town.home.database, town.mill.commons)


def test_a_crash_leaves_the_old_one(town: Town) -> None:
    """Killed while it writes, the other process leaves the old snapshot, and no litter for ever."""
    make_snapshot(town.home)
    before = town.home.snapshot.read_bytes()
    town.write(town.mill.offer(50))
    dying = (
        "import os, signal\n"
        "from mycelia_node import snapshotting\n"
        "from mycelia_node.home import Home\n"
        "def half(*_):\n"
        "    yield b'x' * 100_000\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
        "snapshotting.write_snapshot = half\n"
        f"snapshotting.make_snapshot(Home.at({str(town.home.path)!r}))\n"
    )
    ended = subprocess.run([sys.executable, "-c", dying], check=False)
    assert ended.returncode == -signal.SIGKILL
    assert town.home.snapshot.read_bytes() == before
    litter = list(town.home.path.glob("node.snapshot.*"))
    assert len(litter) == 1
    assert start(town)[1] == 1
    make_snapshot(town.home)
    assert not litter[0].exists()
    assert start(town)[1] == 0


def test_one_is_made_once_much_has_come(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """A keeper lets another process make one, and none while little came or where nobody is."""
    held = len(town.mill.written) + len(town.oak.written)

    async def keep(enough: int) -> None:
        monkeypatch.setattr(snapshots, "FRESH_MIN", enough)
        keeper = SnapshotKeeper(town.home, town.mill.commons, lambda: held)
        keeper.start()
        await asyncio.sleep(0)
        if enough <= held:
            there = partial(wait_for, town.home.snapshot.exists, "a snapshot", TIMEOUT_S)
            await asyncio.to_thread(there)
        await keeper.stop()
        keeper.discard()

    asyncio.run(keep(held + 1))
    asyncio.run(keep(held))
    assert not town.home.snapshot.exists()
    assert main([str(town.home.path / "nowhere")]) == 1


def test_a_daemon_rests_on_its_snapshot(daemon: Callable[[str], Daemon], town: Town) -> None:
    """A real daemon tells the same of itself, goes on writing, and ends cleanly."""
    node = daemon("home")
    whole, _ = start(town)
    make_snapshot(town.home)
    node.start()
    status = node.status()
    node.offer()
    wait_for(lambda: node.status()["offers"] == 6, "six offers")
    assert node.stop() == 0
    assert status["offers"] == 5
    assert status["grants_by_status"] == {"accepted": 5}
    assert start(town)[0] != whole
    node.start()
    assert node.status()["offers"] == 6
    assert node.stop() == 0
    assert not town.home.database.with_name("node.db-wal").exists()
