"""What members told of their stores: kept in the database, read again, and lost without harm."""

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from mycelia_node.errors import StoreError
from mycelia_node.heard import Heard, heads_note, note_name, read_note
from mycelia_node.store import SqliteStore
from mycelia_protocol.encoding import encode
from mycelia_protocol.events import Range
from node_records import COMMONS, make_log

PEER = bytes(32)
HEADS = {(bytes([n]) * 32, bytes([n]) * 8): n for n in range(1, 200)}


def open_store(path: Path) -> SqliteStore:
    """Return a store whose reports are handled at once."""

    def post(function: Callable[[], None]) -> None:
        function()

    return SqliteStore(path, COMMONS, post)


def test_notes_survive_a_restart(tmp_path: Path) -> None:
    """The last note under a name is what is read, also by the next process."""
    store = open_store(tmp_path / "node.db")
    store.save_note(*heads_note(PEER, 1, {}))
    store.save_note(*heads_note(PEER, 2, HEADS))
    store.close()
    again = open_store(tmp_path / "node.db")
    assert read_note(again.load_note(note_name(PEER)).result(5)) == Heard(2, HEADS)
    assert again.load_note(note_name(bytes([1]) * 32)).result(5) is None
    again.close()


def test_a_note_that_says_nothing_is_none() -> None:
    """What can't be read counts as nothing heard, so that a bundle holds everything."""
    assert read_note(None) is None
    for value in (b"", b"junk", encode([1]), encode([1, [[b"a", b"b"]]]), encode(["x", []])):
        assert read_note(value) is None
    assert read_note(heads_note(PEER, 5, {})[1]) == Heard(5, {})


def test_fetching_does_not_go_through_reports(tmp_path: Path) -> None:
    """Records can be read for a bundle, and a damaged row is told as an error of the store."""
    store = open_store(tmp_path / "node.db")
    stored = threading.Event()
    store.report = lambda _: stored.set()
    records = make_log(count=5)
    store.submit(1, tuple(records))
    assert stored.wait(5)
    wanted = Range(records[0].author, records[0].log, 0, 9)
    assert list(store.fetch((wanted,), 10**6).result(5)) == records
    store._writer._connection.execute("UPDATE records SET header = x'00' WHERE seq = 3")
    with pytest.raises(StoreError, match="damaged"):
        store.fetch((wanted,), 10**6).result(5)
    store.close()
