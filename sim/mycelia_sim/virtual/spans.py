"""Times in which something is the case."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from typing import TypeAlias

Span: TypeAlias = tuple[int, int]  # from and until, the latter not included


class Spans:
    """A set of times, as spans none of which touches the next."""

    __slots__ = ("_ends", "_starts")

    def __init__(self, spans: Iterable[Span] = ()) -> None:
        self._starts: list[int] = []
        self._ends: list[int] = []
        for start, end in sorted(spans):
            if start >= end:
                continue
            if self._ends and start <= self._ends[-1]:
                self._ends[-1] = max(self._ends[-1], end)
            else:
                self._starts.append(start)
                self._ends.append(end)

    def __bool__(self) -> bool:
        return bool(self._starts)

    def __iter__(self) -> Iterator[Span]:
        return iter(zip(self._starts, self._ends, strict=True))

    def after(self, time: int) -> int:
        """Return the first time from this one on at which it is not the case."""
        at = bisect_right(self._starts, time) - 1
        return self._ends[at] if at >= 0 and time < self._ends[at] else time

    def last_within(self, start: int, end: int) -> int | None:
        """Return when the last span that touches start to end (included) is over, or None."""
        at = bisect_right(self._starts, end) - 1
        return self._ends[at] if at >= 0 and self._ends[at] > start else None

    def is_clear(self, start: int, end: int) -> bool:
        """Return whether it is not the case at any time from start to end (included)."""
        return self.last_within(start, end) is None
