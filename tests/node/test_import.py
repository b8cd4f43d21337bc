"""Offers and requests from spreadsheets: what is wrong is told by line."""

from pathlib import Path

import pytest

from mycelia_node.errors import NodeError
from mycelia_node.exchange.board_table import Row, read_table
from mycelia_node.exchange.intake import plan
from mycelia_node.exchange.mapping import TAKEN, Mapping, read_mapping
from mycelia_node.exchange.rows import Wanted, read_row
from node_daemons import Daemon

NOW_MS = 1_790_000_000_000

GOOD = """\
Kind,Item,Category,Amount,Unit,Until,Location,Colour
#meta+kind,#item,#item,#item,#item,#date,#geo,
have,Drinking water,,20,L,2090-08-01,"44.977, -93.265",blue

need,"Nappies
size 4",nappies,60 pcs,,,,
"""

MAPPING = """\
[columns]
what = "Was"
quantity = "Menge"
[values.kind]
"Biete" = "offer"
"Suche" = "request"
[defaults]
category = "food.dry"
[format]
delimiter = ";"
decimal = ","
date = "%d.%m.%Y"
encoding = "cp1252"
"""


def read(text: str, mapping: Mapping | None = None) -> list[Wanted]:
    """Return what the rows of a table want."""
    mapping = mapping or Mapping()
    table = read_table(text.encode(mapping.encoding or "utf-8"), mapping)
    return [read_row(row, mapping, NOW_MS) for row in table.rows]


def test_what_people_have_in_spreadsheets_is_taken() -> None:
    """Usual headers, words for categories, an amount with its unit, HXL rows, empty rows."""
    water, nappies = read(GOOD)
    assert (water.line, water.kind, water.problems) == (3, "offer", [])
    assert water.body["category"] == "food.water"
    assert (water.body["quantity"], water.body["unit"]) == (20_000, "mL")
    assert water.body["place"] == {"lat_e7": 449_770_000, "lon_e7": -932_650_000}
    assert (nappies.line, nappies.kind, nappies.problems) == (5, "request", [])
    assert nappies.body["title"] == "Nappies size 4"
    assert (nappies.body["quantity"], nappies.body["unit"]) == (60, "1")
    assert read_table(GOOD.encode(), Mapping()).unused == ("Colour",)


def test_a_mapping_file_explains_any_table() -> None:
    """Other headers, words, decimals, dates, separators and encodings."""
    mapping = read_mapping(MAPPING)
    text = "Kind;Was;Menge;unit;until\nBiete;Äpfel;1.000,5;kg;31.12.2089\nSuche;Mehl;2;kg;\n"
    apples, flour = read(text, mapping)
    assert apples.problems == flour.problems == []
    assert (apples.kind, apples.body["title"], flour.kind) == ("offer", "Äpfel", "request")
    assert (apples.body["quantity"], apples.body["category"]) == (1_000_500, "food.dry")


def test_a_day_lasts_until_its_end() -> None:
    """`until` a day means the whole day, by the local clock."""
    day, moment = read(
        "kind,what,quantity,unit,until\n"
        "offer,water,1,L,2089-08-01\noffer,water,1,L,2089-08-02T00:00\n"
    )
    assert day.body["expires_ms"] == moment.body["expires_ms"]


BAD = [
    ({"kind": "loan"}, "kind", "offer or request"),
    ({"what": ""}, "what", "word"),
    ({"what": "Zzzz", "category": "zzzz"}, "category", "mycelia categories"),
    ({"quantity": "some"}, "quantity", "200 or 2.5"),
    ({"quantity": "2,5"}, "quantity", "decimal"),
    ({"quantity": "0.0001"}, "quantity", "fewer decimals"),
    ({"quantity": ""}, "quantity", "20 kg"),
    ({"unit": "gallon"}, "quantity", "unit"),
    ({"unit": ""}, "unit", "20 kg"),
    ({"place": "5 Elm Street"}, "place", "44.97,-93.26"),
    ({"until": "next week!"}, "until", "mapping file"),
    ({"until": "2026-13-01"}, "until", "mapping file"),
    ({"urgency": "soon"}, "urgency", "days"),
    ({"people": "many"}, "people", "12"),
    ({"people": "0"}, "", "correct"),
    ({"what": "x" * 81, "category": "food.water"}, "", "Shorten"),
    ({"lat": "99", "lon": "0"}, "", "correct"),
]


@pytest.mark.parametrize(("change", "column", "action"), BAD)
def test_each_bad_cell_says_what_to_do(change: dict[str, str], column: str, action: str) -> None:
    """A wrong cell is named with its line and a way to mend it."""
    cells = dict.fromkeys(TAKEN, "")
    cells |= {"kind": "request", "what": "Water", "quantity": "1", "unit": "L"}
    wanted = read_row(Row(7, {**cells, **change}), Mapping(), NOW_MS)
    (problem,) = wanted.problems
    assert (problem.line, problem.column) == (7, column)
    words = f"{problem.message} {problem.action}"
    assert action in words
    assert read_row(Row(7, cells), Mapping(), NOW_MS).problems == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "empty"),
        ("kind,quantity\n", "what it is"),
        ("what,quantity\n", "offer or request"),
        ("kind,what\n", "how much"),
        ("kind,what,what,quantity\n", "Two columns"),
        ('kind,what,quantity\noffer,"water,1\n', "no CSV"),
        ("kind,what,quantity\n" + "offer,water,1 L\n" * 10_001, "more than 10000"),
    ],
)
def test_what_is_no_table_is_refused(text: str, said: str) -> None:
    """A file without the columns that matter says which one is missing."""
    with pytest.raises(NodeError, match=said):
        read(text)


def test_an_encoding_that_is_not_utf8_is_named_by_line() -> None:
    """Bytes that are no UTF-8 are an error with a remedy, never wrong letters."""
    with pytest.raises(NodeError, match="Line 2 is not UTF-8"):
        read_table("kind,what\noffer,Äpfel\n".encode("cp1252"), Mapping())


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[colums]", "columns"),
        ("[columns]\nwaht = 'x'", "what"),
        ("[columns]\nwhat = 3", "texts"),
        ("[format]\ndecimal = 'x'", "decimal"),
        ("[format]\nencoding = 'latin-99'", "encoding"),
        ("what = ", "no TOML"),
        ("[values]\nkind = 'x'", "texts"),
    ],
)
def test_a_mapping_file_is_read_strictly(text: str, said: str) -> None:
    """A typo names the nearest key."""
    with pytest.raises(NodeError, match=said):
        read_mapping(text)


def test_equal_rows_need_as_many_things() -> None:
    """Two equal rows are two things; one that is here stands for one of them."""
    rows = "kind,what,quantity,unit\n" + "offer,water,1,L\n" * 2
    here = {"category": "food.water", "title": "water", "quantity": 1_000, "unit": "mL"}
    thing = {**here, "kind": "offer", "id": "x", "mine": True, "note": "", "expires_ms": None}
    intake = plan(read(rows), [{**thing, "place": None}], NOW_MS)
    assert (intake.known, [each.line for each in intake.fresh]) == ((2,), [3])


def test_what_is_over_is_bad() -> None:
    """A date that lies behind us is told, not written."""
    rows = read("kind,what,quantity,unit,until\noffer,water,1,L,2001-01-01\n")
    (problem,) = plan(rows, [], NOW_MS).problems
    assert "over" in problem.message


@pytest.mark.daemon
def test_import_writes_all_or_nothing_and_only_once(oak: Daemon, tmp_path: Path) -> None:
    """A bad row stops all; a good table is written once, however often it is taken in."""
    table = tmp_path / "board.csv"
    table.write_text(GOOD + "offer,Soup,food.meals,many,pieces,,,\n")
    dry = oak.run("import", str(table), "--dry-run")
    assert (dry.code, "line 7, quantity" in dry.out, "2 rows to write" in dry.out) == (
        1,
        True,
        True,
    )
    assert oak.run("import", str(table)).code == 1
    assert oak.items("/v1/offers") == oak.items("/v1/requests") == []
    skipped = oak.run("import", str(table), "--skip-bad", "--json")
    assert (skipped.code, [row["line"] for row in skipped.json["written"]]) == (0, [3, 5])
    assert [item["title"] for item in oak.items("/v1/offers")] == ["Drinking water"]
    table.write_text(GOOD)
    assert "0 rows written, 2 rows known" in oak.run("import", str(table)).out
    table.write_text(oak.run("export", "--format", "csv").out)
    again = oak.run("import", str(table), "--json").json
    assert (again["new"], again["bad"], len(again["known"])) == (0, [], 2)
    assert len(oak.items("/v1/offers")) == 1


@pytest.mark.daemon
def test_a_file_that_is_not_there_is_named(oak: Daemon, tmp_path: Path) -> None:
    """A missing table or mapping file is an error with its name."""
    result = oak.run("import", str(tmp_path / "none.csv"))
    assert (result.code, "none.csv: No such file" in result.err) == (1, True)


@pytest.mark.daemon
def test_an_export_is_taken_in_elsewhere(oak: Daemon, tmp_path: Path) -> None:
    """Rows of an export whose ids are unknown are written anew and say the same."""
    exported = oak.run("export", "--format", "csv").out
    table = tmp_path / "board.csv"
    table.write_text(exported.replace("mycr1", "mycx1").replace("Drinking water", "=Water"))
    written = oak.run("import", str(table), "--json").json["written"]
    assert len(written) == 1
    assert oak.items("/v1/offers")[-1]["title"] == "=Water"
