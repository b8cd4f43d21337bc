"""Seeds played by the tests: those that once failed, and some of each scenario that ships."""

import json
import os
import subprocess
import sys
import tomllib
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from mycelia_sim.errors import ScenarioError
from mycelia_sim.fingerprint import fingerprints
from mycelia_sim.plan import Plan
from mycelia_sim.plan_file import read_plan
from mycelia_sim.planner import draw_plan
from mycelia_sim.play import judge
from mycelia_sim.scenario import INVARIANTS, SOMETIMES, find, shipped
from mycelia_sim.scenario_reader import load
from mycelia_sim.strict_json import build
from support.planted import calm_plan

ROOT = Path(__file__).parents[2]
KEPT = Path(__file__).parent / "seeds.toml"

# Scenario -> its fixed seeds, and what makes it small enough: all together stay under a minute.
SMALL: dict[str, tuple[tuple[int, ...], list[str]]] = {
    "village": ((1, 2), []),
    "river-split": ((1,), ["nodes.count=5"]),
    "rolling-blackout": (
        (1,),
        ["nodes.count=6", 'check.sometimes=["kills_fired", "lapses_seen", "disputes_seen"]'],
    ),
    "hammer": ((1,), ["nodes.count=4", "run.duration=12 s", "workload.rate=poisson(1 / s)"]),
    "old-backup": ((1,), ["nodes.count=5"]),
    "liars": (
        (1,),
        ["nodes.count=4", "run.duration=30 s", "fault.0.at=10 s", "fault.0.for=10 s"],
    ),
    "flood": ((1,), ["nodes.count=4", "run.duration=16 s"]),
    "flash-crowd": ((1,), ["nodes.count=5"]),
    "long-winter": (
        (1,),
        [
            "nodes.count=8",
            "nodes.islands=2",
            "run.duration=3 h 2 min",
            "fault.0.for=150 min",
            "workload.per_node=poisson(32 / d)",
            "workload.active=1",
        ],
    ),
    "city-islands": ((13, 26), ["nodes.count=8"]),
    "metropolis": ((1,), ["nodes.count=16"]),
    "country": ((1,), ["nodes.count=40", "nodes.islands=2"]),
    "last-litres": ((3,), ["nodes.count=6", "workload.burst.0.rate=6 / s", "check.limits={}"]),
    "fair-weather": (
        (1,),
        [
            "nodes.count=12",
            "nodes.islands=2",
            "run.duration=5 min",
            "check.limits.control_bytes=<= 50",  # what a start takes is shared by fewer records
        ],
    ),
    "old-logs": ((1,), ["nodes.count=5"]),
    "sneakernet": ((1,), ["run.duration=12 s"]),
}


@dataclass(frozen=True)
class Kept:
    """A seed that once failed.

    Attributes:
        plan: the file beside this one with the plan that is played; "" if it is drawn anew, by the
            scenario as it is by now, from the other keys.
        why: what was wrong.
        open: what is still wrong, "" if it is mended.
        slow: whether the default run leaves it out.
    """

    scenario: str
    seed: int
    changes: tuple[str, ...]
    swarm: bool
    why: str
    open: str
    slow: bool
    plan: str

    def __str__(self) -> str:
        return f"{self.scenario}-{self.seed}"


def kept_seeds(path: Path) -> list[Kept]:
    """Return the seeds of a file; what is written wrongly in it is an error."""
    document = tomllib.loads(path.read_text("utf-8"))
    if set(document) - {"seed"}:
        raise ScenarioError(f"{path.name}: holds nothing but [[seed]]")
    default = {"changes": [], "open": "", "slow": False, "plan": ""}
    return [
        build(Kept, {**default, **entry}, f"{path.name}: [[seed]] {number}")
        for number, entry in enumerate(document.get("seed", []), start=1)
    ]


def plan_of(scenario: str, seed: int, changes: list[str], *, swarm: bool) -> Plan:
    """Draw a plan for virtual time; a scenario's file is looked for from the project's root."""
    path = ROOT / scenario if scenario.endswith(".toml") else find(scenario)
    return draw_plan(load(path, changes).with_seed(seed), "virtual", swarm=swarm)


def plan_of_kept(kept: Kept, folder: Path = KEPT.parent) -> Plan:
    """Return the plan of a kept seed, to be judged by every check of today.

    Raises: ScenarioError when its file holds no plan, or that of another seed.
    """
    if not kept.plan:
        return plan_of(kept.scenario, kept.seed, list(kept.changes), swarm=kept.swarm)
    plan = read_plan(folder / kept.plan)
    if (plan.scenario, plan.seed) != (Path(kept.scenario).stem, kept.seed):
        raise ScenarioError(f"{kept.plan}: is of {plan.scenario}, seed {plan.seed}, not of {kept}")
    return replace(plan, backend="virtual", invariants=INVARIANTS)


def of_kept(kept: Kept) -> object:
    """Return a parameter that is expected to fail if it is still open."""
    marks = [pytest.mark.xfail(reason=kept.open, strict=True)] if kept.open else []
    marks += [pytest.mark.slow] if kept.slow else []
    return pytest.param(kept, id=str(kept), marks=marks)


@pytest.mark.parametrize("kept", [of_kept(kept) for kept in kept_seeds(KEPT)])
def test_what_once_failed_does_not_fail_again(kept: Kept) -> None:
    """A seed that once failed is played again, and no check fails."""
    plan = plan_of_kept(kept)
    assert fingerprints(judge(plan).checks) == [], kept.why


def test_a_seed_that_is_written_wrongly_is_noticed(tmp_path: Path) -> None:
    """A key that is misspelled or missing in the file of kept seeds is an error, not left out."""
    path = tmp_path / "seeds.toml"
    path.write_text('[[seed]]\nscenario = "village"\nseed = 1\nswram = true\nwhy = ""\n', "utf-8")
    with pytest.raises(ScenarioError, match="did you mean 'swarm'"):
        kept_seeds(path)
    path.write_text('[[seed]]\nscenario = "village"\nseed = 1\nwhy = ""\n', "utf-8")
    with pytest.raises(ScenarioError, match="'swarm' is missing"):
        kept_seeds(path)


def test_a_kept_plan_is_what_is_played(tmp_path: Path) -> None:
    """It means the same for ever, whatever becomes of its scenario; that of another is refused."""
    plan = replace(calm_plan(), scenario="gone", seed=7, backend="live", invariants=("no_loss",))
    (tmp_path / "plan.json").write_text(plan.to_json(), "utf-8")
    kept = Kept("gone", 7, (), swarm=True, why="", open="", slow=False, plan="plan.json")
    played = plan_of_kept(kept, tmp_path)
    assert played == replace(plan, backend="virtual", invariants=INVARIANTS)
    with pytest.raises(ScenarioError, match="is of gone, seed 7, not of gone-8"):
        plan_of_kept(replace(kept, seed=8), tmp_path)


def test_every_kept_plan_belongs_to_a_seed() -> None:
    """Each file is named by one seed, and can still be read, of slow ones too."""
    named = [kept for kept in kept_seeds(KEPT) if kept.plan]
    files = [path.relative_to(KEPT.parent) for path in (KEPT.parent / "plans").iterdir()]
    assert sorted(map(str, files)) == sorted(kept.plan for kept in named)
    assert all(plan_of_kept(kept).nodes for kept in named)


def test_each_scenario_has_its_seeds() -> None:
    """No scenario ships without a seed that is played here."""
    assert set(SMALL) == set(shipped())


@pytest.mark.parametrize(
    ("scenario", "seed"), [(name, seed) for name, (seeds, _) in SMALL.items() for seed in seeds]
)
def test_each_scenario_holds(scenario: str, seed: int) -> None:
    """A small one of each scenario that ships passes every check of what must hold."""
    judged = judge(plan_of(scenario, seed, SMALL[scenario][1], swarm=True))
    others = [check for check in judged.checks if check.name not in SOMETIMES]
    assert len(others) > 10
    assert [check for check in others if check.verdict != "pass"] == []


# --- determinism ---

PROGRAM = """
import json, sys
sys.path[:0] = json.loads(sys.argv[1])
from sim.test_seeds import plan_of
from mycelia_sim.play import judge
for scenario, seed, changes in json.loads(sys.argv[2]):
    judged = judge(plan_of(scenario, seed, changes, swarm=False))
    checks = [[check.name, check.verdict, check.detail] for check in judged.checks]
    print(json.dumps([judged.trace_digest, judged.summary["families"], checks]))
"""
EVERYTHING = [
    "nodes.count=5",
    "nodes.islands=2",
    "run.duration=62 s",
    "adversary.0.count=1",
    "adversary.1.every=exponential(15 s)",
]


PLAIN = ["fault=[]", "adversary=[]"]


def test_a_run_does_not_depend_on_hashing() -> None:
    """Two processes with different PYTHONHASHSEED give one trace of a plan, and judge it alike.

    One plan has no fault and no adversary, the other nearly all that there are.
    """
    plans = [("village", 1, PLAIN), ("city-islands", 2, EVERYTHING)]
    arguments = [json.dumps(sys.path), json.dumps(plans)]
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", PROGRAM, *arguments],
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            stdout=subprocess.PIPE,
            text=True,
        )
        for hash_seed in ("0", "1")
    ]
    said = [process.communicate()[0].splitlines() for process in processes]
    for first, second, families in zip(*said, (0, 28), strict=True):
        assert first == second
        digest, fired_of, _ = json.loads(first)
        assert len(digest) == 32
        assert sum(fired > 0 for fired, _ in fired_of.values()) >= families
