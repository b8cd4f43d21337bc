"""Two real daemons: one keeps only what counts of old logs, and a newcomer, by link or stick."""

import time
from pathlib import Path

import pytest

from mycelia_bench.made_up import DAY_MS, Town
from mycelia_bench.shortened import shorten_home
from mycelia_bench.year import Filling
from mycelia_node.home import Home
from mycelia_node.setup import prepare
from node_daemons import Daemon, cli, part, wait_for
from node_luggage import look, out, take

DAYS = 12
MEMBERS = 4

pytestmark = pytest.mark.daemon


def old_town(home: Home) -> tuple[int, int]:
    """Make a home that holds old logs in compact form; return (records, compact ones)."""
    home.create()
    with home.locked():
        _, seed = prepare(home, "House 0")
        first_ms = time.time_ns() // 1_000_000 - 3 * DAYS * DAY_MS
        town = Town(seed, first_ms, MEMBERS)
        home.write_private(home.charter, town.charter.encode())
        records = [*town.begin(), *(one for day in range(DAYS) for one in town.day(day))]
        sums = list(town.sum_up(DAYS, records))
        filling = Filling(home, town.charter.commons)
        filling.add([*records, *sums])
        filling.end()
    own = records[0].author
    count = shorten_home(home, town.charter.commons, own, first_ms + DAYS * DAY_MS)
    return len(records) + len(sums), count


def test_a_newcomer_starts_from_compact_logs(tmp_path: Path) -> None:
    """CHECK-7, CHECK-8: it comes to the same state, though the records are nowhere any more."""
    home = Home.at(tmp_path / "old")
    records, count = old_town(home)
    assert count > records // 3
    old, new = Daemon(home.path).start(), Daemon(tmp_path / "new")
    try:
        invite = cli("--home", old.home, "invite").out.strip()
        assert cli("--home", new.home, "join", invite, "--name", "New").code == 0
        new.start()
        # One of the newcomer's first records may be under way and mean nothing to the state.
        wait_for(
            lambda: all(
                old.status()[part] == new.status()[part] for part in ("state_digest", "records")
            ),
            "both come to the same state, and hold as many records",
        )
        assert new.status()["records"] > records
        assert new.status()["checkpoints"]["compact_logs"] == MEMBERS - 1
    finally:
        for each in (new, old):
            each.stop()


def test_a_newcomer_starts_from_sticks_alone(tmp_path: Path) -> None:
    """CARRY-13: no link ever joins them, and both come to the same state."""
    home = Home.at(tmp_path / "old")
    records, count = old_town(home)
    old, new = Daemon(home.path).start(), Daemon(tmp_path / "new")
    try:
        invite = cli("--home", old.home, "invite").out.strip()
        assert cli("--home", new.home, "join", invite, "--name", "New").code == 0
        assert old.stop() == 0
        for each in (old, new):
            part(each)
            each.start()
        stick = Path(out(old.home, tmp_path)["path"])
        told = cli("carry", "list", stick).out
        assert f"{look(stick)['forms']:,} old ones in short form" in told
        assert f"of the beginnings of {MEMBERS - 1} logs" in told
        assert "nothing proves" not in told
        broken = tmp_path / "broken.mycelia"
        data = stick.read_bytes()
        broken.write_bytes(data[: len(data) // 2] + b"?" + data[len(data) // 2 + 1 :])
        (some,) = take(new.home, broken, code=1)
        assert some["damaged"] == 1
        assert some["gaps"] + some["new"] > 0
        (report,) = take(new.home, stick)
        assert report["whole"]
        assert report["forms"] >= count
        assert some["new"] + report["new"] == report["forms"] + report["records"] > records
        (again,) = take(new.home, stick)
        assert (again["new"], again["unconfirmed"], again["gaps"]) == (0, 0, 0)
        take(old.home, Path(out(new.home, tmp_path)["path"]))
        assert old.status()["state_digest"] == new.status()["state_digest"]
        assert not new.status()["peers"]
        assert new.status()["checkpoints"]["compact_logs"] == MEMBERS - 1
    finally:
        for each in (new, old):
            each.stop()
