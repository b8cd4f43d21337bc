"""Records beyond gaps in their logs, held until the gaps are filled. Spec: section 6.4 (LOG-1).

All logs share the room. When it is full, the author of whom most is held makes room for others, so
a member that pushes what never hangs together takes the place of nobody but itself. What is let go
comes again when heads are compared.
"""

from collections import Counter
from collections.abc import Iterator
from typing import TypeAlias

from mycelia_protocol.limits import GAP_RECORDS_MAX, GAP_SIZE_MAX
from mycelia_protocol.record import Record

LogKey: TypeAlias = tuple[bytes, bytes]  # (author, log)


class Gaps:
    """Holds them.

    Attributes:
        records, size: how many are held, and their bytes.
    """

    def __init__(self) -> None:
        self.records = self.size = 0
        self._held: dict[LogKey, dict[int, Record]] = {}
        self._sizes: Counter[bytes] = Counter()  # author -> bytes of what is held of it

    def first(self, key: LogKey) -> int | None:
        """Return the first seq that is held of a log, or None."""
        return min(self._held.get(key, ()), default=None)

    def takes(self, record: Record) -> bool:
        """Return whether a record is new here and there is, or can be made, room for it."""
        if record.seq in self._held.get((record.author, record.log), ()):
            return False
        return self._fits(record) or self._heaviest(record) is not None

    def hold(self, record: Record) -> None:
        """Hold a record that `takes` said yes to; let go of whole logs of others if need be."""
        while not self._fits(record) and (author := self._heaviest(record)):
            self.drop(next(key for key in self._held if key[0] == author))
        self._held.setdefault((record.author, record.log), {})[record.seq] = record
        self._count(record, 1)

    def follow(self, key: LogKey, next_seq: int) -> Iterator[Record]:
        """Give back, and hold no longer, what was overtaken at a seq or follows there in a row."""
        held = self._held.get(key, {})
        try:
            for seq in sorted(held):
                if seq > next_seq:
                    break
                next_seq = max(next_seq, seq + 1)
                record = held.pop(seq)
                self._count(record, -1)
                yield record
        finally:
            if not held:
                self._held.pop(key, None)

    def drop(self, key: LogKey) -> None:
        """Forget what is held of a log."""
        for record in self._held.pop(key, {}).values():
            self._count(record, -1)

    def _fits(self, record: Record) -> bool:
        return self.records < GAP_RECORDS_MAX and self.size + record.size <= GAP_SIZE_MAX

    def _heaviest(self, record: Record) -> bytes | None:
        """Return of whom most is held, if that is more than of a record's author with it."""
        author = max(self._sizes, key=self._sizes.__getitem__, default=record.author)
        outweighs = self._sizes[author] > self._sizes[record.author] + record.size
        return author if outweighs else None

    def _count(self, record: Record, one: int) -> None:
        self.records += one
        self.size += one * record.size
        self._sizes[record.author] += one * record.size
        if not self._sizes[record.author]:
            del self._sizes[record.author]
