"""Delta debugging: the smallest part of a list that still does what the whole list does.

This is ddmin (Zeller and Hildebrandt, 2002) without its tries of single parts: what is left without
each part, with ever smaller parts, gives the same guarantee in about a third of the tries. The
answer is minimal in the sense that no single item can go.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

T = TypeVar("T")


def ddmin(items: Sequence[T], test: Callable[[list[T]], bool]) -> list[T]:
    """Return a part of `items`, in order, that passes `test` and of which no single item can go.

    Args:
        items: a list that passes the test; that is not tried again.
        test: a pure function of the part; it may be asked about the same part more than once.
    """
    rest = list(items)
    if not rest or test([]):
        return []
    size = max(1, len(rest) // 2)
    while len(rest) > 1:
        smaller = _without_parts(rest, size, test)
        has_shrunk = len(smaller) < len(rest)
        rest = smaller
        if size == 1 and not has_shrunk:
            break
        size = max(1, min(size, len(rest)) // 2)
    return rest


def _without_parts(items: list[T], size: int, test: Callable[[list[T]], bool]) -> list[T]:
    """Take out each part of this size that is not needed, from the beginning to the end."""
    rest, at = items, 0
    while at < len(rest):
        smaller = rest[:at] + rest[at + size :]
        if smaller and test(smaller):
            rest = smaller
        else:
            at += size
    return rest
