"""The laws of a record store, run against every store; and what is special to SQLite.

The laws are a suite over `StoreKit`, so that another store need only bring its own kit.
"""

import sqlite3
from pathlib import Path

import pytest

from mycelia_protocol import reading
from mycelia_protocol.events import Range, RecordsStored, StoreFailed
from mycelia_protocol.record import Record
from node_records import make_log, signed_only_last
from node_stores import DEADLINE_S, StoreKit, range_of

# --- laws of every store ---


def test_what_was_stored_is_loaded_again(kit: StoreKit) -> None:
    """Records come back byte for byte, by log and in order of seq, with None where there was."""
    one, two = signed_only_last(make_log(1, count=30)), make_log(2, count=5)
    bodiless = Record.parse(two[-1].header, two[-1].signature, None)
    for number, records in enumerate([one[:10], two[:-1], [bodiless], one[10:]]):
        assert kit.put(number, records) == [RecordsStored(number)]
    kit.reopen()
    assert kit.loaded() == [*one, *two[:-1], bodiless]


def test_batches_are_reported_in_order(kit: StoreKit) -> None:
    """However batches are grouped, each is reported once and in the order of submission."""
    log = make_log(count=200)
    for number, record in enumerate(log):
        kit.store.submit(number, (record,))
    assert kit.wait(200) == [RecordsStored(number) for number in range(200)]
    assert kit.store.backlog == 0
    assert kit.loaded() == log


def test_storing_a_record_again_only_adds_what_was_missing(kit: StoreKit) -> None:
    """The same record with its signature and body completes the row; without, it takes nothing."""
    (record,) = make_log(count=1)
    bare = Record.parse(record.header, None, None)
    for number, version in enumerate([bare, record, bare]):
        assert kit.put(number, [version]) == [RecordsStored(number)]
    assert kit.loaded() == [record]


def test_words_go_with_the_write_that_says_so_and_can_come_back(kit: StoreKit) -> None:
    """Those of the places named go, in one step with the batch; a whole record brings its own."""
    log = make_log(count=8, size=40)
    kit.put(1, log[:6])
    kit.store.submit(2, tuple(log[6:]), erased=(range_of(log, 2, 4), range_of(log, 6, 6)))
    assert kit.wait(1) == [RecordsStored(2)]
    kit.reopen()
    gone = (2, 3, 4, 6)
    kept = [record.without_words() if record.seq in gone else record for record in log]
    assert kit.loaded() == kept
    assert kit.read(range_of(log, 3, 3)) == [log[3].without_words()]
    kit.put(3, [log[3]])
    kit.put(4, [kept[3], log[0].without_words()])
    assert kit.loaded() == [*kept[:3], log[3], *kept[4:]]


def test_words_stay_when_the_write_fails(kit: StoreKit) -> None:
    """All or nothing: what asked for them to go was not kept either."""
    log = make_log(count=400, size=400)
    kit.put(1, log[:20])
    kit.fill_disk()
    kit.store.submit(2, tuple(log[20:]), erased=(range_of(log, 0, 19),))
    assert isinstance(kit.wait(1)[0], StoreFailed)
    kit.free_disk()
    assert kit.loaded() == log[:20]


def test_no_byte_of_erased_words_stays_on_the_disk(sqlite_kit: StoreKit) -> None:
    """Not in the file, nor in what SQLite keeps beside it, while the node goes on."""
    log = make_log(count=50, size=333)
    sqlite_kit.put(1, log[:49])
    files = [sqlite_kit.path, sqlite_kit.path.with_name("node.db-wal")]
    assert any(b"x" * 333 in file.read_bytes() for file in files)
    sqlite_kit.store.submit(2, (log[49],), erased=(range_of(log, 0, 49),))
    sqlite_kit.wait(1)
    assert sqlite_kit.loaded() == [record.without_words() for record in log]
    for file in files:
        assert b"x" * 8 not in file.read_bytes()


def test_a_failed_group_fails_everything_submitted(kit: StoreKit) -> None:
    """When the disk is full all batches fail in order, nothing is kept, and later ones can pass."""
    log = make_log(count=60, size=2_000)
    assert kit.put(0, log[:10]) == [RecordsStored(0)]
    kit.fill_disk()
    for number in (1, 2, 3):
        start = number * 10
        kit.store.submit(number, tuple(log[start : start + 10]))
    reports = kit.wait(3)
    assert [type(report) for report in reports] == [StoreFailed] * 3
    assert [report.batch for report in reports if isinstance(report, StoreFailed)] == [1, 2, 3]
    assert kit.store.backlog == 0
    assert kit.loaded() == log[:10]
    kit.free_disk()
    assert kit.put(4, log[10:]) == [RecordsStored(4)]
    assert kit.loaded() == log


def test_nothing_is_written_between_a_failure_and_its_report(sqlite_kit: StoreKit) -> None:
    """A batch submitted before the owner was told of a failure fails too: it may rest on it."""
    kit = sqlite_kit
    first, other = make_log(1, count=40, size=2_000), make_log(2, count=2)
    kit.fill_disk()
    kit.store.submit(1, tuple(first))
    failure = kit.posted.get(timeout=DEADLINE_S)
    kit.free_disk()
    kit.store.submit(2, tuple(other))
    failure()
    assert [getattr(report, "batch", None) for report in kit.wait(2)] == [1, 2]
    assert kit.loaded() == []
    assert kit.put(3, other) == [RecordsStored(3)]
    assert kit.loaded() == other


def test_a_gap_is_refused(kit: StoreKit) -> None:
    """A record that would leave a hole in its log fails instead of making the log unreadable."""
    log = make_log(count=5)
    assert kit.put(0, log[:2]) == [RecordsStored(0)]
    (report,) = kit.put(1, log[3:])
    assert isinstance(report, StoreFailed)
    assert "gap" in report.reason
    assert kit.put(2, log[2:]) == [RecordsStored(2)]


def test_another_record_at_the_same_place_is_refused(kit: StoreKit) -> None:
    """A fork never overwrites what is stored, and is not told to be stored."""
    log, fork = make_log(count=3), make_log(count=3, size=21)
    assert kit.put(0, log) == [RecordsStored(0)]
    (report,) = kit.put(1, fork[2:])
    assert isinstance(report, StoreFailed)
    assert kit.loaded() == log


def test_reading_a_range(kit: StoreKit) -> None:
    """A range is read from first to last, both included, and stops at a missing record."""
    log, other = make_log(1, count=20), make_log(2, count=20)
    kit.put(0, log)
    kit.put(1, other[:7])
    assert kit.read(range_of(log, 3, 5)) == log[3:6]
    assert kit.read(range_of(other, 5, 19), range_of(log, 0, 0)) == [*other[5:7], log[0]]
    assert kit.read(range_of(log, 30, 40)) == []
    assert kit.read(Range(b"\0" * 32, b"\0" * 8, 0, 9)) == []


def test_reading_goes_on_to_a_signature(kit: StoreKit) -> None:
    """The last record read is signed, beyond the range and the size if need be."""
    run = signed_only_last(make_log(1, count=10)) + make_log(1, count=20)[10:]
    kit.put(0, run)
    assert kit.read(range_of(run, 2, 4)) == run[2:10]
    assert kit.read(range_of(run, 0, 19), size_max=1) == run[:10]
    assert kit.read(range_of(run, 10, 19), size_max=1) == run[10:11]


def test_reading_stops_when_full(kit: StoreKit) -> None:
    """Reading stops with the record that fills `size_max`, and reads no further range."""
    log, other = make_log(1, count=20), make_log(2, count=1)
    kit.put(0, log)
    kit.put(1, other)
    size_max = sum(record.size for record in log[:5])
    assert kit.read(range_of(log, 0, 19), range_of(other, 0, 0), size_max=size_max) == log[:5]


def test_an_answer_fits_in_a_frame_whatever_the_runs(kit: StoreKit) -> None:
    """A long run with one signature is left out behind others, not added to what is full (REP-4).

    Else one member could write a log that nobody can pass on: the frame would be refused, and all
    that was to come with it.
    """
    log = make_log(1, count=20, size=10_000)
    long = signed_only_last(make_log(2, count=90, size=10_000))
    kit.put(0, log)
    kit.put(1, long)
    size_max = sum(record.size for record in log[:20]) + 5_000
    both = range_of(log, 0, 19), range_of(long, 0, 89)
    assert kit.read(*both, size_max=size_max) == log
    assert kit.read(*both[::-1], size_max=size_max) == long


def test_a_cut_range_ends_at_the_last_signature_within(kit: StoreKit) -> None:
    """So a run that one signature holds together never grows from hop to hop (REP-4)."""
    log = make_log(1, count=20)
    run = signed_only_last(log[:5]) + signed_only_last(log[5:])
    kit.put(0, run)
    size_max = sum(record.size for record in run[:8])
    assert kit.read(range_of(run, 0, 19), size_max=size_max) == run[:5]


def test_nothing_follows_a_range_that_was_cut(kit: StoreKit) -> None:
    """The asker tells by it what found no room from what is not held (REP-4)."""
    first, second = make_log(1, count=2), make_log(2, count=9, size=2_000)
    small = make_log(3, count=1)
    for number, log in enumerate((first, second, small)):
        kit.put(number, log)
    ranges = range_of(first, 0, 1), range_of(second, 0, 8), range_of(small, 0, 0)
    assert kit.read(*ranges, size_max=1_000) == first


def test_an_answer_holds_no_more_records_than_a_frame(
    kit: StoreKit, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Many small records are cut by number, since a peer closes on more (SESS-5)."""
    monkeypatch.setattr(reading, "RUN_RECORDS_MAX", 7)
    log, other = make_log(1, count=5), signed_only_last(make_log(2, count=5))
    kit.put(0, log)
    kit.put(1, other)
    assert kit.read(range_of(log, 0, 4), range_of(other, 0, 4)) == log
    assert kit.read(range_of(other, 0, 4), range_of(log, 0, 4)) == [*other, *log[:2]]


def test_invites_are_kept_until_deleted(sqlite_kit: StoreKit) -> None:
    """An invite survives a restart; saving again moves its end; deleting forgets it."""
    kit = sqlite_kit
    one, two = b"1" * 32, b"2" * 32
    kit.store.save_invite(one, 5).result(DEADLINE_S)
    kit.store.save_invite(two, 6).result(DEADLINE_S)
    kit.store.save_invite(two, 7).result(DEADLINE_S)
    kit.reopen()
    assert kit.store.load_invites() == {one: 5, two: 7}
    kit.store.delete_invite(one).result(DEADLINE_S)
    assert kit.store.load_invites() == {two: 7}


def test_closing_writes_what_waits(kit: StoreKit) -> None:
    """A clean end loses nothing that was submitted."""
    log = make_log(count=300)
    for number, record in enumerate(log):
        kit.store.submit(number, (record,))
    kit.reopen()
    assert kit.reports == [RecordsStored(number) for number in range(300)]
    assert kit.loaded() == log


# --- SQLite alone ---


def test_the_file_is_private_and_whole_after_closing(tmp_path: Path) -> None:
    """node.db is 0600, synced in full, and stands alone (no -wal) once closed."""
    kit = StoreKit(tmp_path / "node.db")
    assert kit.store._writer._connection.execute("PRAGMA synchronous").fetchone() == (2,)
    kit.put(0, make_log())
    kit.store.close()
    assert [path.name for path in tmp_path.iterdir()] == ["node.db"]
    assert (tmp_path / "node.db").stat().st_mode & 0o777 == 0o600


def test_a_closed_file_reads_with_plain_sqlite(tmp_path: Path) -> None:
    """Anybody with the sqlite3 tool can look at what the node knows."""
    kit = StoreKit(tmp_path / "node.db")
    kit.put(0, make_log(count=4))
    kit.store.close()
    connection = sqlite3.connect(tmp_path / "node.db")
    assert connection.execute("SELECT count(*) FROM records").fetchone() == (4,)
    connection.close()
