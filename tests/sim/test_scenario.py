"""Scenarios are read strictly: what is not understood is an error that helps."""

import re
from pathlib import Path

import pytest

from mycelia_sim.errors import ScenarioError
from mycelia_sim.fault import Crash, Partition
from mycelia_sim.lint import lint
from mycelia_sim.planner import draw_plan
from mycelia_sim.scenario import find, shipped
from mycelia_sim.scenario_reader import load
from mycelia_sim.units import parse_distribution, parse_duration, parse_rate

MINIMAL = """
schema = 1
name = "tiny"
[run]
duration = "10 s"
"""
PARTITION = """
[[fault]]
at = "1 s"
for = "2 s"
do = "partition"
groups = [["side:west"], ["side:east"]]
"""


def write(folder: Path, text: str) -> Path:
    """Write a scenario file."""
    path = folder / "tiny.toml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("name", sorted(shipped()))
def test_shipped_scenarios_read_and_begin_with_their_hypothesis(name: str) -> None:
    """Every scenario that comes with the harness is valid and says first what it is to show."""
    path = find(name)
    assert load(path, []).name == name
    assert path.read_text(encoding="utf-8").startswith("# Hypothesis: ")


def test_a_minimal_scenario_has_sensible_defaults(tmp_path: Path) -> None:
    """Name and duration are enough; everything is checked by default."""
    scenario = load(write(tmp_path, MINIMAL), [])
    assert scenario.nodes.count == 30
    assert scenario.faults == ()
    assert "no_loss" in scenario.invariants
    assert "partition_fired" in scenario.sometimes


def test_settings_of_the_command_line_come_last(tmp_path: Path) -> None:
    """Dotted keys reach tables, arrays of tables and plain texts without quotes."""
    path = write(tmp_path, MINIMAL + PARTITION)
    scenario = load(path, ["nodes.count=4", "run.seed=9", "fault.0.for=3 s", "run.duration=20 s"])
    assert (scenario.nodes.count, scenario.run.seed, scenario.run.duration_ms) == (4, 9, 20_000)
    (fault,) = scenario.faults
    assert isinstance(fault.effect, Partition)
    assert fault.lasts is not None
    assert fault.lasts.values == (3_000.0,)


def test_a_scenario_extends_another(tmp_path: Path) -> None:
    """Tables are merged, all else is replaced, over several files; settings still come last."""
    (tmp_path / "base.toml").write_text(
        'extends = "village"\n[run]\nseed = 5\n[nodes]\ncount = 9\n', encoding="utf-8"
    )
    path = write(tmp_path, 'extends = "base.toml"\nname = "tiny"\n[run]\nseed = 6\n' + PARTITION)
    village, tiny = load(find("village"), []), load(path, ["nodes.count=8"])
    assert (tiny.name, tiny.title, tiny.run.seed) == ("tiny", village.title, 6)
    assert (tiny.nodes.count, tiny.run.duration_ms) == (8, village.run.duration_ms)
    assert (tiny.workload, tiny.adversaries) == (village.workload, village.adversaries)
    assert (len(village.faults), [fault.name for fault in tiny.faults]) == (2, ["partition-1s"])
    assert lint(path).problems == ()


@pytest.mark.parametrize(
    ("base", "complaint"),
    [
        ('"vilage"', "extends: no scenario 'vilage'; did you mean 'village'?"),
        ('"none.toml"', "extends: there is no file "),
        ("7", "extends: must be a text in quotes, not 7"),
        ('"tiny.toml"', "extends itself: tiny.toml -> tiny.toml"),
        ('"wrong.toml"', "[nodes]: unknown key 'cuont'; did you mean 'count'?"),
    ],
)
def test_what_cannot_be_extended_is_named(tmp_path: Path, base: str, complaint: str) -> None:
    """A base that is not there, is the file itself, or has a slip of its own."""
    (tmp_path / "wrong.toml").write_text("[nodes]\ncuont = 3\n", encoding="utf-8")
    with pytest.raises(ScenarioError, match=re.escape(complaint)):
        load(write(tmp_path, f"extends = {base}\n{MINIMAL}"), [])


def test_a_crash_reads(tmp_path: Path) -> None:
    """A crash names how many nodes, from where, and when they come back."""
    text = MINIMAL + (
        '[[fault]]\nat = "1 s"\ndo = "crash"\nselect = { any = 2, from = "side:east" }\n'
        'restart_after = "uniform(1 s, 3 s)"\n'
    )
    (fault,) = load(write(tmp_path, text), []).faults
    assert isinstance(fault.effect, Crash)
    assert fault.effect.select.any == 2
    assert fault.effect.restart_after.values == (1_000, 3_000)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (MINIMAL.replace("schema", "shema"), "'schema' is missing; is 'shema' meant?"),
        (MINIMAL + "durations = 1", "unknown key 'durations'; did you mean 'duration'?"),
        (MINIMAL + "[nodes]\ncont = 3", "[nodes]: unknown key 'cont'; did you mean 'count'?"),
        (MINIMAL + "[nodes]\ncount = 1", "1 is outside 2 to 10000"),
        (MINIMAL + "[nodes]\ncount = true", "must be a whole number, not True"),
        (MINIMAL + "[nodes]\nsides = { west = 0.5, east = 0.4 }", "must sum to 1"),
        (MINIMAL + "[nodes]\nsides = { nord = 1.0 }", "unknown key 'nord'"),
        (MINIMAL + '[workload]\nrate = "2 per s"', "is not a rate"),
        (MINIMAL + '[workload]\nrate = "poison(2 / s)"', "did you mean 'poisson'?"),
        (MINIMAL + '[link.default]\nlatency = "5 sec"', "unknown unit 'sec'; did you mean 's'?"),
        (MINIMAL + '[link.north]\nlatency = "5 s"', "unknown key 'north'"),
        (MINIMAL + PARTITION.replace("partition", "partiton"), "did you mean 'partition'?"),
        (MINIMAL + PARTITION.replace("side:west", "sde:west"), "did you mean 'side:west'?"),
        (MINIMAL + PARTITION.replace(', ["side:east"]', ""), "at least two groups"),
        (MINIMAL + PARTITION.replace('"1 s"', '"10 s"'), "lengthen run.duration"),
        (MINIMAL + PARTITION + 'mode = "slow"', "mode: 'slow' is unknown"),
        ("fault = 3" + MINIMAL, "must be an array of tables"),
        (MINIMAL + '[check]\ninvariants = ["no_los"]', "did you mean 'no_loss'?"),
        (MINIMAL.replace('"10 s"', '"10"'), "is not a time"),
        (MINIMAL.replace('"10 s"', "10"), "must be a text in quotes"),
        (MINIMAL.replace("tiny", "../tiny"), "must be letters, digits and '-'"),
        ("schema = ", "cannot be read"),
    ],
)
def test_mistakes_are_named_with_their_place(tmp_path: Path, text: str, complaint: str) -> None:
    """Each mistake is a ScenarioError that names the file, the place and the nearest right word."""
    path = write(tmp_path, text)
    with pytest.raises(ScenarioError) as caught:
        load(path, [])
    assert complaint in str(caught.value)
    assert str(caught.value).startswith("tiny.toml: ")


@pytest.mark.parametrize(
    ("setting", "complaint"),
    [
        ("nodes.count", "write it as key=value"),
        ("nodes..count=3", "write it as key=value"),
        ("fault.7.for=3 s", "'7' leads nowhere"),
        ("name.x=3", "there is no such place"),
        ("nodes.cuont=3", "did you mean 'count'?"),
    ],
)
def test_wrong_settings_are_named(tmp_path: Path, setting: str, complaint: str) -> None:
    """A --set that leads nowhere says so."""
    with pytest.raises(ScenarioError, match=r".") as caught:
        load(write(tmp_path, MINIMAL + PARTITION), [setting])
    assert complaint in str(caught.value)


def test_an_unknown_scenario_names_the_nearest() -> None:
    """A mistyped scenario name is answered with the one that was meant."""
    with pytest.raises(ScenarioError, match="did you mean 'river-split'"):
        find("river-spilt")
    with pytest.raises(ScenarioError, match="no scenario file"):
        find("absent.toml")


@pytest.mark.parametrize(
    ("text", "ms"),
    [("90 s", 90_000), ("1.5 min", 90_000), ("1 min 30 s", 90_000), ("2h", 7_200_000), ("0 s", 0)],
)
def test_times_have_units(text: str, ms: int) -> None:
    """Times are numbers with units; several add up."""
    assert parse_duration(text) == ms


def test_distributions_and_rates_read() -> None:
    """A plain time is constant; a plain rate is even."""
    assert parse_distribution("5 ms").kind == "constant"
    assert parse_distribution("uniform(1 s, 2 s)").values == (1_000, 2_000)
    assert parse_rate("poisson(30 / min)").gap_ms == 2_000
    assert not parse_rate("4 / s").poisson
    with pytest.raises(ScenarioError, match="smaller one first"):
        parse_distribution("uniform(2 s, 1 s)")
    with pytest.raises(ScenarioError, match="takes low, high"):
        parse_distribution("uniform(2 s)")


def test_the_scenario_in_the_readme_is_one(tmp_path: Path) -> None:
    """The example of sim/README.md reads, and a plan can be drawn from it."""
    readme = Path(__file__).parents[2] / "sim" / "README.md"
    (block,) = re.findall(
        r"^```toml\n(.*?)^```$", readme.read_text("utf-8"), re.DOTALL | re.MULTILINE
    )
    scenario = load(write(tmp_path, block), [])
    assert len(draw_plan(scenario).nodes) == 8
