"""`check`: what a run left is judged again from its bytes; the verdicts of then play no part."""

import gzip
import json
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import msgpack  # type: ignore[import-untyped]  # the package has no stubs
import pytest
from click.testing import CliRunner, Result

from mycelia_sim.cli import sim
from mycelia_sim.conduct import Settings
from mycelia_sim.errors import ScenarioError
from mycelia_sim.evidence_file import FILE_NAME
from mycelia_sim.plan import Attempt, Limit, Plan
from mycelia_sim.play import begin, play
from mycelia_sim.progress import Progress
from mycelia_sim.recheck import recheck
from mycelia_sim.run_folder import RunFolder, open_run
from support.planted import killed_plan, lying_disks, planted_plan


def run(folder: Path, plan: Plan) -> RunFolder:
    """Run a plan in virtual time and return its folder."""
    return open_run(play(begin(plan, Settings(folder)), Progress(is_quiet=True)).folder)


def call(*words: object) -> Result:
    """Call the command line."""
    return CliRunner().invoke(sim, ["check", *map(str, words)])


def attacked(plan: Plan) -> Plan:
    """Return a plan with adversaries, of which some fork their logs."""
    ways = ("equivocate", "forge_author", "overdraw", "replay", "alter_body", "equivocate")
    attempts = tuple(
        Attempt(
            n, f"x{n % 2:02}", 900 + 600 * n, way, plan.nodes[n % 4].id, plan.nodes[3 - n % 4].id
        )
        for n, way in enumerate(ways)
    )
    return replace(plan, attempts=attempts)


@pytest.mark.parametrize("is_broken", [False, True])
def test_a_run_is_judged_as_it_was(tmp_path: Path, is_broken: bool) -> None:
    """With 64 faults and liars, sound or broken: each check says the same to the letter."""
    plan = attacked(planted_plan())
    if is_broken:
        with lying_disks():
            found = run(tmp_path, plan)
        assert found.verdict == "fail"
    else:
        found = run(tmp_path, plan)
    checked = recheck(found)
    assert [asdict(one) for one in checked.checks] == found.summary["checks"]
    assert checked.changes == ()
    assert checked.exit_code == found.exit_code == call(found.folder).exit_code


def test_the_command_says_what_it_looked_at(tmp_path: Path) -> None:
    """Verdict, checks, what was judged, that nothing changed; the same for programs."""
    found = run(tmp_path, killed_plan())
    said = call("latest", "--out", tmp_path)
    assert (said.exit_code, said.stdout.splitlines()[0][:6]) == (0, "PASS: ")
    assert "judged   what lay on 4 disks when the run ended" in said.stdout
    assert "changes  none" in said.stdout
    data = json.loads(call(found.folder, "--json").stdout)
    assert (data["verdict"], data["changes"]) == ("pass", [])
    assert data["checks"] == found.summary["checks"]


def packed(data: object) -> bytes:
    """Return a file of evidence."""
    message: Any = msgpack.packb(data)
    return gzip.compress(message)


def repacked(folder: Path, change: Callable[[Any], None]) -> None:
    """Change the evidence of a run."""
    path = folder / FILE_NAME
    data = msgpack.unpackb(gzip.decompress(path.read_bytes()))
    change(data)
    path.write_bytes(packed(data))


def _spoil_body(data: Any) -> None:
    data["records"][-1][2] = data["records"][-1][2][:-1] + b"\0"


def _spoil_signature(data: Any) -> None:
    last = data["logs"][-1][-1]
    data["records"][last][1] = bytes(64)


def _lose_a_log(data: Any) -> None:
    """Take the longest log but the founder's from all disks."""
    by_length = sorted(range(len(data["logs"])), key=lambda log: len(data["logs"][log]))
    founder = data["disks"][0][1]
    log = next(
        log for log in by_length[::-1] if founder not in data["records"][data["logs"][log][0]][0]
    )
    for shelf in data["shelves"]:
        if log in shelf:
            shelf.remove(log)


def _crash(data: Any) -> None:
    data["facts"]["crashed"].append("n02")


@pytest.mark.parametrize(
    ("change", "check", "code"),
    [
        (_spoil_body, "bodies_intact", 1),
        (_spoil_signature, "no_forgery", 1),
        (_lose_a_log, "no_loss", 1),
        (_crash, "no_crash", 3),
    ],
)
def test_other_evidence_is_judged_otherwise(
    tmp_path: Path, change: Callable[[Any], None], check: str, code: int
) -> None:
    """It is the bytes that are judged: spoil one, and the check that it concerns fails."""
    found = run(tmp_path, killed_plan())
    repacked(found.folder, change)
    said = call(found.folder)
    assert said.exit_code == code, said.output
    assert f"changed  {check} was pass, is fail: " in said.stdout


def test_other_checkers_judge_otherwise(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that passed is failed by a checker that has learned more since."""
    from mycelia_sim import checkers
    from mycelia_sim.verdict import Check

    found = run(tmp_path, killed_plan())
    stricter = Check("recovery", "liveness", "fail", "a second is too long")
    monkeypatch.setitem(checkers.CHECKERS, "recovery", lambda _: stricter)
    assert recheck(found).changes == ("recovery was pass, is fail: a second is too long",)


def test_limits_are_held_to_the_metrics_of_the_run(tmp_path: Path) -> None:
    """What only a run can count is taken from its summary, and that is said."""
    plan = replace(killed_plan(), limits=(Limit("redundancy", "<=", 0.0),))
    found = run(tmp_path, plan)
    assert found.exit_code == 3
    said = call(found.folder)
    assert said.exit_code == 3
    assert "limits   are held to the metrics of summary.json" in said.stdout


def test_a_run_that_was_cut_short_proves_only_failures(tmp_path: Path) -> None:
    """Out of events: what passed is unknown, when it ended and when it is judged again."""
    plan = killed_plan()
    found = run(tmp_path, replace(plan, stop=replace(plan.stop, max_events=300)))
    assert found.verdict == "unknown"
    checked = recheck(found)
    assert [asdict(one) for one in checked.checks] == found.summary["checks"]
    assert {one.verdict for one in checked.checks} == {"unknown"}


def test_what_can_not_be_judged_is_refused(tmp_path: Path) -> None:
    """No evidence, evidence of another plan, damaged evidence: each says what to do, or what is."""
    found = run(tmp_path, killed_plan())
    path = found.folder / FILE_NAME
    whole = path.read_bytes()
    plan = found.folder / "plan.json"
    plan.write_text(plan.read_text().replace('"seed": 1', '"seed": 2'))
    said = call(found.folder)
    assert (said.exit_code, "plan.json was changed after the run" in said.output) == (64, True)
    plan.write_text(plan.read_text().replace('"seed": 2', '"seed": 1'))
    for broken in (whole[:-20], b"", gzip.compress(b"\xc1"), packed({})):
        path.write_bytes(broken)
        said = call(found.folder)
        assert (said.exit_code, FILE_NAME in said.output) == (64, True), said.output
        assert "Traceback" not in said.output
    path.write_bytes(whole)
    repacked(found.folder, lambda data: data["facts"].update(crashd=[]))
    with pytest.raises(ScenarioError, match="unknown key 'crashd'; did you mean 'crashed'"):
        recheck(found)
    repacked(found.folder, lambda data: data.update(schema=1))
    with pytest.raises(ScenarioError, match="another version of Mycelia wrote it"):
        recheck(found)
    path.unlink()
    said = call(found.folder)
    assert (said.exit_code, "mycelia sim replay" in said.output) == (64, True)
