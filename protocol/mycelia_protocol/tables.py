"""Tables in which a snapshot is looked up, where they lie: nothing of them is copied or kept."""

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence

from mycelia_protocol.limits import ID_SIZE


class Postings:
    """Keys of 32 bytes, sorted, each with some positions."""

    def __init__(self, keys: memoryview, starts: memoryview, positions: memoryview) -> None:
        self._keys = keys
        self._starts = starts
        self._positions = positions

    def of(self, key: bytes) -> Sequence[int]:
        """Return the positions of a key, ascending."""
        count = len(self._starts) - 1
        place = bisect_left(range(count), key, key=self._key)
        if place == count or self._key(place) != key:
            return ()
        return self._positions[self._starts[place] : self._starts[place + 1]]

    def _key(self, place: int) -> bytes:
        return bytes(self._keys[place * ID_SIZE : (place + 1) * ID_SIZE])


class Rows:
    """The encoded rows of one kind, by id.

    Args:
        positions: of the records whose rows these are, by id.
        starts: where each begins, and behind them where the last one ends.
        data: all of them, one behind the other.
        id_at: says which record is at a position.
    """

    def __init__(
        self,
        positions: memoryview,
        starts: memoryview,
        data: memoryview,
        id_at: Callable[[int], bytes],
    ) -> None:
        self._positions = positions
        self._starts = starts
        self._data = data
        self._id_at = id_at

    def __len__(self) -> int:
        return len(self._positions)

    def get(self, record: bytes) -> bytes | None:
        """Return the row of a record, or None if there is none."""
        place = self._place(record)
        return self._between(place, place + 1) if self._is_at(place, record) else None

    def each(self) -> Iterator[tuple[bytes, bytes]]:
        """Yield (id, row), by id."""
        for place, position in enumerate(self._positions):
            yield self._id_at(position), self._between(place, place + 1)

    def changed(self, changes: dict[bytes, bytes | None]) -> tuple[int, list[bytes]]:
        """Return the rows with others in place of some, or without them.

        Args:
            changes: id of a record -> its row; None if it has none any more.

        Returns:
            How many rows there are then, and all of them by id, joined as they come.
        """
        count, done, parts = len(self), 0, list[bytes]()
        for record, row in sorted(changes.items()):
            place = self._place(record)
            parts.append(self._between(done, place))
            done = place
            if self._is_at(place, record):
                done, count = place + 1, count - 1
            if row is not None:
                parts.append(row)
                count += 1
        return count, [*parts, self._between(done, len(self))]

    def _place(self, record: bytes) -> int:
        return bisect_left(self._positions, record, key=self._id_at)

    def _is_at(self, place: int, record: bytes) -> bool:
        return place < len(self) and self._id_at(self._positions[place]) == record

    def _between(self, first: int, last: int) -> bytes:
        return bytes(self._data[self._starts[first] : self._starts[last]])
