"""The command line: exit codes, what is said where, and how little it costs to start."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from node_daemons import DEADLINE_S, ENVIRONMENT, ROOT, Daemon, cli

pytestmark = pytest.mark.daemon

VERBS = (
    *("up", "found", "invite", "join", "status", "offer"),
    *("request", "board", "categories", "grant", "watch", "down"),
)


def test_help_lists_every_command() -> None:
    """`mycelia --help` names all verbs without importing them."""
    result = cli("--help")
    for verb in VERBS:
        assert f"\n  {verb} " in result.out
    assert result.code == 0


@pytest.mark.parametrize(
    "verb", ["up", "found", "invite", "join", "status", "board", "watch", "down"]
)
def test_every_command_has_help(verb: str) -> None:
    """Each command explains itself and takes the common options."""
    result = cli(verb, "--help")
    assert result.code == 0
    assert "--home DIR" in result.out
    assert "--json" in result.out


BAD_LINES: list[tuple[list[str], int, str]] = [
    (["fly"], 2, "No such command"),
    (["statsu"], 2, "'status'"),
    (["--hmoe", "x", "status"], 2, "--home"),
    (["status", "extra"], 2, "unexpected extra argument"),
    (["found"], 2, "Missing argument"),
    (["found", ""], 1, "not a name"),
    (["found", "x" * 81], 1, "not a name"),
    (["found", "a\x1b[31mb"], 1, "not a name"),
    (["found", "Name", "--name", ""], 1, "not a name"),
    (["up", "--name", "a\nb"], 1, "not a name"),
    (["join"], 2, "Missing argument"),
    (["join", "nonsense"], 1, "begins with"),
    (["join", ""], 1, "empty"),
    (["join", "mycelia:AAAA"], 1, "can't be used"),
    (["invite", "--days", "soon"], 2, "not a valid integer"),
    (["offer"], 2, "Commands:"),
    (["offer", "remove"], 2, "No such command"),
    (["offer", "add", "food.water"], 2, "Missing argument"),
    (["offer", "add", "food.water", "Water", "1", "gallon"], 1, "Unknown unit"),
    (["offer", "add", "food.water", "Water", "much", "L"], 1, "not a number"),
    (["offer", "add", "food.water", "Water", "0.0001", "L"], 1, "whole number"),
    (["offer", "add", "food.water", "Water", "0", "L"], 1, "out of range"),
    (["offer", "add", "food.watr", "Water", "1", "L"], 1, "mean food.water (Drinking water)"),
    (["offer", "add", "food.watr", "Water", "1", "L"], 1, "--new-category"),
    (["request", "add", "Zzz", "Water", "1", "L"], 1, "mycelia categories"),
    (["offer", "add", "Zzz", "Water", "1", "L", "--new-category"], 1, "two words"),
    (["offer", "add", "food.water", "Water", "1e12", "L"], 1, "out of range"),
    (["offer", "add", "a.b", "Water", "1", "L", "--ends", "soon"], 2, "no span of time"),
    (["offer", "add", "a.b", "Water", "1", "L", "--ends", "0d"], 2, "no span of time"),
    (["offer", "add", "a.b", "Water", "1", "L", "--place", "here"], 2, "no place"),
    (["offer", "add", "a.b", "Water", "1", "L", "--place", "nan,1"], 2, "no place"),
    (["offer", "add", "a.b", "Water", "1", "L", "--place", "1,2,3"], 2, "no place"),
    (["request", "add", "a.b", "Water", "1", "L", "--urgency", "now!"], 2, "not one of"),
    (["grant", "received", "mycr1qqqqqqqq", "5"], 2, "needs its UNIT"),
    (["status"], 3, "no node at"),
    (["board"], 3, "no node at"),
    (["invite"], 3, "no node at"),
    (["watch"], 3, "no node at"),
    (["down"], 3, "no node at"),
    (["offer", "list"], 3, "no node at"),
    (["offer", "show", "x"], 3, "no node at"),
    (["grant", "list"], 3, "no node at"),
    (["offer", "add", "food.water", "Water", "1", "L"], 3, "no node at"),
]


@pytest.mark.parametrize(("words", "code", "said"), BAD_LINES)
def test_a_bad_line_is_explained(tmp_path: Path, words: list[str], code: int, said: str) -> None:
    """Each mistake: the right exit code, words on stderr, nothing on stdout, nothing made."""
    result = cli("--home", tmp_path / "home", *words)
    assert (result.code, result.out) == (code, "")
    assert said in result.err
    made = [path.name for path in (tmp_path / "home").glob("*")]
    assert "charter.bin" not in made


def test_errors_as_json(tmp_path: Path) -> None:
    """With --json a failure is one JSON object on stderr."""
    for words in (["status", "--json"], ["--json", "status"]):
        result = cli("--home", tmp_path / "home", *words)
        assert (result.code, result.out) == (3, "")
        assert '"code": "not-running"' in result.err


def test_found_without_a_daemon(tmp_path: Path) -> None:
    """`found` makes the home and the charter; a second one is refused; the name is kept."""
    home = tmp_path / "home"
    answer = cli("--home", home, "found", "Riverside Commons", "--name", "Oak House", "--json").json
    assert answer["commons"]["name"] == "Riverside Commons"
    assert answer["node"]["name"] == "Oak House"
    assert answer["running"] is False
    assert 'name = "Oak House"' in (home / "config.toml").read_text()
    before = (home / "charter.bin").read_bytes()
    again = cli("--home", home, "found", "Another")
    assert (again.code, "already" in again.err) == (1, True)
    assert (home / "charter.bin").read_bytes() == before


def test_what_people_read(oak: Daemon) -> None:
    """Tables are aligned, ids are short and accepted again, amounts are in human units."""
    home = oak.home
    words = ("bread", "Rye \N{SNOWMAN} bread", "2.5", "kg", "--lot", "0.5", "--ends", "14d")
    added = cli("offer", "add", *words, "--home", home)
    assert added.code == 0
    assert added.err == "Category: food.fresh.\n"
    table = cli("--home", home, "offer", "list").out
    header, row = (line for line in table.splitlines() if "ID" in line or "Rye" in line)
    assert header.index("OFFER") == row.index("Rye")
    assert "2.5 kg" in row
    assert "in 13 d" in row
    assert "(you)" in row
    short = row.split()[0]
    assert added.out.startswith(short)
    shown = cli("--home", home, "offer", "show", short).out
    assert "lot         500 g" in shown
    assert cli("--home", home, "offer", "withdraw", short).code == 0
    assert "Rye" not in cli("--home", home, "offer", "list").out
    assert "withdrawn" in cli("--home", home, "offer", "list", "--all").out


def test_board_status_and_requests_for_people(oak: Daemon) -> None:
    """The board has its sections, the status one sentence each, a request its urgency."""
    home = str(oak.home)
    words = ("home.tent", "Tents", "3", "pieces", "--urgency", "now", "--within", "36h")
    assert cli("--home", home, "request", "add", *words, "--new-category").code == 0
    listed = cli("--home", home, "request", "list", "--mine").out
    assert "3 x" in listed
    assert "now" in listed
    board = cli("--home", home, "board").out
    assert "OFFERS (" in board
    assert "REQUESTS (1)" in board
    status = cli("--home", home, "status").out
    assert "Oak House (myc1" in status
    assert 'in "Riverside Commons"' in status
    assert "no neighbour is connected" in status
    assert cli("--home", home, "grant", "list").err == "None.\n"


def test_an_invite_is_one_line_on_stdout(oak: Daemon) -> None:
    """The invite alone is the answer; how to use it is said beside, with the exact command."""
    result = cli("--home", oak.home, "invite", "--days", "2")
    (line,) = result.out.splitlines()
    assert line.startswith("mycelia:")
    assert f"mycelia join {line}" in result.err
    assert "for 2 d" in result.err


def test_texts_of_others_cannot_steer_the_terminal(oak: Daemon) -> None:
    """Control characters in titles and notes are shown as replacement characters."""
    body: dict[str, object] = {
        "category": "a.b",
        "title": "red\x1b[31m",
        "quantity": 1,
        "unit": "1",
        "note": "one\rtwo",
    }
    offer = oak.client.post("/v1/offers", body)["id"]
    outputs = [
        cli("--home", oak.home, *words).out
        for words in (("board",), ("offer", "list"), ("offer", "show", offer))
    ]
    assert all("\x1b" not in out and "\r" not in out for out in outputs)
    assert "\x1b" not in oak.log.read_text()


LIGHT = """
import sys
from mycelia_node.cli import main
try:
    main.main(sys.argv[1:])
except SystemExit as end:
    code = end.code
heavy = {"aiohttp", "asyncio", "cryptography", "msgpack", "sqlite3", "mycelia_sim"}
print(sorted(heavy & set(sys.modules)), code)
"""


@pytest.mark.parametrize("words", [["status"], ["offer", "list"], ["board"], ["invite"]])
def test_commands_import_little(oak: Daemon, words: list[str]) -> None:
    """A command that only asks the daemon imports none of what a node needs to run."""
    done = subprocess.run(
        [sys.executable, "-c", LIGHT, "--home", str(oak.home), *words],
        capture_output=True,
        text=True,
        env=ENVIRONMENT,
        cwd=ROOT,
        timeout=DEADLINE_S,
        check=False,
    )
    assert done.stdout.splitlines()[-1] == "[] 0"


def test_the_answer_may_be_cut_off(oak: Daemon) -> None:
    """A reader that closes the pipe early (head) causes no traceback."""
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-m", "mycelia_node", "--home", str(oak.home), "status"],
        stdout=writing,
        stderr=subprocess.PIPE,
        text=True,
        env=ENVIRONMENT,
        timeout=DEADLINE_S,
        check=False,
    )
    os.close(writing)
    assert "Traceback" not in done.stderr
