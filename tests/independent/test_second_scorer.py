"""The vectors of sharing through a second calculation, written from the specification alone."""

from typing import Any

from independent.distance import distance
from independent.test_second_reader import Case, cases


def numbers(value: Any) -> Any:
    """Read plain values: decimal strings become integers; nothing else of digits alone comes up."""
    if isinstance(value, dict):
        return {name: numbers(item) for name, item in value.items()}
    if isinstance(value, list):
        return [numbers(item) for item in value]
    if isinstance(value, str) and value.removeprefix("-").isdecimal():
        return int(value)
    return value


@cases("distance")
def test_distance(case: Case) -> None:
    """Section 8.6.2."""
    inputs = numbers(case["in"])
    assert distance(inputs["one"], inputs["other"]) == numbers(case["steps"])
