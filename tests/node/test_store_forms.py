"""What every store does with compact forms, and what is special to SQLite."""

import sqlite3
from pathlib import Path

import pytest

from mycelia_node.store import SqliteStore
from mycelia_protocol import form_reading
from mycelia_protocol.compact import compact, shorten
from mycelia_protocol.crypto import LEAF, digest
from mycelia_protocol.events import RecordsStored, StoreFailed
from mycelia_protocol.form_events import FormsRead, ReadForms, Shorten, Shortened
from mycelia_protocol.merkle import Tree, proved_root
from mycelia_protocol.record import Record
from node_records import COMMONS, make_log
from node_stores import StoreKit, range_of


def shortened(kit: StoreKit, records: list[Record], *places: tuple[int, int], until: int) -> bool:
    """Let the store shorten some places of a log; return whether it did."""
    kit.store.shorten(Shorten(records[0].author, records[0].log, until, places))
    (report,) = kit.wait(1)
    assert isinstance(report, Shortened)
    return report.is_done


def forms(
    kit: StoreKit, records: list[Record], until: int, first: int, size_max: int = 10_000
) -> FormsRead:
    """Read a log in whatever form it is there, with its proof."""
    place = (records[0].author, records[0].log)
    kit.store.read_forms(ReadForms(3, *place, until, first, size_max, is_proved=True))
    (report,) = kit.wait(1)
    assert isinstance(report, FormsRead)
    return report


def test_a_shortened_log_is_loaded_as_what_is_left(kit: StoreKit) -> None:
    """Some records are compact, the others as they were, and the store says how far."""
    records = make_log(count=8)
    kit.put(1, records)
    assert shortened(kit, records, (0, 2), (4, 5), until=6)
    kit.reopen()
    left = [shorten(each) if each.seq in (0, 1, 2, 4, 5) else each for each in records]
    assert kit.loaded() == left
    assert kit.read(range_of(records, 0, 7)) == []
    assert kit.read(range_of(records, 3, 7)) == records[3:4]
    assert kit.read(range_of(records, 6, 7)) == records[6:]


@pytest.mark.parametrize("block", [2, 256])
def test_what_is_read_proves_itself_whatever_its_form(
    kit: StoreKit, block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """CHECK-7: the root is that of the log, however much fits into an answer."""
    monkeypatch.setattr(form_reading, "BLOCK", block)
    records = make_log(count=9)
    kit.put(1, records)
    tree = Tree()
    for record in records[:7]:
        tree.add(compact(record))
    before = forms(kit, records, 7, 0)
    assert shortened(kit, records, (0, 4), until=6)
    for first in range(7):
        for size_max in (1, 300, 10_000):
            read = forms(kit, records, 7, first, size_max)
            assert read.records
            assert read.records[0].id == records[first].id
            leaves = [compact(record) for record in read.records]
            assert proved_root(7, first, leaves, read.proof) == tree.root()
    after = forms(kit, records, 7, 0)
    assert [each.id for each in after.records] == [each.id for each in before.records]
    assert [each.is_compact for each in after.records] == [True] * 5 + [False] * 2
    assert forms(kit, records, 12, 0).records == ()


def test_compact_records_are_stored_like_others(kit: StoreKit) -> None:
    """What came from a neighbour in compact form lies on the disk, and whole ones behind it."""
    records = make_log(count=6)
    kit.put(1, [shorten(each) for each in records[:4]])
    kit.put(2, records[4:])
    kit.reopen()
    assert kit.loaded() == [*map(shorten, records[:4]), *records[4:]]


def test_the_size_of_a_step_does_not_change_what_is_read(kit: StoreKit) -> None:
    """A sum made piece by piece, without proofs, is that of the whole."""
    records, tree = make_log(count=9), Tree()
    kit.put(1, records)
    place = (records[0].author, records[0].log)
    while tree.count < 9:
        kit.store.read_forms(ReadForms(0, *place, 9, tree.count, 300, is_proved=False))
        (report,) = kit.wait(1)
        assert isinstance(report, FormsRead)
        assert report.proof == ()
        for record in report.records:
            tree.add(compact(record))
    whole = Tree()
    for record in records:
        whole.add(compact(record))
    assert tree.root() == whole.root()
    assert digest(LEAF, compact(records[0])) != tree.root()


def test_a_log_that_can_not_be_shortened_stays_as_it_is(sqlite_kit: StoreKit) -> None:
    """A full disk: nothing is lost, nothing else fails with it, and it can be tried again."""
    records, others = make_log(count=8), make_log(log=2, count=2)
    sqlite_kit.put(1, records)
    connection = sqlite_kit.store._writer._connection
    connection.execute(
        "CREATE TRIGGER broken BEFORE UPDATE ON records BEGIN SELECT raise(ABORT, 'no'); END"
    )
    assert not shortened(sqlite_kit, records, (0, 3), until=4)
    connection.execute("DROP TRIGGER broken")
    sqlite_kit.put(2, others)
    assert sqlite_kit.loaded() == [*records, *others]
    assert shortened(sqlite_kit, records, (0, 3), until=4)


def test_what_waits_behind_a_full_disk_is_not_shortened_and_can_be_later(
    sqlite_kit: StoreKit,
) -> None:
    """Whoever asked is told, else nothing would ever be shortened again."""
    records, others = make_log(count=8), make_log(log=2, count=200)
    sqlite_kit.put(1, records)
    sqlite_kit.fill_disk()
    sqlite_kit.store.submit(2, tuple(others))
    sqlite_kit.store.shorten(Shorten(records[0].author, records[0].log, 4, ((0, 3),)))
    reports = sqlite_kit.wait(2)
    assert Shortened(records[0].author, records[0].log, is_done=False) in reports
    assert [type(each) for each in reports].count(StoreFailed) == 1
    sqlite_kit.free_disk()
    assert shortened(sqlite_kit, records, (0, 3), until=4)


def test_words_that_come_too_late_change_nothing_and_fail_nothing(sqlite_kit: StoreKit) -> None:
    """Of a compact form and a record at one place stays what was there first."""
    records, others = make_log(count=6), make_log(log=2, count=2)
    sqlite_kit.put(1, [records[0], records[1].without_words(), *records[2:]])
    assert shortened(sqlite_kit, records, (0, 2), until=3)
    assert sqlite_kit.put(2, [records[1], *others]) == [RecordsStored(2)]
    assert sqlite_kit.put(3, [shorten(records[5])]) == [RecordsStored(3)]
    sqlite_kit.reopen()
    assert sqlite_kit.loaded() == [*map(shorten, records[:3]), *records[3:], *others]


def test_older_files_get_the_column_and_keep_their_records(tmp_path: Path) -> None:
    """A store of the schema before opens, and shortens."""
    path = tmp_path / "node.db"
    kit, records = StoreKit(path), make_log(count=4)
    kit.put(1, records)
    kit.store.close()
    connection = sqlite3.connect(path)
    connection.executescript("ALTER TABLE logs DROP COLUMN compact; PRAGMA user_version = 4;")
    connection.close()
    again = StoreKit(path)
    assert isinstance(again.store, SqliteStore)
    assert again.store.load_compact() == {}
    assert shortened(again, records, (1, 1), until=2)
    assert again.store.load_compact() == {(records[0].author, records[0].log): 2}
    again.store.close()
    assert records[0].commons == COMMONS
