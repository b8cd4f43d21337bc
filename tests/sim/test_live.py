"""The harness on real daemons: a sound node passes, and each planted defect is caught."""

import io
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, TextIO

import pytest

from mycelia_sim.conduct import Finished, Settings
from mycelia_sim.evidence import Evidence
from mycelia_sim.evidence_file import FILE_NAME as EVIDENCE_NAME
from mycelia_sim.evidence_file import read_evidence
from mycelia_sim.live.process import module_command, node_command
from mycelia_sim.measured import METRICS
from mycelia_sim.plan import Plan, Post
from mycelia_sim.planner import draw_plan
from mycelia_sim.play import begin, play
from mycelia_sim.progress import Progress
from mycelia_sim.recheck import recheck
from mycelia_sim.run_folder import open_run
from mycelia_sim.scenario_reader import load
from mycelia_sim.timeline import load_timeline

HERE = Path(__file__).parent
MUTANTS = HERE / "mutants"
PROGRAM = "from mycelia_sim.cli import sim; sim(prog_name='mycelia sim')"
MUTANT_PROGRAM = """
import json, sys
from pathlib import Path
sys.path[:0] = json.loads(sys.argv[1])
from sim.test_live import run_short
sys.exit(run_short(Path(sys.argv[2]), sys.argv[3], sys.argv[4:]).exit_code)
"""
THREE = ["nodes.count=3", "topology.degree=2"]
# Two nodes, cut and nothing else for a minute: whoever is slow to look still finds both.
TWO = (
    *("--set", "nodes.count=2", "--set", "topology.degree=2", "--set", "adversary=[]"),
    *("--set", "run.duration=1 min", "--set", "fault.0.for=50 s", "--set", "fault.1.at=55 s"),
)
DEADLINE_S = 40.0
# Each planted defect, the check that is made for it, and a run with what it takes to show it.
DEFECTS = {
    "drops_record_on_restart": (
        "no_loss",
        ["fault.0.for=1 s", "fault.1.at=2500 ms", "run.duration=5 s", "adversary=[]"],
    ),
    "grants_twice": ("no_overcommit", ["run.duration=5 s", "fault=[]", "adversary=[]"]),
    "accepts_bad_signature": (
        "no_forgery",
        ["run.duration=5 s", "fault=[]"],
    ),
}
Caught = tuple[subprocess.Popen[bytes], Path]  # a run, and under which folder it writes


def contested(plan: Plan) -> Plan:
    """Add posts that ask together for more of one offer than there is."""
    node, *others = [node.id for node in plan.nodes[:3]]
    wanted = [(node, "offer", 10, None), *((other, "request", 8, "now") for other in others)]
    posts = [
        Post(
            n=1_000 + n,
            at_ms=100 + 20 * n,
            node=where,
            kind=kind,
            category="tool.building",
            title="Ladders",
            quantity=quantity,
            unit="1",
            lot=1,
            urgency=urgency,
            of=None,
        )
        for n, (where, kind, quantity, urgency) in enumerate(wanted)
    ]
    everything = sorted([*plan.posts, *posts], key=lambda post: (post.at_ms, post.n))
    return replace(plan, posts=tuple(everything))


def run_short(
    out: Path, mutant: str | None, changes: Sequence[str] = (), stream: TextIO | None = None
) -> Finished:
    """Run the short scenario with the real node or with a mutant of it; `stream` for progress."""
    plan = contested(draw_plan(load(HERE / "short.toml", list(changes))))
    command = module_command(str(MUTANTS / f"{mutant}.py")) if mutant else node_command
    progress = Progress(is_quiet=True) if stream is None else Progress(stream=stream)
    return play(begin(plan, Settings(out=out, command=command)), progress)


@pytest.mark.daemon
def test_a_sound_node_passes(tmp_path: Path) -> None:
    """The control: with the real node the same run passes, and the folder holds what it should."""
    said = io.StringIO()
    finished = run_short(tmp_path, None, stream=said)
    assert finished.exit_code == 0, finished.text
    heard = re.findall(r"since the heal (.+) heard of (\d+) records? by", said.getvalue())
    assert len(heard) == 2, "a node on each side tells what the links brought"
    assert all(int(records) for _, records in heard)
    summary = json.loads((tmp_path / "latest" / "summary.json").read_text(encoding="utf-8"))
    assert summary["verdict"] == "pass"
    assert (summary["nodes"], summary["lost"], summary["forged_accepted"]) == (5, 0, 0)
    assert (summary["overcommitted"], summary["kills_fired"]) == (0, 1)
    assert summary["partitions_fired"] == 1
    assert summary["converged_after_heal_s"] < 5
    assert_measured(summary)
    folder = finished.folder
    journal = (folder / "acknowledged.jsonl").read_text(encoding="utf-8").splitlines()
    assert len(journal) == summary["acknowledged"] > 10
    assert len(list((folder / "nodes").glob("*.log"))) == 5
    assert (folder / "verdict.txt").read_text(encoding="utf-8").startswith("PASS: ")
    cases = (folder / "junit.xml").read_text(encoding="utf-8").count("<testcase ")
    assert cases == len(summary["checks"])
    assert summary["metrics"]["set_full"]["stable"] == summary["acknowledged"]
    assert summary["metrics"]["set_full"]["after_max"] > 2_000
    assert str(folder) in summary["replay"]
    assert not (folder / "homes").exists()
    evidence = read_evidence(folder / EVIDENCE_NAME, open_run(folder).plan)
    assert_liars_are_known(evidence, summary)
    timeline = load_timeline(folder / "timeline.json")
    assert (len(timeline.nodes), timeline.samples[-1].agreeing) == (5, 5)
    honest = [r for r in evidence.library.records.values() if r.author not in evidence.liars]
    assert timeline.samples[-1].union == len(honest) < summary["records"]
    assert {"cut", "heal", "kill", "restart", "offer"} <= {e.kind for e in timeline.events}
    assert "The commons held." in (folder / "panorama.html").read_text(encoding="utf-8")
    assert str(folder / "panorama.html") in finished.text
    assert (tmp_path / "latest").resolve() == folder.resolve()
    again = recheck(open_run(folder))
    assert [asdict(check) for check in again.checks] == summary["checks"]
    assert again.source == "what lay on 5 disks when the run ended"


def assert_liars_are_known(evidence: Evidence, summary: dict[str, Any]) -> None:
    """Check that what two liars did came to its targets, and was laid at their door alone."""
    planned = {attempt.behaviour for attempt in evidence.plan.attempts}
    facts = evidence.facts
    assert len(planned) == 8
    assert {fact.behaviour for fact in facts.attempts if fact.is_delivered} == planned
    assert len(evidence.liars) == 2
    assert evidence.library.contested == facts.forked_logs()
    assert {bytes.fromhex(fork.author) for fork in facts.forks or ()} < evidence.liars
    assert {bytes.fromhex(blame.accused) for blame in facts.blames or ()} == evidence.liars
    assert {"forged", "record", "decrypt"} <= {blame.code for blame in facts.blames or ()}
    garbage = next(f for f in facts.attempts if f.behaviour == "garbage" and f.is_delivered)
    assert garbage.answer.endswith("ended 10 of 10 connections beneath")
    assert summary["forged_accepted"] == 0
    assert facts.looks > 10
    assert facts.overruns == []


def assert_measured(summary: dict[str, Any]) -> None:
    """Check that a run of real daemons measured all that virtual time measures, and how well."""
    metrics, counts = summary["metrics"], summary["counts"]
    assert set(metrics) == set(METRICS)
    for name in ("latency", "stretch", "redundancy", "control_bytes", "verifications_per_record"):
        assert metrics[name] is not None, summary["unmeasured"]
    # The cut lasts 3 s. What was written soon after it began waited for most of that.
    assert 0 <= metrics["latency"]["p50"] < 2_000 <= metrics["latency"]["max"]
    assert metrics["stretch"]["p50"] >= 1  # nothing was faster than possible
    assert metrics["heal_excess"] is not None
    # Each of 4 neighbours tells everybody at most; besides, a liar twice sends 64 records 40 times.
    assert -0.5 < metrics["redundancy"] < 16
    assert set(summary["unmeasured"]) >= {"virtual_s", "events", "trace_digest"}
    assert counts["pairs"] > 100
    assert (counts["pairs_undelivered"], counts["events_missed"]) == (0, 0)
    assert counts["pairs_unseen"] + counts["pairs_before_oracle"] < counts["pairs"] / 20
    assert counts["lives"] == 6  # one of five was killed and came back


@pytest.fixture(scope="module")
def caught(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Caught]]:
    """Yield a run of each defect, in a process each: they mostly wait, so they do it together."""
    folder = tmp_path_factory.mktemp("caught")
    arguments = [sys.executable, "-c", MUTANT_PROGRAM, json.dumps(sys.path)]
    runs = {
        mutant: (
            subprocess.Popen([*arguments, str(folder / mutant), mutant, *THREE, *changes]),
            folder / mutant,
        )
        for mutant, (_, changes) in DEFECTS.items()
    }
    yield runs
    for process, _ in runs.values():
        process.kill()
        process.wait()


@pytest.mark.daemon
@pytest.mark.parametrize(("mutant", "check"), [(name, one[0]) for name, one in DEFECTS.items()])
def test_a_planted_defect_is_caught(caught: dict[str, Caught], mutant: str, check: str) -> None:
    """A node with one deliberate defect fails for safety, by the check that is made for it."""
    process, out = caught[mutant]
    assert process.wait() == 1
    folder = (out / "latest").resolve()
    summary = json.loads((folder / "summary.json").read_text("utf-8"))
    assert (summary["verdict"], summary["exit_code"]) == ("fail", 1)
    failed = {one["name"] for one in summary["checks"] if one["verdict"] == "fail"}
    assert check in failed, (folder / "verdict.txt").read_text("utf-8")
    assert (folder / "homes" / "n00" / "node.db").exists()  # evidence is kept
    again = recheck(open_run(folder))
    assert "homes" in again.source
    assert [asdict(one) for one in again.checks] == summary["checks"]


@contextmanager
def started_run(out: Path) -> Iterator[subprocess.Popen[str]]:
    """Start the command line on a run of some seconds; go on once its links are cut."""
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, "run", str(HERE / "short.toml"), *TWO, "--out", str(out)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    with process:
        assert process.stderr is not None
        said = []
        for line in process.stderr:
            said.append(line)
            if "cut: " in line:
                break
        else:
            pytest.fail(f"the run ended before the cut: {said}")
        try:
            yield process
        finally:
            process.kill()


def daemons_of(process: subprocess.Popen[str]) -> list[int]:
    """Return the pids of the daemons that a harness has started."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                stat = (entry / "stat").read_text()
                line = (entry / "cmdline").read_bytes()
            except OSError:
                continue
            parent = int(stat.rpartition(")")[2].split()[1])
            if parent == process.pid and b"mycelia_node" in line:
                found.append(int(entry.name))
    return found


def wait_until_gone(pids: list[int]) -> None:
    """Wait until none of the processes is there, or only as a zombie of a reaper that is slow."""
    deadline = time.monotonic() + DEADLINE_S
    for pid in pids:
        while is_running(pid):
            assert time.monotonic() < deadline, f"process {pid} was left behind"
            time.sleep(0.02)


def is_running(pid: int) -> bool:
    """Return whether a process exists and is no zombie."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


@pytest.mark.daemon
@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks for processes in /proc")
def test_an_interrupt_leaves_no_process_and_a_partial_report(tmp_path: Path) -> None:
    """Ctrl-C in the middle of a run ends every daemon and still tells what was seen."""
    with started_run(tmp_path) as process:
        pids = daemons_of(process)
        assert len(pids) == 2
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate(timeout=DEADLINE_S)
        wait_until_gone(pids)
    assert process.returncode == 130, errors
    assert "Traceback" not in errors
    assert output.startswith("UNKNOWN: ")
    summary = json.loads((tmp_path / "latest" / "summary.json").read_text(encoding="utf-8"))
    assert (summary["verdict"], summary["interrupted"]) == ("unknown", True)


@pytest.mark.daemon
@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks for processes in /proc")
def test_a_killed_harness_leaves_no_process(tmp_path: Path) -> None:
    """Even SIGKILL on the harness leaves no daemon: the watchdog ends them."""
    with started_run(tmp_path) as process:
        pids = daemons_of(process)
        assert len(pids) == 2
        process.kill()
        wait_until_gone(pids)
        process.communicate(timeout=DEADLINE_S)
