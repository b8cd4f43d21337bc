"""Runs a plan from beginning to end: folder, nodes, audit, checks, report, clean-up."""

from __future__ import annotations

import asyncio
import json
import os
import shlex
import shutil
import signal
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from mycelia_sim.audit import Holding, read_home
from mycelia_sim.checkers import Evidence, gather, judge_all
from mycelia_sim.errors import HarnessError, ScenarioError
from mycelia_sim.evidence_file import FILE_NAME as EVIDENCE_NAME
from mycelia_sim.evidence_file import write_evidence
from mycelia_sim.interrupts import Unjudged, interrupts
from mycelia_sim.live.process import Command, node_command
from mycelia_sim.live.run import LiveRun, Places
from mycelia_sim.measured import Measured, Stopwatch, peak_rss_mib
from mycelia_sim.panorama import write_panorama
from mycelia_sim.plan import Plan
from mycelia_sim.progress import Progress
from mycelia_sim.report import Outcome, summarize, write_cases, write_text
from mycelia_sim.storyline import Look, assemble
from mycelia_sim.summary_file import FILE_NAME as SUMMARY_NAME
from mycelia_sim.timeline import FILE_NAME as TIMELINE_NAME
from mycelia_sim.timeline import write_timeline
from mycelia_sim.verdict import EXIT_INTERRUPTED


@dataclass(frozen=True, slots=True)
class Settings:
    """How to run a plan.

    Attributes:
        out: folder under which the run's own folder is made.
        keep_homes: keep the nodes' homes even if the run passes; a failed run always keeps them.
        command: what starts a node on a home; tests start nodes with a planted defect.
        is_traced: write down everything that happens in virtual time.
    """

    out: Path = Path("runs")
    keep_homes: bool = False
    command: Command = node_command
    is_traced: bool = False


@dataclass(frozen=True, slots=True)
class Finished:
    """A run that came to an end, or was interrupted.

    Attributes:
        text: the verdict for people.
        summary: what summary.json holds.
    """

    folder: Path
    exit_code: int
    text: str
    summary: dict[str, object]


def conduct(folder: Path, plan: Plan, settings: Settings, progress: Progress) -> Finished:
    """Run a plan in its folder; no process and no temporary file is left behind.

    Raises: HarnessError when the harness can't do its part; the folder then holds the logs.
    """
    # A short path, because the nodes' sockets lie in their homes.
    homes = Path(tempfile.mkdtemp(prefix="mycelia-sim-"))
    live = LiveRun(plan, Places(folder, homes), progress, settings.command)
    watch = Stopwatch()
    keeps_homes = True
    try:
        holdings = _run(live, plan, homes)
        progress.phase("judging")
        finished = _judge(plan, live, holdings, folder, watch)
        keeps_homes = settings.keep_homes or finished.summary["verdict"] == "fail"
        return finished
    finally:
        progress.end()
        live.end_processes()
        if keeps_homes:
            shutil.move(homes, folder / "homes")
        else:
            shutil.rmtree(homes, ignore_errors=True)


def make_folder(plan: Plan, out: Path) -> Path:
    """Make the run's folder and let `latest` point to it.

    Raises: HarnessError when that can't be done in `out`.
    """
    try:
        return _make_folder(plan, out)
    except OSError as error:
        raise HarnessError.of_folder(out, error) from error


def _make_folder(plan: Plan, out: Path) -> Path:
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S")
    folder = out / plan.scenario / f"{stamp}-s{plan.seed}"
    while True:
        try:
            folder.mkdir(parents=True)
            break
        except FileExistsError:  # another run began in the same second
            folder = folder.with_name(f"{folder.name}-{os.getpid()}")
    link = out / f".latest-{os.getpid()}"
    link.symlink_to(folder.relative_to(out))
    link.replace(out / "latest")
    return folder


def _run(live: LiveRun, plan: Plan, homes: Path) -> list[Holding]:
    """Run the plan; what lies on the disks is read even when the run was interrupted."""

    async def main() -> list[Holding]:
        task = asyncio.current_task()
        assert task is not None
        for number in (signal.SIGTERM, signal.SIGHUP):
            asyncio.get_running_loop().add_signal_handler(number, task.cancel)
        return await live.run()

    try:
        return asyncio.run(main())
    except (KeyboardInterrupt, asyncio.CancelledError):
        live.facts.is_interrupted = True
        live.end_processes()
        return [read_home(node.id, homes / node.id) for node in plan.nodes]


def _judge(
    plan: Plan, live: LiveRun, holdings: Sequence[Holding], folder: Path, watch: Stopwatch
) -> Finished:
    """Check, and write the report.

    Raises: Unjudged when somebody interrupts it; the folder then holds the evidence.
    """
    with interrupts():
        try:
            return _judge_whole(plan, live, holdings, folder, watch)
        except KeyboardInterrupt:
            raise leave_unjudged(folder, gather(plan, live.facts, holdings)) from None


def _judge_whole(
    plan: Plan, live: LiveRun, holdings: Sequence[Holding], folder: Path, watch: Stopwatch
) -> Finished:
    wall_s, cpu_s = watch.wall_s, watch.cpu_s
    evidence = gather(plan, live.facts, holdings)
    metrics, counts = live.measure(evidence)
    peak_mib = peak_rss_mib(of_children=True)
    measured = Measured(wall_s, cpu_s, peak_mib, metrics=metrics, counts=counts)
    checks = judge_all(evidence, measured.metrics)
    outcome = Outcome(evidence, checks, replay_command(folder))
    return write_report(folder, outcome, measured.to_json(), live.look())


def write_report(
    folder: Path, outcome: Outcome, more: dict[str, object], look: Look | None = None
) -> Finished:
    """Write evidence, summary.json with what one backend alone knows, panorama, verdict, XML."""
    summary = {**summarize(outcome), **more}
    is_interrupted = outcome.evidence.facts.is_interrupted
    exit_code = EXIT_INTERRUPTED if is_interrupted else outcome.exit_code
    summary["exit_code"] = exit_code
    write_evidence(folder / EVIDENCE_NAME, outcome.evidence)
    (folder / SUMMARY_NAME).write_text(json.dumps(summary, indent=1) + "\n", "utf-8")
    text = write_text(outcome, str(folder), _draw(folder, outcome, look))
    (folder / "verdict.txt").write_text(text, "utf-8")
    write_cases(folder, outcome, text)
    return Finished(folder, exit_code, text, summary)


def _draw(folder: Path, outcome: Outcome, look: Look | None) -> str:
    """Write timeline.json and panorama.html; return the page's path, or why there is none."""
    if look is None:
        return "none: the run ended before anybody looked"
    try:
        timeline = assemble(outcome.evidence, outcome.checks, look)
        write_timeline(folder / TIMELINE_NAME, timeline)
        return str(write_panorama(folder))
    except ScenarioError as error:  # the verdict stands without its picture
        return f"none: {error}"
    except KeyboardInterrupt:
        return f"none: interrupted; {program()} sim report {shlex.quote(str(folder))} draws it"


def leave_unjudged(folder: Path, evidence: Evidence) -> Unjudged:
    """Keep what a run left to judge, since nobody waits for that; return what says so."""
    check = f"{program()} sim check {shlex.quote(str(folder))}"
    write_evidence(folder / EVIDENCE_NAME, evidence)
    lines = [
        "NO VERDICT: interrupted while it was judged; all that there is to judge is here",
        "",
        f"judge    {check}",
        f"seed     {evidence.plan.seed}",
        f"replay   {replay_command(folder)}",
    ]
    (folder / "verdict.txt").write_text("\n".join(lines) + "\n", "utf-8")
    return Unjudged(f"what the run left is kept; `{check}` judges it")


def replay_command(folder: Path) -> str:
    """Return the command line that plays the same plan again."""
    return f"{program()} sim replay {shlex.quote(str(folder))}"


def program() -> str:
    """Return how this program was called, for command lines to copy."""
    called = Path(sys.argv[0])
    return shlex.quote(sys.argv[0]) if called.name == "mycelia" else "mycelia"
