"""Files that the store must refuse, and what it says about them; and a process that is killed."""

import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from mycelia_node import database
from mycelia_node.errors import StoreError
from mycelia_node.migrations import APPLICATION_ID, MIGRATIONS, READABLE_MIN, migrate
from mycelia_node.store import SqliteStore
from mycelia_protocol.events import Range
from node_records import COMMONS, make_log

ROOT = Path(__file__).parents[2]


def open_store(path: Path) -> None:
    """Open a store, load all of it, and close it."""
    store = SqliteStore(path, COMMONS, lambda function: function())
    try:
        for _ in store.load():
            pass
    finally:
        store.close()


def write_store(path: Path) -> None:
    """Make a store with some records."""
    store = SqliteStore(path, COMMONS, lambda function: function())
    store.submit(0, tuple(make_log(count=50, size=500)))
    store.close()


def refusal(path: Path) -> StoreError:
    """Return the error that opening and loading the file gives."""
    with pytest.raises(StoreError) as caught:
        open_store(path)
    assert caught.value.action
    return caught.value


def test_a_newer_schema_is_refused_and_left_alone(tmp_path: Path) -> None:
    """A file of a later version is not touched, not even its journal mode."""
    path = tmp_path / "node.db"
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    connection.execute("CREATE TABLE future (x)")
    connection.close()
    before = path.read_bytes()
    error = refusal(path)
    assert error.code == "newer-schema"
    assert "Upgrade" in error.action
    assert path.read_bytes() == before


def test_another_programs_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    """A foreign SQLite file is neither changed nor converted."""
    path = tmp_path / "node.db"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE photos (x)")
    connection.close()
    before = path.read_bytes()
    assert "another program" in refusal(path).message
    assert path.read_bytes() == before


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    """Garbage in place of the file gives a clear error."""
    path = tmp_path / "node.db"
    path.write_bytes(b"this is not a database, it is a letter" * 100)
    assert refusal(path).code == "damaged"


def test_another_commons_is_refused(tmp_path: Path) -> None:
    """A database never serves a charter that its records are not of."""
    path = tmp_path / "node.db"
    write_store(path)
    with pytest.raises(StoreError, match="another commons"):
        SqliteStore(path, b"\1" * 32, lambda function: function())


def test_a_damaged_page_is_noticed(tmp_path: Path) -> None:
    """Bytes overwritten in the middle of the file are an error that says what to do."""
    path = tmp_path / "node.db"
    write_store(path)
    data = bytearray(path.read_bytes())
    data[8_192:20_480] = b"\xff" * 12_288
    path.write_bytes(data)
    assert refusal(path).code == "damaged"


def test_a_flipped_bit_in_a_record_is_noticed(tmp_path: Path) -> None:
    """A body that no longer fits its hash is an error, not a wrong answer."""
    path = tmp_path / "node.db"
    write_store(path)
    connection = sqlite3.connect(path)
    connection.execute("UPDATE records SET body = zeroblob(length(body)) WHERE seq = 7")
    connection.commit()
    connection.close()
    assert refusal(path).code == "damaged"


@pytest.mark.parametrize("seq", [0, 4])
def test_a_missing_record_is_noticed(tmp_path: Path, seq: int) -> None:
    """A log with a gap is an error that says what to do, not a crash later on."""
    path = tmp_path / "node.db"
    write_store(path)
    connection = sqlite3.connect(path)
    connection.execute("DELETE FROM records WHERE seq = ?", (seq,))
    connection.commit()
    connection.close()
    assert refusal(path).code == "damaged"


def test_a_cut_off_file_is_noticed(tmp_path: Path) -> None:
    """Half a file is an error that says what to do."""
    path = tmp_path / "node.db"
    write_store(path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert refusal(path).code == "damaged"


def test_the_disk_is_given_back_when_much_was_erased(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At the next start the file is written anew, without the gaps; little is left as it is."""
    path = tmp_path / "node.db"
    records = make_log(count=400, size=2_000)
    store = SqliteStore(path, COMMONS, lambda function: function())
    store.submit(1, tuple(records))
    whole = Range(records[0].author, records[0].log, 0, 399)
    store.submit(2, (records[0],), erased=(whole,))
    store.close()
    size = path.stat().st_size
    open_store(path)
    assert path.stat().st_size == size
    monkeypatch.setattr(database, "COMPACT_MIN", 100_000)
    open_store(path)
    assert path.stat().st_size < size / 4
    store = SqliteStore(path, COMMONS, lambda function: function())
    loaded = [record for chunk in store.load() for record in chunk]
    store.close()
    assert loaded == [record.without_words() for record in records]


def test_a_store_of_an_earlier_draft_is_refused_and_left_alone(tmp_path: Path) -> None:
    """Its records have another form: nobody could read them, so they are not touched."""
    path = tmp_path / "node.db"
    write_store(path)
    with sqlite3.connect(path) as connection:
        connection.execute(f"PRAGMA user_version = {READABLE_MIN - 1}")
    connection.close()
    before = path.read_bytes()
    error = refusal(path)
    assert error.code == "earlier-draft"
    assert "export" in error.action
    assert path.read_bytes() == before


def test_an_older_schema_is_kept_aside_and_brought_up(tmp_path: Path) -> None:
    """Each step is done once; the file is copied beside itself before its schema changes."""
    path = tmp_path / "node.db"
    write_store(path)
    steps = [*MIGRATIONS, "CREATE TABLE later (x);", "INSERT INTO later VALUES (5);"]
    connection = sqlite3.connect(path, isolation_level=None)
    migrate(connection, path, steps)
    migrate(connection, path, steps)
    assert connection.execute("SELECT x FROM later").fetchall() == [(5,)]
    assert connection.execute("PRAGMA user_version").fetchone() == (len(steps),)
    connection.close()
    copy = path.with_name(f"node.db.schema-{len(MIGRATIONS)}")
    assert copy.stat().st_mode & 0o777 == 0o600
    open_store(copy)


def test_headers_of_an_older_schema_are_cut_and_read_as_before(tmp_path: Path) -> None:
    """What all headers of a log begin with is left out, and is there again when they are read."""
    path = tmp_path / "node.db"
    write_store(path)
    records = make_log(count=50, size=500)
    connection = sqlite3.connect(path, isolation_level=None)
    for record in records:
        found = connection.execute("SELECT header FROM records WHERE seq = ?", (record.seq,))
        assert record.header.endswith(found.fetchone()[0])
        whole = (record.header, record.seq)
        connection.execute("UPDATE records SET header = ? WHERE seq = ?", whole)
    connection.execute("ALTER TABLE logs DROP COLUMN compact")
    connection.execute(f"PRAGMA user_version = {READABLE_MIN}")
    connection.close()
    store = SqliteStore(path, COMMONS, lambda function: function())
    loaded = [record for chunk in store.load() for record in chunk]
    store.close()
    assert loaded == records


def test_a_failed_step_changes_nothing(tmp_path: Path) -> None:
    """A step that breaks half-way leaves the schema as it was."""
    path = tmp_path / "node.db"
    write_store(path)
    connection = sqlite3.connect(path, isolation_level=None)
    with pytest.raises(sqlite3.Error):
        migrate(connection, path, [*MIGRATIONS, "CREATE TABLE later (x); nonsense;"])
    connection.close()
    open_store(path)


WRITER = """
import sys
import time
from pathlib import Path
from mycelia_node.store import SqliteStore
from mycelia_protocol.events import RecordsStored
from node_records import COMMONS, make_log

store = SqliteStore(Path(sys.argv[1]), COMMONS, lambda function: function())
def report(event):
    assert isinstance(event, RecordsStored), event
    print(event.batch, flush=True)
store.report = report
for seq, record in enumerate(make_log(count=3_000)):
    while store.backlog > 20_000:  # many small groups, so that the kill hits one
        time.sleep(0.001)
    store.submit(seq, (record,))
store.close()
"""


def test_a_killed_process_loses_nothing_it_acknowledged(tmp_path: Path) -> None:
    """SIGKILL in the middle of writing: every batch that was reported stored is there."""
    path = tmp_path / "node.db"
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path)],
        stdout=subprocess.PIPE,
        text=True,
        env={"PYTHONPATH": ":".join(str(ROOT / root) for root in ("protocol", "node", "tests"))},
    ) as process:
        assert process.stdout is not None
        acknowledged = [int(process.stdout.readline()) for _ in range(200)]
        process.send_signal(signal.SIGKILL)
        acknowledged += [int(line) for line in process.stdout.read().splitlines()]
    store = SqliteStore(path, COMMONS, lambda function: function())
    loaded = [record for chunk in store.load() for record in chunk]
    store.close()
    assert acknowledged == list(range(len(acknowledged)))
    assert len(loaded) >= len(acknowledged)
    assert loaded == make_log(count=len(loaded))
