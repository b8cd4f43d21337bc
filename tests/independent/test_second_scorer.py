"""The vectors of sharing through a second calculation, written from the specification alone."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from independent import metrics
from independent.distance import distance
from independent.policy import FACTORS, read_policy
from independent.scoring import Scorer
from independent.test_second_reader import Case, cases, judge

VECTORS = Path(__file__).parent.parent / "vectors"


def load(suite: str) -> list[Case]:
    """Return the cases of a suite."""
    found: list[Case] = json.loads((VECTORS / f"{suite}.json").read_text("utf-8"))["cases"]
    return found


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


IDS = ("id", "provider", "collective")
COUNTS = (
    *("left", "lot", "minimum", "from", "until", "expires", "lacking", "grant_max"),
    *("now_before", "first_posted", "metres", "needed_by", "members", "received"),
)


def key(name: str) -> bytes:
    """Return the id that a name stands for."""
    return hashlib.sha256(b"mycelia test vectors: " + name.encode()).digest()


def read_thing(found: Case) -> Case:
    """Read an offer, a request or a collective of a scoring case."""
    thing = dict(found)
    for name in thing:
        if name in IDS:
            thing[name] = key(thing[name])
        elif name in COUNTS:
            thing[name] = None if thing[name] is None else int(thing[name])
        elif name == "audience":
            thing[name] = [key(each) for each in thing[name]]
    return thing


POLICIES = {case["id"]: case["in"]["bytes"] for case in load("policy")}


@pytest.mark.parametrize("flag", sorted({flag for c in load("scoring") for flag in c["flags"]}))
def test_scoring(flag: str) -> None:
    """Section 8.8."""
    differing = []
    for case in load("scoring"):
        if flag not in case["flags"]:
            continue
        inputs = case["in"]
        policy, policy_id = read_policy(bytes.fromhex(POLICIES[inputs["policy"]]))
        requests, everybody = (
            [read_thing(each) for each in inputs[name]] for name in ("requests", "collectives")
        )
        offer, as_of = read_thing(inputs["offer"]), int(inputs["as_of"])
        outcome = Scorer(policy, policy_id, as_of, offer, requests, everybody).outcome()
        for row in outcome["candidates"]:
            assert row["factors"] is None or len(row["factors"]) == len(FACTORS)
        names = {key(each["id"]): each["id"] for each in inputs["requests"]}
        rows = [{**row, "request": names[row["request"]]} for row in outcome["candidates"]]
        if plain({**outcome, "candidates": rows}) != case["steps"]:
            differing.append(case["id"])
    assert differing == []


NAMED = ("collective", "urgency", "indicator", "observer", "approver", "before", "after")


def read_figures(value: Any, name: str = "") -> Any:
    """Read what a metrics case is given; ids stay the names that stand for them."""
    if isinstance(value, dict):
        return {inner: read_figures(item, inner) for inner, item in value.items()}
    if isinstance(value, list):
        return [read_figures(item, name) for item in value]
    # Lists pair names with numbers; the names are those of trees, so none begins with a digit.
    is_number = isinstance(value, str) and name not in NAMED and not value[0].isalpha()
    return int(value) if is_number else value


def figures(op: str, inputs: Any) -> dict[str, Any]:
    """Return what comes out of a metrics case."""
    match op:
        case "requests":
            return metrics.requests(inputs["requests"])
        case "flow":
            return metrics.flow(inputs["grants"])
        case "compare":
            return metrics.compare(inputs["decisions"])
        case "health":
            return metrics.health(inputs["sightings"], inputs["as_of"])
        case "share":
            return {"value": metrics.share(inputs["part"], inputs["whole"])}
        case "four-fifths":
            return {"value": metrics.four_fifths(inputs["groups"])}
        case "expired":
            return {"value": metrics.expired(inputs["offers"])}
        case _:
            ratio = {"median": metrics.median, "gini": metrics.gini, "least": metrics.least}[op]
            return {"value": ratio(inputs["values"])}


@cases("metrics")
def test_metrics(case: Case) -> None:
    """Section 8.10."""
    op = case["in"]["op"]
    found = plain(figures(op, read_figures({k: v for k, v in case["in"].items() if k != "op"})))
    expected = case["steps"]
    for name in ("approvers", "gains"):
        if name in expected:
            expected = {**expected, name: dict(expected[name])}
    assert found == expected
