"""What `mycelia audit` costs for each decision, and what memory it takes: see README.md."""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from mycelia_bench.history import History
from mycelia_node.database import Writer
from mycelia_node.home import Home

SIZES = (1_000, 10_000, 30_000)
MADE = "made.json"  # what making a history took, beside it


def main() -> int:
    """Measure each size, smallest first; returns 1 if a decision did not come out the same."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sizes", nargs="*", type=int, metavar="DECISIONS", help=f"else {SIZES}")
    parser.add_argument(
        "--keep", type=Path, metavar="DIR", help="keep histories, and use them again"
    )
    parser.add_argument("--policy", metavar="NAME", help="also make all decisions by this policy")
    told = parser.parse_args()
    wrong = 0
    print("decisions   records  open  decisions/CPU-s  audit CPU-s  peak MiB  made in CPU-s")
    for size in told.sizes or SIZES:
        with tempfile.TemporaryDirectory() as scratch:
            folder = (told.keep or Path(scratch)) / str(size)
            made = make(folder, size)
            found = audit(folder, told.policy)
        wrong += size - found["same"]
        print(
            f"{size:9,} {made['records']:9,} {made['open']:5.1f} {size / found['cpu_s']:16,.0f}"
            f" {found['cpu_s']:12,.1f} {found['peak_mib']:9,} {made['cpu_s']:14,.1f}",
            flush=True,
        )
    if wrong:
        print(f"{wrong} decisions did not come out the same.")
    return 1 if wrong else 0


def make(folder: Path, size: int) -> dict[str, float]:
    """Write a history into a node's home, if it is not there; return what it is and took."""
    if (folder / MADE).exists():
        kept: dict[str, float] = json.loads((folder / MADE).read_text())
        return kept
    folder.mkdir(parents=True)
    history, home = History(), Home.at(folder)
    home.charter.write_bytes(history.charter.encode())
    writer = Writer(home.database, history.charter.commons)
    records = 0
    for number in history.decide(size):
        if number % 1_000 == 0 or number == size:
            written = history.take()
            records += len(written)
            writer.write(written, ())
    writer.close()
    made = {"records": records, "open": history.open / size, "cpu_s": time.process_time()}
    (folder / MADE).write_text(json.dumps(made))
    return made


def audit(folder: Path, policy: str | None) -> dict[str, Any]:
    """Run `mycelia audit` on a home; return how many decisions came out the same, and its cost."""
    command = [sys.executable, "-m", "mycelia_node", "--home", str(folder), "--json", "audit"]
    command += ["--policy", policy] if policy else []
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        told = json.load(process.stdout)
        _, _, usage = os.wait4(process.pid, 0)
        process.returncode = 0  # it was waited for
    return {
        "same": told["decisions"]["same"],
        "cpu_s": usage.ru_utime + usage.ru_stime,
        "peak_mib": usage.ru_maxrss // 1_024,
    }


if __name__ == "__main__":
    sys.exit(main())
