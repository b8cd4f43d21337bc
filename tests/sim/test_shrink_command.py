"""`shrink`: three of 64 faults, as files that run, a test that is red, and a story that is true."""

import importlib.util
import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest
from click.testing import CliRunner, Result

from mycelia_sim.cli import sim
from mycelia_sim.fingerprint import Fingerprint, fingerprints
from mycelia_sim.plan import Plan, Post
from mycelia_sim.plan_file import plan_hash, read_plan
from mycelia_sim.play import Failing
from mycelia_sim.reduce import faults_of
from mycelia_sim.run_folder import RunFolder, open_run
from mycelia_sim.shrink import Shrunk
from mycelia_sim.story import ROWS_MAX, Files, tell_story
from mycelia_sim.virtual.people import People
from mycelia_sim.virtual.world import World
from support.planted import calm_plan, killed_plan, lying_disks, planted_plan


def call(*words: object) -> Result:
    """Call the command line."""
    result = CliRunner().invoke(sim, [str(word) for word in words])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def run(folder: Path, plan: Plan, code: int) -> RunFolder:
    """Run a plan with the command line and return its folder."""
    path = folder / "wanted.json"
    path.write_text(plan.to_json(), encoding="utf-8")
    said = call("run", path, "--out", folder, "--quiet")
    assert said.exit_code == code, said.output
    return open_run("latest", folder)


def imported(path: Path) -> ModuleType:
    """Import a Python file."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.timeout(200)
def test_three_faults_of_64_are_left(tmp_path: Path) -> None:
    """A disk that lies after its third power cut: the three kills are left, in every form."""
    with lying_disks():
        found = run(tmp_path, planted_plan(), code=1)
        said = call("shrink", found.folder, "--budget", "150s")
        assert said.exit_code == 0, said.output
        folder = found.folder / "shrunk"
        left = read_plan(folder / "village-s1.toml")
        assert {fault.id for _, fault in faults_of(left)} == {"kill-0", "kill-1", "kill-2"}
        assert read_plan(folder / "plan.json") == left
        assert "before   64 faults, 0 attempts, 4 nodes, 32 posts, 8 s" in said.stdout
        assert "left     3 faults, 0 attempts, 2 nodes, 1 post," in said.stdout
        assert "nothing more can go" in said.stdout
        # it runs alone, and fails in the same way
        again = call("run", folder / "village-s1.toml", "--out", tmp_path, "--quiet")
        assert again.exit_code == 1
        (target, *_) = fingerprints(found.checks())
        assert target in fingerprints(open_run("latest", tmp_path).checks())
        # the test is red
        module = imported(folder / "test_village_s1.py")
        assert target == module.FOUND
        with pytest.raises(AssertionError):
            module.test_village_s1()
    assert _passes(folder / "test_village_s1.py")  # mended, it is green
    _check_story((folder / "story.md").read_text("utf-8"), left)


def _passes(path: Path) -> bool:
    """Return whether pytest, in a process of its own, finds one test in a file, and it passes."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(path)]
    done = subprocess.run(command, cwd=path.parent, capture_output=True, text=True, check=False)
    return done.returncode == 0 and "1 passed" in done.stdout


def _check_story(story: str, left: Plan) -> None:
    """Check that the story tells all that is left, in order, and its commands parse."""
    rows = [line.split(" | ") for line in story.splitlines() if line.startswith("| ")][1:]
    times = [float(row[0].removeprefix("| ").removesuffix(" s")) for row in rows]
    assert times == sorted(times)
    whats = " ".join(row[1] for row in rows)
    assert whats.count("loses power, is back at") == 3
    assert whats.count("asks for") + whats.count("offers") == len(left.posts) == 1
    assert "**`monotone` is broken on n01, record " in whats
    assert "**`monotone` fails**: n01 had" in story
    (peek,) = (line for line in story.splitlines() if "sim replay" in line)
    shown = call(*peek.split()[2:])
    assert shown.exit_code == 0, shown.output
    assert all(json.loads(line)["node"] == "n01" for line in shown.stdout.splitlines())


def test_ctrl_c_keeps_the_best_so_far(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An interrupt in the middle of a run leaves the files of the best plan, and ends with 130."""
    with lying_disks():
        found = run(tmp_path, planted_plan(), code=1)
        honest, runs = World.run, 0

        def interrupted(self: World) -> object:
            nonlocal runs
            runs += 1
            if runs == 14:
                self.loop.at(3_000_000, _interrupt)
            return honest(self)

        monkeypatch.setattr(World, "run", interrupted)
        said = call("shrink", found.folder)
        assert said.exit_code == 130
        assert "interrupted: this is the best so far" in said.stdout
        left = read_plan(found.folder / "shrunk" / "village-s1.toml")
        assert 3 <= len(faults_of(left)) < 64
        assert "Shrinking was interrupted" in (found.folder / "shrunk" / "story.md").read_text()
        (target, *_) = fingerprints(found.checks())
        assert target in Failing()(left)


def _interrupt() -> None:
    raise KeyboardInterrupt


@pytest.mark.slow
def test_a_failure_can_be_chosen(tmp_path: Path) -> None:
    """With several failed checks, --check names the one to keep; else safety comes first."""
    with lying_disks(1):
        found = run(tmp_path, killed_plan(1), code=1)
        assert {one.check for one in fingerprints(found.checks())} > {"monotone", "recovery"}
        data = json.loads(call("shrink", found.folder, "--check", "recovery", "--json").stdout)
        assert data["fingerprint"]["check"] == "recovery"
        wrong = call("shrink", found.folder, "--check", "recover")
        assert (wrong.exit_code, "did you mean 'recovery'?" in wrong.output) == (64, True)


@pytest.mark.slow
def test_a_plan_without_a_run_is_tried_first(tmp_path: Path) -> None:
    """Of a plan alone nobody knows how it fails: it is run to find out; one that is fine is not."""
    path = tmp_path / "plan.json"
    path.write_text(killed_plan(1).to_json(), encoding="utf-8")
    fine = call("shrink", path)
    assert (fine.exit_code, "there is nothing to shrink" in fine.output) == (64, True)
    with lying_disks(1):
        assert call("shrink", path, "--quiet").exit_code == 0
    assert (tmp_path / "shrunk" / "story.md").exists()


@pytest.mark.slow
def test_a_run_that_breaks_off_is_shrunk_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An exception in a node is a failure with a fingerprint of its own, and makes a red test."""
    honest = People.post

    def post(self: People, token: int, one: Post) -> None:
        if self._nodes["n01"].starts > 2:  # it is back for the second time
            raise ZeroDivisionError("planted")
        honest(self, token, one)

    monkeypatch.setattr(People, "post", post)
    path = tmp_path / "plan.json"
    path.write_text(killed_plan(3).to_json(), encoding="utf-8")
    said = call("shrink", path, "--quiet")
    assert said.exit_code == 0, said.output
    assert "fails    harness: ZeroDivisionError in test_shrink_command.post" in said.stdout
    left = read_plan(tmp_path / "shrunk" / "village-s1.toml")
    assert len(faults_of(left)) == 2
    assert "The run breaks off: ZeroDivisionError" in (tmp_path / "shrunk" / "story.md").read_text()
    with pytest.raises(ZeroDivisionError):
        imported(tmp_path / "shrunk" / "test_village_s1.py").test_village_s1()


def test_what_virtual_time_can_not_show_is_said(tmp_path: Path) -> None:
    """A live run is shrunk in virtual time, where it has to fail in the same way."""
    plan = replace(killed_plan(1), backend="live")
    (tmp_path / "plan.json").write_text(plan.to_json(), encoding="utf-8")
    checks = [
        {
            "name": "no_loss",
            "family": "safety",
            "verdict": "fail",
            "detail": "offer 12ab34cd56ef7890 of n01 is on no node",
            "first": None,
        }
    ]
    summary = {"verdict": "fail", "exit_code": 1, "checks": checks}
    (tmp_path / "summary.json").write_text(json.dumps(summary), encoding="utf-8")
    said = call("shrink", tmp_path)
    assert said.exit_code == 64
    assert "its plan is shrunk in virtual time" in said.output
    assert "does not fail with 'no_loss: offer ID of NODE is on no node'" in said.output


# --- run FILE, and the story ---


@pytest.mark.parametrize("change", [["--seed", "3"], ["--nodes", "9"], ["--set", "run.seed=3"]])
def test_nothing_can_be_set_in_a_plan(tmp_path: Path, change: list[str]) -> None:
    """In a plan everything is drawn: what would be drawn anew is refused."""
    path = tmp_path / "plan.json"
    path.write_text(calm_plan().to_json(), encoding="utf-8")
    said = call("run", path, *change, "--out", tmp_path)
    assert (said.exit_code, "nothing can be set in it" in said.output) == (64, True)


def test_a_plan_is_refused_where_it_can_not_be_played(tmp_path: Path) -> None:
    """A plan with faults that real nodes can't have does not start on them."""
    path = tmp_path / "plan.json"
    path.write_text(planted_plan().to_json(), encoding="utf-8")
    said = call("run", path, "--backend", "live", "--out", tmp_path)
    assert (said.exit_code, "the live backend can't do" in said.output) == (64, True)


def test_a_story_fits_on_a_page() -> None:
    """However much is left, the table has its rows, faults first, and says what it leaves out."""
    plan = planted_plan()
    target = Fingerprint("no_loss", "a record is gone")
    result = Shrunk(plan, plan, target, 1, 0, 0.0, is_done=False, is_interrupted=False)
    story = tell_story(result, (), Files("x.toml", "test_x.py"), "mycelia")
    rows = [line for line in story.splitlines() if line.startswith("| ")]
    assert len(rows) == ROWS_MAX + 3
    assert f"and {64 + len(plan.posts) - ROWS_MAX} more" in rows[-1]
    assert "Shrinking ran out of time" in story


@pytest.mark.parametrize("change", [lambda plan: plan, lambda plan: replace(plan, posts=())])
def test_toml_and_json_are_the_same_plan(tmp_path: Path, change: Callable[[Plan], Plan]) -> None:
    """`run` takes both, and both are the same run."""
    from mycelia_sim.plan_file import to_toml

    plan = change(killed_plan())
    (tmp_path / "a.json").write_text(plan.to_json(), encoding="utf-8")
    (tmp_path / "a.toml").write_text(to_toml(plan, ["a comment"]), encoding="utf-8")
    digests = set()
    for name in ("a.json", "a.toml"):
        call("run", tmp_path / name, "--out", tmp_path, "--quiet")
        found = open_run("latest", tmp_path)
        assert plan_hash(found.plan) == plan_hash(plan)
        digests.add(found.digest)
    assert len(digests) == 1
