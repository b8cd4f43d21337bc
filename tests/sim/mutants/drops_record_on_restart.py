"""A node with one planted defect: a restart loses the last posts that it had acknowledged.

It drops them from its disk when it starts and never writes them again, although its engine gets
them back from its neighbours and counts them as stored. Only a look at the disk can tell.
"""

import runpy
import sqlite3
import sys
from collections.abc import Iterable
from pathlib import Path

from mycelia_node.arrivals import Arrival
from mycelia_node.database import Writer
from mycelia_node.keys import load_seed
from mycelia_node.rows import read_rows
from mycelia_protocol.crypto import public_key
from mycelia_protocol.events import Range
from mycelia_protocol.form_events import Shorten
from mycelia_protocol.record import Record

home = Path(sys.argv[sys.argv.index("--home") + 1])
dropped: set[bytes] = set()


def drop() -> None:
    """Delete the own records from the last offer or request but one on.

    The very last may have broken off with the node: written, but acknowledged to nobody.
    """
    if not (home / "node.db").exists():
        return
    connection = sqlite3.connect(home / "node.db", isolation_level=None)
    own = public_key(load_seed(home / "identity.key"))
    logs = connection.execute("SELECT id FROM logs WHERE author = ? ORDER BY id DESC", (own,))
    for (log,) in logs.fetchall():
        rows = read_rows(connection, "WHERE r.log = ? ORDER BY r.seq", (log,))
        records = [row.parse() for row in rows]
        posts = [record.seq for record in records if record.kind in ("offer", "request")]
        if posts:
            first = posts[-2:][0]
            dropped.update(record.id for record in records if record.seq >= first)
            connection.execute("DELETE FROM records WHERE log = ? AND seq >= ?", (log, first))
            break
    connection.close()


honest_write = Writer.write


def write(
    self: Writer,
    records: Iterable[Record],
    invites: Iterable[tuple[bytes, int | None]],
    notes: Iterable[tuple[str, bytes]] = (),
    arrivals: Iterable[Arrival] = (),
    erased: Iterable[Range] = (),
    shortened: Iterable[Shorten] = (),
) -> None:
    """Write everything but what was dropped, and say nothing of it."""
    kept = [record for record in records if record.id not in dropped]
    honest_write(self, kept, invites, notes, arrivals, erased, shortened)


drop()
Writer.write = write  # type: ignore[method-assign]
runpy.run_module("mycelia_node", run_name="__main__")
