"""All records on disk: SQLite in WAL mode behind a small class.

Theory of operation. One writer thread takes everything that waits, writes it in one transaction and
syncs it (group commit), and only then reports. One reader thread with its own connection answers
reads, so that a slow disk never holds up the other. Reports are handed over by `post`, which must
run them one by one in the owner's thread; all methods are called from there too.

Laws, which every store obeys:
- batches become durable in the order in which they were submitted;
- `RecordsStored` comes after the records are synced, and means all batches before it too;
- when a group can't be written, every batch submitted up to the moment of the report fails, each
  with its own `StoreFailed`, in order, and nothing of any of them is kept.
"""

import logging
import sqlite3
import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TypeAlias, TypeVar

from mycelia_node.arrivals import Arrival, ArrivedRun, read_arrivals
from mycelia_node.database import (
    Writer,
    open_database,
    read_leaves,
    read_log,
    read_note,
    unusable,
)
from mycelia_node.errors import StoreError
from mycelia_node.groups import (
    Batch,
    InviteChange,
    Job,
    Note,
    group_arrivals,
    group_erased,
    group_invites,
    group_notes,
    group_records,
)
from mycelia_node.loading import LogKey, load_records
from mycelia_protocol.errors import RemoteError
from mycelia_protocol.events import Range, RecordsRead, RecordsStored, Source, StoreFailed
from mycelia_protocol.form_events import FormsRead, ReadForms, Shorten, Shortened
from mycelia_protocol.form_reading import Blocks, read_forms
from mycelia_protocol.reading import read_ranges
from mycelia_protocol.record import Record

log = logging.getLogger("mycelia.store")

Report: TypeAlias = RecordsStored | StoreFailed | RecordsRead | FormsRead | Shortened
Post = Callable[[Callable[[], None]], None]
Found = TypeVar("Found")

GROUP_SIZE_MAX = 8 * 1024 * 1024  # bytes of records in one transaction: about a tenth of a second


@dataclass(slots=True)
class Queue:
    """What waits for the writer. Everything in here is touched only under `condition`."""

    condition: threading.Condition = field(default_factory=threading.Condition)
    jobs: deque[Job] = field(default_factory=deque)
    size: int = 0  # bytes that wait or are being written
    is_failed: bool = False  # a group failed and the owner does not know yet: write nothing
    is_closing: bool = False


class SqliteStore:
    """The records of one node, in one file."""

    def __init__(self, path: Path, commons: bytes, post: Post) -> None:
        """Open or create the file and bring its schema up to date.

        Args:
            commons: id of the commons whose records these are; another one is refused.
            post: runs a function later in the owner's thread, in order.

        Raises:
            StoreError: damaged, foreign, of a newer schema, of another commons, or unwritable.
        """
        self._path = path
        self._post = post
        self.report: Callable[[Report], None] = _ignore
        self.crashed: Callable[[BaseException], None] = _raise  # told of what nobody expected
        self._writer = Writer(path, commons)
        self._queue = Queue()
        self._submitted: deque[int] = deque()  # batches not reported yet, owner's thread only
        self._reads = ThreadPoolExecutor(1, thread_name_prefix="store-read")
        self._read_connection: sqlite3.Connection | None = None
        self._blocks = Blocks()  # the reader thread's
        self._thread = threading.Thread(target=self._write, name="store-write", daemon=True)
        self._thread.start()

    # --- at start ---

    def load(self, covered: Callable[[LogKey], int] = lambda _: 0) -> Iterator[tuple[Record, ...]]:
        """Yield all records, those of one log together and in order of seq.

        Args:
            covered: says how many records of a log, from its first one on, are not wanted.

        Raises:
            StoreError: the file is damaged.
        """
        connection = open_database(self._path)
        try:
            yield from load_records(connection, self._path, covered)
        finally:
            connection.close()

    def load_invites(self) -> dict[bytes, int]:
        """Return digest -> expiry in ms of the invites that were given out."""
        connection = open_database(self._path)
        try:
            return dict(connection.execute("SELECT digest, expires_ms FROM invites"))
        finally:
            connection.close()

    def load_compact(self) -> dict[LogKey, int]:
        """Return (author, log) -> before which seq some of it is compact, where any is."""
        connection = open_database(self._path)
        try:
            rows = connection.execute("SELECT author, log, compact FROM logs WHERE compact > 0")
            return {(author, log): until for author, log, until in rows}
        finally:
            connection.close()

    # --- while running ---

    @property
    def backlog(self) -> int:
        """Bytes of records that were submitted and are not on disk yet."""
        return self._queue.size

    @property
    def size(self) -> int:
        """Bytes that the records take on the disk."""
        files = (self._path, self._path.with_name(f"{self._path.name}-wal"))
        return sum(file.stat().st_size for file in files if file.exists())

    def submit(
        self,
        number: int,
        records: tuple[Record, ...],
        source: Source | None = None,
        at_ms: int = 0,
        erased: tuple[Range, ...] = (),
    ) -> None:
        """Write a batch; `RecordsStored` or `StoreFailed` with its number will be reported.

        Args:
            number: of the batch.
            records: what to write.
            source: by whom it came, if over a link.
            at_ms: when it came.
            erased: places of records that are here and whose words go with the same write.
        """
        self._submitted.append(number)
        arrival = None if source is None else Arrival(source, at_ms, records)
        size = sum(record.size for record in records)
        self._put(Batch(number, records, size, arrival, erased))

    def save_invite(self, digest: bytes, expires_ms: int) -> "Future[None]":
        """Keep an invite; the future ends when it is on disk, or with a StoreError."""
        return self._change_invite(digest, expires_ms)

    def delete_invite(self, digest: bytes) -> "Future[None]":
        """Forget an invite; the future ends when that is on disk, or with a StoreError."""
        return self._change_invite(digest, None)

    def save_note(self, name: str, value: bytes) -> None:
        """Keep a value under a name, in place of the one before; if it fails, it is lost."""
        self._put(Note(name, value))

    def load_note(self, name: str) -> "Future[bytes | None]":
        """Return the value that is on disk under a name, or None."""
        return self._reads.submit(self._load_note, name)

    def load_arrivals(self, since_ms: int, until_ms: int) -> "Future[list[ArrivedRun]]":
        """Return by whom records came of which some came between two times."""
        return self._reads.submit(self._load_arrivals, since_ms, until_ms)

    def fetch(self, ranges: tuple[Range, ...], size_max: int) -> "Future[tuple[Record, ...]]":
        """Read records as for `ReadRecords`, for somebody else than the engine.

        The future ends with the records, or with a StoreError.
        """
        return self._reads.submit(self._or_explain, lambda: self._fetch(ranges, size_max))

    def fetch_forms(
        self, wanted: ReadForms
    ) -> "Future[tuple[tuple[Record, ...], tuple[bytes, ...]]]":
        """Read a log in whatever form it is here, for somebody else than the engine.

        The future ends with the records and what proves them, or with a StoreError.
        """
        return self._reads.submit(self._or_explain, lambda: self._fetch_forms(wanted))

    def read(self, token: int, ranges: tuple[Range, ...], size_max: int) -> None:
        """Read records; `RecordsRead` with the token will be reported."""
        self._reads.submit(self._read, token, ranges, size_max)

    def read_forms(self, wanted: ReadForms) -> None:
        """Read a log in whatever form it is here; `FormsRead` with the token will be reported."""
        self._reads.submit(self._read_forms, wanted)

    def shorten(self, wanted: Shorten) -> None:
        """Keep compact forms of some records; `Shortened` will be reported."""
        self._put(wanted)

    def close(self) -> None:
        """Write what waits, report it, and close the file; blocks until done."""
        with self._queue.condition:
            self._queue.is_closing = True
            self._queue.condition.notify()
        self._thread.join()
        self._reads.submit(self._close_read_connection)
        self._reads.shutdown(wait=True)
        self._writer.close()

    # --- the writer thread ---

    def _change_invite(self, digest: bytes, expires_ms: int | None) -> "Future[None]":
        change = InviteChange(digest, expires_ms, Future())
        self._put(change)
        return change.done

    def _put(self, job: Job) -> None:
        with self._queue.condition:
            self._queue.jobs.append(job)
            self._queue.size += job.size if isinstance(job, Batch) else 0
            self._queue.condition.notify()

    def _write(self) -> None:
        """Commit group after group until the store closes."""
        while group := self._next_group():
            try:
                if isinstance(group[0], Shorten):
                    self._shorten(group[0])
                    continue
                self._writer.write(
                    group_records(group),
                    group_invites(group),
                    group_notes(group),
                    group_arrivals(group),
                    group_erased(group),
                )
            except (sqlite3.Error, StoreError) as error:
                self._fail(group, str(error))
            except Exception as error:
                self._crash(error)
                return
            else:
                self._finish(group)

    def _next_group(self) -> list[Job]:
        """Wait for jobs and take as many as fit in a transaction; none means to stop."""
        queue = self._queue
        with queue.condition:
            while (not queue.jobs or queue.is_failed) and not queue.is_closing:
                queue.condition.wait()
            if queue.is_failed:
                return []
            group: list[Job] = []
            size = 0
            while queue.jobs and size < GROUP_SIZE_MAX:
                if group and isinstance(queue.jobs[0], Shorten):
                    break  # alone, since others must not fail with it
                job = queue.jobs.popleft()
                if isinstance(job, Shorten):
                    return [job]
                size += job.size if isinstance(job, Batch) else 0
                group.append(job)
            return group

    def _shorten(self, wanted: Shorten) -> None:
        """Write one log's compact forms; if that fails, it stays as it was."""
        try:
            self._writer.write((), (), shortened=(wanted,))
        except (sqlite3.Error, StoreError) as error:
            log.warning("a log was not shortened: %s", error)
            is_done = False
        else:
            is_done = True
        self._post(lambda: self.report(Shortened(wanted.author, wanted.log, is_done)))

    def _finish(self, group: list[Job]) -> None:
        """Report a group that is on disk."""
        with self._queue.condition:
            self._queue.size -= sum(job.size for job in group if isinstance(job, Batch))
        for job in group:
            if isinstance(job, InviteChange):
                job.done.set_result(None)
        numbers = [job.number for job in group if isinstance(job, Batch)]
        if numbers:
            self._post(lambda: self._report_stored(numbers))

    def _fail(self, group: list[Job], reason: str) -> None:
        """Stop writing until the owner has been told."""
        with self._queue.condition:
            self._queue.is_failed = True
        self._post(lambda: self._report_failed(group, reason))

    # --- in the owner's thread ---

    def _report_stored(self, numbers: list[int]) -> None:
        for number in numbers:
            assert self._submitted.popleft() == number
            self.report(RecordsStored(number))

    def _report_failed(self, group: list[Job], reason: str) -> None:
        """Fail what was submitted up to now; what is submitted from here on is tried anew."""
        with self._queue.condition:
            jobs = [*group, *self._queue.jobs]
            self._queue.jobs.clear()
            self._queue.size = 0
            self._queue.is_failed = False
            self._queue.condition.notify()
        numbers = list(self._submitted)
        self._submitted.clear()
        for job in jobs:
            if isinstance(job, InviteChange):
                job.done.set_exception(StoreError(f"The invite was not written: {reason}."))
            if isinstance(job, Shorten):
                self.report(Shortened(job.author, job.log, is_done=False))
        for number in numbers:
            self.report(StoreFailed(number, reason))

    # --- the reader thread ---

    def _read(self, token: int, ranges: tuple[Range, ...], size_max: int) -> None:
        try:
            records = self._fetch(ranges, size_max)
        except (sqlite3.Error, RemoteError, StoreError) as error:
            log.error("records could not be read: %s", error)
            records = ()  # what can't be read here is asked of somebody else
        except Exception as error:
            self._crash(error)
            return
        self._post(lambda: self.report(RecordsRead(token, records)))

    def _read_forms(self, wanted: ReadForms) -> None:
        records, proof = tuple[Record, ...](), tuple[bytes, ...]()
        try:
            records, proof = self._fetch_forms(wanted)
        except (sqlite3.Error, RemoteError, StoreError) as error:
            log.error("a log could not be read: %s", error)
        except Exception as error:
            self._crash(error)
            return
        self._post(lambda: self.report(FormsRead(wanted.token, records, proof)))

    def _fetch_forms(self, wanted: ReadForms) -> tuple[tuple[Record, ...], tuple[bytes, ...]]:
        reader = self._reader()
        leaves = partial(read_leaves, reader, wanted.author, wanted.log)
        return read_forms(wanted, partial(read_log, reader), self._blocks, leaves)

    def _fetch(self, ranges: tuple[Range, ...], size_max: int) -> tuple[Record, ...]:
        return read_ranges(ranges, size_max, partial(read_log, self._reader()))

    def _or_explain(self, read: Callable[[], Found]) -> Found:
        try:
            return read()
        except (sqlite3.Error, RemoteError) as error:
            raise unusable(self._path, error) from error

    def _load_note(self, name: str) -> bytes | None:
        return read_note(self._reader(), name)

    def _load_arrivals(self, since_ms: int, until_ms: int) -> list[ArrivedRun]:
        return list(read_arrivals(self._reader(), since_ms, until_ms))

    def _reader(self) -> sqlite3.Connection:
        if self._read_connection is None:
            self._read_connection = open_database(self._path)
        return self._read_connection

    def _crash(self, error: Exception) -> None:
        """Tell the owner of a bug; the thread that met it does no more."""
        self._post(lambda: self.crashed(error))

    def _close_read_connection(self) -> None:
        if self._read_connection is not None:
            self._read_connection.close()


def _ignore(report: Report) -> None:
    """Take reports until the owner has said where they go."""


def _raise(error: BaseException) -> None:
    """Be loud until the owner has said who is told."""
    raise error
