"""Sweeps as users run them: real processes, planted defects, signals at a bad moment."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from mycelia_sim.cli import sim
from mycelia_sim.sweep.batch import ENTRY, Order, play_batch
from mycelia_sim.sweep.build import this_build
from mycelia_sim.sweep.folder import LINES_NAME
from mycelia_sim.sweep.line import SeedLine, read_line
from mycelia_sim.sweep.seeds import is_played_twice

HERE = Path(__file__).parent
TINY = str(HERE / "tiny.toml")
SLOWER = ("--set", "run.duration=20 s")  # a seed takes about half a second
MUTANTS = HERE / "mutants"
PROGRAM = "from mycelia_sim.cli import sim; sim(prog_name='mycelia sim')"
DEADLINE_S = 50.0


def sweep(out: Path, seeds: str, *options: str, jobs: str = "1") -> tuple[int, dict[str, Any]]:
    """Sweep the tiny scenario; return the exit code and the summary."""
    arguments = ["sweep", TINY, "--out", str(out), "--json", "--quiet", *options]
    result = CliRunner().invoke(sim, arguments, env={"SIM_SEEDS": seeds, "SIM_JOBS": jobs})
    assert result.exception is None or isinstance(result.exception, SystemExit), result.output
    return result.exit_code, json.loads(result.stdout)


def lines_in(folder: Path) -> list[SeedLine]:
    """Return the lines of a sweep's folder as they stand in the file; each must be whole."""
    return [read_line(text) for text in (folder / LINES_NAME).read_bytes().splitlines()]


def outcome(line: SeedLine) -> SeedLine:
    """Return a line without what differs from call to call."""
    return replace(line, cpu_s=0.0)


def test_a_sweep_goes_on_where_it_ended(tmp_path: Path) -> None:
    """A first call leaves a line for each seed, a summary and a page; a second plays only the rest.

    Nothing that is told differs from a sweep that was made in one go.
    """
    code, summary = sweep(tmp_path / "a", "0..1", jobs="2")
    folder = (tmp_path / "a" / "latest-sweep").resolve()
    assert (code, summary["verdict"], summary["counts"]["pass"]) == (0, "pass", 2)
    assert summary["pass_rate"]["low"] == pytest.approx(0.342380, abs=1e-6)
    assert json.loads((folder / "summary.json").read_text("utf-8")) == summary
    assert "<title>Every seed held." in (folder / "index.html").read_text("utf-8")
    assert (folder / "junit.xml").read_text("utf-8").count("<testcase ") == 2
    assert {line.seed for line in lines_in(folder)} == {0, 1}
    before = (folder / LINES_NAME).read_bytes()

    code, summary = sweep(tmp_path / "a", "0..2")
    assert (code, summary["played"], summary["this_call"]["played"]) == (0, 3, 1)
    assert (folder / LINES_NAME).read_bytes().startswith(before)
    code, summary = sweep(tmp_path / "a", "0..2")
    assert (code, summary["this_call"]) == (0, {**summary["this_call"], "played": 0})
    whole = sweep(tmp_path / "b", "0..2")[1]
    timed = {"this_call", "cpu_s", "go_on"}
    assert {k: v for k, v in summary.items() if k not in timed} == {
        k: v for k, v in whole.items() if k not in timed
    }
    assert {line.seed: outcome(line) for line in lines_in(folder)} == {
        line.seed: outcome(line) for line in lines_in((tmp_path / "b" / "latest-sweep").resolve())
    }


def test_what_a_seed_lacks_another_has(tmp_path: Path) -> None:
    """A seed whose swarm left the crash out passes; a sweep of only such seeds is unknown.

    Their lines have everything in them but what did not happen, and `sim run --swarm` plays the
    same again.
    """
    lines = {line.seed: line for line in play_batch(order(), range(4, 7))}
    default = SeedLine(0, "", 0)
    same = {
        f.name for f in fields(SeedLine) if getattr(lines[4], f.name) == getattr(default, f.name)
    }
    assert same - {"exit_code"} == {"failing", "again", "trouble"}
    without = [seed for seed, line in lines.items() if "crash" not in (line.families or {})]
    assert without
    assert all(line.verdict == "pass" for line in lines.values())
    options = ["--swarm", "--seed", "4", "--backend", "virtual", "--out", str(tmp_path), "--json"]
    run = json.loads(CliRunner().invoke(sim, ["run", TINY, *options]).stdout)
    assert run["trace_digest"] == lines[4].trace_digest
    code, summary = sweep(tmp_path, ",".join(map(str, without[:1])))
    assert (code, summary["verdict"], summary["counts"]["pass"]) == (2, "unknown", 1)
    assert "crash" in summary["doubts"][0]
    assert "kills_fired" in summary["doubts"][1]


def order(entry: tuple[str, ...] = ENTRY) -> Order:
    """Return an order for the tiny scenario."""
    from mycelia_sim.scenario_reader import document_of

    return Order(document_of(Path(TINY), []), "tiny", this_build(), entry)


# --- planted defects ---


def test_a_defect_is_found_grouped_and_replayed(tmp_path: Path) -> None:
    """A disk that lies fails each seed with a crash, all as one group; one command replays it."""
    code, summary = sweep(tmp_path, "6..8", *worker("worker_disk_lies"))
    assert (code, summary["verdict"]) == (1, "fail")
    (failure,) = summary["failures"]
    assert failure["check"] == "monotone"
    folder = (tmp_path / "latest-sweep").resolve()
    crashing = {line.seed for line in lines_in(folder) if "crash" in (line.families or {})}
    assert set(failure["seeds"]) == crashing == {7, 8}
    costs = {line.seed: line.cpu_s for line in lines_in(folder)}
    assert failure["seeds"] == sorted(failure["seeds"], key=lambda seed: (costs[seed], seed))
    assert f"run {TINY} --swarm --seed {failure['seeds'][0]} " in failure["replay"]
    page = (folder / "index.html").read_text("utf-8")
    assert f"--swarm --seed {failure['seeds'][0]} " in page


def worker(mutant: str) -> tuple[str, ...]:
    """Return the options that put a mutant in the worker's place."""
    return ("--worker-module", str(MUTANTS / f"{mutant}.py"))


def test_a_run_that_hashing_decides_is_no_verdict(tmp_path: Path) -> None:
    """A seed that is played twice and comes out otherwise makes the sweep not repeatable."""
    seed = next(seed for seed in range(1_000) if is_played_twice(seed))
    assert sweep(tmp_path / "sound", str(seed))[1]["counts"]["nondeterminism"] == 0
    code, summary = sweep(tmp_path, f"{seed}", *worker("worker_hash_order"))
    assert (code, summary["verdict"], summary["played_twice"]) == (4, "nondeterminism", 1)
    (found,) = summary["nondeterminism"]
    assert found["seed"] == seed
    assert "trace_digest" in found["differs"]


def test_a_seed_that_breaks_off_hides_no_other(tmp_path: Path) -> None:
    """An exception and a killed process are lines of their seeds; all other seeds are played."""
    code, summary = sweep(tmp_path, "0..3", *worker("worker_breaks_off"))
    assert (code, summary["verdict"]) == (70, "crash")
    assert (summary["counts"]["pass"], summary["counts"]["crash"]) == (2, 2)
    kinds = {one["example"]["seed"]: one["kind"] for one in summary["failures"]}
    assert kinds == {
        1: "InvalidTransition in worker_breaks_off.judge",
        3: "the process got SIGKILL",
    }
    lines = {line.seed: line for line in lines_in((tmp_path / "latest-sweep").resolve())}
    assert "no such timer in seed 1" in lines[1].trouble


def test_other_code_is_refused(tmp_path: Path) -> None:
    """A worker whose code is not the sweep's plays nothing and says in what it differs."""
    wrong = replace(this_build(), code="0000", cryptography="1.0")
    from mycelia_sim.errors import BackendError

    with pytest.raises(BackendError, match=r"other code .*code \w+ instead of 0000, cryptography"):
        play_batch(replace(order(), build=wrong), [0])


# --- the command line ---


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--seeds", "3..1"], "ends before it begins"),
        (["--jobs", "0"], "neither auto nor a number"),
        (["--budget", "10"], "not a time"),
        (["--set", "nodes.cuont=3"], "did you mean 'count'"),
        (["--dask", "nowhere"], "tcp://host:8786"),
    ],
)
def test_wrong_words_are_usage_errors(tmp_path: Path, options: list[str], said: str) -> None:
    """A wrong option ends with exit code 64, says what is wrong, and leaves no folder behind."""
    result = CliRunner().invoke(sim, ["sweep", TINY, "--out", str(tmp_path / "out"), *options])
    assert result.exit_code == 64
    assert said in result.stderr


def test_a_spent_budget_leaves_the_rest(tmp_path: Path) -> None:
    """When the time is up no further seed begins; what is told is about those that were played."""
    code, summary = sweep(tmp_path, "0..999", "--budget", "0m")
    assert (summary["budget_spent"], summary["interrupted"]) == (True, False)
    assert summary["played"] + summary["left"] == 1_000
    assert (code, summary["played"], summary["doubts"]) == (2, 0, ["no seed was played"])
    assert summary["go_on"].startswith("mycelia sim sweep ")


# --- signals ---


@contextmanager
def started(out: Path, seeds: str) -> Iterator[subprocess.Popen[str]]:
    """Start a sweep of seeds that take their time; go on once a line is written."""
    to = ("--out", str(out), "--jobs", "2")
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, "sweep", TINY, "--seeds", seeds, *SLOWER, *to],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        until(lambda: bool(list(out.glob(f"tiny/*/{LINES_NAME}"))))
        (path,) = out.glob(f"tiny/*/{LINES_NAME}")
        until(lambda: b"\n" in path.read_bytes() and bool(children(process.pid)))
        yield process
    finally:
        process.kill()
        process.communicate()


def until(condition: Any) -> None:
    """Wait for a condition."""
    deadline_s = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline_s, "it never happened"
        time.sleep(0.02)


def children(pid: int) -> list[int]:
    """Return the processes that a process has started and that still run."""
    tasks = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for task in tasks for child in task.read_text().split()]


def is_running(pid: int) -> bool:
    """Return whether a process is there and is no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs Linux's /proc")
@pytest.mark.parametrize(
    "number",
    [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.slow)],
    ids=lambda number: number.name,
)
def test_ctrl_c_leaves_a_valid_file(tmp_path: Path, number: signal.Signals) -> None:
    """A signal ends sweep and workers; all lines are whole, and it says how to go on."""
    with started(tmp_path, "0..99") as process:
        workers = children(process.pid)
        process.send_signal(number)
        stdout, stderr = process.communicate(timeout=DEADLINE_S)
    assert process.returncode == 130, stderr
    until(lambda: not any(map(is_running, workers)))
    folder = (tmp_path / "latest-sweep").resolve()
    played = lines_in(folder)
    assert 1 <= len(played) < 100
    assert stdout.startswith("UNKNOWN: ")
    assert f"{len(played)} of 100 seeds of tiny played; interrupted" in stdout
    duration = "'run.duration=20 s'"
    assert f"sim sweep {TINY} --seeds 0..99 --set {duration} --out {tmp_path}" in stdout
    assert json.loads((folder / "summary.json").read_text("utf-8"))["exit_code"] == 130
    assert "Cut short." in (folder / "index.html").read_text("utf-8")
    assert "Traceback" not in stderr


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs Linux's /proc")
def test_workers_end_when_the_sweep_is_killed(tmp_path: Path) -> None:
    """After SIGKILL of the sweep its workers end by themselves, and the file can be read."""
    with started(tmp_path, "0..99") as process:
        workers = children(process.pid)
        process.kill()
        process.wait()
    until(lambda: not any(map(is_running, workers)))
    assert lines_in((tmp_path / "latest-sweep").resolve())
