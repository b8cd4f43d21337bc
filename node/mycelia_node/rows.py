"""How records lie in the database: without what all headers of a log begin with.

The first 80 bytes of a header name version, commons, author and log. They are the same for a whole
log, and the database says them once: `meta` has the commons, `logs` the rest. So a sixth is saved.

Of some records no more than the compact form is there (`compact.py`). It lies where the header
would, and the body is empty, which no body is.
"""

import sqlite3
from collections.abc import Generator, Sequence
from typing import Final, NamedTuple

from mycelia_protocol.compact import compact, expand
from mycelia_protocol.record import Record

PREFIX_SIZE: Final = 80  # bytes: 2 + 34 + 34 + 10
SELECT: Final = (
    "SELECT r.seq, r.log, l.author, l.log, r.header, r.signature, r.body "
    "FROM records AS r JOIN logs AS l ON r.log = l.id "
)
COMPACT: Final = b""  # in the place of a body: the header's place holds a compact form


class Row(NamedTuple):
    """One record, as it lies there.

    Attributes:
        header: without what all headers of the log begin with; or a compact form.
    """

    commons: bytes
    author: bytes
    log: bytes
    seq: int
    header: bytes
    signature: bytes | None
    body: bytes | None

    def parse(self) -> Record:
        """Return the record, checked; raises as `Record.parse` and `expand`."""
        if self.body == COMPACT:
            return self._expanded()
        return Record.parse(self._whole_header(), self.signature, self.body)

    def restore(self, before: Record | None) -> Record:
        """Return the record, which was checked when it came; raises as `Record.restore`."""
        if self.body == COMPACT:
            return self._expanded()
        return Record.restore(self._whole_header(), self.signature, self.body, before)

    def _whole_header(self) -> bytes:
        return header_prefix(self.commons, self.author, self.log) + self.header

    def _expanded(self) -> Record:
        return expand(self.commons, self.author, self.log, self.seq, self.header)


def header_prefix(commons: bytes, author: bytes, log: bytes) -> bytes:
    """Return what the headers of a log begin with. Spec: section 6.2."""
    return b"\x9b\x01\xc4\x20" + commons + b"\xc4\x20" + author + b"\xc4\x08" + log


def lay_down(record: Record) -> tuple[bytes, bytes | None, bytes | None]:
    """Return header, signature and body of a record as they lie in the database."""
    if record.is_compact:
        return compact(record), None, COMPACT
    return record.header[PREFIX_SIZE:], record.signature, record.body


def read_rows(
    connection: sqlite3.Connection, rest: str, values: Sequence[bytes | int] = ()
) -> Generator[Row, None, None]:
    """Yield records as they lie there.

    Args:
        rest: what follows in the query: `r` are the records, `l` their logs.
    """
    found = connection.execute("SELECT value FROM meta WHERE key = 'commons'").fetchone()
    commons = b"" if found is None else bytes(found[0])
    rows = connection.execute(SELECT + rest, values)
    try:
        for seq, _, author, log, header, signature, body in rows:
            yield Row(commons, author, log, seq, header, signature, body)
    finally:
        rows.close()
