"""Settings: strict to read, gentle to write."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mycelia_node.config import Config, load_config, parse_config
from mycelia_node.config_edit import create_config, quote, set_value, with_line
from mycelia_node.errors import ConfigError
from mycelia_node.home import Home

FULL = """\
version = 1
[node]
name = "Oak House"
[link]
listen = "[::1]:7946"
advertise = ["oak.example:7946", "wss://oak.example/mycelia"]
dial = ["10.0.0.2:7946"]
discover = false
[share]
policy = "none"
receipts = "auto"
[log]
level = "debug"
format = "json"
"""


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """An empty home."""
    home = Home.at(tmp_path / "home")
    home.create()
    return home


def test_every_setting_is_read() -> None:
    """All keys arrive where they belong."""
    config = parse_config(FULL)
    assert config.node.name == "Oak House"
    assert config.link.listen == "[::1]:7946"
    assert config.addresses == ("oak.example:7946", "wss://oak.example/mycelia")
    assert config.link.dial == ("10.0.0.2:7946",)
    assert not config.link.discover
    assert (config.share.policy, config.share.receipts) == ("none", "auto")
    assert (config.log.level, config.log.format) == ("debug", "json")


def test_no_file_and_an_empty_file_mean_defaults(home: Home) -> None:
    """Every line is optional."""
    assert load_config(home) == parse_config("") == Config()


def test_the_template_is_valid_and_says_the_defaults(home: Home) -> None:
    """The first config.toml reads, and so does every line in it that is commented out."""
    create_config(home, 'Ana\'s "Oak" \\ House')
    config = load_config(home)
    assert config.node.name == 'Ana\'s "Oak" \\ House'
    text = home.config.read_text()
    opened = parse_config(text.replace("\n# ", "\n").replace("Mycelia settings", "# Mycelia"))
    assert opened.link.listen == "127.0.0.1:7946"
    assert (opened.link.dial, opened.share, opened.log) == ((), config.share, config.log)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[nod]", "'node'"),
        ("[lnik]\nlisten = 'a:1'", "'link'"),
        ("[node]\nnmae = 'x'", "'name'"),
        ("[link]\nlisen = 'a:1'", "'listen'"),
        ("[share]\npolicy = 'fif'", "'fifo'"),
        ("[share]\nreceipts = 'autom'", "'auto'"),
        ("[log]\nlevel = 'warn'", "'warning'"),
        ("[log]\nlevel = 3", "text in quotes"),
        ("[link]\ndiscover = 'yes'", "true or false"),
        ("[link]\ndiscover = 1", "true or false"),
        ("[link]\ndial = 'a:1'", "a list of texts"),
        ("[link]\ndial = [1]", "a list of texts"),
        ("[link]\ndial = ['nowhere']", "host:port"),
        ("[link]\ndial = ['host:0']", "to dial"),
        ("[link]\ndial = ['host:99999']", "host:port"),
        ("[link]\ndial = ['::1:7946']", "host:port"),
        ("[link]\ndial = ['http://host']", "host:port"),
        ("[link]\ndial = ['ws://']", "WebSocket URL"),
        (
            f"[link]\nadvertise = {['a:1'] * 9}",
            "at most 8",
        ),
        ("[link]\nlisten = 'port'", "host:port"),
        ("[link]\nlisten = ':7946'", "host:port"),
        ("[node]\nname = ''", "1 to 80"),
        ("[node]\nname = '" + "x" * 81 + "'", "1 to 80"),
        ("node = 3", "[node]"),
        ("version = 2", "version 1"),
        ("version = true", "version 1"),
        ("[node\nname", "not valid TOML"),
        ("colour = 'red'", "unknown section"),
    ],
)
def test_a_wrong_setting_is_named(text: str, said: str) -> None:
    """Each mistake is an error that says what would be right."""
    with pytest.raises(ConfigError) as caught:
        parse_config(text)
    assert said in str(caught.value)


@pytest.mark.parametrize("listen", ["0.0.0.0:7946", "[::]:7946"])
def test_nobody_is_told_to_dial_a_wildcard(listen: str) -> None:
    """An address that stands for all of them is not put into invites."""
    assert parse_config(f"[link]\nlisten = '{listen}'").addresses == ()


# --- writing ---


def test_one_line_changes(home: Home) -> None:
    """Setting a value keeps comments, order and every other byte."""
    create_config(home, "Oak House")
    before = home.config.read_text().splitlines()
    set_value(home, "link", "listen", "127.0.0.1:7950")
    after = home.config.read_text().splitlines()
    changed = [(a, b) for a, b in zip(before, after, strict=True) if a != b]
    assert len(changed) == 1
    assert changed[0][1].startswith('listen = "127.0.0.1:7950"  # host:port')
    assert home.config.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", '\n[link]\nlisten = "a:1"\n'),
        ("[node]", '[node]\n\n[link]\nlisten = "a:1"\n'),
        ("[link]", '[link]\nlisten = "a:1"\n'),
        ("[link]\ndial = []\n", '[link]\nlisten = "a:1"\ndial = []\n'),
        ("[link]\nlisten='b:2' # mine\n", '[link]\nlisten = "a:1" # mine\n'),
        ("[node]\nlisten = 1\n[link]\n", '[node]\nlisten = 1\n[link]\nlisten = "a:1"\n'),
        (" [ link ] # x\n", ' [ link ] # x\nlisten = "a:1"\n'),
    ],
)
def test_where_a_line_goes(before: str, after: str) -> None:
    """A line goes into its own section, in place of an old one if there is one."""
    assert with_line(before, "link", "listen", 'listen = "a:1"') == after


def test_a_file_that_cannot_be_changed_by_line_is_left_alone(home: Home) -> None:
    """When the result would not say what was meant, nothing is written."""
    text = "link = { discover = false }\n"
    home.config.write_text(text)
    with pytest.raises(ConfigError):
        set_value(home, "link", "listen", "127.0.0.1:7950")
    assert home.config.read_text() == text


@given(st.text(min_size=1, max_size=80))
def test_any_text_survives_quoting(text: str) -> None:
    """A quoted text reads back as itself."""
    if not any(0xD800 <= ord(letter) <= 0xDFFF for letter in text):
        assert parse_config(f"[node]\nname = {quote(text)}\n").node.name == text


def test_the_wait_for_answers_is_read_strictly() -> None:
    """Three days if nothing is said, else seconds from one to thirty days."""
    assert parse_config("").share.accept_within_s == 3 * 86_400
    assert parse_config("[share]\naccept_within_s = 60\n").share.accept_within_s == 60
    for wrong in ("0", "2592001", "true", "1.5"):
        with pytest.raises(ConfigError, match=r"share\.accept_within_s is"):
            parse_config(f"[share]\naccept_within_s = {wrong}\n")
