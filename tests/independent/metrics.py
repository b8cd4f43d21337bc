"""Section 8.10: what an audit counts."""

from collections.abc import Sequence
from typing import Any

Row = dict[str, Any]

SUM_MAX = 9 * 10**12
CLASSES = ("now", "days", "week", "anytime")
INDICATORS = ("soil", "water", "biodiversity", "canopy", "waste")


def median(values: Sequence[int]) -> int | None:
    """Section 8.6.1."""
    x = sorted(values)
    return (x[(len(x) - 1) // 2] + x[len(x) // 2]) // 2 if x else None


def share(part: int, whole: int) -> int | None:
    """Return a share per mille."""
    whole = min(whole, SUM_MAX)
    return min(part, whole) * 1000 // whole if whole else None


def added(rows: Sequence[Row], name: str) -> int:
    """Return a sum that stops."""
    return min(sum(int(row[name]) for row in rows), SUM_MAX)


def small(values: Sequence[int]) -> list[int]:
    """Return values that are small enough, in ascending order."""
    capped = [min(value, 10**10) for value in values]
    divisor = sum(capped) // (SUM_MAX // len(capped)) + 1
    return sorted(value // divisor for value in capped)


def gini(values: Sequence[int]) -> int | None:
    """MET-1; written as the mean difference of all pairs."""
    if not values:
        return None
    y = small(values)
    n, s = len(y), sum(y)
    differences = sum(abs(a - b) for a in y for b in y)
    return differences * 1000 // (2 * n * s) if s else 0


def least(values: Sequence[int]) -> int | None:
    """MET-1."""
    if not values:
        return None
    y = small(values)
    mean = sum(y) // len(y)
    if mean == 0:
        return 1000 if sum(y) == 0 else 0
    return y[0] * 1000 // mean


def four_fifths(groups: dict[str, list[int]]) -> int | None:
    """Return the lowest rate per mille of the highest."""
    rates = [share(*group) for group in groups.values()]
    known = [rate for rate in rates if rate is not None]
    if len(known) < 2:
        return None
    return min(known) * 1000 // max(known) if max(known) else 1000


def requests(rows: Sequence[Row]) -> Row:
    """Return how classes and collectives fare, and each collective's mix."""
    mix, collectives = {}, {}
    for who in {row["collective"] for row in rows}:
        mine = [row for row in rows if row["collective"] == who]
        asked = [row["urgency"] for row in mine]
        mix[who] = {name: asked.count(name) * 1000 // len(asked) for name in CLASSES}
        collectives[who] = fared(mine)
    classes = {name: fared([row for row in rows if row["urgency"] == name]) for name in CLASSES}
    return {"classes": classes, "mix": mix, "collectives": collectives}


def fared(some: Sequence[Row]) -> Row:
    """Return how some requests fared."""
    return {
        "count": len(some),
        "met_pm": share(sum(row["served"] >= row["wanted"] for row in some), len(some)),
        "worth_pm": share(added(some, "worth_served"), added(some, "worth")),
        "wait_s": median([row["waited_s"] for row in some if row["waited_s"] is not None]),
    }


def flow(rows: Sequence[Row]) -> Row:
    """Return what grants moved."""
    moved = [
        {
            "g": min(row["grams"], 400_000_000),
            "gm": min(row["grams"], 400_000_000) * min(row["metres"], 20_000_000),
            "factor": row["carbon_factor"],
        }
        for row in rows
    ]
    kg = added(moved, "g") // 1000
    kg_km = min(sum(row["gm"] // 10**6 for row in moved), SUM_MAX)
    carbon = min(sum(row["gm"] * row["factor"] // 10**9 // 1000 for row in moved), SUM_MAX)
    worth = added(rows, "worth")
    overrides = [row["approver"] for row in rows if row["approver"] is not None]
    return {
        "kg": kg,
        "kg_km": kg_km,
        "carbon_g": carbon,
        "metres_per_kg": kg_km * 1000 // kg if kg else None,
        "carbon_mg_per_kg": carbon * 1000 // kg if kg else None,
        "ecosystem_pm": share(added([row for row in rows if row["is_ecosystem"]], "worth"), worth),
        "rescue_pm": share(added([row for row in rows if row["is_rescue"]], "worth"), worth),
        "override_pm": share(len(overrides), len(rows)),
        "unconfirmed_pm": share(sum(not row["is_confirmed"] for row in rows), len(rows)),
        "approvers": {who: overrides.count(who) for who in overrides},
    }


def expired(rows: Sequence[Row]) -> int | None:
    """Return how much of what was offered expired."""
    return share(added(rows, "worth_expired"), added(rows, "worth"))


def compare(decisions: Sequence[Row]) -> Row:
    """Return what another policy would have changed."""
    changed = sum(row["before"] != row["after"] for row in decisions)
    gains: dict[str, int] = {}
    for row in decisions:
        for sign, worths in ((1, row["worth_after"]), (-1, row["worth_before"])):
            for who, worth in worths:
                gains[who] = gains.get(who, 0) + sign * worth
    return {
        "changed": changed,
        "changed_pm": share(changed, len(decisions)),
        "gains": {who: gain for who, gain in gains.items() if gain},
    }


def health(sightings: Sequence[Row], as_of: int) -> Row:
    """MET-5 to MET-7."""
    values: dict[str, int | None] = {}
    for indicator in INDICATORS:
        fresh = [
            row
            for row in sightings
            if row["indicator"] == indicator and 0 <= as_of - row["time_ms"] <= 30 * 86_400_000
        ]
        seen = []
        for who in {row["observer"] for row in fresh}:
            mine = [row for row in fresh if row["observer"] == who]
            last = max(row["time_ms"] for row in mine)
            seen.append(min(row["value_pm"] for row in mine if row["time_ms"] == last))
        values[indicator] = median(seen) if len(seen) >= 2 else None
    known = [value for value in values.values() if value is not None]
    index = (min(known) + sum(known) // len(known)) // 2 if len(known) >= 3 else None
    return {"values": values, "index": index}
