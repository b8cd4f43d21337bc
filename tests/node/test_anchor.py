"""A crash and a backup that came back are told apart, and what the latter froze is counted anew."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from mycelia_node.anchor import NAMES, NOTE, Anchor
from mycelia_node.database import Writer, read_note
from mycelia_node.home import Home
from node_daemons import Daemon, cli, founder, wait_for

COMMONS = bytes(32)


class Moored:
    """A home with a database, and what a node does of its anchor at a start."""

    def __init__(self, path: Path) -> None:
        self.home = Home.at(path)
        self.home.create()

    def start(self, *, drops: bool = True) -> bool:
        """Start, and end at once without a word; return whether the anchor held."""
        writer = Writer(self.home.database, COMMONS)
        try:
            anchor = Anchor(self.home, lambda *note: writer.write((), (), (note,)))
            if drops:
                anchor.drop()
            return anchor.holds
        finally:
            writer.close()

    def copy_back(self, backup: Path, *names: str) -> None:
        """Write a backup's files over those that are there, as `cp` does."""
        for name in names:
            (self.home.path / name).write_bytes((backup / name).read_bytes())


@pytest.fixture
def moored(tmp_path: Path) -> Moored:
    """A home on which a node ran twice."""
    moored = Moored(tmp_path / "home")
    assert [moored.start(), moored.start()] == [False, True]
    return moored


def test_after_crashes_the_anchor_holds(moored: Moored) -> None:
    """Also if the last one was before a new anchor was noted, and in a folder that was renamed."""
    assert moored.start(drops=False)
    (moored.home.path / NAMES[0]).touch()  # the one that node.db does not name was begun
    assert moored.start()
    moored.home.path.rename(moored.home.path.with_name("moved"))
    assert Moored(moored.home.path.with_name("moved")).start()


def test_a_copied_folder_does_not_hold(moored: Moored, tmp_path: Path) -> None:
    """A copy keeps times of writing, but no inode and no time of change."""
    shutil.copytree(moored.home.path, tmp_path / "copy", copy_function=shutil.copy2)
    assert not Moored(tmp_path / "copy").start()


@pytest.mark.parametrize("names", [("node.db",), ("node.db", *NAMES)], ids=["database", "all"])
def test_a_backup_that_was_written_over_it_does_not_hold(
    moored: Moored, tmp_path: Path, names: tuple[str, ...]
) -> None:
    """It has the inode of what it overwrote; its anchor is another one, or was written since."""
    assert moored.start()
    shutil.copytree(moored.home.path, tmp_path / "backup")
    assert moored.start()
    moored.copy_back(tmp_path / "backup", *(n for n in names if (tmp_path / "backup" / n).exists()))
    assert not moored.start()


def test_a_database_without_an_anchor_does_not_hold(moored: Moored) -> None:
    """Nor does one whose note means nothing."""
    for name in NAMES:
        (moored.home.path / name).unlink(missing_ok=True)
    assert [moored.start(), moored.start()] == [False, True]
    writer = Writer(moored.home.database, COMMONS)
    writer.write((), (), ((NOTE, b"[1"),))
    writer.close()
    assert not moored.start()


def test_the_doubt_is_kept_with_the_anchor(moored: Moored) -> None:
    """One note says both, so that a crash in between can't lose one of them."""
    writer = Writer(moored.home.database, COMMONS)
    anchor = Anchor(moored.home, lambda *note: writer.write((), (), (note,)))
    anchor.doubt(6)
    assert Anchor(moored.home, lambda *note: None).known_since == 0
    anchor.drop()
    anchor.doubt(7)
    assert Anchor(moored.home, lambda *note: None).known_since == 7
    note = read_note(writer._connection, NOTE)
    assert note is not None
    assert json.loads(note)["known_since"] == 7
    writer.close()


def test_another_database_after_a_clean_end_is_noticed(moored: Moored) -> None:
    """The marker names what was closed; a change of mode alone is none of content."""
    moored.home.mark_clean(bytes(8))
    assert not moored.home.was_swapped()
    moored.home.database.chmod(0o640)
    assert not moored.home.was_swapped()
    moored.home.database.write_bytes(moored.home.database.read_bytes())
    assert moored.home.was_swapped()


@pytest.mark.daemon
def test_a_restored_node_says_what_is_frozen_and_counts_it_anew(
    daemon: Callable[[str], Daemon], tmp_path: Path
) -> None:
    """It grants nothing of an old offer; a recount withdraws that, and all who tell end it."""
    one, two = founder(tmp_path / "one"), daemon("two")
    try:
        assert cli("--home", two.home, "join", one.invite(), "--name", "Bakery").code == 0
        water, soap = one.offer("Water", 5_000), one.offer("Soap", 3_000)
        one.kill()
        one.start()
        assert one.status()["frozen"] is None
        assert one.stop() == 0
        shutil.copytree(one.home, tmp_path / "backup", copy_function=shutil.copy2)
        shutil.rmtree(one.home)
        (tmp_path / "backup").rename(one.home)
        one.start()
        frozen = one.status()["frozen"]
        assert {each["id"] for each in frozen["offers"]} == {water, soap}
        assert "must tell all that they hold" in one.run("status").out
        assert one.run("offer", "recount", water, "0", "L").code == 1
        assert one.run("offer", "recount", water, "4", "L").code == 0
        assert one.run("offer", "recount", water, "4", "L").code == 1
        assert one.client.get(f"/v1/offers/{water}")["withdrawn"]
        assert [each["id"] for each in one.status()["frozen"]["offers"]] == [soap]
        assert one.client.get(f"/v1/offers/{soap}")["frozen"]
        left = {each["title"]: each["left"] for each in one.items("/v1/offers?mine=1")}
        assert left == {"Water": 4_000, "Soap": 3_000}
        two.start()
        wait_for(lambda: one.status()["frozen"] is None, "nothing is frozen any more")
    finally:
        one.kill()


@pytest.mark.daemon
def test_a_restored_node_says_for_what_it_accepts_nothing_and_people_may(
    daemon: Callable[[str], Daemon], tmp_path: Path
) -> None:
    """INC-7: a grant to an old request waits for all to tell, or for a person's word."""
    one, two, three = founder(tmp_path / "one"), daemon("two"), daemon("three")
    try:
        for node, name in ((two, "Bakery"), (three, "Garden")):
            assert cli("--home", node.home, "join", one.invite(), "--name", name).code == 0
            node.start()
        request = one.request(5_000)
        everybody = (one, two, three)
        wait_for(lambda: all(node.status()["requests"] == 1 for node in everybody), "all know it")
        wait_for(lambda: two.status()["gate"] == "open", "the bakery may grant")
        assert not one.client.get(f"/v1/requests/{request}")["frozen"]
        assert [three.stop(), one.stop()] == [0, 0]
        shutil.copytree(one.home, tmp_path / "backup", copy_function=shutil.copy2)
        shutil.rmtree(one.home)
        (tmp_path / "backup").rename(one.home)
        one.start()
        two.offer("Water", 9_000)
        wait_for(lambda: bool(one.items("/v1/grants")), "the bakery grants")
        (grant,) = one.items("/v1/grants")
        (held,) = one.status()["frozen"]["requests"]
        assert held["id"] == request
        assert "accepts nothing for" in one.run("status").out
        assert "Garden must tell all that they hold" in one.run("status").out
        assert "frozen" in one.run("request", "show", request).out
        assert one.client.get(f"/v1/grants/{grant['id']}")["status"] == "offered"
        assert grant["id"][:8] in one.run("board").out.partition("NEEDS YOU")[2]
        assert one.run("grant", "accept", grant["id"]).code == 0
        wait_for(
            lambda: two.client.get(f"/v1/grants/{grant['id']}")["status"] == "accepted",
            "the bakery knows that it is accepted",
        )
        assert one.status()["frozen"]["requests"] == []
    finally:
        one.kill()
