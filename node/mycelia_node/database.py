"""The SQL behind the store: opening, writing groups, reading ranges. Knows nothing of threads."""

import logging
import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path

from mycelia_node.arrivals import Arrival, Arrivals
from mycelia_node.errors import StoreError
from mycelia_node.home import FILE_MODE
from mycelia_node.migrations import check_schema, migrate
from mycelia_node.rows import COMPACT, Row, lay_down, read_rows
from mycelia_protocol.body import erase_words
from mycelia_protocol.compact import compact, shorten
from mycelia_protocol.errors import RecordError, RemoteError
from mycelia_protocol.events import Range
from mycelia_protocol.form_events import Shorten
from mycelia_protocol.record import Record

log = logging.getLogger("mycelia.store")

BUSY_TIMEOUT_S = 5.0  # another process may look into the file, for a backup
WAL_PAGES = 2_000  # checkpoint after about 8 MiB

PROFILE_KIND = b"\xa7profile"  # how the header of a profile says what it is
INSERT_RECORD = """
INSERT INTO records (log, seq, header, signature, body) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (log, seq) DO UPDATE SET
    signature = CASE WHEN x'' IN (body, excluded.body) THEN signature
           ELSE coalesce(signature, excluded.signature) END,
    body = CASE WHEN x'' IN (body, excluded.body) THEN body
           WHEN substr(excluded.body, 1, 1) = x'93' THEN excluded.body
           ELSE coalesce(body, excluded.body) END
WHERE header = excluded.header OR x'' IN (body, excluded.body)
"""  # of a compact form and a record at one place stays what was there first
FREED = "freed"  # the note of how many bytes were erased since the file was last written anew
COMPACT_MIN = 16 * 1024 * 1024  # bytes; less is not worth a moment's wait
COMPACT_PART = 5  # nor is less than a fifth of the file
ADD_FREED = """
INSERT INTO meta VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = value + excluded.value
"""
UPDATE_BODY = "UPDATE records SET body = ? WHERE log = ? AND seq = ?"
SELECT_WHOLE = """
SELECT seq, body FROM records
WHERE log = ? AND seq BETWEEN ? AND ? AND substr(body, 1, 1) = x'93'
"""
NOTE_COMPACT = "UPDATE logs SET compact = max(compact, ?) WHERE id = ?"
SELECT_SOME = """
SELECT seq, header, signature, body FROM records WHERE log = ? AND seq BETWEEN ? AND ?
"""
UPDATE_ALL = "UPDATE records SET header = ?, signature = ?, body = ? WHERE log = ? AND seq = ?"
SELECT_PLACES = "WHERE l.author = ? AND l.log = ? AND r.seq >= ? AND r.seq < ? ORDER BY r.seq"
SELECT_RANGE = "WHERE l.author = ? AND l.log = ? AND r.seq >= ? ORDER BY r.seq"


def open_database(path: Path) -> sqlite3.Connection:
    """Open a node's database in WAL mode with full sync; the schema stays as it is.

    Raises:
        StoreError: it can't be opened, or is not a database that this program may touch.
    """
    connection: sqlite3.Connection | None = None
    try:
        connection = sqlite3.connect(
            path, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False
        )
        check_schema(connection, path)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute(f"PRAGMA wal_autocheckpoint = {WAL_PAGES}")
        connection.execute("PRAGMA secure_delete = ON")  # what is erased is overwritten
    except (sqlite3.Error, StoreError) as error:
        if connection is not None:
            connection.close()
        raise unusable(path, error) from error
    return connection


def unusable(path: Path, error: Exception) -> StoreError:
    """Return the error for a file that can't be opened or read."""
    if isinstance(error, StoreError):
        return error
    if isinstance(error, sqlite3.OperationalError):
        return StoreError(
            f"{path} can't be opened: {error}.", "Make room on the disk or mend its permissions."
        )
    return StoreError(
        f"{path} is damaged: {error}.",
        "Move it away and start again: the node fetches what its neighbours hold, and goes on "
        "in a new log. Or put a backup in its place.",
        code="damaged",
    )


class Writer:
    """The one connection that writes. Remembers how far each log is on disk."""

    def __init__(self, path: Path, commons: bytes) -> None:
        path.touch(mode=FILE_MODE)
        self._connection = open_database(path)
        try:
            migrate(self._connection, path)
            self._claim(path, commons)
            self._commons = commons
            self._compact()
            self._arrivals = Arrivals(self._connection)
            self._logs: dict[tuple[bytes, bytes], tuple[int, int]] = self._read_logs()
        except (sqlite3.Error, StoreError) as error:
            self._connection.close()
            raise unusable(path, error) from error

    def write(
        self,
        records: Iterable[Record],
        invites: Iterable[tuple[bytes, int | None]],
        notes: Iterable[tuple[str, bytes]] = (),
        arrivals: Iterable[Arrival] = (),
        erased: Iterable[Range] = (),
        shortened: Iterable[Shorten] = (),
    ) -> None:
        """Write all or nothing, synced; of what is erased no byte stays on the disk.

        Raises:
            sqlite3.Error: the disk is full or broken; nothing was kept.
            StoreError: a record does not follow what is on disk; nothing was kept.
        """
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            rows = [self._row(record) for record in records]
            cursor = self._connection.executemany(INSERT_RECORD, rows)
            if rows and cursor.rowcount != len(rows):
                raise StoreError("Another record stands at the same place of a log.")
            went = sum(map(self._erase, erased)) + sum(map(self._shorten, shortened))
            if went:
                self._connection.execute(ADD_FREED, (FREED, went))
            self._arrivals.note(arrivals, self._logs)
            for digest, expires_ms in invites:
                self._connection.execute("DELETE FROM invites WHERE digest = ?", (digest,))
                if expires_ms is not None:
                    self._connection.execute(
                        "INSERT INTO invites VALUES (?, ?)", (digest, expires_ms)
                    )
            self._connection.executemany("INSERT OR REPLACE INTO meta VALUES (?, ?)", notes)
            self._connection.execute("COMMIT")
        except (sqlite3.Error, StoreError):
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            self._arrivals.rolled_back()
            self._logs = self._read_logs()
            raise
        if went:  # older pages are still in the WAL
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def _erase(self, gone: Range) -> int:
        """Let go of the words of a range; return how many bytes that freed."""
        number, _ = self._logs.get((gone.author, gone.log), (None, 0))
        rows = self._connection.execute(SELECT_WHOLE, (number, gone.first, gone.last)).fetchall()
        freed = 0
        for seq, whole in rows:
            body = erase_words(whole)
            freed += len(whole) - len(body)
            self._connection.execute(UPDATE_BODY, (body, number, seq))
        return freed

    def _shorten(self, wanted: Shorten) -> int:
        """Keep compact forms of a log's records; return how many bytes that freed."""
        number, _ = self._logs[wanted.author, wanted.log]
        commons, freed = self._commons, 0
        for first, last in wanted.places:
            found = self._connection.execute(SELECT_SOME, (number, first, last))
            for seq, header, signature, body in found.fetchall():
                if body == COMPACT:
                    continue
                row = Row(commons, wanted.author, wanted.log, seq, header, signature, body)
                parts = _shortened(row)
                freed += len(header) + len(signature or b"") + len(body or b"") - len(parts[0])
                self._connection.execute(UPDATE_ALL, (*parts, number, seq))
        self._connection.execute(NOTE_COMPACT, (wanted.until, number))
        return freed

    def close(self) -> None:
        """Move the WAL into the file and close it."""
        self._connection.close()

    def _compact(self) -> None:
        """Give the disk back what was erased, once it is a good part of the file.

        Erased words leave gaps in pages that are used on; to close them the file is written anew,
        which takes some seconds, and as much room for so long.
        """
        found = "SELECT coalesce(max(value), 0) FROM meta WHERE key = ?"
        (freed,) = self._connection.execute(found, (FREED,)).fetchone()
        if freed < COMPACT_MIN or freed * COMPACT_PART < database_size(self._connection):
            return
        try:
            self._connection.execute("VACUUM")
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            self._connection.execute("DELETE FROM meta WHERE key = ?", (FREED,))
        except sqlite3.OperationalError as error:
            log.warning("the store was not compacted: %s", error)

    def _claim(self, path: Path, commons: bytes) -> None:
        """Note whose records these are, or check it."""
        self._connection.execute("INSERT OR IGNORE INTO meta VALUES ('commons', ?)", (commons,))
        row = self._connection.execute("SELECT value FROM meta WHERE key = 'commons'").fetchone()
        if row[0] != commons:
            raise StoreError(
                f"{path} holds the records of another commons than charter.bin names.",
                "Put the two files back together, or name another --home.",
            )

    def _read_logs(self) -> dict[tuple[bytes, bytes], tuple[int, int]]:
        """Return (author, log) -> (number in the file, next seq)."""
        rows = self._connection.execute(
            "SELECT author, log, id, "
            "coalesce((SELECT max(seq) + 1 FROM records WHERE records.log = logs.id), 0) FROM logs"
        )
        return {(author, log): (number, next_seq) for author, log, number, next_seq in rows}

    def _row(self, record: Record) -> tuple[int, int, bytes, bytes | None, bytes | None]:
        """Return a record's row; a log's first record gives the log its number."""
        key = (record.author, record.log)
        known = self._logs.get(key)
        if known is None:
            cursor = self._connection.execute("INSERT INTO logs (author, log) VALUES (?, ?)", key)
            assert cursor.lastrowid is not None
            known = (cursor.lastrowid, 0)
        number, next_seq = known
        if record.seq > next_seq:
            raise StoreError(f"Record {record.seq} leaves a gap after {next_seq - 1} in its log.")
        self._logs[key] = (number, max(next_seq, record.seq + 1))
        if record.is_compact:
            self._connection.execute(NOTE_COMPACT, (record.seq + 1, number))
        return number, record.seq, *lay_down(record)


def _shortened(row: Row) -> tuple[bytes, bytes | None, bytes | None]:
    """Return the compact form of a row, as it lies there; raises a StoreError if it is damaged."""
    try:
        return lay_down(shorten(row.parse()))
    except RemoteError as error:
        raise StoreError(f"Record {row.seq} of a log is damaged: {error}.") from error


def follows(before: Record | None, record: Record) -> bool:
    """Return whether a record goes on where the one before it ended, or begins another log."""
    if before is None or (before.author, before.log) != (record.author, record.log):
        return record.seq == 0
    is_linked = record.is_compact or record.prev == before.id
    return is_linked and record.seq == before.seq + 1


def check_end(last: Record | None) -> None:
    """Raise a RecordError if the end of a log is not signed: all its records hang on that."""
    if last is not None and not last.is_signed():
        raise RecordError(f"record {last.seq}, the end of a log, has no good signature")


def database_size(connection: sqlite3.Connection) -> int:
    """Return how many bytes a database has, gaps included."""
    (pages,), (size,) = (
        connection.execute(f"PRAGMA {name}").fetchone() for name in ("page_count", "page_size")
    )
    return int(pages) * int(size)


def read_note(connection: sqlite3.Connection, name: str) -> bytes | None:
    """Return the value that is kept under a name, or None."""
    row = connection.execute("SELECT value FROM meta WHERE key = ?", (name,)).fetchone()
    return None if row is None else bytes(row[0])


def read_profiles(path: Path) -> Iterator[Record]:
    """Yield the profiles in a database that no daemon uses, which is not touched at all.

    Opened as usual, even to read, it would no longer be what the marker of a clean end names.

    Raises:
        sqlite3.Error, RemoteError: it can't be read.
    """
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?immutable=1", uri=True)
    try:
        for row in read_rows(connection, "WHERE instr(r.header, ?)", (PROFILE_KIND,)):
            record = row.parse()
            if record.kind == "profile":
                yield record
    finally:
        connection.close()


def read_log(connection: sqlite3.Connection, wanted: Range) -> Iterator[Record]:
    """Yield the records of a log from `first` on, up to the first that is missing."""
    expected = wanted.first
    for row in read_rows(connection, SELECT_RANGE, (wanted.author, wanted.log, wanted.first)):
        if row.seq != expected:
            break
        expected += 1
        yield row.parse()


def read_leaves(
    connection: sqlite3.Connection, author: bytes, log: bytes, first: int, end: int
) -> Iterator[bytes]:
    """Yield the compact forms of a log from `first` to before `end`, as far as they are here.

    Those that lie there as such are given as they lie there.
    """
    expected = first
    for row in read_rows(connection, SELECT_PLACES, (author, log, first, end)):
        if row.seq != expected:
            break
        expected += 1
        yield row.header if row.body == COMPACT else compact(row.parse())
