"""How records lie in the database: without what all headers of a log begin with.

The first 80 bytes of a header name version, commons, author and log. They are the same for a whole
log, and the database says them once: `meta` has the commons, `logs` the rest. So a sixth is saved.
"""

import sqlite3
from collections.abc import Generator, Sequence
from typing import Final

PREFIX_SIZE: Final = 80  # bytes: 2 + 34 + 34 + 10
SELECT: Final = (
    "SELECT r.seq, r.log, l.author, l.log, r.header, r.signature, r.body "
    "FROM records AS r JOIN logs AS l ON r.log = l.id "
)
Parts = tuple[bytes, bytes | None, bytes | None]  # header, signature, body


def header_prefix(commons: bytes, author: bytes, log: bytes) -> bytes:
    """Return what the headers of a log begin with. Spec: section 6.2."""
    return b"\x9b\x01\xc4\x20" + commons + b"\xc4\x20" + author + b"\xc4\x08" + log


def read_rows(
    connection: sqlite3.Connection, rest: str, values: Sequence[bytes | int] = ()
) -> Generator[tuple[int, Parts], None, None]:
    """Yield (seq, parts) of records, the headers whole again.

    Args:
        rest: what follows in the query: `r` are the records, `l` their logs.
    """
    found = connection.execute("SELECT value FROM meta WHERE key = 'commons'").fetchone()
    commons = b"" if found is None else bytes(found[0])
    prefixes: dict[int, bytes] = {}
    rows = connection.execute(SELECT + rest, values)
    try:
        for seq, number, author, log, header, signature, body in rows:
            prefix = prefixes.get(number)
            if prefix is None:
                prefix = prefixes[number] = header_prefix(commons, author, log)
            yield seq, (prefix + header, signature, body)
    finally:
        rows.close()
