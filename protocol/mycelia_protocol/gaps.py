"""Records beyond gaps in their logs, held until the gaps are filled. Spec: section 6.4 (LOG-1).

All logs share the room. When it is full, the author of whom most is held makes room for others, so
a member that pushes what never hangs together takes the place of nobody but itself. What is let go
comes again when heads are compared.

A record weighs its bytes, but at least what one has to weigh so that as many as may be held fill
the room: places are as scarce as bytes, and one who holds most places would else seem to hold less
than another with a few large records.
"""

from collections import Counter
from collections.abc import Iterator
from typing import Final, TypeAlias

from mycelia_protocol.limits import GAP_RECORDS_MAX, GAP_SIZE_MAX
from mycelia_protocol.record import Record

LogKey: TypeAlias = tuple[bytes, bytes]  # (author, log)

WEIGHT_MIN: Final = GAP_SIZE_MAX // GAP_RECORDS_MAX  # so all weights together bound both


class Gaps:
    """Holds them.

    Attributes:
        records, size: how many are held, and their bytes.
    """

    def __init__(self) -> None:
        self.records = self.size = 0
        self._held: dict[LogKey, dict[int, Record]] = {}
        self._weight = 0  # of all that is held
        self._weights: Counter[bytes] = Counter()  # author -> of what is held of it

    def first(self, key: LogKey) -> int | None:
        """Return the first seq that is held of a log, or None."""
        return min(self._held.get(key, ()), default=None)

    def takes(self, record: Record) -> bool:
        """Return whether a record is new here and there is, or can be made, room for it."""
        if record.seq in self._held.get((record.author, record.log), ()):
            return False
        return self._fits(record) or self._heaviest(record) is not None

    def hold(self, record: Record) -> list[LogKey]:
        """Hold a record that `takes` said yes to; let go of what came last of another if need be.

        Returns:
            The logs of which nothing is held any more.
        """
        emptied: list[LogKey] = []
        if not self._fits(record):
            author = self._heaviest(record)
            newest = [key for key in reversed(self._held) if key[0] == author]
            for key in newest:
                while self._held[key] and not self._fits(record):
                    self._count(self._held[key].popitem()[1], -1)
                if self._held[key]:
                    break
                del self._held[key]
                emptied.append(key)
        self._held.setdefault((record.author, record.log), {})[record.seq] = record
        self._count(record, 1)
        return emptied

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
        return self._weight + _weight(record) <= GAP_SIZE_MAX

    def _heaviest(self, record: Record) -> bytes | None:
        """Return of whom most is held, if that is more than of a record's author with it.

        It is more than the record, too: so all of it would make room enough.
        """
        author = max(self._weights, key=self._weights.__getitem__, default=record.author)
        outweighs = self._weights[author] > self._weights[record.author] + _weight(record)
        return author if outweighs else None

    def _count(self, record: Record, one: int) -> None:
        self.records += one
        self.size += one * record.size
        self._weight += one * _weight(record)
        self._weights[record.author] += one * _weight(record)
        if not self._weights[record.author]:
            del self._weights[record.author]


def _weight(record: Record) -> int:
    return max(record.size, WEIGHT_MIN)
