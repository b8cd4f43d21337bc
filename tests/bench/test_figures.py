"""The arithmetic of the bench's figures, and how they are kept and shown."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mycelia_bench.errors import BenchError
from mycelia_bench.figures import (
    FIGURES,
    Figure,
    Measured,
    percentile,
    ratio_in,
    spread_in,
    spread_of,
)
from mycelia_bench.job import Job
from mycelia_bench.plot import draw
from mycelia_bench.report import short, text
from mycelia_bench.results import Outcome, Results, load

MORE = Figure("rate", "a rate", more_is_better=True)
LESS = Figure("cost", "a cost", more_is_better=False)


def sample_results() -> Results:
    """Return two runs of us and of another system, of which one failed."""
    words = {"shape": "a star", "checks": "none", "keeps": "all"}
    results = Results(Job(), {"processor": "abacus", "cores": 1, "system": "wood"})
    results.machine |= {"python": "3.11", "sqlite": "3.40", "commit": "0123456"}
    ours = Outcome({"name": "mycelia", "title": "Mycelia", **words})
    ours.runs = [{"deliveries_per_cpu_s": 300.0, "wire_bytes": None}, {"deliveries_per_cpu_s": 500}]
    theirs = Outcome({"name": "other", "title": "Other & Sons", **words})
    theirs.runs = [{"deliveries_per_cpu_s": 100.0, "wire_bytes": 7.0}, {}]
    theirs.failures = ["run 2, live: it ended"]
    absent = Outcome({"name": "absent", "title": "Absent", **words}, skipped="no such package")
    results.systems = {"mycelia": ours, "other": theirs, "absent": absent}
    return results


def test_a_ratio_compares_the_same_run_of_both() -> None:
    """Runs are paired, so what drifts from run to run cancels out; beyond 1 we are better."""
    ours: list[Measured] = [{"rate": 10.0}, {"rate": 2.0}]
    theirs: list[Measured] = [{"rate": 5.0}, {"rate": 1.0}]
    spread = ratio_in(MORE, ours, theirs)
    assert spread is not None
    assert (spread.middle, spread.least, spread.most, spread.runs) == (2, 2, 2, 2)


def test_less_cost_is_a_ratio_beyond_one() -> None:
    """Where less is better, the ratio is turned round."""
    spread = ratio_in(LESS, [{"cost": 2.0}], [{"cost": 8.0}])
    assert spread is not None
    assert spread.middle == 4


def test_a_run_that_lacks_a_figure_is_left_out_of_its_ratio() -> None:
    """A failed run, a figure that can't be had here and a zero make no ratio."""
    ours: list[Measured] = [{"rate": 4.0}, {}, {"rate": None}, {"rate": 4.0}]
    theirs: list[Measured] = [{}, {"rate": 1.0}, {"rate": 1.0}, {"rate": 0.0}]
    assert ratio_in(MORE, ours, theirs) is None
    assert spread_in(ours, "rate") == spread_of([4.0, 4.0])


@given(st.lists(st.floats(0.001, 1e6), min_size=1))
def test_a_spread_holds_its_median(values: list[float]) -> None:
    """The ends of a spread enclose its median, and it says of how many runs it is."""
    spread = spread_of(values)
    assert spread is not None
    assert spread.least <= spread.middle <= spread.most
    assert (spread.least, spread.most, spread.runs) == (min(values), max(values), len(values))


@given(st.lists(st.floats(0, 1e6), min_size=1), st.integers(1, 100))
def test_a_percentile_is_the_least_value_that_so_many_stay_within(
    values: list[float], percent: int
) -> None:
    """At least that share is not above it, and less than that share is below it."""
    found = percentile(values, percent)
    assert found in values
    assert 100 * sum(value <= found for value in values) >= percent * len(values)
    assert 100 * sum(value < found for value in values) < percent * len(values)


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (0, "0"),
        (0.00042, "4.2e-04"),
        (0.1234, "0.123"),
        (12.0, "12"),
        (12.34, "12.3"),
        (1234, "1,234"),
    ],
)
def test_numbers_are_written_short(value: float, written: str) -> None:
    """About three significant digits, and no power of ten where people can read without."""
    assert written == short(value)


def test_figures_have_names_of_their_own() -> None:
    """No two figures share a name or a title."""
    assert len({figure.name for figure in FIGURES}) == len(FIGURES)
    assert len({figure.title for figure in FIGURES}) == len(FIGURES)


def test_the_report_begins_with_ratios_and_tells_what_went_wrong() -> None:
    """A reader sees ratios before figures, and who was left out or failed, and why."""
    report = text(sample_results())
    assert report.index("Mycelia is so many times better than") < report.index("| figure")
    ratios = next(line for line in report.splitlines() if "deliveries per CPU-second" in line)
    assert ratios.split("|")[2].strip() == "3"
    assert "- Absent was not measured: no such package" in report
    assert "- Other & Sons failed in run 2, live: it ended" in report


def test_the_plot_shows_each_run_of_each_system() -> None:
    """A dot for each run that has the figure; names are escaped."""
    plot = draw(sample_results())
    live, wire = plot.split('class="title"')[1:]
    assert (live.count("<circle"), wire.count("<circle")) == (3, 1)
    assert "Other &amp; Sons" in plot
    assert "Absent" not in plot


def test_results_are_kept_whole(tmp_path: Path) -> None:
    """What is saved is loaded again; what is no result says so."""
    path = tmp_path / "results" / "latest.json"
    sample_results().save(path)
    assert load(path) == sample_results()
    path.write_text('{"schema": 0}', "utf-8")
    with pytest.raises(BenchError, match="another schema"):
        load(path)
    with pytest.raises(BenchError, match="can't be read"):
        load(tmp_path / "absent.json")
