"""Proofs of a part of a log, without all of the log being read for each."""

import random
from collections.abc import Iterator

import pytest

from mycelia_protocol import form_reading
from mycelia_protocol.compact import compact
from mycelia_protocol.crypto import LEAF, digest
from mycelia_protocol.form_events import ReadForms
from mycelia_protocol.form_reading import Blocks, read_forms
from mycelia_protocol.merkle import Tree, prove, proved_root
from node_records import make_log

KEY = (bytes(32), bytes(8))
BLOCK = 4


class Shelf:
    """A log of so many leaves, which counts what is read of it."""

    def __init__(self, count: int) -> None:
        self.leaves = [b"leaf %d" % number for number in range(count)]
        self.hashes = [digest(LEAF, leaf) for leaf in self.leaves]
        self.reads = 0

    def read(self, first: int, end: int) -> Iterator[bytes]:
        """Yield leaves as far as there are any."""
        for leaf in self.leaves[first:end]:
            self.reads += 1
            yield leaf


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let blocks be so small that short logs have many."""
    monkeypatch.setattr(form_reading, "BLOCK", BLOCK)


def test_a_proof_is_that_of_all_leaves_whatever_was_asked_before() -> None:
    """CHECK-7: of every part of every log, in any order, while the log grows."""
    rng = random.Random(1)
    wanted = [(u, f, e) for u in range(1, 23) for f in range(u) for e in range(f + 1, u + 1)]
    rng.shuffle(wanted)
    shelf, blocks = Shelf(23), Blocks()
    for until, first, end in wanted:
        found = blocks.prove(KEY, until, first, end, shelf.read)
        assert found == tuple(prove(shelf.hashes[:until], first, end)), (until, first, end)


def test_what_a_part_costs_does_not_grow_with_the_log() -> None:
    """Once it was read, no more than the blocks at both ends of the part, and the last one."""
    for count in (99, 999):
        shelf, blocks = Shelf(count), Blocks()
        blocks.prove(KEY, count, 0, 9, shelf.read)
        assert count <= shelf.reads <= count + 3 * BLOCK
        shelf.reads = 0
        blocks.prove(KEY, count, 41, 50, shelf.read)
        assert shelf.reads <= 3 * BLOCK
        assert blocks.count == count // BLOCK


def test_a_log_that_is_not_held_so_far_proves_nothing() -> None:
    """CHECK-9: also when it ends within the last block, or the part itself is here."""
    shelf, blocks = Shelf(10), Blocks()
    for until in (11, 12, 13, 99):
        assert blocks.prove(KEY, until, 2, 5, shelf.read) is None
    assert blocks.prove(KEY, 10, 2, 5, shelf.read) == tuple(prove(shelf.hashes, 2, 5))


def test_what_is_kept_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever asks for many logs fills no memory; what went is read again."""
    monkeypatch.setattr(form_reading, "BLOCKS_MAX", 10)
    shelf, blocks = Shelf(5 * BLOCK), Blocks()
    for number in [*range(9), 0]:
        key = (bytes([number]) * 32, bytes(8))
        found = blocks.prove(key, 5 * BLOCK, 3, 6, shelf.read)
        assert found == tuple(prove(shelf.hashes, 3, 6))
        assert blocks.count <= 10


def test_a_part_ends_with_a_record_that_stands_by_itself() -> None:
    """CHECK-7: whoever stores it has what proves its end; words are not lost for that."""
    whole = make_log(count=9)
    log = [each if each.seq % 4 == 3 else each.without_signature() for each in whole]
    tree = Tree()
    for record in log:
        tree.add(compact(record))
    place = (log[0].author, log[0].log)
    for size_max in range(1, 9 * log[0].size, log[0].size // 2):
        wanted = ReadForms(0, *place, 9, 0, size_max, is_proved=True)
        found, proof = read_forms(wanted, lambda asked: log[asked.first :], Blocks())
        assert len(found) in (2, 3, 4, 8, 9)
        assert proved_root(9, 0, list(map(compact, found)), proof) == tree.root()
        assert len(found) < 4 or len(found) == 9 or found[-1].signature is not None
