"""Measure two real daemons: one's start, its rest, and how fast the other catches up with it.

    python bench/node.py [--records N] [--runs R]

A founder's store is filled with N records of its own log, written as its node would write them.
Then a second node joins and starts from nothing. The catch-up is timed from the moment the second
daemon is ready until all records are in its store, durable. CPU-seconds are those of each process.
The rate is given beside that of one signature check for each record, measured in the same run.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from mycelia_node.cli.client import Client
from mycelia_node.home import Home
from mycelia_node.store import Report, SqliteStore
from mycelia_protocol.charter import Charter
from mycelia_protocol.crypto import public_key, sign_id, verify_id
from mycelia_protocol.encoding import Value
from mycelia_protocol.record import Record, build_record

TICKS = os.sysconf("SC_CLK_TCK")
DEADLINE_S = 120
BATCH = 2_000  # records in one submit


@dataclass(frozen=True, slots=True)
class Daemon:
    """A running node."""

    process: subprocess.Popen[str]
    home: Home

    @property
    def cpu_s(self) -> float:
        """CPU-seconds used so far."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    @property
    def rss_mib(self) -> float:
        """Resident memory in MiB."""
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 2**20

    def records(self) -> int:
        """Return how many records are durably stored."""
        return int(str(Client(self.home).get("/v1/heads")["records"]))

    def stop(self) -> None:
        """End it politely."""
        self.process.terminate()
        self.process.wait(DEADLINE_S)


def cli(home: Path, *words: str) -> str:
    """Run a command of the command line."""
    command = [sys.executable, "-m", "mycelia_node", "--home", str(home), *words]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def start(home: Path) -> Daemon:
    """Start a daemon and wait until it is ready."""
    command = [sys.executable, "-m", "mycelia_node", "--home", str(home), "up", "--json"]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        raise SystemExit(f"the node of {home} did not start; run `mycelia --home {home} up`")
    assert json.loads(line)["event"] == "ready"
    return Daemon(process, Home.at(home))


def fill(home: Home, count: int) -> None:
    """Write a log of the home's own key into its store."""
    seed = bytes.fromhex(home.key.read_text().strip())
    charter = Charter.decode(home.charter.read_bytes())
    reports: list[Report] = []
    store = SqliteStore(home.database, charter.commons, lambda report: report())
    store.report = reports.append
    records: list[Record] = []
    for seq in range(count):
        thing: dict[str, Value] = {
            "category": "food.water",
            "title": f"Water {seq}",
            "quantity": 10,
            "unit": "mL",
        }
        records.append(
            build_record(
                commons=charter.commons,
                seed=seed,
                author=public_key(seed),
                log=b"benchlog",
                seq=seq,
                prev=records[-1].id if records else None,
                kind="offer" if seq else "incarnation",
                time_ms=1_700_000_000_000 + seq,
                content=thing if seq else dict[str, Value](heads=()),
                salt=seq.to_bytes(16, "big"),
            )
        )
    for number, first in enumerate(range(0, count, BATCH)):
        store.submit(number, tuple(records[first : first + BATCH]))
    store.close()


def check_rate(seconds: float = 0.5) -> float:
    """Return signature checks per CPU-second, the best of five rounds."""
    seed, message = bytes(range(32)), bytes(32)
    key, signature = public_key(seed), sign_id(seed, message)
    best = 0.0
    for _ in range(5):
        begin, done = time.process_time(), 0
        while time.process_time() - begin < seconds / 5:
            assert verify_id(key, message, signature)
            done += 1
        best = max(best, done / (time.process_time() - begin))
    return best


def measure(folder: Path, count: int) -> dict[str, float]:
    """Run once and return the figures."""
    oak, elm = folder / "oak", folder / "elm"
    cli(oak, "found", "Bench")
    fill(Home.at(oak), count)
    giver = start(oak)
    try:
        cli(elm, "join", _invite(oak))
        before = giver.cpu_s
        taker = start(elm)
        ready_cpu_s, begin = taker.cpu_s, time.monotonic()
        while taker.records() < count:
            if time.monotonic() - begin > DEADLINE_S:
                raise SystemExit(f"after {DEADLINE_S} s only {taker.records()} records came")
            time.sleep(0.02)
        wall_s = time.monotonic() - begin
        figures = {
            "start_cpu_s": ready_cpu_s,
            "catch_up_per_s": count / wall_s,
            "taker_cpu_s": taker.cpu_s - ready_cpu_s,
            "giver_cpu_s": giver.cpu_s - before,
            "taker_rss_mib": taker.rss_mib,
        }
        taker.stop()
        return figures
    finally:
        giver.stop()


def _invite(home: Path) -> str:
    return str(json.loads(cli(home, "invite", "--json"))["invite"])


def rest(folder: Path) -> dict[str, float]:
    """Return what an empty node needs to start and to sit idle for five seconds."""
    cli(folder / "idle", "found", "Bench")
    daemon = start(folder / "idle")
    try:
        ready = daemon.cpu_s
        time.sleep(5)
        return {
            "empty_start_cpu_s": ready,
            "idle_rss_mib": daemon.rss_mib,
            "idle_cpu_percent": (daemon.cpu_s - ready) / 5 * 100,
        }
    finally:
        daemon.stop()


def main() -> None:
    """Print the medians of several runs."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--records", type=int, default=20_000)
    parser.add_argument("--runs", type=int, default=3)
    arguments = parser.parse_args()
    rate = check_rate()
    runs: list[dict[str, float]] = []
    for number in range(arguments.runs):
        print(f"run {number + 1} of {arguments.runs}", file=sys.stderr)
        with tempfile.TemporaryDirectory() as folder:
            runs.append({**measure(Path(folder), arguments.records), **rest(Path(folder))})
    figures = {name: median(run[name] for run in runs) for name in runs[0]}
    figures["checks_per_cpu_s"] = rate
    figures["catch_up_in_checks"] = figures["catch_up_per_s"] / rate
    for name, value in figures.items():
        print(f"{name:22} {value:12,.3f}")


if __name__ == "__main__":
    main()
