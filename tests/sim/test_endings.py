"""How `mycelia sim run` ends: every exit code, and what is said however it ends."""

import errno
import json
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from mycelia_sim import conduct
from mycelia_sim.cli import sim
from mycelia_sim.evidence_file import read_evidence
from mycelia_sim.interrupts import Unjudged
from mycelia_sim.live.process import node_command
from mycelia_sim.live.run import LiveRun, Places
from mycelia_sim.measured import Stopwatch
from mycelia_sim.plan import Limit, Plan
from mycelia_sim.progress import Progress
from mycelia_sim.virtual.around import around
from mycelia_sim.virtual.run import Played
from mycelia_sim.virtual.world import World
from support.planted import calm_plan, killed_plan, lying_disks
from support.town import PLAN as TOWN
from support.town import a_town

TOO_FAST = Limit("latency.p50", "<=", 0.0)


def call(*words: object) -> Result:
    """Call the command line in this process; it never ends with an exception."""
    result = CliRunner().invoke(sim, [str(word) for word in words])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def run(folder: Path, plan: Plan, *words: str) -> Result:
    """Run a plan with the command line."""
    path = folder / "wanted.json"
    path.write_text(plan.to_json(), "utf-8")
    return call("run", "--plan", path, "--out", folder, "--quiet", *words)


def raises(error: BaseException) -> Callable[..., None]:
    """Return what raises an error, whatever it is called with."""

    def act(*arguments: object, **keywords: object) -> None:
        raise error

    return act


@pytest.mark.parametrize(
    ("plan", "defect", "verdict", "code"),
    [
        (calm_plan(), nullcontext(), "PASS", 0),
        (killed_plan(), lying_disks(), "FAIL", 1),
        (replace(calm_plan(), sometimes=("overdraft_seen",)), nullcontext(), "UNKNOWN", 2),
        (replace(calm_plan(), limits=(TOO_FAST,)), nullcontext(), "FAIL", 3),
    ],
    ids=["pass", "safety", "unknown", "liveness"],
)
def test_a_run_ends_with_its_verdict(
    tmp_path: Path, plan: Plan, defect: AbstractContextManager[None], verdict: str, code: int
) -> None:
    """The exit code tells the verdict; verdict, seed and the command that replays it are said."""
    with defect:
        said = run(tmp_path, plan)
    assert said.exit_code == code, said.output
    assert said.stdout.startswith(f"{verdict}: ")
    folder = (tmp_path / "latest").resolve()
    assert f"seed     {plan.seed}\nreplay   mycelia sim replay " in said.stdout
    assert json.loads((folder / "summary.json").read_text("utf-8"))["exit_code"] == code


def test_an_interrupted_run_reports_what_it_saw(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C in the middle ends with 130; the folder holds a whole, unknown report."""
    honest = World.run

    def interrupted(world: World) -> None:
        world.loop.at(3_000_000, raises(KeyboardInterrupt()))
        honest(world)

    monkeypatch.setattr(World, "run", interrupted)
    said = run(tmp_path, calm_plan())
    assert (said.exit_code, said.stdout.partition(":")[0]) == (130, "UNKNOWN")
    summary = json.loads((tmp_path / "latest" / "summary.json").read_text("utf-8"))
    assert (summary["interrupted"], summary["verdict"], summary["exit_code"]) == (
        True,
        "unknown",
        130,
    )
    assert call("check", "latest", "--out", tmp_path).exit_code == 2


def test_an_interrupt_after_the_run_keeps_its_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who does not want to wait for the messages around a failure gets the verdict without them."""

    def interrupted(played: Played, at_us: int | None) -> object:
        if at_us is not None:
            raise KeyboardInterrupt
        return around(played, None)

    monkeypatch.setattr("mycelia_sim.virtual.folder.around", interrupted)
    with lying_disks():
        said = run(tmp_path, killed_plan())
    assert (said.exit_code, said.stdout.partition(":")[0]) == (1, "FAIL")
    assert (tmp_path / "latest" / "panorama.html").is_file()


@pytest.mark.parametrize("place", ["virtual.run.judge_all", "conduct.summarize"])
def test_an_interrupt_while_judging_keeps_what_there_is_to_judge(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    """Ctrl-C ends with 130 and says how to judge later; that gives the verdict, with no run."""
    with monkeypatch.context() as planted:
        planted.setattr(f"mycelia_sim.{place}", raises(KeyboardInterrupt()))
        said = run(tmp_path, calm_plan())
    folder = tmp_path / (tmp_path / "latest").readlink()
    check = f"mycelia sim check {folder}"
    assert said.exit_code == 130
    assert said.stdout.startswith("NO VERDICT\nseed ")
    assert f"interrupted: what the run left is kept; `{check}` judges it" in said.stderr
    assert f"judge    {check}\n" in (folder / "verdict.txt").read_text("utf-8")
    later = call("check", folder)
    assert (later.exit_code, later.stdout.partition(":")[0]) == (0, "PASS")


def test_an_interrupt_while_drawing_costs_the_picture_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The verdict is there by then, and the picture can be drawn later."""
    monkeypatch.setattr(conduct, "write_panorama", raises(KeyboardInterrupt()))
    said = run(tmp_path, calm_plan())
    assert (said.exit_code, said.stdout.partition(":")[0]) == (0, "PASS")
    assert "panorama none: interrupted; mycelia sim report " in said.stdout


def test_an_interrupt_while_judging_real_nodes_keeps_as_much(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What lay on their disks is written down, and the same is said."""
    town = a_town()
    live = LiveRun(TOWN, Places(tmp_path, tmp_path), Progress(is_quiet=True), node_command)
    live.facts = town.facts
    monkeypatch.setattr(live, "measure", raises(KeyboardInterrupt()))
    with pytest.raises(Unjudged, match="judges it"):
        conduct._judge(TOWN, live, town.holdings(), tmp_path, Stopwatch())
    kept = read_evidence(tmp_path / "evidence.msgpack.gz", TOWN)
    assert len(kept.library.records) == len(town.held["n0"])
    assert "mycelia sim check" in (tmp_path / "verdict.txt").read_text("utf-8")


def test_a_run_that_breaks_off_says_how_to_have_it_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A defect of the harness ends with 70, its traceback, the seed and the replay command."""
    monkeypatch.setattr(World, "run", raises(RuntimeError("a bug")))
    said = run(tmp_path, calm_plan())
    assert said.exit_code == 70
    assert "Traceback" in said.stderr
    assert "Error: the harness failed: a bug" in said.stderr
    folder = tmp_path / (tmp_path / "latest").readlink()
    replay = f"mycelia sim replay {folder}"
    assert said.stdout == f"NO VERDICT\nseed     {calm_plan().seed}\nreplay   {replay}\n"
    answer = json.loads(run(tmp_path, calm_plan(), "--json").stdout)
    assert (answer["verdict"], answer["exit_code"], answer["seed"]) == (None, 70, calm_plan().seed)


@pytest.mark.parametrize(
    "words", [("run", "village", "--backend", "virtual"), ("sweep", "village")]
)
def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path, words: tuple[str, ...]) -> None:
    """Where nothing can be written one is told so, and what to do, before anything is played."""
    (tmp_path / "taken").write_text("a file")
    out = tmp_path / "taken" / "runs"
    said = call(*words, "--out", out, "--quiet")
    assert said.exit_code == 70
    wanted = f"Error: can't make a folder in {out}: Not a directory; choose another one with --out"
    assert said.stderr.strip() == wanted


def test_a_full_disk_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If there is no room for the report one is told what to do, without a traceback."""
    full = OSError(errno.ENOSPC, "No space left on device", str(tmp_path / "summary.json"))
    monkeypatch.setattr(conduct, "write_evidence", raises(full))
    said = run(tmp_path, calm_plan())
    assert said.exit_code == 70
    assert "Traceback" not in said.output
    assert f"No space left on device: {tmp_path}" in said.stderr
    assert "make room there, or choose another folder with --out" in said.stderr
