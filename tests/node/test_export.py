"""The board for spreadsheets, other programs and paper."""

import csv
import io
import json
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mycelia_node.exchange.board_csv import degrees
from mycelia_node.exchange.columns import COLUMNS, FORMULA_STARTS, disarm, rearm
from mycelia_node.exchange.moments import rfc3339
from mycelia_node.quantity import parse_quantity, split_quantities
from node_daemons import Daemon, cli

pytestmark = pytest.mark.daemon

EVIL = '=HYPERLINK("http://x")<script>alert(1)</script>'


@pytest.fixture(scope="module")
def board(oak: Daemon) -> Daemon:
    """Oak House with an offer that was partly granted, a request of its own, and a spade lent."""
    place = ("--place", "44.977,-93.265")
    assert oak.run("offer", "add", "food.dry", EVIL, "25", "kg", *place).code == 0
    asked = ("food.dry", 'Flour, "fine"', "1.5", "kg", "--urgency", "days", "--within", "36h")
    assert oak.run("request", "add", *asked, "--note", "two\nlines", "--people", "7").code == 0
    lent = ("tool.building", "Spade", "1", "pieces", "--lend", "2090-08-01T09:00/12:00")
    assert oak.run("offer", "add", *lent).code == 0
    return oak


def rows(text: str) -> list[dict[str, str]]:
    """Return the rows of CSV by column, hashtags first."""
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_csv_has_hashtags_and_exact_amounts(board: Daemon) -> None:
    """Header, HXL row, and each open thing with an amount that is read back to the same integer."""
    tags, *things = rows(board.run("export", "--format", "csv").out)
    assert tags == COLUMNS
    flour = next(thing for thing in things if thing["kind"] == "request")
    assert (flour["what"], flour["quantity"], flour["unit"]) == ('Flour, "fine"', "1.5", "kg")
    assert (flour["note"], flour["people"], flour["urgency"]) == ("two\nlines", "7", "days")
    assert flour["needed by"].endswith("Z")
    assert parse_quantity(flour["quantity"], flour["unit"]) == (1_500, "g")


def test_csv_holds_no_formula(board: Daemon) -> None:
    """What a spreadsheet would run is disarmed, and what a person wrote can be had back."""
    _, *things = rows(board.run("export", "--format", "csv").out)
    evil = next(thing for thing in things if "HYPERLINK" in thing["what"])
    assert not any(cell.startswith("=") for cell in evil.values())
    assert rearm(evil["what"]) == EVIL
    assert (evil["lat"], evil["lon"]) == ("44.97", "-93.27")


def test_valueflows_joins_up(board: Daemon) -> None:
    """Each name in the graph that one of ours points to is defined in it, and units are OM 2's."""
    document = json.loads(board.run("export", "--format", "valueflows").out)
    graph: list[dict[str, Any]] = document["@graph"]
    defined = {item["@id"] for item in graph}
    pointers = ("provider", "receiver", "publishes", "fulfills")
    named = {item[name] for item in graph for name in pointers if name in item}
    assert named <= defined
    assert {item["@type"] for item in graph} == {"Organization", "Proposal", "Intent"}
    spade = next(item for item in graph if item["@type"] == "Intent" and item["name"] == "Spade")
    assert spade["action"] == "vf:transferCustody"
    assert spade["resourceQuantity"] == {"om2:hasNumericalValue": 1, "om2:hasUnit": "om2:one"}
    used = {word for item in graph for word in item if not word.startswith("@")}
    assert "status" not in used


class Tags(HTMLParser):
    """Notes which elements a page has."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note one."""
        self.tags.append(tag)


def test_the_sheet_loads_and_runs_nothing(board: Daemon, tmp_path: Path) -> None:
    """The page names what is needed, has no script, link or picture, and escapes what it quotes."""
    out = tmp_path / "needed.html"
    assert board.run("request", "add", "food.water", EVIL, "20", "L").code == 0
    assert board.run("export", "--format", "sheet", "--out", str(out)).code == 0
    page = out.read_text()
    parser = Tags()
    parser.feed(page)
    assert not {"script", "link", "img", "iframe"} & set(parser.tags)
    assert "Flour, &quot;fine&quot;" in page
    assert "1.5 kg" in page
    assert page.index("In two or three days") < page.index("At any time")


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("chromium") is None, reason="needs chromium")
def test_the_sheet_prints(board: Daemon, tmp_path: Path) -> None:
    """A browser prints the sheet."""
    page, paper = tmp_path / "needed.html", tmp_path / "needed.pdf"
    assert board.run("export", "--format", "sheet", "--out", str(page)).code == 0
    command = ["chromium", "--headless", "--no-sandbox", f"--print-to-pdf={paper}", page.as_uri()]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    assert paper.read_bytes().startswith(b"%PDF")


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--format", "xls"], 2, "valueflows"),
        ([], 2, "--format"),
        (["--format", "sheet", "--all"], 2, "csv"),
        (["--format", "csv", "--out", "/nowhere/board.csv"], 1, "/nowhere/board.csv"),
    ],
)
def test_wrong_use_is_explained(board: Daemon, words: list[str], code: int, said: str) -> None:
    """What can't be done is refused with a word about what can."""
    result = board.run("export", *words)
    assert (result.code, said in result.err) == (code, True)


def test_no_daemon(tmp_path: Path) -> None:
    """Without a daemon the exit code says so."""
    assert cli("--home", tmp_path / "none", "export", "--format", "csv").code == 3


@given(st.text() | st.text("'=@a", max_size=5))
def test_disarming_is_undone(text: str) -> None:
    """A disarmed text begins with nothing that is run, and `rearm` gives back what it was."""
    assert not disarm(text).startswith(FORMULA_STARTS)
    assert rearm(disarm(text)) == text


@given(
    st.lists(st.integers(1, 10**9), min_size=1, max_size=3),
    st.sampled_from(("1", "W.h", "g", "mL", "min")),
)
def test_amounts_share_a_unit_and_are_exact(quantities: list[int], base: str) -> None:
    """However many amounts share one unit, each is read back to the same integer."""
    numbers, unit = split_quantities(quantities, base)
    assert [parse_quantity(number, unit) for number in numbers] == [(q, base) for q in quantities]


@pytest.mark.parametrize(
    ("value", "text"), [(0, "0"), (-1, "-0.0000001"), (932_700_000, "93.27"), (-(10**9), "-100")]
)
def test_degrees_are_exact(value: int, text: str) -> None:
    """Degrees are written without floats."""
    assert degrees(value) == text


@pytest.mark.parametrize(
    ("time_ms", "text"),
    [
        (0, "1970-01-01T00:00:00Z"),
        (1, "1970-01-01T00:00:00.001Z"),
        (2**53, ""),
        (None, ""),
    ],
)
def test_moments(time_ms: int | None, text: str) -> None:
    """A moment beyond all calendars, which a record may hold, is left out and breaks nothing."""
    assert rfc3339(time_ms) == text
