"""The store of a home as an archive reads it: all headers once or twice, and single records.

It is read beside a daemon that goes on writing; what comes after the beginning is left out.
"""

import sqlite3
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final, TypeAlias, cast

from mycelia_node.database import unusable
from mycelia_node.rows import COMPACT, header_prefix
from mycelia_protocol.archive import Header, LogKey
from mycelia_protocol.compact import expand
from mycelia_protocol.crypto import digest
from mycelia_protocol.encoding import Value, decode_proven
from mycelia_protocol.errors import RecordError, RemoteError
from mycelia_protocol.record import Record

SELECT_LOGS: Final = (
    "SELECT author, log, id, "
    "(SELECT max(seq) + 1 FROM records WHERE records.log = logs.id) FROM logs"
)
SELECT_HEADERS: Final = (
    "SELECT header, length(body) = 0 FROM records WHERE log = ? AND seq < ? ORDER BY seq"
)
_End: TypeAlias = "tuple[str, int, int, bytes, tuple[bytes, ...]]"  # of a header, from the kind on
SELECT_RECORD: Final = "SELECT header, body FROM records WHERE log = ? AND seq = ?"


class Stacks:
    """Reads a database. Implements `archive.Store`.

    Args:
        path: of the database.
        is_closed: it was closed properly and nobody opens it meanwhile; then it is not touched.

    Raises:
        StoreError: here and whenever something is read: it is damaged, or can't be read.
    """

    def __init__(self, path: Path, commons: bytes, *, is_closed: bool = False) -> None:
        self._path = path
        self._commons = commons
        how = "immutable=1" if is_closed else "mode=ro"
        try:
            self._connection = sqlite3.connect(f"{path.absolute().as_uri()}?{how}", uri=True)
            rows = self._connection.execute(SELECT_LOGS).fetchall()
            found = {(author, log): (id_, length) for author, log, id_, length in rows if length}
        except sqlite3.Error as error:
            raise unusable(path, error) from error
        self._numbers: Final = {key: number for key, (number, _) in found.items()}
        self.logs: Final = {key: length for key, (_, length) in found.items()}

    def headers(self, key: LogKey) -> Iterator[Header]:
        """Yield what is to be noted of a log's records; each has to follow the one before."""
        before: bytes | None = None
        for seq, (header, fields) in enumerate(self._all_headers(key)):
            if header is None:
                before, kind, time_ms = cast("tuple[bytes, str, int]", fields[:3])
            elif fields[4:6] == (seq, before):
                before = digest("record", header)
                kind, time_ms = cast("tuple[str, int]", fields[6:8])
            else:
                lost = RecordError(f"record {seq} of a log has lost its predecessor")
                raise unusable(self._path, lost)
            yield Header(before, kind, time_ms)

    def references(self, key: LogKey) -> Iterator[tuple[bytes, ...]]:
        """Yield to which records each of a log's refers."""
        for header, fields in self._all_headers(key):
            yield cast("tuple[bytes, ...]", fields[3 if header is None else 10])

    def record(self, key: LogKey, seq: int, record: bytes) -> Record:
        """Return the record at a place, of which the id is known."""
        author, log = key
        try:
            where = (self._numbers[key], seq)
            header, body = self._connection.execute(SELECT_RECORD, where).fetchone()
            if body == COMPACT:
                return expand(self._commons, author, log, seq, header)
            fields = _fields(header_prefix(self._commons, *key) + header)
            kind, time_ms, size, hash_, refs = cast("_End", fields[6:])
            who = (self._commons, author, log, seq, None, sys.intern(kind), time_ms)
            found = Record(record, b"", None, body, *who, size, hash_, refs)
            if body is not None:
                found.check_body(body)
        except (sqlite3.Error, RemoteError, TypeError) as error:
            raise unusable(self._path, error) from error
        return found

    def _all_headers(self, key: LogKey) -> Iterator[tuple[bytes | None, tuple[Value, ...]]]:
        """Yield each header of a log, and its fields; of a compact form those, and no header."""
        prefix = header_prefix(self._commons, *key)
        try:
            where = (self._numbers[key], self.logs[key])
            for rest, is_compact in self._connection.execute(SELECT_HEADERS, where):
                if is_compact:
                    yield None, cast("tuple[Value, ...]", decode_proven(rest))
                else:
                    yield prefix + rest, _fields(prefix + rest)
        except (sqlite3.Error, RemoteError) as error:
            raise unusable(self._path, error) from error

    def close(self) -> None:
        """Read no more."""
        self._connection.close()


def _fields(header: bytes) -> tuple[Value, ...]:
    fields = decode_proven(header)
    if not isinstance(fields, tuple) or len(fields) != 11:
        raise RecordError("a header has eleven fields", requirement="REC-2")
    return fields
