"""`lint`: everything that is wrong at once, what is of no use, and the schema that editors use."""

import json
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]  # the package has no stubs
import pytest
from click.testing import CliRunner, Result

from mycelia_sim.cli import sim
from mycelia_sim.errors import ScenarioError
from mycelia_sim.grammar import keys
from mycelia_sim.lint import lint
from mycelia_sim.measured import METRICS
from mycelia_sim.plan_file import to_toml
from mycelia_sim.planner import draw_plan
from mycelia_sim.scenario import find, hypothesis, shipped
from mycelia_sim.scenario_reader import load
from mycelia_sim.schema import as_text, shipped_schema

GOOD = """\
# Hypothesis: a cut of some seconds does no harm.
#:schema ./scenario.schema.json
schema = 1
name = "tiny"
[run]
duration = "10 s"
backend = ["virtual"]
[nodes]
count = 8
[[fault]]
at = "1 s"
for = "2 s"
do = "partition"
groups = [["side:west"], ["side:east"]]
"""
WRONG = """
schema = 1
name = "tiny"
tilte = "A typo"
[run]
duration = "10"
[nodes]
cuont = 8
[topology]
kind = "rign"
degree = 1
[link.default]
latency = "5 sec"
[link.north]
[workload]
rate = "poison(2 / s)"
[[fault]]
at = "1 s"
do = "partiton"
[[fault]]
at = "1 s"
for = "2 s"
fro = "3 s"
do = "partition"
mode = "drpo"
groups = [["side:west"]]
[[fault]]
at = "1 s"
do = "flap"
for = "2 s"
select = "all"
groups = "sides"
[[adversary]]
behaviour = ["equivocat"]
[check]
invariants = ["no_los"]
[check.limits]
redundancy = "< 6"
[stop]
when = "never"
"""
LARGE = ("country", "metropolis")  # drawing them takes a second
COMPLAINTS = (
    "unknown key 'tilte'; did you mean 'title'?",
    "[run]: duration: '10' is not a time",
    "[nodes]: unknown key 'cuont'; did you mean 'count'?",
    "[topology]: kind: 'rign' is unknown; did you mean 'ring'?",
    "[topology]: degree: 1 is outside 2 to 64",
    "[link]: [default]: latency: '5 sec' has the unknown unit 'sec'; did you mean 's'?",
    "[link]: unknown key 'north'",
    "[workload]: rate:",
    "[[fault]] 1: do: 'partiton' is unknown; did you mean 'partition'?",
    "[[fault]] 2: mode: 'drpo' is unknown; did you mean 'drop'?",
    "[[fault]] 2: groups: names at least two groups",
    "[[fault]] 2: unknown key 'fro'; did you mean 'for'?",
    "[[fault]] 3: says both select and groups; choose one",
    "[[adversary]] 1: behaviour: 'equivocat' is unknown; did you mean 'equivocate'?",
    "[check]: [limits]: redundancy: must be such as '<= 4'",
    "[check]: invariants: 'no_los' is unknown; did you mean 'no_loss'?",
    "[stop]: when: 'never' is unknown",
)


def write(folder: Path, text: str) -> Path:
    """Write a scenario file."""
    path = folder / "tiny.toml"
    path.write_text(text, encoding="utf-8")
    return path


def run(*words: str) -> Result:
    """Call the command line."""
    return CliRunner().invoke(sim, ["lint", *words])


# --- problems ---


def test_all_problems_are_told_at_once(tmp_path: Path) -> None:
    """A file with 17 mistakes gets 17 lines, each with its place and the nearest right word."""
    problems = lint(write(tmp_path, WRONG)).problems
    assert all(problem.startswith("tiny.toml: ") for problem in problems)
    for complaint in COMPLAINTS:
        assert [complaint in problem for problem in problems].count(True) == 1, complaint
    assert len(problems) == len(COMPLAINTS)


def test_a_run_tells_them_all_too(tmp_path: Path) -> None:
    """`run` reads with the same reader, so nobody mends one mistake to meet the next."""
    with pytest.raises(ScenarioError) as caught:
        load(write(tmp_path, WRONG), [])
    assert len(caught.value.parts) == len(str(caught.value).splitlines()) == len(COMPLAINTS)


def test_what_begins_after_the_end_is_told_for_each(tmp_path: Path) -> None:
    """Tables that contradict each other are problems too, and again all at once."""
    late = '[[adversary]]\nfrom = "11 s"\n[[fault]]\nat = "12 s"\ndo = "crash"\n'
    problems = lint(write(tmp_path, GOOD + late)).problems
    assert [problem.split(": ")[1] for problem in problems] == [
        "fault crash-12s",
        "[[adversary]] 1",
    ]
    assert all("lengthen run.duration" in problem for problem in problems)


def test_what_can_not_be_drawn_is_a_problem(tmp_path: Path) -> None:
    """A selector that names nobody is found by drawing the plan."""
    text = GOOD.replace("side:west", "district:Atlantis")
    (problem,) = lint(write(tmp_path, text)).problems
    assert "with seed 1: fault partition-1s: 'district:Atlantis' selects no node" in problem


def test_exit_codes_and_output(tmp_path: Path) -> None:
    """Problems end with 64, hints alone with 0; both are there for programs too."""
    wrong = run(str(write(tmp_path, WRONG)), "village")
    assert wrong.exit_code == 64
    assert wrong.output.count("problem  tiny.toml: ") == len(COMPLAINTS)
    assert "village.toml" in wrong.output.splitlines()[-1]
    data = json.loads(run(str(tmp_path / "tiny.toml"), "--json").stdout)
    assert len(data[0]["problems"]) == len(COMPLAINTS)
    hinted = run(str(write(tmp_path, GOOD + '[stop]\nquiet_for = "3 s"\n')))
    assert (hinted.exit_code, hinted.output.count("hint     ")) == (0, 1)
    unknown = run("vilage")
    assert unknown.exit_code == 64
    assert "did you mean 'village'?" in unknown.output
    assert run().exit_code == 64


def test_a_plan_is_read_too(tmp_path: Path) -> None:
    """A plan in TOML or JSON is told apart from a scenario and read as strictly."""
    plan = draw_plan(load(find("village"), []), "virtual")
    path = tmp_path / "plan.toml"
    path.write_text(to_toml(plan), encoding="utf-8")
    assert lint(path).problems == ()
    path.write_text(to_toml(plan).replace("seed = 1", "sede = 1"), encoding="utf-8")
    assert "unknown key 'sede'; did you mean 'seed'?" in lint(path).problems[0]


# --- hints ---


@pytest.mark.parametrize(
    ("change", "hint"),
    [
        (("# Hypothesis: ", "# "), "does not begin with '# Hypothesis: ...'"),
        (("#:schema ./scenario.schema.json\n", ""), "no line '#:schema"),
        (('at = "1 s"', 'at = "uniform(1 s, 20 s)"'), "may begin after the end of the run at 10 s"),
        (('for = "2 s"', 'for = "20 s"'), "lasts longer than the run; it ends with it at 10 s"),
        (("count = 8", 'count = 8\n[workload]\nopening = "11 s"'), "workload.opening is longer"),
        (("count = 8", 'count = 8\n[topology]\nkind = "ring"\ndegree = 4'), "topology.degree has"),
        (("count = 8", "count = 8\n[topology]\nrewire = 0.5"), "topology.rewire has no meaning"),
        (("count = 8", "count = 8\n[topology]\ndegree = 9"), "every node is linked to every"),
        (('do = "', 'delay = "1 s"\ndo = "'), "'delay' has a meaning only with mode = 'delay'"),
        (("[nodes]", '[check]\ninvariants = ["no_loss"]\n[nodes]'), "leaves out no_forgery,"),
        (("[nodes]", "[check]\nsometimes = []\n[nodes]"), "check.sometimes lacks partition_fired"),
        (
            ("[nodes]", '[check]\nsometimes = ["faults_fired", "overdraft_seen"]\n[nodes]'),
            "asks for overdraft_seen, but there is nobody who overdraws",
        ),
        (
            ("[[fault]]", '[swarm]\nfamilies = ["partition", "wipe", "clock"]\n[[fault]]'),
            "swarm.families names wipe, clock, of which the scenario has none",
        ),
    ],
)
def test_what_is_legal_but_useless_gets_a_hint(
    tmp_path: Path, change: tuple[str, str], hint: str
) -> None:
    """One slip, one hint; the file runs nevertheless."""
    text = GOOD.replace(*change, 1)
    assert text != GOOD
    linted = lint(write(tmp_path, text))
    assert linted.problems == ()
    assert len(linted.hints) == 1, linted.hints
    assert hint in linted.hints[0]


def test_what_the_seed_draws_is_looked_at(tmp_path: Path) -> None:
    """A fault that never comes, a cut that no link crosses and a calm day get hints."""
    rare = '[[fault]]\nevery = "poisson(1 / d)"\ndo = "crash"\n'
    (never,) = lint(write(tmp_path, GOOD + rare)).hints
    assert "fault crash: with seed 1 it never happens" in never
    apart = GOOD.replace("count = 8", 'count = 8\n[topology]\nkind = "ring"')
    plan = draw_plan(load(write(tmp_path, apart), []))
    linked = {frozenset((link.dialer, link.listener)) for link in plan.links}
    ids = [node.id for node in plan.nodes]
    one, other = next((a, b) for a in ids for b in ids if a < b and {a, b} not in linked)
    apart = apart.replace("side:west", f"node:{one}").replace("side:east", f"node:{other}")
    (nothing,) = lint(write(tmp_path, apart)).hints
    assert "no link crosses it, so it cuts nothing" in nothing
    peace = GOOD.partition("[[fault]]")[0]
    (calm,) = lint(write(tmp_path, peace)).hints
    assert "nothing goes wrong in it" in calm
    assert not lint(write(tmp_path, peace + '[check.limits]\nredundancy = "<= 1"\n')).hints


def test_unheard_defaults_of_links_get_a_hint(tmp_path: Path) -> None:
    """A quality of [link.default] that both kinds of links replace is never used."""
    links = "".join(
        f'[link.{name}]\nlatency = "5 ms"\n' for name in ("default", "within", "across")
    )
    (hint,) = lint(write(tmp_path, GOOD + links)).hints
    assert "link.default.latency is never used" in hint


def test_a_good_file_gets_none(tmp_path: Path) -> None:
    """The control for the tests above."""
    assert lint(write(tmp_path, GOOD)).hints == ()


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[pytest.mark.slow] if name in LARGE else [])
        for name in sorted(shipped())
    ],
)
def test_what_we_ship_is_as_we_ask_others_to_write(name: str) -> None:
    """The scenarios that come with the harness have neither problems nor hints."""
    linted = lint(find(name))
    assert (linted.problems, linted.hints) == ((), ())


# --- the schema ---


def test_the_shipped_schema_is_what_the_grammar_gives() -> None:
    """`mycelia sim lint --schema` prints the file that lies beside the scenarios, byte for byte."""
    assert shipped_schema() == as_text() == run("--schema").stdout
    assert run("--schema", "village").exit_code == 64


@cache
def validator() -> Any:
    """Return what validates by the shipped schema."""
    schema = json.loads(shipped_schema())
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


@pytest.mark.parametrize("name", sorted(shipped()))
def test_shipped_scenarios_fit_the_schema(name: str) -> None:
    """Each is valid, and tells editors where the schema lies, above its first key."""
    path = find(name)
    document = tomllib.loads(path.read_text("utf-8"))
    assert [error.message for error in validator().iter_errors(document)] == []
    header = path.read_text("utf-8").partition("\nschema = 1")[0].splitlines()
    assert all(line.startswith("#") for line in header)
    (line,) = (line for line in header if line.startswith("#:schema "))
    assert (path.parent / line.removeprefix("#:schema ")).is_file()
    assert "schema" not in hypothesis(path)


@pytest.mark.parametrize(
    "change",
    [
        ('name = "tiny"', 'name = "tiny"\ntilte = ""'),
        ('"10 s"', '"10"'),
        ("count = 8", 'count = "8"'),
        ('do = "partition"', 'do = "partiton"'),
        ('for = "2 s"', 'for = "uniform(2 s)"'),
        ("side:west", "sde:west"),
        ('at = "1 s"\n', ""),
        ('["virtual"]', '["virtal"]'),
    ],
)
def test_the_schema_refuses_what_the_reader_refuses(
    tmp_path: Path, change: tuple[str, str]
) -> None:
    """Editors underline what a run would refuse: keys, words, units, shapes."""
    text = GOOD.replace(*change)
    assert text != GOOD
    assert lint(write(tmp_path, text)).problems
    assert not validator().is_valid(tomllib.loads(text))
    assert validator().is_valid(tomllib.loads(GOOD))


def test_each_limit_is_about_something_that_is_measured() -> None:
    """A metric that [check.limits] knows is one that summaries hold; a typo would be unknown."""
    measured = {*METRICS, "converged_after_heal"}
    assert {metric.partition(".")[0] for metric in keys.METRICS} <= measured
