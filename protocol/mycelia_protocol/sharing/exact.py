"""Integer arithmetic that is the same in Python, JavaScript and Java. Spec: section 8.6.1.

All operands are 0 or more, all divisions round down, and no intermediate reaches 2^53. Under these
three rules `Math.floor(a / b)` on JavaScript's doubles is exact: a quotient that is no integer lies
at least 1/b below the next one, which is more than half a step of the doubles around it.
"""

from collections.abc import Iterable
from math import isqrt

from mycelia_protocol.limits import SUM_MAX

__all__ = ["isqrt", "median", "scaled", "scaled_up", "total"]


def scaled(value: int, times: int, over: int) -> int:
    """Return floor(value * times / over) without the large product.

    `over * times` and the result must be below 2^53.
    """
    return value // over * times + value % over * times // over


def scaled_up(value: int, times: int, over: int) -> int:
    """Return value * times / over, rounded up; bounds as for `scaled`."""
    return value // over * times + (value % over * times + over - 1) // over


def total(values: Iterable[int], most: int = SUM_MAX) -> int:
    """Return the sum of values of 0 or more, or `most` if it is larger.

    It may stop after any addend, so the order does not matter.
    """
    return min(sum(values), most)


def median(values: Iterable[int]) -> int | None:
    """Return the middle value, of an even number the lower half of both middles' sum; or None."""
    ordered = sorted(values)
    if not ordered:
        return None
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) // 2
