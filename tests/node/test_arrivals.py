"""By whom records came: few rows for many records, and none for what was not written."""

import sqlite3
from pathlib import Path

import pytest

from mycelia_node.arrivals import KEPT_MS, SPAN_MS, Arrival, read_arrivals
from mycelia_node.database import Writer
from mycelia_node.errors import StoreError
from mycelia_protocol.events import Source
from mycelia_protocol.record import Record
from node_records import COMMONS, make_log

OAK, ELM = b"o" * 32, b"e" * 32
NOW_MS = 1_700_000_000_000


def write(writer: Writer, source: Source, at_ms: int, *records: Record) -> None:
    """Write records that came together."""
    writer.write(records, (), (), [Arrival(source, at_ms, records)])


def arrived(path: Path, since_ms: int = 0) -> list[tuple[bytes, int, int, int, int]]:
    """Return (source, from, until, first, last) of what came since then; times from `NOW_MS`."""
    connection = sqlite3.connect(path)
    found = list(read_arrivals(connection, since_ms, 2 * NOW_MS))
    connection.close()
    return [
        (run.source, run.from_ms - NOW_MS, run.until_ms - NOW_MS, run.first, run.last)
        for run in found
    ]


def test_records_of_one_log_by_one_link_share_a_row(tmp_path: Path) -> None:
    """A row ends with the link, where another neighbour was quicker, and after an hour."""
    path, log, other = tmp_path / "node.db", make_log(count=12), make_log(author=2, count=2)
    writer = Writer(path, COMMONS)
    write(writer, Source(1, OAK), NOW_MS, *log[:3], other[0])
    write(writer, Source(1, OAK), NOW_MS + 5, *log[3:6])
    write(writer, Source(2, ELM), NOW_MS + 9, log[6], other[1])
    writer.write([log[7]], ())  # carried by hand
    write(writer, Source(2, ELM), NOW_MS + 10, log[8])
    write(writer, Source(3, ELM), NOW_MS + 11, log[9])
    write(writer, Source(3, ELM), NOW_MS + 12 + SPAN_MS, *log[10:])
    writer.close()
    assert arrived(path) == [
        (OAK, 0, 5, 0, 5),
        (OAK, 0, 0, 0, 0),
        (ELM, 9, 9, 6, 6),
        (ELM, 9, 9, 1, 1),
        (ELM, 10, 10, 8, 8),
        (ELM, 11, 11, 9, 9),
        (ELM, 12 + SPAN_MS, 12 + SPAN_MS, 10, 11),
    ]
    assert [run[3:] for run in arrived(path, NOW_MS + 11)] == [(9, 9), (10, 11)]


def test_what_was_not_written_did_not_arrive(tmp_path: Path) -> None:
    """A group that fails leaves no row, and what comes afterwards begins one."""
    path, log = tmp_path / "node.db", make_log(count=6)
    writer = Writer(path, COMMONS)
    write(writer, Source(1, OAK), NOW_MS, *log[:2])
    gap = (log[2], log[4])
    with pytest.raises(StoreError):
        write(writer, Source(1, OAK), NOW_MS + 1, *gap)
    write(writer, Source(1, OAK), NOW_MS + 2, *log[2:4])
    writer.close()
    assert arrived(path) == [(OAK, 0, 0, 0, 1), (OAK, 2, 2, 2, 3)]


def test_old_rows_are_forgotten_when_the_store_opens(tmp_path: Path) -> None:
    """What came more than a month before the newest is dropped; the records stay."""
    path, log = tmp_path / "node.db", make_log(count=2)
    writer = Writer(path, COMMONS)
    write(writer, Source(1, OAK), NOW_MS, log[0])
    write(writer, Source(2, OAK), NOW_MS + KEPT_MS + 1, log[1])
    writer.close()
    Writer(path, COMMONS).close()
    assert arrived(path) == [(OAK, KEPT_MS + 1, KEPT_MS + 1, 1, 1)]
