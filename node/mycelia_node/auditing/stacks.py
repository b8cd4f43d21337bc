"""The store of a home as an archive reads it: all headers once or twice, and single records.

It is read beside a daemon that goes on writing; what comes after the beginning is left out.
"""

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Final, cast

from mycelia_node.database import unusable
from mycelia_node.rows import Row, header_prefix
from mycelia_protocol.archive import Header, LogKey
from mycelia_protocol.crypto import digest
from mycelia_protocol.encoding import decode_proven
from mycelia_protocol.errors import RecordError, RemoteError
from mycelia_protocol.record import Record

SELECT_LOGS: Final = (
    "SELECT author, log, id, "
    "(SELECT max(seq) + 1 FROM records WHERE records.log = logs.id) FROM logs"
)
SELECT_HEADERS: Final = (
    "SELECT header, length(body) = 0 FROM records WHERE log = ? AND seq < ? ORDER BY seq"
)
SELECT_RECORD: Final = "SELECT header, signature, body FROM records WHERE log = ? AND seq = ?"


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
        prefix, before = header_prefix(self._commons, *key), None
        try:
            where = (self._numbers[key], self.logs[key])
            rows = self._connection.execute(SELECT_HEADERS, where)
            for seq, (rest, is_compact) in enumerate(rows):
                fields = decode_proven(rest if is_compact else prefix + rest)
                if is_compact and isinstance(fields, tuple):
                    id_, kind, time_ms, refs = cast("tuple[bytes, ...]", fields[:4])
                elif isinstance(fields, tuple) and fields[4:6] == (seq, before):
                    id_ = digest("record", prefix + rest)
                    kind, time_ms, refs = fields[6], fields[7], fields[10]
                else:
                    raise RecordError(f"record {seq} of a log has lost its predecessor")
                yield Header(
                    id_, cast("str", kind), cast("int", time_ms), cast("tuple[bytes, ...]", refs)
                )
                before = id_
        except (sqlite3.Error, RemoteError) as error:
            raise unusable(self._path, error) from error

    def record(self, key: LogKey, seq: int) -> Record:
        """Return the record at a place."""
        try:
            where = (self._numbers[key], seq)
            header, signature, body = self._connection.execute(SELECT_RECORD, where).fetchone()
            return Row(self._commons, *key, seq, header, signature, body).restore(None)
        except (sqlite3.Error, RemoteError, TypeError) as error:
            raise unusable(self._path, error) from error

    def close(self) -> None:
        """Read no more."""
        self._connection.close()
