"""The node's folder: who may read it, who holds it, and what proves that it is untouched."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from mycelia_node.errors import HomeError
from mycelia_node.home import SOCKET_PATH_MAX, Home, default_home
from mycelia_node.keys import load_or_create_seed


def mode(path: Path) -> int:
    """Return the permission bits of a path."""
    return path.stat().st_mode & 0o777


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """An empty home."""
    home = Home.at(tmp_path / "home")
    home.create()
    return home


# --- where it is ---


def test_the_default_home(monkeypatch: pytest.MonkeyPatch) -> None:
    """MYCELIA_HOME beats XDG_DATA_HOME beats ~/.local/share."""
    monkeypatch.setenv("HOME", "/h")
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    monkeypatch.delenv("MYCELIA_HOME", raising=False)
    assert default_home() == Path("/h/.local/share/mycelia")
    monkeypatch.setenv("XDG_DATA_HOME", "/x")
    assert default_home() == Path("/x/mycelia")
    monkeypatch.setenv("MYCELIA_HOME", "/m")
    assert default_home() == Path("/m")
    assert Home.at("/n").path == Path("/n")


def test_the_socket_of_a_short_home_lies_in_it(home: Home) -> None:
    """Short paths keep everything in one folder."""
    if len(os.fsencode(home.path)) + 2 <= SOCKET_PATH_MAX:
        assert home.socket == home.path / "s"


def test_the_socket_of_a_long_home_lies_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A home whose socket path the system would refuse gets a short one, private and its own."""
    runtime = tmp_path / "run"
    runtime.mkdir(mode=0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(runtime))
    one, two = Home.at(tmp_path / ("long" * 30)), Home.at(tmp_path / ("song" * 30))
    assert one.socket != two.socket
    for home in (one, two):
        home.create()
        assert len(os.fsencode(home.socket)) <= SOCKET_PATH_MAX
    monkeypatch.delenv("XDG_RUNTIME_DIR")
    one.create()
    assert len(os.fsencode(one.socket)) <= SOCKET_PATH_MAX
    assert mode(one.socket.parent) == 0o700


# --- who may read it ---


def test_everything_is_private(home: Home) -> None:
    """The folder is 0700 and files in it are 0600, whatever the umask."""
    umask = os.umask(0)
    try:
        other = Home.at(home.path / "inner")
        other.create()
        load_or_create_seed(other)
    finally:
        os.umask(umask)
    assert mode(other.path) == 0o700
    assert mode(other.key) == 0o600


def test_an_open_folder_and_key_are_closed(home: Home) -> None:
    """What others could read is made private before use."""
    load_or_create_seed(home)
    home.path.chmod(0o755)
    home.key.chmod(0o644)
    home.create()
    load_or_create_seed(home)
    assert (mode(home.path), mode(home.key)) == (0o700, 0o600)


def test_a_file_in_place_of_the_folder(tmp_path: Path) -> None:
    """A home that is a file is a clear error."""
    (tmp_path / "home").write_text("")
    with pytest.raises(HomeError, match="not a folder"):
        Home.at(tmp_path / "home").create()


# --- the key ---


def test_the_key_is_made_once(home: Home) -> None:
    """The seed is 32 random bytes, written as one line, and the same ever after."""
    seed = load_or_create_seed(home)
    assert len(seed) == 32
    assert home.key.read_text() == seed.hex() + "\n"
    assert load_or_create_seed(home) == seed


@pytest.mark.parametrize("text", ["", "abc", "zz" * 32, "00" * 31, "00" * 33, "é" * 64])
def test_a_damaged_key_is_refused(home: Home, text: str) -> None:
    """A key file that is no seed is never silently replaced."""
    home.key.write_text(text)
    with pytest.raises(HomeError, match=r"identity\.key"):
        load_or_create_seed(home)
    assert home.key.read_text() == text


def test_a_lost_key_is_not_replaced_beside_its_records(home: Home) -> None:
    """With records here, a missing key is an error: a fresh one would be a stranger."""
    home.database.write_bytes(b"")
    with pytest.raises(HomeError, match="is gone"):
        load_or_create_seed(home)
    assert not home.key.exists()


# --- who holds it ---


def test_two_processes_never_hold_one_home(home: Home) -> None:
    """The second is refused and told the pid of the first; after the first ends, it may."""
    with (
        home.locked(),
        pytest.raises(HomeError, match=f"pid {os.getpid()}") as caught,
        home.locked(),
    ):
        pass
    assert caught.value.code == "in-use"
    with home.locked():
        pass


# --- the clean marker ---

LOG = b"\1\2\3\4\5\6\7\x08"


def touch(home: Home) -> None:
    """Write into the database as somebody else would."""
    with home.database.open("r+b") as file:
        file.write(b"x")


def restore(home: Home) -> None:
    """Put a copy of the same bytes in place, as a restored backup does."""
    copy = home.path / "copy"
    shutil.copy2(home.database, copy)
    copy.replace(home.database)


@pytest.mark.parametrize(
    ("disturb", "log"),
    [
        (lambda home: None, LOG),
        (touch, None),
        (restore, None),
        (lambda home: home.database.unlink(), None),
        (lambda home: home.database.chmod(0o640), None),
        (lambda home: home.clean.write_text("{}"), None),
        (lambda home: home.clean.write_text("[1"), None),
        (lambda home: home.clean.write_text('"text"'), None),
        (lambda home: home.clean.unlink(), None),
    ],
    ids=["nothing", "write", "restore", "remove", "chmod", "empty", "cut", "text", "gone"],
)
def test_the_marker_proves_an_untouched_database(
    home: Home, disturb: Callable[[Home], object], log: bytes | None
) -> None:
    """The log may be written on exactly if the file is the one that was closed."""
    home.database.write_bytes(b"records")
    home.mark_clean(LOG)
    disturb(home)
    assert home.take_clean() == log


def test_the_marker_serves_once(home: Home) -> None:
    """Taking it removes it, so that a crash right after leaves no proof."""
    home.database.write_bytes(b"records")
    home.mark_clean(LOG)
    assert home.take_clean() == LOG
    assert not home.clean.exists()
    assert home.take_clean() is None


def test_a_copied_folder_proves_nothing(home: Home, tmp_path: Path) -> None:
    """Two nodes from one copied folder must not both write on the same log."""
    home.database.write_bytes(b"records")
    home.mark_clean(LOG)
    shutil.copytree(home.path, tmp_path / "copy", copy_function=shutil.copy2)
    assert Home.at(tmp_path / "copy").take_clean() is None


def test_a_moved_folder_still_proves_it(home: Home, tmp_path: Path) -> None:
    """Renaming the folder changes nothing in it."""
    home.database.write_bytes(b"records")
    home.mark_clean(LOG)
    home.path.rename(tmp_path / "moved")
    assert Home.at(tmp_path / "moved").take_clean() == LOG
