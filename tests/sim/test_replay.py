"""`replay`: the same plan gives the same run; where it does not, the place is found."""

import gzip
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from mycelia_sim.cli import sim
from mycelia_sim.divergence import compare
from mycelia_sim.plan import Plan
from mycelia_sim.planner import draw_plan
from mycelia_sim.replay import Point, Spotter
from mycelia_sim.run_folder import Chain, RunFolder, open_run
from mycelia_sim.scenario import find
from mycelia_sim.scenario_reader import load
from mycelia_sim.virtual import trace
from mycelia_sim.virtual.trace import Line, Trace
from mycelia_sim.virtual.world import World
from support.planted import calm_plan, killed_plan, lying_disks

PROGRAM = "from mycelia_sim.cli import sim; sim(prog_name='mycelia sim')"
BLOCK = 200


def call(*words: object) -> Result:
    """Call the command line in this process."""
    result = CliRunner().invoke(sim, [str(word) for word in words])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def run(folder: Path, plan: Plan, *words: str, code: int = 0) -> RunFolder:
    """Run a plan with the command line and return its folder."""
    path = folder / "wanted.json"
    path.write_text(plan.to_json(), encoding="utf-8")
    result = call("run", "--plan", path, "--out", folder, "--quiet", *words)
    assert result.exit_code == code, result.output
    return open_run("latest", folder)


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let blocks of the trace be so small that a short run has several."""
    monkeypatch.setattr(trace, "BLOCK", BLOCK)


def otherwise(monkeypatch: pytest.MonkeyPatch, at_ms: int) -> None:
    """From a moment on, let posts come 3 ms later than planned: another run of the same plan."""
    honest = World._at

    def at(self: World, when_ms: int, action: Callable[..., None], *args: object) -> None:
        late_ms = 3 if when_ms >= at_ms and action == self.people.post else 0
        honest(self, when_ms + late_ms, action, *args)

    monkeypatch.setattr(World, "_at", at)


def all_lines(plan: Plan) -> list[Line]:
    """Return every line of the trace of a run."""
    whole = Trace(window=(0, 10**12))
    World(plan, trace=whole).run()
    return [line for _, line in whole.kept()]


# --- whole plays ---


def test_the_same_run_again(tmp_path: Path) -> None:
    """A run that passed is played again, compared, and ends as it did; every end names replay."""
    found = run(tmp_path, killed_plan())
    assert found.folder.parent.name == found.plan.scenario  # the run itself, not the link to it
    command = found.summary["replay"]
    assert command == f"mycelia sim replay {found.folder}"
    said = call(*command.split()[2:])
    assert said.exit_code == 0
    assert said.output.startswith("0:00")  # progress, on stderr
    assert f"the same run again: trace digest {found.digest}, verdict pass" in said.stdout
    assert f"seed     {found.plan.seed}\nreplay   {command}" in said.stdout
    data = json.loads(call("replay", "latest", "--out", tmp_path, "--json").stdout)
    assert (data["same"], data["verdict"], data["exit_code"]) == (True, "pass", 0)
    assert data["trace_digest"] == found.digest
    drawn = call("report", "latest", "--out", tmp_path)
    assert (drawn.exit_code, str(found.folder / "panorama.html") in drawn.stdout) == (0, True)
    assert call("report", "later", "--out", tmp_path).exit_code == 64


def test_a_failing_run_fails_again(tmp_path: Path) -> None:
    """A run that failed for safety ends with 1 again; mended, it is another run."""
    with lying_disks():
        found = run(tmp_path, killed_plan(), code=1)
        again = call("replay", found.folder)
        assert again.exit_code == 1
        assert "the same run again" in again.stdout
        assert "FAIL     monotone" in again.stdout
    mended = call("replay", found.folder / "plan.json")
    assert mended.exit_code == 4
    assert f"NOT the same run: was {found.digest} (fail)" in mended.stdout
    assert "(pass)" in mended.stdout


def test_two_processes_with_other_hash_seeds_play_the_same(tmp_path: Path) -> None:
    """Hashing is random per process; a replay in another process is the same run nevertheless."""
    (tmp_path / "wanted.json").write_text(killed_plan().to_json(), encoding="utf-8")
    said = []
    words = (["run", "--plan", "wanted.json", "--quiet"], ["replay", "latest", "--quiet"])
    for seed, arguments in enumerate(words, start=1):
        path = os.pathsep.join(sys.path)
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM, *arguments],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": path, "PYTHONHASHSEED": str(seed)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, ""), done.stdout
        said.append(done.stdout)
    assert "the same run again" in said[-1]


@pytest.mark.usefixtures("small_blocks")
def test_where_runs_part_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With lines, the very first that differs is shown from both; without, the block."""
    found = run(tmp_path, calm_plan(), "--trace")
    before, chain = list(found.lines()), found.chain()
    assert chain is not None
    assert len(chain.links) > 3
    otherwise(monkeypatch, 4_000)
    after = all_lines(found.plan)
    number = next(n for n, old in before if old != after[n])
    lines, at_us, _ = [link for link in chain.links if link[0] <= number][-1]
    block = f"equal for {lines:,} lines, up to {at_us / 1e6:.3f} s"
    said = call("replay", found.folder)
    assert said.exit_code == 4
    assert block in said.stdout
    assert "the code and the versions are the same: this run can't be repeated" in said.stdout
    assert f"the first line that differs is {number:,}:" in said.stdout
    shown = [line.split(maxsplit=1) for line in said.stdout.splitlines() if '{"t":' in line]
    assert [name for name, _ in shown] == ["then", "now"]
    for (_, text), line in zip(shown, (before[number][1], after[number]), strict=True):
        one = json.loads(text)
        assert (one["seq"], one["t"], one["node"], one["kind"]) == (number, *line[:3])
    (found.folder / "trace.jsonl.gz").unlink()
    said = call("replay", found.folder)
    assert said.exit_code == 4
    assert block in said.stdout
    assert "line that differs" not in said.stdout


def test_changed_code_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If the code is another since, that is said, and how to judge the plan with it."""
    found = run(tmp_path, calm_plan())
    path = found.folder / "summary.json"
    summary = json.loads(path.read_text())
    assert len(summary["versions"]["code"]) == 16
    summary["versions"]["code"] = "0123456789abcdef"
    path.write_text(json.dumps(summary))
    otherwise(monkeypatch, 1_000)
    said = call("replay", found.folder)
    assert said.exit_code == 4
    assert "what has changed since: code 0123456789abcdef -> " in said.stdout
    assert "mycelia sim run --plan PLAN" in said.stdout


@pytest.mark.usefixtures("small_blocks")
def test_an_interrupted_run_is_compared_as_far_as_it_came(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The blocks that an interrupted run left must be those of the whole run."""
    found = run(tmp_path, calm_plan())
    path = found.folder / "trace.digest"
    links = path.read_text().splitlines()
    path.write_text("\n".join([*links[:3], f"{3 * BLOCK + 7} end abcd"]))
    summary = found.folder / "summary.json"
    broken = {**found.summary, "interrupted": True, "trace_digest": "abcd", "exit_code": 130}
    summary.write_text(json.dumps(broken))
    said = call("replay", found.folder)
    assert said.exit_code == 0
    assert "the same run as far as that came" in said.stdout
    otherwise(monkeypatch, 0)
    assert call("replay", found.folder).exit_code == 4


def test_a_plan_alone_has_nothing_to_compare_with(tmp_path: Path) -> None:
    """A plan without a summary is played and judged, and nothing is claimed."""
    path = tmp_path / "plan.json"
    path.write_text(calm_plan().to_json(), encoding="utf-8")
    said = call("replay", path)
    assert said.exit_code == 0
    assert "nothing to compare with" in said.stdout


@pytest.mark.slow
@pytest.mark.daemon
def test_a_live_run_is_played_again_and_verdicts_compared(tmp_path: Path) -> None:
    """On real nodes a replay is another run; its verdict is compared, and it says no more."""
    calm = ["nodes.count=2", "run.duration=1s", "fault=[]", "adversary=[]", "check.sometimes=[]"]
    calm += ["workload.opening=500ms", "check.invariants=['no_loss']"]
    folder = tmp_path / "before"
    folder.mkdir()
    plan = draw_plan(load(find("village"), calm), "live")
    (folder / "plan.json").write_text(plan.to_json(), encoding="utf-8")
    (folder / "summary.json").write_text('{"verdict": "pass", "exit_code": 0}', encoding="utf-8")
    refused = call("replay", folder, "--until", "1s")
    assert (refused.exit_code, "read nodes/*.log" in refused.output) == (64, True)
    said = call("replay", folder, "--out", tmp_path)
    assert said.exit_code == 0
    assert "only verdicts are compared; the same verdict again: pass" in said.stdout
    assert open_run("latest", tmp_path).plan == plan


# --- looking at lines ---


def test_lines_around_a_moment(tmp_path: Path) -> None:
    """--until stops soon after, and prints the lines before and after, as the trace has them."""
    found = run(tmp_path, killed_plan(), "--trace")
    lines = list(found.lines())
    said = call("replay", found.folder, "--until", "t=2.5s", "--lines", "7")
    assert said.exit_code == 0
    assert "the workload began at t=" in said.stderr
    began_us = int(said.stderr.partition("began at t=")[2].split()[0])
    shown = [json.loads(line) for line in said.stdout.splitlines()]
    before = [(n, line) for n, line in lines if line[0] <= began_us + 2_500_000][-7:]
    after = [(n, line) for n, line in lines if line[0] > began_us + 2_500_000][:7]
    assert [(one["seq"], one["t"]) for one in shown] == [(n, line[0]) for n, line in before + after]
    stopped_s = float(said.stderr.partition("stopped at ")[2].split()[0])
    assert 3.5 <= stopped_s < 4


def test_lines_around_an_event_and_of_a_node(tmp_path: Path) -> None:
    """--event goes by the lines' numbers; --node leaves only that node's, alone all of them."""
    found = run(tmp_path, calm_plan(), "--trace")
    lines = list(found.lines())
    node = found.plan.nodes[2].id
    own = [n for n, line in lines if line[1] == node]
    event = call("replay", found.folder, "--event", 500, "--node", node, "--lines", 3)
    shown = [json.loads(line)["seq"] for line in event.stdout.splitlines()]
    assert shown == [n for n in own if n <= 500][-3:] + [n for n in own if n > 500][:3]
    alone = call("replay", found.folder, "--node", node)
    assert [json.loads(line)["seq"] for line in alone.stdout.splitlines()] == own
    assert "the same run again" in alone.stderr


@pytest.mark.usefixtures("small_blocks")
def test_a_peek_compares_what_it_played(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also a play that stops early says whether it is the same run so far; ends with 4 if not."""
    found = run(tmp_path, calm_plan())
    same = call("replay", found.folder, "--until", "5s")
    assert "the same run so far: " in same.stderr
    otherwise(monkeypatch, 1_000)
    other = call("replay", found.folder, "--until", "5s")
    assert (other.exit_code, "NOT the same run" in other.stderr) == (4, True)


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["--node", "n9"], "there is no node 'n9'"),
        (["--until", "soon"], "is not a time"),
        (["--until", "1s", "--event", "3"], "choose one"),
        (["--node", "n00", "--json"], "JSON already"),
    ],
)
def test_wrong_words_end_with_64(tmp_path: Path, words: list[str], complaint: str) -> None:
    """What can't be looked for is refused before anything is played."""
    path = tmp_path / "plan.json"
    path.write_text(calm_plan().to_json(), encoding="utf-8")
    said = call("replay", path, *words)
    assert (said.exit_code, complaint in said.output) == (64, True), said.output


def test_a_run_that_is_not_there_is_named(tmp_path: Path) -> None:
    """No folder, no plan in it, and damaged files each get a sentence and 64."""
    for name in (tmp_path / "absent", tmp_path):
        said = call("replay", name)
        assert (said.exit_code, "name the folder of a run" in said.output) == (64, True)
    (tmp_path / "plan.json").write_text(calm_plan().to_json(), encoding="utf-8")
    (tmp_path / "summary.json").write_text("{", encoding="utf-8")
    said = call("replay", tmp_path)
    assert (said.exit_code, "summary.json: cannot be read" in said.output) == (64, True)
    (tmp_path / "summary.json").write_text("{}", encoding="utf-8")
    (tmp_path / "trace.digest").write_text("what", encoding="utf-8")
    said = call("replay", tmp_path)
    assert (said.exit_code, "cannot be read as a chain" in said.output) == (64, True)


# --- the parts ---

LINES = st.lists(st.tuples(st.integers(0, 3), st.sampled_from("ab")), max_size=60)


def line(step: tuple[int, str], at_us: int = 0) -> Line:
    """Return a line of a trace."""
    return (at_us, step[1], "timer", "", "", step[0])


def traced(steps: list[tuple[int, str]]) -> tuple[Chain, list[tuple[int, Line]]]:
    """Return chain and lines of a trace in blocks of 5."""
    one = Trace(window=(0, 1))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(trace, "BLOCK", 5)
        for step in steps:
            one.add(*line(step))
    return Chain(tuple(one.chain), one.lines, one.digest), one.kept()


@given(LINES, LINES, st.integers(0, 60), st.booleans())
def test_the_first_difference_is_the_first(
    common: list[tuple[int, str]], rest: list[tuple[int, str]], gap: int, is_longer: bool
) -> None:
    """Whatever two traces look like, the first line that differs is found, or that none does."""
    ours = [*common, *(rest if is_longer else [])]
    theirs = [*common, *rest[gap:]] if is_longer else [*common, *rest]
    (one, one_lines), (other, other_lines) = traced(ours), traced(theirs)
    found = compare(one, other, one_lines, other_lines)
    if ours == theirs:
        assert found is None
        return
    expected = next(
        n for n in range(max(len(ours), len(theirs))) if ours[n : n + 1] != theirs[n : n + 1]
    )
    assert found is not None
    assert found.number == expected
    assert found.lines <= expected < found.until
    blind = compare(one, other, (), ())
    assert blind is not None
    assert (blind.number, blind.lines, blind.until) == (None, found.lines, found.until)


@given(LINES, st.integers(0, 60), st.integers(1, 9), st.sampled_from(["a", "b", None]))
def test_a_spotter_picks_what_is_near(
    steps: list[tuple[int, str]], event: int, around: int, node: str | None
) -> None:
    """However the lines come in, the last before and the first after the moment are told."""
    told: list[int] = []
    point = Point(event=event, node=node, around=around)
    spotter = Spotter(point, lambda number, _: told.append(number), lambda: None)
    for first in range(0, len(steps), 7):
        spotter.take(first, [line(step) for step in steps[first : first + 7]])
    spotter.flush()
    own = [n for n, step in enumerate(steps) if node in (None, step[1])]
    before, after = [n for n in own if n <= event], [n for n in own if n > event]
    assert told == before[-around:] + after[:around]


def test_a_damaged_trace_is_named(tmp_path: Path) -> None:
    """Lines that can't be read are an error with the file's name, not a traceback."""
    found = RunFolder("x", tmp_path, calm_plan(), {})
    (tmp_path / "trace.jsonl.gz").write_bytes(gzip.compress(b"{}\n")[:-3])
    with pytest.raises(Exception, match=r"trace\.jsonl\.gz: cannot be read as a trace"):
        list(found.lines())
