"""`doctor`: what works here is found out by doing it, and what does not comes with advice."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from mycelia_sim import play
from mycelia_sim.backends import BACKENDS
from mycelia_sim.cli import sim
from mycelia_sim.doctor import diagnosis, live, switch, virtual
from mycelia_sim.doctor.finding import Finding
from mycelia_sim.plan import Plan
from mycelia_sim.play import Judged
from mycelia_sim.verdict import Check

PROGRAM = "from mycelia_sim.cli import sim; sim(prog_name='mycelia sim')"
linux_only = pytest.mark.skipif(sys.platform != "linux", reason="is about Linux")


def call(*words: str) -> Result:
    """Call the command line."""
    return CliRunner().invoke(sim, ["doctor", *words])


def test_virtual_time_works_here() -> None:
    """On any machine that runs these tests; whatever does not work comes with advice."""
    said = call("--json", "--quiet")
    assert said.exit_code == 0
    data = json.loads(said.stdout)
    first, *_ = data["backends"]["virtual"]["findings"]
    assert "passed twice, with the same digest" in first["says"]
    assert tuple(data["backends"]) == BACKENDS
    assert "virtual" in data["works"]
    for backend in data["backends"].values():
        for finding in backend["findings"]:
            assert finding["says"]
            assert finding["is_ok"] or not finding["is_needed"] or finding["advice"], finding


@pytest.mark.slow
@linux_only
def test_a_low_limit_of_files_is_found(tmp_path: Path) -> None:
    """With 100 open files at most, live does not work, and the command that mends it is said."""
    command = f'ulimit -n 100; exec "{sys.executable}" -c "{PROGRAM}" doctor --json --quiet'
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    data = json.loads(done.stdout)
    assert "live" not in data["works"]
    (files,) = (f for f in data["backends"]["live"]["findings"] if f["name"] == "open files")
    assert (files["is_ok"], "ulimit -n 454" in files["advice"]) == (False, True)


def test_69_if_no_backend_works(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing that a backend needs may be missing; what it does not need may."""
    missing = Finding("a thing", False, "is missing", "get it")
    nice = Finding("another", False, "is missing", is_needed=False)
    monkeypatch.setattr(diagnosis, "PROBES", {"virtual": lambda: [missing, nice]})
    said = call("--quiet")
    assert said.exit_code == 69
    assert "virtual  no\n  no  a thing" in said.output
    assert "do: get it" in said.output
    assert "  --  another" in said.output
    assert "no backend works here" in said.output
    assert json.loads(call("--json", "--quiet").stdout)["exit_code"] == 69
    monkeypatch.setattr(diagnosis, "PROBES", {"virtual": lambda: [nice]})
    said = call("--quiet")
    assert said.exit_code == 0
    assert said.output.startswith("mycelia ")
    assert "virtual  ok" in said.output
    assert said.output.endswith("next: mycelia sim run village --backend virtual\n")


def test_runs_that_differ_or_fail_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Virtual time does not work if two runs of one plan differ, or two nodes don't converge."""
    honest = play.judge
    digests = iter("abcd")

    def differing(plan: Plan) -> Judged:
        return Judged(honest(plan).checks, next(digests), {})

    monkeypatch.setattr(play, "judge", differing)
    first, _ = virtual.probe()
    assert (first.is_ok, "two different runs" in first.says) == (False, True)
    broken = Judged((Check("convergence", "liveness", "fail", "they part"),), "x", {})
    monkeypatch.setattr(play, "judge", lambda _: broken)
    first, _ = virtual.probe()
    assert (first.is_ok, "they part" in first.says) == (False, True)


def test_too_little_memory_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine with 500 MiB can hold a village, not a river; with 100 MiB nothing."""
    findings = {}
    for free in (100, 500, None):
        monkeypatch.setattr(live, "memory_mib", lambda mib=free: mib)
        findings[free] = live.memory()
    assert (findings[500].is_ok, findings[500].is_needed) == (False, False)
    assert "--nodes 5" in findings[500].advice
    assert (findings[100].is_ok, findings[100].is_needed) == (False, True)
    assert findings[None].is_ok
    monkeypatch.setattr(virtual, "memory_mib", lambda: 100)
    assert not virtual.probe()[1].is_ok


@linux_only
def test_the_switch_is_probed_without_a_trace() -> None:
    """Each step is tried in a child; afterwards this machine has the network cards that it had."""
    before = socket.if_nameindex()
    found = switch.probe()
    assert found[0].name == "user namespaces"
    assert len(found) > 4 or not all(one.is_ok for one in found)
    assert socket.if_nameindex() == before


def test_what_the_switch_misses_comes_with_advice(monkeypatch: pytest.MonkeyPatch) -> None:
    """What its own probe finds missing is needed; where there is no Linux, there is no switch."""
    monkeypatch.setattr(sys, "platform", "linux")
    tried = [("user namespaces", True, ""), ("packet sockets: forbidden", False, "allow them")]
    monkeypatch.setattr("mycelia_sim.switch.probe.probe", lambda: tried)
    users, sockets, rest = switch.probe()
    assert users.is_ok
    assert (sockets.name, sockets.says, sockets.advice) == (
        "packet sockets",
        "forbidden",
        "allow them",
    )
    assert (sockets.is_ok, sockets.is_needed, rest.is_needed) == (False, True, False)
    monkeypatch.setattr(sys, "platform", "darwin")
    (only,) = switch.probe()
    assert (only.is_ok, "virtual or live" in only.advice) == (False, True)
