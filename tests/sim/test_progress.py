"""What the live line says of the network: which parts are cut off from each other just now."""

import io
import re
from dataclasses import replace

import pytest

from mycelia_sim.plan import Cut
from mycelia_sim.progress import Progress
from mycelia_sim.splits import Splits
from mycelia_sim.virtual import run
from support.city import city, cut, sides

PLAN = city(8, 4)
WEST, EAST = sides(PLAN)
RIVER = Cut("river", 1_000, 9_000, "drop", False, 0, (WEST, EAST), "partition", ())


def split(*cuts: Cut, at_ms: int = 5_000) -> str:
    """Return what is said of these cuts."""
    return Splits(replace(PLAN, cuts=cuts)).words(at_ms)


def test_a_split_is_named_by_sides_nodes_and_links() -> None:
    """A group that is all of a side has its name, one node its id, any other its size."""
    alone = replace(RIVER, id="alone", groups=(EAST[:1], (*WEST, *EAST[1:])))
    clog = replace(RIVER, id="clog", groups=(), links=(("n00", "n01"), ("n01", "n00")))
    more = replace(clog, id="more", links=(("n01", "n02"),))
    assert split(RIVER) == "split west|east"
    assert split(replace(RIVER, oneway=True)) == "split west>east"
    assert split(alone, clog) == "split n04|7 nodes, 1 link"
    assert split(clog, more) == "split 2 links"
    assert split(RIVER, alone, replace(alone, id="a"), replace(alone, id="b"), clog) == (
        "split west|east, n04|7 nodes, 2 more, 1 link"
    )
    each = tuple((node,) for node in (*WEST, *EAST))
    assert split(replace(RIVER, groups=each)) == "split n00|n01|n02|n03|n04|n05|2 more"


def test_only_what_holds_just_now_is_told() -> None:
    """Before and after a cut nothing is split, nor by one that delays; real nodes may be late."""
    assert split(RIVER, at_ms=999) == split(RIVER, at_ms=9_000) == ""
    assert split(replace(RIVER, mode="delay")) == ""
    plan = replace(PLAN, cuts=(RIVER, replace(RIVER, id="late")))
    assert Splits(plan).words(0, {"late"}) == "split west|east"
    assert Splits(plan).words(5_000, set()) == ""


def test_the_line_of_a_run_says_what_is_split(monkeypatch: pytest.MonkeyPatch) -> None:
    """In virtual time, too, while the cut lasts."""
    monkeypatch.setattr(run, "SAY_EVERY_S", 0.0)
    lines: list[str] = []
    progress = Progress(is_quiet=True, stream=io.StringIO())
    monkeypatch.setattr(progress, "line", lines.append)
    run.play_virtual(cut(PLAN, 5_000, 12_000), progress)
    told = [line for line in lines if " | split west|east | behind " in line]
    seconds = [int(re.search(r"virtual 0:(\d\d)/0:20", line)[1]) for line in told]  # type: ignore[index]
    assert (min(seconds), max(seconds)) == (5, 11)
    assert len(told) < len(lines) / 2
