"""`diff`: what differs between two runs, in words, with ratios, and where their traces part."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from mycelia_sim.cli import sim
from mycelia_sim.conduct import Settings
from mycelia_sim.plan import Cut, Plan, Shape
from mycelia_sim.play import begin, play
from mycelia_sim.progress import Progress
from mycelia_sim.run_diff import Figure, diff_plans
from mycelia_sim.run_folder import RunFolder, open_run
from support.planted import calm_plan, killed_plan, lying_disks


def run(folder: Path, plan: Plan) -> RunFolder:
    """Run a plan in virtual time, with every line of its trace."""
    settings = Settings(folder, is_traced=True)
    return open_run(play(begin(plan, settings), Progress(is_quiet=True)).folder)


def call(*words: object) -> Result:
    """Call the command line."""
    return CliRunner().invoke(sim, ["diff", *map(str, words)])


def test_a_run_differs_from_itself_in_nothing(tmp_path: Path) -> None:
    """The same run twice: the same plan to the letter, checks, software and trace."""
    plan = killed_plan()
    one, other = run(tmp_path, plan), run(tmp_path, plan)
    said = call(one.folder, "latest", "--out", tmp_path)
    assert said.exit_code == 0
    assert f"A  {one.folder}  pass\nB  {other.folder}  pass" in said.stdout
    for line in ("the same to the letter", "every check judges alike", "the same, line by line"):
        assert f"\n  {line}" in said.stdout
    data = json.loads(call(one.folder, other.folder, "--json").stdout)
    assert (data["is_same_plan"], data["is_compared"], data["divergence"]) == (True, True, None)
    assert {figure["name"] for figure in data["figures"]} <= {"wall_s", "cpu_s", "peak_rss_mib"}


def test_two_runs_are_told_apart(tmp_path: Path) -> None:
    """One fault less and broken disks: the fault, the verdicts and the first line are named."""
    whole = killed_plan(3)
    with lying_disks():
        one = run(tmp_path, whole)
    other = run(tmp_path, replace(whole, kills=whole.kills[:2], seed=whole.seed))
    said = call(one.folder, other.folder).stdout
    node = whole.node(whole.kills[2].node)
    gone = f"fault: only in A: at 4.1 s {node.id} ({node.name}) loses power, is back at 4.5 s"
    assert gone in said
    assert "verdict: fail | pass" in said
    assert "monotone: fail | pass; n01 had " in said
    assert "the first line that differs is " in said
    (line,) = (text for text in said.splitlines() if text.strip().startswith("A     {"))
    first = json.loads(line.split(maxsplit=1)[1])
    assert (first["node"], first["why"]) == (node.id, "crash")
    data = json.loads(call(one.folder, other.folder, "--json").stdout)
    figures = {figure["name"]: figure for figure in data["figures"]}
    events = one.summary["events"], other.summary["events"]
    assert (figures["events"]["one"], figures["events"]["other"]) == events
    assert figures["events"]["ratio"] == events[1] / events[0]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"seed": 9}, ["seed: 1 | 9"]),
        ({"duration_ms": 12_500}, ["duration: 8 s | 12.5 s"]),
        ({"invariants": ("no_loss",)}, ["invariants: only in A: no_forgery, no_overcommit,"]),
        ({"posts": ()}, ["post: only in A: at ", "post: only in A: 20 more"]),
        (
            {"cuts": (Cut("c", 100, 900, "reset", True, 0, (("n00",), ("n01",)), "isolate", ()),)},
            ["fault: only in B: at 0.1 s isolate: connections from n00 to n01 are reset, until"],
        ),
        (
            {
                "shapes": (
                    Shape("s", 0, 500, (("n00", "n01"), ("n01", "n00")), 9, 0, 20_000, 0, 0, 0),
                )
            },
            ["at 0 s link n00-n01: 9 ms slower, 2 % of packets lost, until 0.5 s"],
        ),
    ],
)
def test_plans_are_compared_in_words(change: dict[str, object], words: list[str]) -> None:
    """Each kind of difference has its sentence; values stand as A | B."""
    plan = calm_plan()
    found = "\n".join(diff_plans(plan, replace(plan, **change)))  # type: ignore[arg-type]
    for word in words:
        assert word in found
    assert list(diff_plans(plan, plan)) == []


def test_what_is_in_both_and_not_alike_is_named() -> None:
    """A fault, a post, a site and a link that have changed are named with what has changed."""
    one = killed_plan()
    other = replace(
        one,
        kills=(replace(one.kills[0], disk="torn", restart_ms=2_500), *one.kills[1:]),
        posts=(replace(one.posts[0], quantity=3), *one.posts[1:]),
        nodes=(replace(one.nodes[0], name="Elsewhere"), *one.nodes[1:]),
        links=(replace(one.links[0], latency_ms=99), *one.links[1:]),
    )
    found = "\n".join(diff_plans(one, other))
    assert "fault kill-0: restart 1.9 s | 2.5 s, disk keep | torn" in found
    assert f"post {one.posts[0].n}: quantity {one.posts[0].quantity} | 3" in found
    assert "nodes: 1 stand for other sites, n00 first" in found
    assert "links: 1 have another latency" in found


def test_plans_alone_can_be_compared(tmp_path: Path) -> None:
    """Of plans that nobody ran only the plans are compared; what is not there is not made up."""
    for name, plan in (("a", calm_plan()), ("b", killed_plan())):
        (tmp_path / name).mkdir()
        (tmp_path / name / "plan.json").write_text(plan.to_json(), encoding="utf-8")
    said = call(tmp_path / "a", tmp_path / "b")
    assert said.exit_code == 0
    assert said.stdout.count("only in B") == 3
    assert "checks" not in said.stdout
    assert "not compared" in said.stdout
    assert call(tmp_path / "a", tmp_path / "c").exit_code == 64


def test_a_ratio_is_given_where_it_means_something() -> None:
    """B over A; none where A is nothing or one of them is unknown."""
    assert Figure("x", 2.0, 3.0).ratio == 1.5
    assert [Figure("x", a, b).ratio for a, b in ((0.0, 1.0), (None, 1.0), (1.0, None))] == [
        None
    ] * 3
