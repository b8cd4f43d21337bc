"""Runs every system once a round, so that the machine's drift hits all alike."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Final

from mycelia_bench.errors import NotHere
from mycelia_bench.figures import Measured
from mycelia_bench.install import BENCH
from mycelia_bench.job import Job
from mycelia_bench.limits import measure_limits
from mycelia_bench.measure import Failures
from mycelia_bench.progress import say_after
from mycelia_bench.results import Outcome, Results
from mycelia_bench.system import System
from mycelia_sim.live.process import environment

RUN_TIMEOUT_S: Final = 900  # a run takes one to five minutes
END_TIMEOUT_S: Final = 30
LIMIT_S: Final = 0.3  # for each of the machine's limits, in each round


def measure_all(
    results: Results,
    systems: Sequence[System],
    runs: int,
    *,
    with_limits: bool,
    after_round: Callable[[], None],
) -> None:
    """Add rounds to results until there are `runs`. What can't be installed is noted, and left out.

    Args:
        after_round: called when all systems have one run more.
    """
    here: list[System] = []
    for system in systems:
        outcome = results.systems.get(system.about.name) or results.add(system.about)
        try:
            system.install()
            here.append(system)
        except NotHere as reason:
            outcome.skipped = str(reason)
            say_after("install")(f"{system.about.title}: left out, {reason}")
    with tempfile.TemporaryDirectory(dir=BENCH, prefix=".work-") as folder:
        for number in range(results.runs + 1, runs + 1):
            if with_limits:
                say_after(f"[run {number} of {runs}] limits:")("what this machine can do at most")
                results.limits.append(measure_limits(LIMIT_S, Path(folder)))
            for system in here:
                prefix = f"[run {number} of {runs}] {system.about.name}:"
                outcome = results.systems[system.about.name]
                _add_run(outcome, system, results.job, Path(folder) / f"{number}", prefix)
            after_round()


def _add_run(outcome: Outcome, system: System, job: Job, folder: Path, prefix: str) -> None:
    figures, failures = run_worker(system.about.name, job, folder, prefix)
    outcome.runs.append(figures)
    for failure in failures:
        outcome.failures.append(f"run {len(outcome.runs)}, {failure}")
        say_after(prefix)(f"failed, {failure}")


def run_worker(name: str, job: Job, folder: Path, prefix: str) -> tuple[Measured, Failures]:
    """Measure one system in a process of its own; return its figures and what failed.

    On Ctrl-C, which reaches the worker too, its end is waited for: it ends all that it started.
    """
    here = environment()
    path = os.pathsep.join([str(BENCH), here["PYTHONPATH"]])
    command = [sys.executable, "-m", "mycelia_bench.worker", name, str(folder)]
    process = subprocess.Popen(
        [*command, json.dumps(asdict(job)), prefix],
        stdout=subprocess.PIPE,
        text=True,
        env={**here, "PYTHONPATH": path},
    )
    try:
        written, _ = process.communicate(timeout=RUN_TIMEOUT_S)
    except (KeyboardInterrupt, subprocess.TimeoutExpired) as end:
        _end(process)
        if isinstance(end, KeyboardInterrupt):
            raise
        return {}, [f"it took longer than {RUN_TIMEOUT_S} s"]
    lines = written.strip().splitlines()
    if not lines:
        return {}, [f"the measuring process ended with code {process.returncode}"]
    answer = json.loads(lines[-1])
    return answer["figures"], answer["failures"]


def _end(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGTERM)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(END_TIMEOUT_S)
    process.kill()  # its watchdog ends what it started
    process.wait()
