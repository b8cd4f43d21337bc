"""The made-up year: its records are those of a commons that works, and a daemon holds them all."""

import json
from collections import Counter
from pathlib import Path

import pytest

from mycelia_bench.install import BENCH
from mycelia_bench.made_up import RECORDS_A_DAY, Town
from mycelia_bench.year import main
from mycelia_protocol.logs import Logs
from mycelia_protocol.state import State


def test_a_made_up_town_shares() -> None:
    """Members write as much as is said, all is authentic and folded, and each grant is settled."""
    town = Town(bytes(32), 1_700_000_000_000, members=5)
    records = list(town.begin())
    days = [list(town.day(number)) for number in range(4)]
    assert sum(map(len, days)) == 4 * 5 * RECORDS_A_DAY
    records += [record for day in days for record in day]
    logs, state = Logs(), State(town.charter)
    assert len(logs.take(records).accepted) == len(records)
    for record in records:
        state.add(record)
    assert (state.member_count, state.unread) == (5, 0)
    assert Counter(str(row[1]) for row in state.rows("grant")) == {"received": 30}


@pytest.mark.daemon
def test_a_short_year_is_measured(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A daemon starts on what was written, twice, and holds it; nothing but the figures stays."""
    before = set(BENCH.glob(".work-*"))
    out = tmp_path / "out.json"
    assert main(["--days", "2", "--members", "6", "--compact-after", "1", "--out", str(out)]) == 0
    figures = json.loads(out.read_text())
    assert figures["records"] == 6 + 5 + 6 + 2 * 6 * RECORDS_A_DAY
    assert 300 < figures["bytes_a_record"] < 2_000
    assert figures["anew"]["start_rss_mib"] > 10
    assert figures["anew"]["state_digest"] == figures["resting"]["state_digest"]
    short = figures["shortened"]
    assert short["records"] > 20
    assert short["anew"]["state_digest"] == figures["anew"]["state_digest"]
    assert 0.01 < figures["snapshot_mib"] < figures["disk_mib"]
    assert f"{figures['records']} in 2 days" in capsys.readouterr().out
    assert set(BENCH.glob(".work-*")) <= before


def test_wrong_arguments_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A home that is there already is left alone, and a town needs two."""
    for words in (["--home", str(tmp_path)], ["--members", "1"]):
        with pytest.raises(SystemExit):
            main(words)
        assert words[0] in capsys.readouterr().err
