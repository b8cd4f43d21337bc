"""The vectors of sharing through a second calculation, written from the specification alone."""

from typing import Any

from independent.distance import distance
from independent.policy import read_policy
from independent.test_second_reader import Case, cases, judge


def numbers(value: Any) -> Any:
    """Read plain values: decimal strings become integers."""
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


def plain(value: Any) -> Any:
    """Write a document as the vectors do."""
    if isinstance(value, dict):
        return {name: plain(item) for name, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, bytes):
        return value.hex()
    return str(value) if type(value) is int else value


@cases("policy")
def test_policy(case: Case) -> None:
    """Section 8.7."""

    def read() -> dict[str, Any]:
        document, policy = read_policy(bytes.fromhex(case["in"]["bytes"]))
        return {"document": plain(document), "id": policy.hex()}

    judge(case, read)
