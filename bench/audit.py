"""How many decisions a CPU-second makes once more, and what memory that takes: see README.md."""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from mycelia_bench.history import History
from mycelia_node.database import Writer, read_everything
from mycelia_protocol.charter import Charter
from mycelia_protocol.recompute import deciding_logs, recompute_all

SIZES = (1_000, 10_000, 30_000)


def main() -> int:
    """Measure each size, smallest first; returns 1 if a decision did not come out the same."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sizes", nargs="*", type=int, metavar="DECISIONS", help=f"else {SIZES}")
    parser.add_argument("--audit", type=Path, help=argparse.SUPPRESS)  # what a child is told
    told = parser.parse_args()
    if told.audit is not None:
        print(json.dumps(audit(told.audit)))
        return 0
    wrong = 0
    print("decisions  records  open  decisions/CPU-s  audit CPU-s  peak MB  made in CPU-s")
    for size in told.sizes or SIZES:
        with tempfile.TemporaryDirectory() as folder:
            made_s, records = make(Path(folder), size)
            words = [sys.executable, __file__, "--audit", folder]
            found = json.loads(subprocess.run(words, check=True, capture_output=True).stdout)
        wrong += found["wrong"]
        print(
            f"{size:9,} {records:8,} {found['open']:5.1f} {size / found['cpu_s']:16,.0f}"
            f" {found['cpu_s']:12,.1f} {found['peak_mb']:8,} {made_s:14,.1f}",
            flush=True,
        )
    if wrong:
        print(f"{wrong} decisions did not come out the same.")
    return 1 if wrong else 0


def make(folder: Path, size: int) -> tuple[float, int]:
    """Write a history into a node's database; return the CPU-seconds, and how many records."""
    begin_s = time.process_time()
    history = History()
    for _ in history.decide(size):
        pass
    made_s = time.process_time() - begin_s
    (folder / "charter").write_bytes(history.charter.encode())
    writer = Writer(folder / "node.db", history.charter.commons)
    for member in history.members:
        writer.write(member.written, ())
    writer.close()
    return made_s, sum(len(member.written) for member in history.members)


def audit(folder: Path) -> dict[str, float]:
    """Make all decisions in a database once more, as `mycelia audit` does."""
    charter = Charter.decode((folder / "charter").read_bytes())
    logs = read_everything(folder / "node.db", is_bare=True)
    wrong = requests = decisions = 0
    for found in recompute_all(charter, logs, deciding_logs(logs)):
        decisions += 1
        wrong += not found.recomputes
        requests += len(found.inputs.requests) if found.inputs else 0
    return {
        "cpu_s": time.process_time(),
        "peak_mb": peak_mb(),
        "wrong": wrong,
        "open": requests / max(decisions, 1),
    }


def peak_mb() -> int:
    """Return the most memory that this process held at once, in MB (Linux)."""
    lines = Path("/proc/self/status").read_text("ascii").splitlines()
    peak = next(line for line in lines if line.startswith("VmHWM"))
    return int(peak.split()[1]) // 1_024


if __name__ == "__main__":
    sys.exit(main())
