"""Reading a store from one end to the other, and seeing that it is whole."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Final, TypeAlias

from mycelia_node.database import check_end, follows, unusable
from mycelia_node.rows import read_rows
from mycelia_protocol.errors import RecordError, RemoteError
from mycelia_protocol.record import Record

SELECT_LOG: Final = "WHERE r.log = ? AND r.seq >= ? ORDER BY r.seq"
LOAD_RECORDS: Final = 2_048  # records handed over at once
LogKey: TypeAlias = tuple[bytes, bytes]  # (author, log)


def load_records(
    connection: sqlite3.Connection,
    path: Path,
    covered: Callable[[LogKey], int] = lambda _: 0,
) -> Iterator[tuple[Record, ...]]:
    """Yield records, those of one log together and in order of seq.

    Args:
        connection: to the database at `path`.
        path: for what is said if it is damaged.
        covered: says how many records of a log, from its first one on, are not wanted.

    Raises:
        StoreError: the file is damaged.
    """
    chunk: list[Record] = []
    try:
        logs = connection.execute("SELECT id, author, log, compact FROM logs ORDER BY id")
        for number, author, log, compact in logs.fetchall():
            skipped = covered((author, log))
            before: Record | None = None
            # The last one that is not wanted is read too: the next one has to follow it.
            wanted = (number, max(skipped - 1, 0))
            with closing(read_rows(connection, SELECT_LOG, wanted)) as rows:
                for row in rows:
                    record = row.restore(before)
                    if row.seq >= skipped:
                        if not follows(before, record):
                            raise RecordError(f"record {row.seq} of a log lost its predecessor")
                        chunk.append(record)
                    before = record
                    if len(chunk) == LOAD_RECORDS:
                        yield tuple(chunk)
                        chunk = []
            if before is not None and before.seq >= compact:
                check_end(before)
    except (sqlite3.Error, RemoteError) as error:
        raise unusable(path, error) from error
    if chunk:
        yield tuple(chunk)
