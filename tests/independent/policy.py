"""Section 8.7: what makes a policy, and what its tables say."""

import re
from itertools import pairwise
from typing import Any

from independent.keys import h
from independent.wire import Refused, decode

FACTORS = ["urgency", "equity", "ecology", "proximity", "waiting", "fill"]
CLASSES = ["now", "days", "week", "anytime"]
UNITS = ["1", "W.h", "g", "mL", "min"]
SUBJECT = re.compile(r"\*|[a-z-]+(\.[a-z-]+)?")
BOUNDS = {
    "v": (1, 1),
    "epoch": (0, 2**53 - 1),
    "ecology_floor_pm": (0, 1000),
    "distance_max_m": (1, 20_000_000),
    "distance_unknown_m": (0, 20_000_000),
    "carbon_cap_mg": (1, 10**15),
    "rescue_horizon_s": (1, 10**10),
    "waiting_cap_s": (1, 10**10),
    "window_s": (1, 10**10),
    "now_max": (0, 10**9),
}


def is_int(value: Any, low: int, high: int) -> bool:
    """Say whether a value is an integer (and no bool) within bounds."""
    return type(value) is int and low <= value <= high


def read_policy(data: bytes) -> tuple[dict[str, Any], bytes]:
    """Return a policy's document and its id, or refuse it."""
    document = decode(data, 12_288, True)
    if not isinstance(document, dict) or not is_policy(document):
        raise Refused("schema")
    return document, h("policy", data)


def is_policy(doc: dict[str, Any]) -> bool:
    """Say whether a document keeps POL-1 to POL-9."""
    return (
        all(is_int(doc.get(name), *bounds) for name, bounds in BOUNDS.items())
        and isinstance(doc.get("name"), str)
        and 1 <= len(doc["name"]) <= 80
        and "previous" in doc
        and (doc["previous"] is None) == (doc["epoch"] == 0)
        and (doc["epoch"] == 0 or is_bytes_32(doc["previous"]))
        and doc.get("mode") in ("score", "lottery", "two-choices")
        and is_per_mille(doc.get("weights"), FACTORS)
        and sum(doc["weights"].values()) == 1000
        and is_per_mille(doc.get("urgency"), CLASSES)
        and all(doc["urgency"][a] >= doc["urgency"][b] for a, b in pairwise(CLASSES))
        and doc.get("floors")
        in ([], ["urgent"], ["ecology"], ["urgent", "ecology"], ["ecology", "urgent"])
        and are_carriers(doc.get("carriers"))
        and is_table(doc.get("masses"), 0, 100_000_000)
        and is_table(doc.get("person_days"), 1, 1_000_000_000)
    )


def is_bytes_32(value: Any) -> bool:
    """Say whether a value is an id."""
    return isinstance(value, bytes) and len(value) == 32


def is_per_mille(value: Any, keys: list[str]) -> bool:
    """Say whether a value is a map of exactly these keys to 0 to 1000."""
    return (
        isinstance(value, dict)
        and sorted(value) == sorted(keys)
        and all(is_int(each, 0, 1000) for each in value.values())
    )


def are_carriers(value: Any) -> bool:
    """POL-8."""
    return (
        isinstance(value, dict)
        and len(value) <= 256
        and "unknown" in value
        and all(re.fullmatch("[a-z-]{1,24}", name) for name in value)
        and all(is_int(factor, 0, 4_000_000) for factor in value.values())
    )


def is_table(rows: Any, low: int, high: int) -> bool:
    """POL-9."""
    if not isinstance(rows, list) or len(rows) > 256:
        return False
    for row in rows:
        if not isinstance(row, list) or len(row) != 3:
            return False
        what, unit, value = row
        if not isinstance(what, str) or not SUBJECT.fullmatch(what) or len(what) > 40:
            return False
        if unit not in UNITS or not is_int(value, low, high):
            return False
    keys = [(row[0].encode(), row[1].encode()) for row in rows]
    return keys == sorted(set(keys)) and all((b"*", unit.encode()) in keys for unit in UNITS)


def look_up(rows: list[list[Any]], category: str, unit: str) -> int:
    """Section 8.7.2."""
    for what in (category, category.split(".")[0], "*"):
        for row in rows:
            if row[:2] == [what, unit]:
                return int(row[2])
    raise AssertionError("every unit has a row with *")
