"""Sections 6.7, 7 and 8.2: who is a member, and which of their records take part."""

from collections.abc import Iterable
from functools import cached_property
from typing import Any

from independent.bodies import open_body
from independent.forks import parting
from independent.records import Rec, read_body
from independent.text import read_charter

Order = tuple[tuple[int, int], bytes, int]  # (generation, logs named), log, seq


class Facts:
    """The records that take part, and questions about them."""

    def __init__(self, charter: bytes, records: Iterable[Rec]) -> None:
        fields, self.commons = read_charter(charter)
        self.records = {record.id: record for record in records}
        self.contested: dict[tuple[bytes, bytes], int] = {}
        for record in self.records.values():
            if record.kind == "fork" and record.body is not None:
                place = parting(self.read(record) or {}, self.commons)
                if place is not None:
                    author, log, seq = place
                    least = self.contested.get((author, log), seq)
                    self.contested[author, log] = min(seq, least)
        self.roster: set[Any] = {fields[2]}
        while True:
            self.bodies = {record.id: body for record, body in self._taking_part()}
            vouched = {self.bodies[record.id]["key"] for record in self.every("vouch")}
            if vouched <= self.roster:
                break
            self.roster |= vouched

    def _taking_part(self) -> Iterable[tuple[Rec, dict[str, Any]]]:
        begun = {record.log for record in self.records.values() if record.seq == 0}
        for record in self.records.values():
            if record.seq >= self.contested.get(record.log, record.seq + 1):
                continue
            if record.author in self.roster and record.log in begun:
                body = self.read(record)
                if body is not None:
                    yield record, body

    @staticmethod
    def read(record: Rec) -> dict[str, Any] | None:
        if record.body is None:  # FORM-2: a decision that was there, or nothing
            return {} if record.kind == "decision" else None
        _, facts, words = open_body(record.body)
        return read_body(record.kind, record.log[1], len(record.refs), facts, words)

    @cached_property
    def depths(self) -> dict[tuple[bytes, bytes], tuple[int, int]]:
        """Each log's generation, and how many older ones it names; zeros if that is malformed."""
        firsts = [record for record in self.records.values() if record.seq == 0]
        bodies = {record.log: self.bodies.get(record.id, {"heads": []}) for record in firsts}
        return {log: (b.get("generation", 0), len(b["heads"])) for log, b in bodies.items()}

    def order(self, record: Rec) -> Order:
        """Section 6.7."""
        return self.depths[record.log], record.log[1], record.seq

    def every(self, kind: str) -> list[Rec]:
        """Return the well-formed records of one kind, by id."""
        found = [self.records[each] for each in self.bodies if self.records[each].kind == kind]
        return sorted(found, key=lambda record: record.id)

    def first(self, kind: str, author: bytes, ref: bytes, **fields: Any) -> Rec | None:
        """Return the author's first record of a kind that refers to `ref` and has these fields."""
        fit = [
            record
            for record in self.every(kind)
            if record.author == author
            and ref in record.refs
            and fields.items() <= self.bodies[record.id].items()
        ]
        return min(fit, key=self.order, default=None)

    def target(self, record: Rec, place: int, kind: str) -> Rec | None:
        """Return what a record refers to at this place, if it is there and of this kind."""
        ref = record.refs[place]
        return self.records[ref] if ref in self.bodies and self.records[ref].kind == kind else None
