"""Ratios of an audit: integers, and None where nothing can be said. Spec: section 8.10.1.

A share of nothing is not 0 and not 1000: it is unknown, and says so.
"""

from collections.abc import Mapping, Sequence

from mycelia_protocol.errors import LimitExceeded
from mycelia_protocol.limits import AUDIT_SUM_MAX, AUDIT_VALUES_MAX, RECEIVED_MAX

FOUR_FIFTHS_PM = 800  # below this, one group is served so much less that somebody should ask why


def share_pm(part: int, whole: int) -> int | None:
    """Return what a part is of a whole, per mille, rounded down; None of nothing.

    Both count at most `AUDIT_SUM_MAX`, and the part at most the whole.
    """
    whole = min(whole, AUDIT_SUM_MAX)
    return min(part, whole) * 1_000 // whole if whole else None


def gini_pm(values: Sequence[int]) -> int | None:
    """Return the Gini coefficient, per mille: 0 if all have the same, near 1000 if one has all.

    [0, 0, 0, 10] gives 750, [1, 2, 3, 4] gives 250. None of no values; 0 if nobody has anything.

    Raises:
        LimitExceeded: more than `AUDIT_VALUES_MAX` values.
    """
    count = len(values)
    if count == 0:
        return None
    ordered = sorted(scaled_down(values))
    whole = sum(ordered)
    if whole == 0:
        return 0
    ranked = sum(rank * value for rank, value in enumerate(ordered, 1))
    return (2 * ranked - (count + 1) * whole) * 1_000 // (count * whole)


def scaled_down(values: Sequence[int]) -> list[int]:
    """Return values so much smaller that their sum times their number is below `AUDIT_SUM_MAX`.

    Unchanged unless they are huge. Each counts at most `RECEIVED_MAX`.
    """
    if len(values) > AUDIT_VALUES_MAX:
        raise LimitExceeded(f"{len(values)} values where {AUDIT_VALUES_MAX} are allowed")
    capped = [min(value, RECEIVED_MAX) for value in values]
    divisor = sum(capped) // (AUDIT_SUM_MAX // max(len(capped), 1)) + 1
    return [value // divisor for value in capped]


def least_to_mean_pm(values: Sequence[int]) -> int | None:
    """Return the least value per mille of the mean: 1000 all alike, 0 if somebody has nothing.

    None of no values; 1000 if nobody has anything.

    Raises:
        LimitExceeded: more than `AUDIT_VALUES_MAX` values.
    """
    if not values:
        return None
    ordered = scaled_down(values)
    mean = sum(ordered) // len(ordered)
    if mean == 0:
        return 0 if any(ordered) else 1_000
    return min(ordered) * 1_000 // mean


def four_fifths_pm(groups: Mapping[str, tuple[int, int]]) -> int | None:
    """Return the rate of the group that is served least, per mille of that of the one served most.

    Args:
        groups: for each group what was served and what was wanted; those that wanted nothing are
            left out. None of fewer than two; 1000 if no group was served at all.
    """
    shares = (share_pm(*group) for group in groups.values())
    rates = [rate for rate in shares if rate is not None]
    if len(rates) < 2:
        return None
    return min(rates) * 1_000 // max(rates) if max(rates) else 1_000
