"""What lies on all disks of a run together.

A thousand nodes hold a thousand records each, mostly the same ones. So a log that lies alike on
many disks is one object, and what follows from it is worked out once. Copies that differ in one
signature or one body are different objects; nothing is taken for granted because a neighbour has
it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Final, TypeAlias

from mycelia_sim.audit import (
    Held,
    Holding,
    LogCopy,
    Verifier,
    copies,
    read_form,
    read_record,
    roster,
)
from mycelia_sim.folding import Folds
from mycelia_sim.forms import summed

LogKey: TypeAlias = tuple[bytes, bytes]


class Shelf:
    """Keeps one object for records, and for logs, that are alike byte for byte."""

    def __init__(self) -> None:
        self._records: dict[tuple[object, ...], Held] = {}
        self._logs: dict[tuple[int, ...], LogCopy] = {}

    def record(self, header: bytes, signature: bytes | None, body: bytes | None) -> Held:
        """Take a record's stored bytes apart; what it raises is what `read_record` raises."""
        key = (header, signature, body)
        held = self._records.get(key)
        if held is None:
            held = self._records[key] = read_record(header, signature, body)
        return held

    def form(self, author: bytes, log: bytes, seq: int, form: bytes) -> Held:
        """Take a compact form apart; what it raises is what `read_form` raises."""
        key = (author, log, seq, form)
        held = self._records.get(key)
        if held is None:
            held = self._records[key] = read_form(author, log, seq, form)
        return held

    def log(self, records: Sequence[Held]) -> LogCopy:
        """Return the copy that these records, of this shelf and of one log, make up."""
        key = tuple(map(id, records))
        copy = self._logs.get(key)
        if copy is None:
            (copy,) = copies(records)
            self._logs[key] = copy
        return copy


class Library:
    """All disks; everything is worked out when it is first asked for.

    Args:
        contested: logs of which some node saw a second branch, besides those that the disks show.
    """

    def __init__(
        self,
        holdings: Sequence[Holding],
        verifier: Verifier | None = None,
        contested: Iterable[LogKey] = (),
    ) -> None:
        self.holdings: Final = holdings
        self._verifier = verifier or Verifier()
        self._seen_contested = frozenset(contested)
        self.folds: Final = Folds(holdings[0].commons if holdings else b"")
        self._rosters: dict[tuple[int, ...], frozenset[bytes]] = {}

    @cached_property
    def places(self) -> dict[LogCopy, str]:
        """Every different copy of a log, and the first node that holds it."""
        places: dict[LogCopy, str] = {}
        for holding in self.holdings:
            for copy in holding.logs:
                places.setdefault(copy, holding.node)
        return places

    @cached_property
    def records(self) -> dict[bytes, Held]:
        """Every record on any disk, by id; in compact form only if nobody has more of it."""
        records: dict[bytes, Held] = {}
        for copy in self.places:
            for record in copy.records:
                if records.setdefault(record.id, record).is_compact:
                    records[record.id] = record
        return records

    @cached_property
    def sums(self) -> dict[LogCopy, dict[int, bytes]]:
        """The right checkpoints, seq -> id, in each copy some of which is compact."""
        return {
            copy: summed(copy, self._verifier, self.folds.is_read)
            for copy in self.places
            if any(record.is_compact for record in copy.records)
        }

    @cached_property
    def total(self) -> int:
        """How many records lie on all disks together, each counted as often as it lies there."""
        return sum(len(copy.ids) for holding in self.holdings for copy in holding.logs)

    @cached_property
    def contested(self) -> frozenset[LogKey]:
        """The logs of which there are two branches."""
        found = set(self._seen_contested)
        known: dict[tuple[bytes, bytes, int], bytes] = {}
        for copy in self.places:
            for record in copy.records:
                place = (record.author, record.log, record.seq)
                if known.setdefault(place, record.id) != record.id:
                    found.add(place[:2])
        return frozenset(found)

    @cached_property
    def doubtful(self) -> dict[LogCopy, frozenset[bytes]]:
        """The ids in each copy that nothing in it authenticates; copies without any left out."""
        found = {
            copy: self._verifier.unauthentic(copy.records, max(self.sums.get(copy, ()), default=0))
            for copy in self.places
        }
        return {copy: frozenset(r.id for r in bad) for copy, bad in found.items() if bad}

    @cached_property
    def lacking(self) -> dict[str, int]:
        """How many records of uncontested logs each node lacks; nodes that lack none left out."""
        counted = {
            copy: len(set(copy.ids))
            for copy in self.places
            if (copy.author, copy.log) not in self.contested
        }
        ids = {record_id for copy in counted for record_id in copy.ids}
        lacking = {
            holding.node: len(ids) - sum(counted.get(copy, 0) for copy in holding.logs)
            for holding in self.holdings
        }
        return {node: count for node, count in lacking.items() if count}

    @cached_property
    def alike(self) -> list[list[Holding]]:
        """The disks, those with equal records together, whatever signatures are left on them."""
        contents: dict[tuple[object, ...], int] = {}
        numbers = {
            copy: contents.setdefault(_contents(copy), len(contents)) for copy in self.places
        }
        groups: dict[tuple[int, ...], list[Holding]] = {}
        for holding in self.holdings:
            groups.setdefault(tuple(numbers[copy] for copy in holding.logs), []).append(holding)
        return list(groups.values())

    def holds(self, node: str, record_id: bytes) -> bool:
        """Return whether a record lies on a node's disk."""
        bit = self._bits.get(node, 0)
        return any(self._holders[copy] & bit for copy in self._having.get(record_id, ()))

    def holder_count(self, record_id: bytes) -> int:
        """Return on how many disks a record lies."""
        bits = 0
        for copy in self._having.get(record_id, ()):
            bits |= self._holders[copy]
        return bits.bit_count()

    def members(self, holding: Holding) -> frozenset[bytes]:
        """Return the roster that follows from what lies on one disk."""
        vouching = [copy for copy in holding.logs if copy in self._vouching]
        key = tuple(map(id, vouching))
        if key not in self._rosters:
            records = [record for copy in vouching for record in copy.records]
            self._rosters[key] = frozenset(roster(holding.founder, records))
        return self._rosters[key]

    @cached_property
    def _bits(self) -> dict[str, int]:
        return {holding.node: 1 << n for n, holding in enumerate(self.holdings)}

    @cached_property
    def _holders(self) -> dict[LogCopy, int]:
        """The nodes that hold each copy, a bit each."""
        holders = dict.fromkeys(self.places, 0)
        for holding in self.holdings:
            bit = self._bits[holding.node]
            for copy in holding.logs:
                holders[copy] |= bit
        return holders

    @cached_property
    def _having(self) -> dict[bytes, list[LogCopy]]:
        """The copies in which each record is."""
        having: dict[bytes, list[LogCopy]] = {}
        for copy in self.places:
            for record_id in copy.ids:
                having.setdefault(record_id, []).append(copy)
        return having

    @cached_property
    def _vouching(self) -> frozenset[LogCopy]:
        return frozenset(c for c in self.places if any(r.kind == "vouch" for r in c.records))


def _contents(copy: LogCopy) -> tuple[object, ...]:
    return tuple((record.id, record.form or record.body) for record in copy.records)
