"""Hostile peers: the bench joins, does its harm, and measures what that costs real daemons."""

import json
from pathlib import Path

import pytest

from mycelia_bench.hostile import Harmed, Phase, main, parse, text
from mycelia_bench.install import BENCH


def test_a_kind_that_is_not_there_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """The error names the kinds that there are."""
    with pytest.raises(SystemExit):
        parse(["slowly"])
    assert "take slow, flood, repeat, asking, half" in capsys.readouterr().err


def test_the_table_shows_each_phase() -> None:
    """A phase without records has no spread; why links ended is told below."""
    phases = (Phase("rest", 2.0, 66.0, 67.0), Phase("load", 3.0, 66.0, 67.0, 12.4, 30.0, 1))
    lines = text([Harmed("slow", phases, {"rate": 7})]).splitlines()
    assert lines[1].split() == ["slow", "rest", "2.0", "66.0", "67.0", "-", "-", "0"]
    assert lines[2].split()[-3:] == ["12", "30", "1"]
    assert lines[3].strip() == "7 links ended: rate"


@pytest.mark.slow
@pytest.mark.daemon
def test_daemons_stand_a_flood_of_what_they_know(tmp_path: Path) -> None:
    """While one member repeats itself at full speed, records of others still come to all disks."""
    before = set(BENCH.glob(".work-*"))
    out = tmp_path / "out.json"
    assert main(["repeat", "--seconds", "4", "--stored", "100", "--out", str(out)]) == 0
    (harmed,) = json.loads(out.read_text())
    attacked = harmed["phases"][2]
    assert attacked["name"] == "under attack"
    assert attacked["cpu_percent"] > harmed["phases"][1]["cpu_percent"], "nothing happened"
    assert attacked["lost"] == 0
    assert set(BENCH.glob(".work-*")) == before
