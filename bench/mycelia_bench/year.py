"""What a year of sharing costs one node: size on disk, CPU and memory of a start.

The records of a made-up town (`made_up.py`) are written through the node's own store, batch by
batch in bounded memory; then a real daemon is started on that home, and asked some things: once
where it has to fold every record, and once on the snapshot that is made in between.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Final

from mycelia_bench.cli import positive
from mycelia_bench.crew import Crew
from mycelia_bench.errors import BenchError
from mycelia_bench.install import BENCH
from mycelia_bench.made_up import DAY_MS, MEMBERS, RECORDS_A_DAY, Town
from mycelia_bench.progress import Say, say_after
from mycelia_bench.shortened import shorten_home
from mycelia_node.home import Home
from mycelia_node.keys import load_seed
from mycelia_node.node import read_charter
from mycelia_node.setup import prepare
from mycelia_node.store import Report, SqliteStore
from mycelia_protocol.crypto import public_key
from mycelia_protocol.errors import MyceliaError
from mycelia_protocol.events import StoreFailed
from mycelia_protocol.record import Record
from mycelia_sim.live.client import Client
from mycelia_sim.live.process import Daemon, node_command

BATCH: Final = 2_000  # records in one transaction
READY_TIMEOUT_S: Final = 1_800.0
MIB: Final = 2**20


@dataclass(frozen=True, slots=True)
class Start:
    """What a start of a daemon cost; sizes in MiB, CPU of the daemon alone.

    Attributes:
        start_s, start_cpu_s: from the daemon's start until it said that it is ready.
        start_rss_mib: the most memory that it had by then.
        rest_rss_mib: its memory after that.
        digest_cpu_s: for its first `mycelia status`, which derives the whole state.
        state_digest: what that said.
    """

    start_s: float
    start_cpu_s: float
    start_rss_mib: float
    rest_rss_mib: float
    digest_cpu_s: float
    digest_rss_mib: float
    state_digest: str


@dataclass(frozen=True, slots=True)
class Shortening:
    """What the store cost with so many records in compact form; no start rests on a snapshot."""

    records: int
    disk_mib: float
    anew: Start


@dataclass(frozen=True, slots=True)
class Cost:
    """What a store of so many records cost; sizes in MiB.

    Attributes:
        anew: a start that folds all records.
        snapshot_cpu_s, snapshot_rss_mib: of the process that makes a snapshot.
        resting: a start on it.
        shortened: the same once what is older than some days is kept in compact form.
    """

    days: int
    records: int
    disk_mib: float
    bytes_a_record: float
    write_s: float
    anew: Start
    snapshot_mib: float
    snapshot_cpu_s: float
    snapshot_rss_mib: float
    resting: Start
    shortened: Shortening | None


def parse(words: list[str] | None = None) -> argparse.Namespace:
    """Read the arguments; wrong ones end the program with a hint."""
    parser = argparse.ArgumentParser(
        prog="bench/year.py",
        description=f"Measure what a made-up year of {MEMBERS} collectives costs one node.",
        epilog=f"Each collective writes {RECORDS_A_DAY} records a day. A year takes some minutes.",
    )
    parser.add_argument("--days", type=positive, default=365, help="how long; else 365")
    parser.add_argument("--members", type=positive, default=MEMBERS, help=f"else {MEMBERS}")
    parser.add_argument(
        "--compact-after", type=positive, metavar="DAYS", help="measure it once more, shortened"
    )
    parser.add_argument("--home", type=Path, help="keep the node's home there; else it is removed")
    parser.add_argument("--out", type=Path, help="write the figures there too, as JSON")
    arguments = parser.parse_args(words)
    if arguments.members < 2:
        parser.error("--members: one gives and one takes")
    if arguments.home is not None and arguments.home.exists():
        parser.error(f"--home: {arguments.home} is there already; name a new folder")
    return arguments


def main(words: list[str] | None = None) -> int:
    """Write the year, start a daemon on it, print what that cost; return the exit code."""
    arguments = parse(words)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    folder = Path(tempfile.mkdtemp(prefix=".work-", dir=BENCH))
    try:
        home = Home.at(arguments.home or folder / "home")
        say = say_after("year:")
        records, write_s = write_year(home, arguments.days, arguments.members, say)
        cost = asyncio.run(measure(home, folder, arguments.days, records, write_s, say))
        if arguments.compact_after is not None:
            cost = asyncio.run(measure_short(home, folder, cost, arguments.compact_after, say))
    except MyceliaError as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("bench: broken off; nothing is left", file=sys.stderr)
        return 130
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(text(cost), end="")
    if arguments.out is not None:
        arguments.out.write_text(json.dumps(asdict(cost), indent=1) + "\n", "utf-8")
    return 0


def write_year(home: Home, days: int, members: int, say: Say) -> tuple[int, float]:
    """Fill a new home with a town's last so many days; return (records, seconds that it took)."""
    begin = time.monotonic()
    home.create()
    with home.locked():
        _, seed = prepare(home, "House 0")
        first_ms = time.time_ns() // 1_000_000 - days * DAY_MS
        town = Town(seed, first_ms, members)
        home.write_private(home.charter, town.charter.encode())
        filling = Filling(home, town.charter.commons)
        filling.add(town.begin())
        for day in range(days):
            filling.add(town.day(day))
            if day % 10 == 9 or day == days - 1:
                say(f"day {day + 1} of {days}: {filling.records:,} records written")
        filling.end()
    return filling.records, time.monotonic() - begin


class Filling:
    """Writes records into a node's store, no more of them in memory than a few batches."""

    def __init__(self, home: Home, commons: bytes) -> None:
        self.records = 0
        self._number = 0
        self._failures: list[StoreFailed] = []
        self._store = SqliteStore(home.database, commons, lambda report: report())
        self._store.report = self._note

    def add(self, records: Iterable[Record]) -> None:
        """Write records, and wait until the disk has caught up."""
        more = iter(records)
        while batch := tuple(islice(more, BATCH)):
            self._store.submit(self._number, batch)
            self._number += 1
            self.records += len(batch)
        while self._store.backlog:
            time.sleep(0.001)

    def end(self) -> None:
        """Close the store.

        Raises: BenchError if it did not keep all.
        """
        self._store.close()
        if self._failures:
            raise BenchError(f"the year was not written: {self._failures[0].reason}")

    def _note(self, report: Report) -> None:
        if isinstance(report, StoreFailed):
            self._failures.append(report)


async def measure(
    home: Home, folder: Path, days: int, records: int, write_s: float, say: Say
) -> Cost:
    """Start a daemon on a home, without a snapshot and with one, and return what that cost.

    Raises: BenchError, HarnessError.
    """
    disk = home.database.stat().st_size
    say(f"starting a daemon on {disk / MIB:.0f} MiB")
    anew = await start(home, folder, records)
    say("making a snapshot")
    snapshot_cpu_s, snapshot_rss_mib = make_snapshot(home)
    say("starting a daemon on that")
    resting = await start(home, folder, records)
    if anew.state_digest != resting.state_digest:
        raise BenchError("the two starts came to different states")
    return Cost(
        days=days,
        records=records,
        disk_mib=disk / MIB,
        bytes_a_record=disk / records,
        write_s=write_s,
        anew=anew,
        snapshot_mib=home.snapshot.stat().st_size / MIB,
        snapshot_cpu_s=snapshot_cpu_s,
        snapshot_rss_mib=snapshot_rss_mib,
        resting=resting,
        shortened=None,
    )


async def measure_short(home: Home, folder: Path, cost: Cost, days: int, say: Say) -> Cost:
    """Shorten what is older than so many days, and start a daemon without a snapshot once more.

    Raises: BenchError, HarnessError.
    """
    say(f"keeping compact forms of what is older than {days} days")
    charter, before_ms = read_charter(home), time.time_ns() // 1_000_000 - days * DAY_MS
    if charter is None:
        raise BenchError("the home is in no commons")
    count = shorten_home(home, charter.commons, public_key(load_seed(home.key)), before_ms)
    home.snapshot.unlink()
    disk = home.database.stat().st_size
    again = await start(home, folder, cost.records)
    if again.state_digest != cost.anew.state_digest:
        raise BenchError("the shortened store came to another state")
    return replace(cost, shortened=Shortening(count, disk / MIB, again))


async def start(home: Home, folder: Path, records: int) -> Start:
    """Start a daemon, ask for its state, and end it; return what that cost.

    Raises: BenchError, HarnessError.
    """
    async with Crew(folder, counts_bytes=False) as crew:
        daemon = Daemon("year", home.path, folder / "year.log", node_command, crew.warden)
        begin = time.monotonic()
        ready = await daemon.start(READY_TIMEOUT_S)
        start_s, start_cpu_s = time.monotonic() - begin, crew.cpu_s([ready.pid])
        start_mib, rest_mib = memory_mib(ready.pid)
        async with Client(ready.socket, READY_TIMEOUT_S) as client:
            before_s = crew.cpu_s([ready.pid])
            status = await client.get("/v1/status")
            digest_cpu_s = crew.cpu_s([ready.pid]) - before_s
            digest_mib, _ = memory_mib(ready.pid)
            held = int((await client.get("/v1/heads"))["records"])
        await daemon.stop()
    if held < records:
        raise BenchError(f"the daemon holds {held:,} of {records:,} records")
    digest = str(status["state_digest"])
    return Start(start_s, start_cpu_s, start_mib, rest_mib, digest_cpu_s, digest_mib, digest)


def make_snapshot(home: Home) -> tuple[float, float]:
    """Make a snapshot as a daemon has it made; return CPU-seconds and the most memory, in MiB.

    Raises: BenchError.
    """
    command = [sys.executable, "-m", "mycelia_node.snapshotting", str(home.path)]
    process = os.posix_spawn(sys.executable, command, os.environ)
    _, status, usage = os.wait4(process, 0)
    if status:
        raise BenchError("no snapshot was made")
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def memory_mib(pid: int) -> tuple[float, float]:
    """Return the most memory that a process ever had, and what it has, in MiB. Source: proc(5)."""
    found: dict[str, int] = {}
    for line in Path(f"/proc/{pid}/status").read_text("ascii").splitlines():
        name, _, value = line.partition(":")
        if name in ("VmHWM", "VmRSS"):
            found[name] = int(value.split()[0])
    return found["VmHWM"] / 1024, found["VmRSS"] / 1024


def text(cost: Cost) -> str:
    """Return the figures as people read them."""
    rows = [
        ("records", f"{cost.records:,} in {cost.days} days, written in {cost.write_s:.0f} s"),
        ("on disk", f"{cost.disk_mib:.0f} MiB, {cost.bytes_a_record:.0f} bytes a record"),
        *_lines("start", cost.anew, cost.records),
        (
            "snapshot",
            f"{cost.snapshot_mib:.0f} MiB, made in {cost.snapshot_cpu_s:.1f} CPU-s "
            f"with {cost.snapshot_rss_mib:.0f} MiB",
        ),
        *_lines("start on it", cost.resting, cost.records),
    ]
    if cost.shortened is not None:
        short = cost.shortened
        rows += [
            ("shortened", f"{short.records:,} records compact, {short.disk_mib:.0f} MiB on disk"),
            *_lines("start", short.anew, cost.records),
        ]
    return "".join(f"{name:<13}{value}\n" for name, value in rows)


def _lines(name: str, one: Start, records: int) -> list[tuple[str, str]]:
    cpu_us = one.start_cpu_s / records * 1e6
    return [
        (name, f"{one.start_s:.1f} s, {one.start_cpu_s:.1f} CPU-s, {cpu_us:.1f} us a record"),
        ("  memory", f"{one.rest_rss_mib:.0f} MiB, at most {one.start_rss_mib:.0f} at the start"),
        ("  status", f"{one.digest_cpu_s:.1f} CPU-s, {one.digest_rss_mib:.0f} MiB at most"),
    ]
