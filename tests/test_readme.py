"""The README's two nodes by hand, typed as it says: real daemons, a SIGKILL, nothing lost."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DEADLINE_S = 120

# A terminal that runs `up` is a process in the background; the next line is typed once it is ready.
# Nobody types so fast that the board is looked at before the request has reached the other node.
PREAMBLE = """
set -u
mycelia() { exec_python -m mycelia_node "$@"; }
exec_python() { "$PYTHON" "$@"; }
ready() { until grep -q '"ready"' "$1.out"; do sleep 0.05; done; }
granted() { until grep -q ' grants ' "$1.err"; do sleep 0.05; done; }
"""
# Whatever happens, no daemon stays behind.
ENDING = """
trap 'for lock in */lock; do kill -9 "$(cat "$lock")"; done 2> /dev/null' EXIT
"""


def typed() -> list[str]:
    """Return the shell lines of the README's section, and between them what a person waits for."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    section = text.split("## Two nodes by hand")[1].split("\n## ")[0]
    lines = "".join(re.findall(r"^```sh\n(.*?)^```$", section, re.DOTALL | re.MULTILINE))
    up = re.compile(r"^(mycelia --home (\w+) up)$", re.MULTILINE)
    lines = up.sub(r"rm -f \2.out; \1 --json > \2.out 2>> \2.err & ready \2", lines)
    asked = re.compile(r"^(.* request add .*)$", re.MULTILINE)
    return asked.sub(r"\1; granted oak", lines).splitlines()


def run_bash(script: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a script in a folder, with this Python and this source tree."""
    path = os.pathsep.join(str(ROOT / name) for name in ("protocol", "node", "sim"))
    environment = {**os.environ, "PYTHON": sys.executable, "PYTHONPATH": path}
    command = ["bash", "-c", PREAMBLE + ENDING + script]
    with subprocess.Popen(
        command,
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            said = process.communicate(timeout=DEADLINE_S)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)  # the daemons, too: the trap can't run any more
            raise
    return subprocess.CompletedProcess(command, process.returncode, *said)


@pytest.mark.daemon
def test_two_nodes_by_hand(tmp_path: Path) -> None:
    """Typed in order, the README's commands work, and what was acknowledged survives SIGKILL."""
    lines = typed()
    cut = next(i for i, line in enumerate(lines) if line == "mycelia --home elm down")
    before, after = "\n".join(lines[:cut]), "\n".join(lines[cut:])
    states = "\n".join(f"echo; mycelia --home {home} status" for home in ("elm", "oak"))
    done = run_bash(f"{before}\n{states}\n{after}\nwait\n", tmp_path)

    said = done.stdout + done.stderr + "".join(p.read_text() for p in tmp_path.glob("*.err"))
    assert done.returncode == 0, said
    assert "lost:" not in done.stdout, said
    assert "Traceback" not in said
    acknowledged = (tmp_path / "acknowledged.txt").read_text().split()
    assert len(acknowledged) >= 3, said
    digests = re.findall(r"^state (mycs1\w+)", done.stdout, re.MULTILINE)
    assert len(digests) == 3, said  # the one that the README asks for, and the two at the end
    assert digests[1] == digests[2], said
    assert re.search(r"Flour +food\.dry +20 kg +25 kg", done.stdout), said
    assert (tmp_path / "oak" / "clean").exists(), "the node did not end politely"
