"""What links that came back have brought: the marks that a node keeps, and what it tells people."""

from functools import partial
from pathlib import Path

import pytest

from mycelia_node.cli.merged import lines
from mycelia_node.database import Writer
from mycelia_node.reunions import APART_MS, TOGETHER_MS, Reunion, Reunions
from node_daemons import Daemon, wait_for
from node_records import COMMONS

OAK, ELM, ASH = b"o" * 32, b"e" * 32, b"a" * 32
NOW_MS = 1_700_000_000_000
HOUR_MS = 3_600_000


class Diary:
    """A store that keeps notes, and reunions over it, opened again as often as a test likes."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "node.db"
        self.reopen()

    def save(self, name: str, value: bytes) -> None:
        """Keep a note."""
        writer = Writer(self.path, COMMONS)
        writer.write((), (), [(name, value)])
        writer.close()

    def reopen(self) -> None:
        """Begin as after a restart."""
        Writer(self.path, COMMONS).close()
        self.reunions = Reunions(self.path, self.save)


def test_a_mark_is_kept_where_a_link_was_gone_for_a_while(tmp_path: Path) -> None:
    """Short breaks and second links leave none; marks and absences outlast a restart."""
    diary = Diary(tmp_path)
    diary.reunions.met(OAK, NOW_MS)
    assert diary.reunions.latest() == {OAK: Reunion(NOW_MS, None)}
    diary.reunions.met(OAK, NOW_MS + 5)
    diary.reunions.lost(OAK, NOW_MS + 6)
    diary.reunions.met(OAK, NOW_MS + APART_MS + 6)  # the first link was there all the time
    for _ in range(2):
        diary.reunions.lost(OAK, NOW_MS + APART_MS + 7)
    diary.reunions.met(OAK, NOW_MS + 2 * APART_MS)  # too soon to be news
    assert diary.reunions.latest() == {OAK: Reunion(NOW_MS, None)}
    diary.reunions.lost(OAK, NOW_MS + 3 * APART_MS)
    diary.reopen()
    assert diary.reunions.latest() == {OAK: Reunion(NOW_MS, None)}
    back_ms = NOW_MS + 3 * APART_MS + HOUR_MS
    diary.reunions.met(OAK, back_ms)
    diary.reopen()  # by a crash: since when nobody was there is not known
    assert diary.reunions.latest() == {OAK: Reunion(back_ms, HOUR_MS)}
    diary.reunions.met(OAK, back_ms + HOUR_MS)
    assert diary.reunions.latest() == {OAK: Reunion(back_ms + HOUR_MS, None)}


def test_links_that_come_back_together_are_one_mending(tmp_path: Path) -> None:
    """The latest mending reaches back as long as one link follows another within ten minutes."""
    reunions = Diary(tmp_path).reunions
    for key, at_ms in ((OAK, 0), (ELM, 3 * TOGETHER_MS), (ASH, 4 * TOGETHER_MS)):
        reunions.met(key, NOW_MS + at_ms)
    assert set(reunions.latest()) == {ELM, ASH}
    assert set(reunions.since(NOW_MS)) == {OAK, ELM, ASH}


def arrived(node: Daemon, offer: str) -> bool:
    """Return whether an offer is here."""
    return any(item["id"] == offer for item in node.items("/v1/offers"))


@pytest.mark.daemon
def test_what_came_while_a_node_was_away_is_told(pair: tuple[Daemon, Daemon]) -> None:
    """By whom, how much, and which requests still lack something; as JSON and in words."""
    one, two = pair
    wait_for(lambda: len(one.status()["peers"]) == 1, "the two are connected")
    wait_for(lambda: "By Oak House: " in two.run("merged").out, "what came since they first met")
    assert one.stop() == 0
    offer = two.offer("Spring water")
    two.request(category="food.dry")
    one.start()
    wait_for(partial(arrived, one, offer), "what was missed arrives")
    told = one.run("merged", "--since", "2h", "--json").json
    (neighbour,) = told["neighbours"]
    assert (neighbour["name"], offer in neighbour["offers"]) == ("Bakery", True)
    assert [each["title"] for each in told["unmet"]] == ["Water"]
    text = one.run("merged", "--since", "2h").out
    assert f"By Bakery: {neighbour['records']} records of 1 member; among them 1 offer" in text
    assert "Unmet, of the requests that came:" in text
    assert one.run("merged", "--since", "soon").code == 2


def test_each_consequence_has_its_sentence() -> None:
    """Contested grants, rights that came back or are overdue, forks; and that there is none."""
    who = {"key": "myc1k", "name": "Elm"}
    rights = {
        "unit": "g",
        "title": "Rice",
        "left": 1_000,
        "until_ms": NOW_MS,
        "holder": who,
        "issuer": {"key": "myc1o", "name": "Oak\x1b"},
    }
    kinds = ("neighbours", "contested", "returned", "overdue", "unmet", "forks", "forked")
    nothing: dict[str, object] = {kind: [] for kind in kinds}
    answer = {**nothing, "since_ms": NOW_MS, "until_ms": NOW_MS + 3 * HOUR_MS}
    assert list(lines(answer))[1:] == [
        "Nothing new came.",
        "",
        "No grant is contested, no lease is over, and no request that came lacks anything.",
    ]
    quiet = {**who, "apart_ms": 2 * HOUR_MS, "records": 0}
    back = {"holder": who, "quantity": 500, "rights": rights}
    told = {"neighbours": [quiet], "returned": [back], "overdue": [rights], "forks": [who]}
    text = "\n".join(lines({**answer, **told}))
    assert "Elm came back after 2 h: nothing new." in text
    assert "Came back: Elm returned 500 g of Rice to Oak\N{REPLACEMENT CHARACTER}." in text
    assert "Overdue: Elm has not returned 1 kg of Rice to Oak" in text
    assert "Two versions: Elm wrote one log twice" in text
    assert "No link has come back" in next(lines({**answer, "since_ms": None}))
