"""The parts of a sweep: which seeds, which folder, what lines say, what they come to together."""

import json
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mycelia_sim.backends import CARRY
from mycelia_sim.errors import ScenarioError
from mycelia_sim.fingerprint import Fingerprint
from mycelia_sim.planner import draw_plan
from mycelia_sim.scenario import find, shipped
from mycelia_sim.scenario_reader import document_of, load
from mycelia_sim.sometimes import DISK_WORDS
from mycelia_sim.sweep.build import this_build
from mycelia_sim.sweep.families import families_of
from mycelia_sim.sweep.folder import LINES_NAME, Folder, Subject
from mycelia_sim.sweep.line import Failing, SeedLine, compared, read_line
from mycelia_sim.sweep.report import summarize, write_text
from mycelia_sim.sweep.seeds import (
    HASH_SEED,
    Seeds,
    is_played_twice,
    of,
    other_hash_seed,
    parse_seeds,
)
from mycelia_sim.sweep.totals import PRECEDENCE, total, wilson
from support.sweeps import BUILD, FAMILIES, SOMETIMES, crashed, failed, passed, swept, unknown
from support.sweeps import wavering as wavering_line

LINES = st.sampled_from(
    [passed, failed, unknown, crashed, wavering_line, lambda seed: failed(seed, "no_loss", "x", 1)]
)

SMALL = {
    "metropolis": ["nodes.count=40"],
    "country": ["nodes.count=40", "nodes.islands=4"],
    "long-winter": ["nodes.count=20"],
}

# --- seeds ---


@pytest.mark.parametrize(
    ("text", "seeds"),
    [
        ("7", [7]),
        ("0..3", [0, 1, 2, 3]),
        ("5..6, 1, 6..8", [1, 5, 6, 7, 8]),
        ("3..3,4", [3, 4]),
    ],
)
def test_seeds_are_read(text: str, seeds: list[int]) -> None:
    """Ranges include both ends; overlapping ones count once; the seeds come in order."""
    assert list(parse_seeds(text)) == seeds


@pytest.mark.parametrize("text", ["", "a", "1..", "3..1", "-1", "1,,2", "0..99999999", str(2**53)])
def test_what_is_no_range_is_refused(text: str) -> None:
    """Anything else is an error that names the option and shows how to write it."""
    with pytest.raises(ScenarioError, match="--seeds"):
        parse_seeds(text)


@given(st.sets(st.integers(0, 500), min_size=1))
def test_seeds_survive_being_written(seeds: set[int]) -> None:
    """Seeds written as ranges and read again are the same seeds, and counted right."""
    found = of(sorted(seeds))
    assert (list(found), len(found)) == (sorted(seeds), len(seeds))
    assert parse_seeds(str(found)) == found


def test_one_seed_in_twenty_is_played_twice() -> None:
    """About 5 % of all seeds are chosen, always the same, and their second hash seed differs."""
    chosen = [seed for seed in range(20_000) if is_played_twice(seed)]
    assert 900 < len(chosen) < 1_100
    assert all(0 < other_hash_seed(seed) < 2**32 for seed in chosen)
    assert all(other_hash_seed(seed) != HASH_SEED for seed in chosen)


# --- lines ---


@pytest.mark.parametrize(
    "line",
    [
        passed(3),
        failed(4, also=(Failing("recovery", "k", "d"),)),
        unknown(5),
        wavering_line(6),
        crashed(7),
    ],
    ids=lambda line: line.verdict,
)
def test_a_line_survives_the_file(line: SeedLine) -> None:
    """A line read from JSON is the line that was written."""
    assert read_line(line.to_json()) == line


@pytest.mark.parametrize(
    "text",
    ["", "{}", "[1]", "null", '{"seed": 1}', passed(1).to_json().replace("pass", "fail", 1)],
)
def test_what_is_no_line_is_refused(text: str) -> None:
    """Other JSON, half a line, and a verdict that its exit code contradicts are errors."""
    with pytest.raises(ScenarioError, match="not the line of a seed"):
        read_line(text)


def test_two_runs_must_be_alike_but_for_their_cost() -> None:
    """Another cost is no difference; another trace is, and so is another verdict of the same."""
    line = failed(1)
    same = compared(line, replace(line, cpu_s=9.0), 5)
    assert (same.verdict, same.exit_code) == ("fail", 3)
    assert same.again is not None
    assert same.again.differs == ()
    other = compared(line, replace(line, trace_digest="00"), 5)
    assert (other.verdict, other.exit_code, other.failing) == ("nondeterminism", 4, line.failing)
    assert other.again is not None
    assert other.again.differs == ("trace_digest",)
    judged = compared(line, replace(line, failing=()), 5)
    assert (judged.verdict, judged.exit_code) == ("nondeterminism", 4)


# --- totals ---


@pytest.mark.parametrize(
    ("passes", "count", "low", "high"),
    [(8, 10, 0.490162, 0.943318), (0, 20, 0.0, 0.161125), (1000, 1000, 0.996173, 1.0)],
)
def test_the_interval_is_wilsons(passes: int, count: int, low: float, high: float) -> None:
    """The interval has the values that the formula of 1927 gives when worked out by hand."""
    assert wilson(passes, count) == pytest.approx((low, high), abs=1e-6)


@given(st.integers(0, 300).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_the_interval_holds_the_rate(case: tuple[int, int]) -> None:
    """The interval lies within 0 and 1, and holds the rate that was seen."""
    passes, count = case
    low, high = wilson(passes, count)
    assert 0 <= low <= (passes / count if count else 0) <= high <= 1


@given(st.lists(LINES, max_size=12))
def test_the_worst_seed_gives_the_exit_code(makers: Sequence[object]) -> None:
    """The code is the first of 70, 4, 1, 3, 2, 0 that a seed or what was never seen gives."""
    lines = [maker(seed) for seed, maker in enumerate(makers)]  # type: ignore[operator]
    totals = total(lines, FAMILIES, SOMETIMES)
    codes = [line.exit_code for line in lines]
    if totals.doubts:
        codes.append(2)
    assert totals.exit_code == min(codes, key=(70, 4, 1, 3, 2, 0).index)
    assert PRECEDENCE == (70, 4, 1, 3, 2, 0)
    assert sum(totals.counts.values()) == totals.played == len(lines)


def test_what_no_seed_saw_makes_the_sweep_unknown() -> None:
    """All seeds pass, but a family or a `sometimes` that none saw is a doubt; one seed will do."""
    lines = [passed(seed) for seed in range(5)]
    assert total(lines, FAMILIES, SOMETIMES).exit_code == 0
    never = total(lines, [*FAMILIES, "wipe"], SOMETIMES)
    assert (never.exit_code, never.doubts) == (2, ("in no seed did anything come of: wipe",))
    unseen = total(lines, FAMILIES, [*SOMETIMES, "forger_tried"])
    assert (unseen.exit_code, unseen.doubts) == (2, ("seen in no seed: forger_tried",))
    one = replace(lines[0], families={**(lines[0].families or {}), "wipe": (1, 1)})
    assert total([one, *lines[1:]], [*FAMILIES, "wipe"], SOMETIMES).exit_code == 0
    planned = replace(lines[0], families={**(lines[0].families or {}), "wipe": (0, 3)})
    assert total([planned, *lines[1:]], [*FAMILIES, "wipe"], SOMETIMES).exit_code == 2


def test_failures_are_grouped_by_fingerprint() -> None:
    """Complaints that differ in ids and amounts alone are one group, its cheapest seed first."""
    lines = [
        failed(1, cpu_s=0.9),
        failed(2, detail="3 nodes lack records that others hold; n07 lacks 1", cpu_s=0.2),
        failed(3, "no_loss", "record myca1q of n03 is lost", 1),
        failed(4, also=(Failing("recovery", "NODE is late", "n01 is late"),)),
    ]
    totals = total(lines, FAMILIES, SOMETIMES)
    assert [group.fingerprint.check for group in totals.groups] == ["no_loss", "convergence"]
    assert [line.seed for line in totals.groups[1].lines] == [2, 4, 1]
    assert totals.groups[1].also == (Fingerprint("recovery", "NODE is late"),)
    text = write_text(swept(lines, changes=('fault.0.for="10 s"',)))
    command = """run village --swarm --seed 2 --backend virtual --set 'fault.0.for="10 s"'"""
    assert f"replay   mycelia sim {command}" in text
    assert 'changes = ["fault.0.for=\\"10 s\\""]' in text
    failures = summarize(swept(lines))["failures"]
    assert [len(one["seeds"]) for one in failures] == [1, 3]
    json.dumps(summarize(swept(lines)))


# --- families ---


@pytest.mark.parametrize("name", sorted(shipped()))
def test_the_families_of_a_scenario_are_those_of_its_plans(name: str) -> None:
    """Over some seeds the plans have exactly the families that the scenario is said to have."""
    small = SMALL.get(name, [])
    found: set[str] = set()
    for seed in range(6):
        plan = draw_plan(load(find(name), small).with_seed(seed), "virtual")
        found.update(cut.kind for cut in plan.cuts)
        found.update(DISK_WORDS.get(kill.disk, kill.disk) for kill in plan.kills)
        found.update("degrade" for _ in plan.shapes)
        found.update(trouble.kind for trouble in plan.troubles)
        found.update(CARRY for _ in plan.trips)
        found.update(attempt.behaviour for attempt in plan.attempts)
    assert sorted(found) == list(families_of(load(find(name), small)))


# --- the folder ---


def subject(*changes: str) -> Subject:
    """Return the village with some changes as something to be swept."""
    document = document_of(find("village"), list(changes))
    return Subject("village", "A title", "village", changes, document, BUILD)


def test_the_folder_goes_on_where_it_ended(tmp_path: Path) -> None:
    """The same subject leads to the same folder with its lines; any other to another folder."""
    with Folder(tmp_path, subject()) as folder:
        folder.append([passed(1), failed(2)])
        first = folder.path
    with Folder(tmp_path, subject()) as again:
        assert again.path == first
        assert again.lines == {1: passed(1), 2: failed(2)}
    with Folder(tmp_path, subject("run.seed=77")) as seeded:
        assert seeded.path == first  # the seed in the file is not swept
    others = [subject("nodes.count=4"), replace(subject(), build=replace(BUILD, code="other"))]
    for other in others:
        with Folder(tmp_path, other) as folder:
            assert folder.path != first
            assert folder.lines == {}
    assert (tmp_path / "latest-sweep").resolve().parent == first.parent


def test_a_line_that_was_cut_off_is_taken_away(tmp_path: Path) -> None:
    """After a power cut amid a write the whole lines count, and the next line is whole again."""
    with Folder(tmp_path, subject()) as folder:
        folder.append([passed(1), passed(2)])
    path = folder.path / LINES_NAME
    whole = path.read_bytes()
    for cut in (1, 40, len(whole) // 2 - 1):
        path.write_bytes(whole[:-cut])
        with Folder(tmp_path, subject()) as folder:
            assert folder.lines == {1: passed(1)}
            folder.append([passed(2)])
        assert path.read_bytes() == whole


def test_a_broken_line_is_named(tmp_path: Path) -> None:
    """A whole line that is not one of ours stops the sweep, with its number and what to do."""
    with Folder(tmp_path, subject()) as folder:
        folder.append([passed(1)])
    with (folder.path / LINES_NAME).open("a") as file:
        file.write("something else\n")
    with pytest.raises(ScenarioError, match=r"line 2: .* take the line out"):
        Folder(tmp_path, subject())


def test_two_sweeps_do_not_share_a_folder(tmp_path: Path) -> None:
    """Who opens a folder that is open is told so; once it is closed it can be opened."""
    with Folder(tmp_path, subject()), pytest.raises(ScenarioError, match="another sweep"):
        Folder(tmp_path, subject())
    with Folder(tmp_path, subject()) as folder:
        assert os.path.samefile(folder.path, tmp_path / "latest-sweep")


# --- the build ---


def test_a_build_says_where_another_differs() -> None:
    """The same build has no difference to itself; another is told apart by name and value."""
    here = this_build()
    assert here.differences(this_build()) == ""
    other = replace(here, cryptography="1.0")
    assert other.differences(here) == f"cryptography {here.cryptography} instead of 1.0"


def test_seeds_are_values() -> None:
    """Equal ranges are equal seeds."""
    assert parse_seeds("1,2,3") == Seeds(((1, 3),))
