"""What a store gives of a log, in whatever form it has it, with what proves it. Spec: CHECK-7.

A proof has the roots over all that is beside what is given. So that a part of a long log does not
cost the reading of all of it, the roots over its blocks are kept once they were needed: 32 bytes
for 256 records. They stay right for as long as the log is here, since it only grows, and a record
has the same compact form before and after it was shortened.
"""

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Final

from mycelia_protocol.compact import compact
from mycelia_protocol.crypto import LEAF, digest
from mycelia_protocol.events import Range
from mycelia_protocol.form_events import ReadForms
from mycelia_protocol.limits import RUN_RECORDS_MAX
from mycelia_protocol.merkle import beside, root_over
from mycelia_protocol.record import Record

BLOCK: Final = 256  # records under one root; a power of two
BLOCKS_MAX: Final = 65_536  # roots that are kept, of all logs: 2 MiB, over 16 million records
COUNT_MIN: Final = 2  # records that are given at least: who goes on holds the first

LogKey = tuple[bytes, bytes]
Leaves = Callable[[int, int], Iterable[bytes]]


class Blocks:
    """The roots over the full blocks of logs, from their beginnings on, as far as they were needed.

    Whose were needed longest ago go when there are too many.
    """

    def __init__(self) -> None:
        self._roots: dict[LogKey, list[bytes]] = {}
        self.count = 0  # roots that are kept

    def prove(
        self, key: LogKey, until: int, first: int, last: int, leaves: Leaves
    ) -> tuple[bytes, ...] | None:
        """Return what proves a log's records from `first` to before `last` under its sum.

        Args:
            until: the sum is over all before this seq.
            leaves: gives the compact forms from one seq to before another, as far as they are here.

        Returns:
            The roots, or None if the log is not here that far.
        """
        blocks = self._grown(key, until // BLOCK, leaves)
        edges: dict[int, list[bytes]] = {}

        def hashes(low: int, high: int) -> list[bytes]:
            """Return the roots of single records, all of one block."""
            begin = low - low % BLOCK
            if begin not in edges:
                some = leaves(begin, min(begin + BLOCK, until))
                edges[begin] = [digest(LEAF, each) for each in some]
            return edges[begin][low - begin : high - begin]

        rest = until % BLOCK
        is_here = last == until or not rest or len(hashes(until - rest, until)) == rest
        if len(blocks) < until // BLOCK or not is_here:
            return None
        found: list[bytes] = []
        for low, high in beside(until, first, last):
            if high - low < BLOCK:
                found.append(root_over(hashes(low, high)))
                continue
            roots = blocks[low // BLOCK : high // BLOCK]
            if high % BLOCK:  # only the last block of all is not a full one
                roots = [*roots, root_over(hashes(high - high % BLOCK, high))]
            found.append(root_over(roots))
        return tuple(found)

    def _grown(self, key: LogKey, count: int, leaves: Leaves) -> list[bytes]:
        """Return the roots over the first `count` blocks of a log, or as many as are here."""
        roots = self._roots.pop(key, [])
        self._roots[key] = roots
        if len(roots) < count:
            rest = iter(leaves(len(roots) * BLOCK, count * BLOCK))
            while hashes := [digest(LEAF, each) for each in islice(rest, BLOCK)]:
                if len(hashes) == BLOCK:
                    roots.append(root_over(hashes))
                    self.count += 1
        while self.count > BLOCKS_MAX and len(self._roots) > 1:
            self.count -= len(self._roots.pop(next(iter(self._roots))))
        return roots


def read_forms(
    wanted: ReadForms,
    read: Callable[[Range], Iterable[Record]],
    blocks: Blocks,
    leaves: Leaves | None = None,
) -> tuple[tuple[Record, ...], tuple[bytes, ...]]:
    """Return what a store gives of a log, in whatever form it has it: one law for all stores.

    Args:
        wanted: what the engine asked for.
        read: as of `reading.read_ranges`.
        blocks: kept from one call to the next, for as long as no log is cut short or changed.
        leaves: as of `Blocks.prove`, of this log, where they are had cheaper than by `read`.

    Returns:
        The records from `first` on, as many as fit, and what proves them, if that was asked for:
        then the last is one that stands by itself, if one does. None if the log does not reach as
        far as `until`.
    """
    place = (wanted.author, wanted.log)

    def made(first: int, end: int) -> Iterator[bytes]:
        """Yield compact forms of the log, made of its records."""
        yield from map(compact, islice(read(Range(*place, first, end - 1)), end - first))

    found: list[Record] = []
    size, is_full = 0, False
    for record in read(Range(*place, wanted.first, wanted.until - 1)):
        if record.seq >= wanted.until:
            break
        found.append(record)
        size += record.size
        is_full = size >= wanted.size_max or len(found) == RUN_RECORDS_MAX
        is_full = is_full and len(found) >= COUNT_MIN
        if is_full:
            break
    end = wanted.first + len(found)
    if not found or (end < wanted.until and not is_full):
        return (), ()
    if not wanted.is_proved:
        return tuple(found), ()
    if end < wanted.until:
        found = _ending_well(found)
        end = wanted.first + len(found)
    proof = blocks.prove(place, wanted.until, wanted.first, end, leaves or made)
    return ((), ()) if proof is None else (tuple(found), proof)


def _ending_well(records: list[Record]) -> list[Record]:
    """Return records up to the last that is compact or signed: a store may end with such a one.

    All of them, if none but the first is, which the reader holds.
    """
    for end in range(len(records), 1, -1):
        last = records[end - 1]
        if last.is_compact or last.signature is not None:
            return records[:end]
    return records
