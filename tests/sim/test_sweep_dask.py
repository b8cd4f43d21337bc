"""A sweep on a Dask cluster: the same lines as on this machine alone."""

import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from mycelia_sim.cli import sim
from mycelia_sim.scenario_reader import document_of
from mycelia_sim.sweep import executors
from mycelia_sim.sweep.batch import Order, play_batch
from mycelia_sim.sweep.build import this_build
from mycelia_sim.sweep.folder import LINES_NAME
from mycelia_sim.sweep.line import read_line

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("distributed") is None,
    reason="Dask is not installed; `pip install 'mycelia[dask]'` brings it",
)
TINY = str(Path(__file__).parent / "tiny.toml")
CLUSTER = """
import sys
from distributed import LocalCluster

if __name__ == "__main__":
    with LocalCluster(
        n_workers=1, threads_per_worker=2, dashboard_address=None, host="127.0.0.1"
    ) as cluster:
        print(cluster.scheduler_address, flush=True)
        sys.stdin.read()
"""


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """Yield the address of a cluster with one worker process, on loopback, as long as it lives."""
    program = tmp_path / "cluster.py"
    program.write_text(CLUSTER, "utf-8")
    process = subprocess.Popen(
        [sys.executable, str(program)],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
    finally:
        process.communicate(timeout=30)


def sweep(*options: str) -> tuple[int, Any]:
    """Sweep the tiny scenario; return the exit code and the summary."""
    result = CliRunner().invoke(sim, ["sweep", TINY, "--seeds", "0..1", "--json", *options])
    assert result.stdout, result.stderr
    return result.exit_code, json.loads(result.stdout)


def test_a_cluster_gives_the_same_lines(tmp_path: Path, address: str) -> None:
    """Seeds played by a cluster's worker have the lines that they have when played here."""
    code, summary = sweep("--dask", address, "--out", str(tmp_path))
    assert (code, summary["verdict"], summary["played"]) == (0, "pass", 2)
    assert f"--dask {address}" in summary["go_on"]
    text = (tmp_path / "latest-sweep" / LINES_NAME).read_bytes()
    far = {line.seed: line for line in map(read_line, text.splitlines())}
    order = Order(document_of(Path(TINY), []), "tiny", this_build())
    for line in play_batch(order, [0, 1]):
        assert replace(far[line.seed], cpu_s=line.cpu_s) == line


def test_a_cluster_that_is_not_there_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An address where nobody listens ends with exit code 69 and names it."""
    monkeypatch.setattr(executors, "CONNECT_TIMEOUT_S", 0.5)  # nobody will ever come
    code, answer = sweep("--dask", "tcp://127.0.0.1:9", "--out", str(tmp_path))
    assert code == 69
    assert "no Dask scheduler at tcp://127.0.0.1:9" in answer["error"]
