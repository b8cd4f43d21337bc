"""By whom records came here, and when: runs of one log, told by one link within an hour.

Kept so that people can be told, after links have come back, what they bring. It decides nothing,
and what is older than `KEPT_MS` is forgotten. Own records, and those that were carried by hand,
have no entry.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from mycelia_protocol.events import Source
from mycelia_protocol.logs import LogKey
from mycelia_protocol.record import Record

SPAN_MS: Final = 3_600_000  # a run that has gone on for so long ends, so that times tell something
KEPT_MS: Final = 30 * 86_400_000
INSERT_RUN: Final = "INSERT INTO arrivals VALUES (?, ?, ?, ?, ?, ?, ?)"
EXTEND_RUN: Final = "UPDATE arrivals SET until_ms = ?, last = ? WHERE id = ?"
SELECT_RUNS: Final = """
SELECT a.source, a.from_ms, a.until_ms, l.author, l.log, a.first, a.last
FROM arrivals AS a JOIN logs AS l ON a.log = l.id
WHERE a.until_ms >= ? AND a.from_ms <= ? ORDER BY a.id
"""


@dataclass(frozen=True, slots=True)
class Arrival:
    """Records that came together, and by whom."""

    source: Source
    at_ms: int
    records: tuple[Record, ...]


@dataclass(frozen=True, slots=True)
class ArrivedRun:
    """Records of one log, from seq `first` to `last`, that one member told between two times."""

    source: bytes
    from_ms: int
    until_ms: int
    author: bytes
    log: bytes
    first: int
    last: int


@dataclass(slots=True)
class _Run:
    """The last row of a log, which may still grow."""

    id: int
    link: int
    from_ms: int
    last: int


class Arrivals:
    """Writes entries, within the transactions of whoever owns the connection."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._growing: dict[int, _Run] = {}  # by number of the log
        newest_ms = connection.execute("SELECT max(until_ms) FROM arrivals").fetchone()[0] or 0
        connection.execute("DELETE FROM arrivals WHERE until_ms < ?", (newest_ms - KEPT_MS,))
        self._next_id = self._read_next_id()

    def rolled_back(self) -> None:
        """Forget what was noted in a transaction that failed."""
        self._growing.clear()
        self._next_id = self._read_next_id()

    def note(self, arrivals: Iterable[Arrival], numbers: Mapping[LogKey, tuple[int, int]]) -> None:
        """Note by whom records came.

        Args:
            arrivals: in order.
            numbers: of each log, first its number in the file.

        Raises:
            sqlite3.Error: it could not be written.
        """
        new: dict[int, list[object]] = {}  # rows by id
        longer: dict[int, tuple[int, int, int]] = {}
        for arrival in arrivals:
            for record in arrival.records:
                number = numbers[record.author, record.log][0]
                run = self._growing.get(number)
                if run is None or not _goes_on(run, arrival, record.seq):
                    run = _Run(self._next_id, arrival.source.link, arrival.at_ms, record.seq)
                    self._next_id += 1
                    self._growing[number] = run
                    first = (run.id, arrival.at_ms, arrival.at_ms, arrival.source.key)
                    new[run.id] = [*first, number, record.seq, record.seq]
                elif run.id in new:
                    new[run.id][2], new[run.id][6] = arrival.at_ms, record.seq
                else:
                    longer[run.id] = (arrival.at_ms, record.seq, run.id)
                run.last = record.seq
        self._connection.executemany(INSERT_RUN, new.values())
        self._connection.executemany(EXTEND_RUN, longer.values())

    def _read_next_id(self) -> int:
        row = self._connection.execute("SELECT coalesce(max(id), 0) + 1 FROM arrivals").fetchone()
        return int(row[0])


def _goes_on(run: _Run, arrival: Arrival, seq: int) -> bool:
    """Return whether a record continues a run."""
    is_near = arrival.at_ms - run.from_ms <= SPAN_MS
    return run.link == arrival.source.link and run.last + 1 == seq and is_near


def read_arrivals(
    connection: sqlite3.Connection, since_ms: int, until_ms: int
) -> Iterator[ArrivedRun]:
    """Yield the runs of which something came between two times, in the order of their beginning."""
    for row in connection.execute(SELECT_RUNS, (since_ms, until_ms)):
        yield ArrivedRun(*row)
