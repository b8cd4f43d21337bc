"""The bench on our own node, with a tiny job: real daemons, no figure judged."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from uuid import uuid4

import pytest

from mycelia_bench.figures import FIGURES
from mycelia_bench.install import BENCH
from mycelia_bench.job import Job
from mycelia_bench.rounds import run_worker
from mycelia_sim.live.process import environment

pytestmark = pytest.mark.daemon

TINY = Job(nodes=3, records=20, trickle=5, trickle_per_s=50, rest_s=0.1, settle_s=0.2, missing=100)
MARK = "MYCELIA_BENCH_TEST"


def marked(mark: str) -> list[int]:
    """Return the ids of the processes that inherited a mark in their environment."""
    found = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        try:
            if f"{MARK}={mark}".encode() in path.read_bytes().split(b"\0"):
                found.append(int(path.parts[2]))
        except OSError:
            continue  # it has ended, or is somebody else's
    return found


def test_a_tiny_run_has_all_figures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both jobs are done to the end, each figure is there, and no process or file is left."""
    mark = uuid4().hex
    monkeypatch.setenv(MARK, mark)
    figures, failures = run_worker("mycelia", TINY, tmp_path / "run", "tiny:")
    assert failures == []
    assert set(figures) == {figure.name for figure in FIGURES}
    assert figures["delivered"] == 100
    assert marked(mark) == []
    assert list((tmp_path / "run").glob("*")) == []


@pytest.mark.slow
def test_ctrl_c_leaves_nothing_behind(tmp_path: Path) -> None:
    """Broken off while daemons run, the bench ends them all, removes their homes and says so."""
    mark = uuid4().hex
    before = set(BENCH.glob(".work-*"))
    words = ["--only", "mycelia", "--quick", "--nodes", "2", "--out", str(tmp_path / "out.json")]
    process = subprocess.Popen(
        [sys.executable, BENCH / "run.py", *words],
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env={**environment(), MARK: mark},
    )
    assert process.stderr is not None
    for line in process.stderr:
        if "records at" in line:
            break
    assert len(marked(mark)) > 3
    os.killpg(process.pid, signal.SIGINT)
    assert "all processes are ended" in process.stderr.read()
    process.stderr.close()
    assert process.wait() == 130
    assert marked(mark) == []
    assert set(BENCH.glob(".work-*")) <= before
