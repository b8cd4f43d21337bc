"""Bundles between real daemons and resting homes: written, read, carried, listed."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mycelia_node.errors import RequestError
from mycelia_node.home import Home
from mycelia_node.keys import load_seed
from mycelia_node.members import find_member
from mycelia_protocol.bundle import BundleWriter, Label
from mycelia_protocol.bundle_reader import BundleReader, LabelFound, RecordsFound
from mycelia_protocol.chunks import seal_chunk
from mycelia_protocol.crypto import public_key
from mycelia_protocol.encoding import encode
from mycelia_protocol.identity import to_text
from mycelia_protocol.state import State
from node_daemons import Daemon, cli, founder, part, wait_for
from node_luggage import look, out, take
from support.scribe import village

pytestmark = pytest.mark.daemon
Make = Callable[[str], Daemon]


@pytest.fixture(scope="module")
def islands(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Daemon, Daemon]]:
    """Two running members that no link joins: neither dials, and they met but once, at the join.

    The tests of this file share them, one after the other.
    """
    folder = tmp_path_factory.mktemp("islands")
    one, two = Daemon(folder / "one"), Daemon(folder / "two")
    try:
        assert cli("--home", one.home, "found", "Riverside", "--name", "Oak House").code == 0
        part(one)
        one.start()
        assert cli("--home", two.home, "join", one.invite(), "--name", "Bakery").code == 0
        part(two)
        two.start()
        yield one, two
    finally:
        one.kill()
        two.kill()


def digests(*nodes: Daemon) -> set[str]:
    """Return the different digests of what nodes hold."""
    return {node.client.get("/v1/heads")["digest"] for node in nodes}


def trip(source: Daemon, target: Daemon, folder: Path) -> int:
    """Carry a stick from one to the other; return how many records were new there."""
    answer = out(source.home, folder)
    (report,) = take(target.home, Path(answer["path"]))
    assert report["records"] == answer["records"]
    assert report["whole"]
    assert report["signed"]
    new = report["new"]
    assert isinstance(new, int)
    return new


def test_islands_share_by_stick(islands: tuple[Daemon, Daemon], tmp_path: Path) -> None:
    """An offer, a request, decision, grant and answer all go by stick; then both hold the same."""
    one, two = islands
    one.offer("Well water", 20_000)
    two.request(5_000)
    assert not one.status()["peers"]
    assert trip(one, two, tmp_path) >= 4  # the vouch for two among it
    assert trip(two, one, tmp_path) >= 2
    wait_for(lambda: one.status()["grants"] == 1, "the request is granted")
    assert trip(one, two, tmp_path) == 2
    wait_for(lambda: two.status()["grants_by_status"] == {"accepted": 1}, "it is accepted")
    assert trip(two, one, tmp_path) == 1
    assert len(digests(one, two)) == 1
    assert one.status()["state_digest"] == two.status()["state_digest"]
    assert not one.status()["peers"]
    names = sorted(path.name for path in tmp_path.glob("*.mycelia"))
    assert len(names) == 4
    assert sum("oak-house" in name for name in names) == 2
    assert [name for name in names if name.endswith("_2.mycelia")] != []


def test_the_second_time_nothing_is_new(islands: tuple[Daemon, Daemon], tmp_path: Path) -> None:
    """Taking a bundle in again changes nothing, and says so."""
    one, two = islands
    one.offer()
    bundle = Path(out(one.home, tmp_path)["path"])
    first = two.run("carry", "in", str(bundle))
    before = digests(two)
    again = two.run("carry", "in", str(bundle))
    assert (first.code, again.code) == (0, 0)
    count = look(bundle)["records"]
    assert f"1 new of {count}, from Oak House" in first.out
    assert f"0 new of {count}, from Oak House" in again.out
    assert digests(two) == before


def test_it_works_while_nothing_runs(islands: tuple[Daemon, Daemon], tmp_path: Path) -> None:
    """Without a daemon the home itself is read and written, and its log goes on afterwards."""
    one, two = islands
    two.offer()
    log = one.status()["log"]
    assert (one.stop(), two.stop()) == (0, 0)
    bundle = Path(out(two.home, tmp_path)["path"])
    with Home.at(one.home).locked():
        refused = one.run("carry", "in", str(bundle))
    assert (refused.code, "already running" in refused.err) == (1, True)
    (report,) = take(one.home, bundle)
    assert report["new"] == 1
    marker = (one.home / "clean").read_bytes()
    shown = one.run("carry", "list", str(bundle))
    assert "made by Bakery (myc1" in shown.out
    assert (one.home / "clean").read_bytes() == marker, "looking must not touch the store"
    (again,) = take(one.home, bundle)
    assert (again["new"], again["known"]) == (0, again["records"])
    one.start()
    two.start()
    assert one.status()["log"] == log
    assert one.status()["gate"] == "open"
    assert len([offer for offer in one.items("/v1/offers") if not offer["mine"]]) == 1
    one.offer()
    assert one.status()["log"] == log


def test_a_bundle_for_somebody_leaves_out_what_it_holds(daemon: Make, tmp_path: Path) -> None:
    """What a member told on its last link is left out; the stick brings just the rest."""
    one = founder(tmp_path / "one")
    two, clinic = daemon("two"), tmp_path / "three"
    try:
        assert cli("--home", two.home, "join", one.invite(), "--name", "Bakery").code == 0
        assert cli("--home", clinic, "join", one.invite(), "--name", "Clinic").code == 0
        two.start()
        wait_for(lambda: len(digests(one, two)) == 1, "they hold the same")
        assert two.stop() == 0
        two.start()  # at the beginning of a session all heads are told

        def is_level() -> bool:
            return bool(out(one.home, tmp_path, "--for", "Bakery")["records"] == 0)

        wait_for(is_level, "the other has told what it holds")
        assert two.stop() == 0
        wait_for(lambda: not one.status()["peers"], "the link is gone")
        for n in range(3):
            one.offer(f"Water {n}")
        answer = out(one.home, tmp_path, "--for", "bakery")
        assert (answer["records"], answer["audience"]["name"]) == (3, "Bakery")
        assert answer["left_out"] > 3
        assert "for-bakery" in answer["path"]
        assert one.stop() == 0
        same = out(one.home, tmp_path, "--for", two.ready["key"][:20])
        assert (same["records"], same["basis_ms"]) == (3, answer["basis_ms"])
        whole = out(one.home, tmp_path, "--for", key_of(clinic))
        assert (whole["basis_ms"], whole["left_out"]) == (None, 0)
        (report,) = take(two.home, Path(answer["path"]))
        assert (report["new"], report["gaps"]) == (3, 0)
        (wrong,) = take(clinic, Path(answer["path"]))
        assert (wrong["new"], wrong["strangers"] + wrong["gaps"]) == (0, 3)
        (right,) = take(clinic, Path(whole["path"]))
        assert right["new"] == right["records"]
    finally:
        one.kill()


def key_of(home: Path) -> str:
    """Return a node's key as text."""
    return to_text("key", public_key(load_seed(home / "identity.key")))


def test_a_bundle_tells_what_its_maker_holds(
    islands: tuple[Daemon, Daemon], tmp_path: Path
) -> None:
    """After a stick from a member, a bundle for it leaves out what its maker held."""
    one, two = islands
    trip(one, two, tmp_path)
    trip(two, one, tmp_path)
    one.offer()
    back = out(one.home, tmp_path, "--for", "Bakery")
    assert (back["records"], back["left_out"] > 0) == (1, True)
    (report,) = take(two.home, Path(back["path"]))
    assert report["new"] == 1
    assert len(digests(one, two)) == 1


def test_damaged_bundles_give_what_is_whole(islands: tuple[Daemon, Daemon], tmp_path: Path) -> None:
    """A bundle with a spoilt chunk and no end gives the rest, says what is missing, ends with 1."""
    one, two = islands
    for n in range(8):
        one.offer(f"Water {n}")
    bundle = Path(out(one.home, tmp_path / "whole.mycelia")["path"])
    data = bundle.read_bytes()
    cut = tmp_path / "cut.mycelia"
    cut.write_bytes(data[:-100])
    (report,) = take(two.home, cut, code=1)
    assert (report["whole"], report["damaged"], report["chunks_made"]) == (False, 1, None)
    assert report["new"] == 8
    spoilt = tmp_path / "spoilt.mycelia"
    place = data.index(b"Water 7")
    spoilt.write_bytes(data[:place] + b"Wine" + data[place + 4 :])
    shown = two.run("carry", "in", str(spoilt))
    assert shown.code == 1
    assert "0 new of 0" in shown.out
    assert "damaged: " in shown.out
    assert "missing: " in shown.out
    listed = two.run("carry", "list", str(cut), str(spoilt))
    assert listed.code == 1
    assert "its end is missing" in listed.out


def test_list_shows_what_is_inside(islands: tuple[Daemon, Daemon], tmp_path: Path) -> None:
    """Maker, time, audience, authors by name, kinds: all without taking anything in."""
    one, two = islands
    trip(two, one, tmp_path)
    one.offer()
    bundle = Path(out(one.home, tmp_path / "b.mycelia", "--for", "Bakery")["path"])
    before = digests(two)
    shown = two.run("carry", "list", str(bundle)).out
    assert "made by Oak House (myc1" in shown
    assert "for Bakery (myc1" in shown
    assert "1 offer" in shown
    assert "Oak House" in shown.splitlines()[-1]
    answer = json.loads(two.run("carry", "list", str(bundle), "--json").out)["files"][0]
    assert answer["kinds"]["offer"] == 1
    assert answer["unauthentic"] == 0
    assert {author["name"] for author in answer["authors"]} >= {"Oak House"}
    assert digests(two) == before
    whole = out(one.home, tmp_path / "whole.mycelia")["path"]
    nowhere = cli("--home", tmp_path / "nowhere", "carry", "list", whole)
    assert nowhere.code == 0
    assert "made by Oak House" in nowhere.out
    assert not (tmp_path / "nowhere").exists()


def test_a_folder_is_taken_in_whatever_its_order(
    islands: tuple[Daemon, Daemon], tmp_path: Path
) -> None:
    """Files of a folder fill each other's gaps; what is no bundle for this node is said so."""
    one, two = islands
    folder = tmp_path / "stick"
    folder.mkdir()
    trip(two, one, tmp_path)
    one.offer()
    first = out(one.home, folder / "b-first.mycelia")
    for n in range(3):
        one.offer(f"Water {n}")
    part_of = folder / "a-second.mycelia"
    out(one.home, folder / "c-whole.mycelia")
    late = later_records(folder / "c-whole.mycelia", first["records"])
    (folder / "c-whole.mycelia").unlink()
    part_of.write_bytes(late)
    (folder / "d-other.mycelia").write_bytes(b"not a bundle")
    (folder / ".hidden.mycelia").write_bytes(b"left by somebody's desktop")
    reports = take(two.home, folder, code=1)
    assert [Path(report["path"]).name[0] for report in reports] == ["a", "b", "d"]
    assert [report["left"] for report in reports] == [0, 0, 0]
    assert reports[2]["error"] == "This is no bundle, or nothing in it can be read any more."
    assert len(digests(one, two)) == 1
    nothing = tmp_path / "nothing"
    nothing.mkdir()
    refused = two.run("carry", "in", str(nothing))
    assert (refused.code, "no bundle in" in refused.err) == (1, True)


def later_records(bundle: Path, known: int) -> bytes:
    """Return a bundle with only those records of another that come after the first so many."""
    found = BundleReader().feed(bundle.read_bytes())
    assert isinstance(found[0], LabelFound)
    records = [r for one in found if isinstance(one, RecordsFound) for r in one.records]
    mine = [record for record in records if record.author == found[0].label.maker]
    offers = mine[-3:]
    assert len(records) - known == len(offers)
    label = Label(records[0].commons, public_key(b"\5" * 32), 1)
    writer = BundleWriter(b"\5" * 32, b"by hand.", label)
    return writer.begin() + writer.add(offers) + writer.end()


BAD_LINES = [
    (["out", "{missing}/stick"], "no folder"),
    (["out", "{missing}/stick.mycelia"], "Is the stick mounted?"),
    (["out", "{folder}", "--for", "Nobody"], "No member is called 'Nobody'"),
    (["out", "{folder}", "--for", "{key}"], "this very node"),
    (["out", "{folder}", "--for", "myc1qqqqqqqqqq"], "No member is called"),
    (["out", "{text}"], "exists already"),
    (["in", "{missing}"], "There is no"),
    (["in", "{folder}"], "no bundle in"),
    (["in", "{text}"], "no bundle"),
    (["in", "{foreign}"], "of another commons (mycc1"),
    (["in", "{later}"], "Upgrade"),
    (["list", "{text}"], "no bundle"),
    (["list", "{missing}"], "Is the stick mounted?"),
]


@pytest.mark.parametrize("runs", [True, False])
def test_mistakes_are_explained(islands: tuple[Daemon, Daemon], tmp_path: Path, runs: bool) -> None:
    """Each mistake has its words and leaves nothing behind, with a daemon and without."""
    other, resting = tmp_path / "other", tmp_path / "resting"
    assert cli("--home", other, "found", "Hillside").code == 0
    names = ("folder", "text", "foreign", "later", "missing")
    places = {name: tmp_path / f"{name}.mycelia" for name in names}
    places["folder"].mkdir()
    places["text"].write_text("text")
    places["later"].write_bytes(seal_chunk(b"\1" * 32, b"12345678", 0, encode([1, 2])))
    out(other, places["foreign"])
    home = islands[0].home
    if not runs:
        home = resting
        assert cli("--home", home, "found", "Riverside", "--name", "Oak House").code == 0
    key = key_of(home)
    for line, said in BAD_LINES:
        words = [word.format(**places, key=key) for word in line]
        result = cli("--home", home, "carry", *words)
        assert (result.code, said in result.err) == (1, True), (line, result)
        assert list(places["folder"].iterdir()) == []


def test_no_node_and_no_commons_are_explained(tmp_path: Path, daemon: Make) -> None:
    """Where there is nothing to carry from, it says what to do first."""
    nowhere = cli("--home", tmp_path / "nowhere", "carry", "out", tmp_path)
    assert (nowhere.code, "no node at" in nowhere.err) == (1, True)
    node = daemon("new").start()
    assert "in no commons yet" in node.run("carry", "out", str(tmp_path)).err
    assert node.stop() == 0
    assert "in no commons yet" in node.run("carry", "out", str(tmp_path)).err
    assert not list(tmp_path.glob("*.mycelia"))


def test_members_are_found_by_name_or_key() -> None:
    """A name in any case, or the beginning of a key; two of one name, or nobody, is explained."""
    charter, (one, two, three) = village(3)
    for scribe, name in ((one, "Oak House"), (two, "Bakery"), (three, "bakery")):
        scribe.write("profile", {"name": name})
    state = State(charter)
    for record in (*one.written, *two.written, *three.written):
        state.add(record)
    assert find_member(state, "oak house") == find_member(state, " Oak House ") == one.key
    assert find_member(state, to_text("key", two.key)[:13]) == two.key
    with pytest.raises(RequestError, match="2 members are called 'Bakery'") as caught:
        find_member(state, "Bakery")
    assert to_text("key", three.key) in caught.value.action
    with pytest.raises(RequestError, match="Did you mean 'Oak House'"):
        find_member(state, "Oak Hose")
    with pytest.raises(RequestError, match="No member"):
        find_member(state, "myc1qqqq")
