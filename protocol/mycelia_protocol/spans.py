"""A set of whole numbers, kept as the runs that it is made of."""

from bisect import bisect_right
from collections.abc import Iterator


class Spans:
    """Runs of numbers, ascending, with gaps between them.

    A thousand numbers in a row cost as much as one.
    """

    def __init__(self) -> None:
        self._firsts: list[int] = []
        self._lasts: list[int] = []

    def __contains__(self, number: int) -> bool:
        at = bisect_right(self._firsts, number) - 1
        return at >= 0 and number <= self._lasts[at]

    def __bool__(self) -> bool:
        return bool(self._firsts)

    def __iter__(self) -> Iterator[tuple[int, int]]:
        return zip(self._firsts, self._lasts, strict=True)

    def add(self, first: int, last: int) -> None:
        """Add the numbers from `first` to `last`."""
        low, high = self._reach(first - 1, last + 1)
        if low < high:
            first, last = min(first, self._firsts[low]), max(last, self._lasts[high - 1])
        self._firsts[low:high], self._lasts[low:high] = [first], [last]

    def remove(self, first: int, last: int) -> None:
        """Take the numbers from `first` to `last` away, as far as they are there."""
        low, high = self._reach(first, last)
        rest = [
            (begin, end)
            for begin, end in (
                *((self._firsts[at], min(self._lasts[at], first - 1)) for at in range(low, high)),
                *((max(self._firsts[at], last + 1), self._lasts[at]) for at in range(low, high)),
            )
            if begin <= end
        ]
        rest.sort()
        self._firsts[low:high] = [begin for begin, _ in rest]
        self._lasts[low:high] = [end for _, end in rest]

    def _reach(self, first: int, last: int) -> tuple[int, int]:
        """Return which runs share a number with those from `first` to `last`, as a slice."""
        low = bisect_right(self._firsts, first)
        if low and self._lasts[low - 1] >= first:
            low -= 1
        return low, bisect_right(self._firsts, last)
