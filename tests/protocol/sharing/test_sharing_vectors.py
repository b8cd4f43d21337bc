"""Every vector about sharing through the code that nodes run."""

from collections.abc import Callable
from dataclasses import asdict
from typing import Any, TypeVar, cast

import pytest

from mycelia_protocol.encoding import decode
from mycelia_protocol.errors import RemoteError
from mycelia_protocol.sharing.audit import (
    GrantOutcome,
    OfferOutcome,
    Replayed,
    RequestOutcome,
    compare,
)
from mycelia_protocol.sharing.decide import decide
from mycelia_protocol.sharing.distance import legs, metres_between
from mycelia_protocol.sharing.exact import median
from mycelia_protocol.sharing.health import Sighting, health
from mycelia_protocol.sharing.metrics import four_fifths_pm, gini_pm, least_to_mean_pm, share_pm
from mycelia_protocol.sharing.policy import read_policy, write_policy
from mycelia_protocol.sharing.tally import GrantTally, OfferTally, RequestTally
from mycelia_protocol.sharing.views import CollectiveView, OfferView, RequestView
from mycelia_protocol.types.place import Place
from support.decisions import key, plain_outcome
from vectors.cases_metrics import named as trees
from vectors.reading import Case, cases, judge, load
from vectors.scoring_case import named
from vectors.suite import plain

T = TypeVar("T")


@cases("distance")
def test_distance(case: Case) -> None:
    """Metres between places, and what comes up on the way."""

    def read(inputs: Case) -> Any:
        one, other = (
            Place(**{name: int(value) for name, value in inputs[which].items()})
            for which in ("one", "other")
        )
        return plain({**legs(one, other)._asdict(), "metres": metres_between(one, other)})

    judge(case, read)


@cases("policy")
def test_policy(case: Case) -> None:
    """Policies are read, hashed and written again."""

    def read(inputs: Case) -> Any:
        data = bytes.fromhex(inputs["bytes"])
        policy = read_policy(data)
        document = decode(data, maps=True)
        assert isinstance(document, dict)
        assert write_policy(document) == data
        return {"document": plain(document), "id": policy.id.hex()}

    judge(case, read)


@pytest.mark.parametrize(
    "case", [case for case in load("policy")["cases"] if case["result"] == "invalid"]
)
def test_a_broken_policy_is_refused_for_its_reason(case: Case) -> None:
    """The requirement that a broken policy is refused with is the one that it breaks."""
    with pytest.raises(RemoteError) as caught:
        read_policy(bytes.fromhex(case["in"]["bytes"]))
    assert caught.value.requirement == case["req"][-1]


def optional(text: str | None) -> int | None:
    """Read an integer that may be absent."""
    return None if text is None else int(text)


def read_offer(found: Case) -> OfferView:
    """Read an offer of a case."""
    return OfferView(
        key(found["id"]),
        key(found["provider"]),
        found["category"],
        found["unit"],
        int(found["left"]),
        int(found["lot"]),
        int(found["minimum"]),
        found["carrier"],
        optional(found["from"]),
        optional(found["until"]),
        optional(found["expires"]),
        tuple(map(key, found["audience"])),
    )


def read_request(found: Case) -> RequestView:
    """Read a request of a case."""
    return RequestView(
        key(found["id"]),
        key(found["collective"]),
        found["category"],
        found["unit"],
        int(found["lacking"]),
        found["urgency"],
        int(found["first_posted"]),
        optional(found["metres"]),
        tuple(found["substitutes"]),
        optional(found["needed_by"]),
        optional(found["expires"]),
        int(found["now_before"]),
        int(found["grant_max"]),
    )


def read_collective(found: Case) -> CollectiveView:
    """Read a collective of a case."""
    members, received = int(found["members"]), int(found["received"])
    return CollectiveView(key(found["id"]), members, received, found["is_ecosystem"])


POLICIES = {case["id"]: case["in"]["bytes"] for case in load("policy")["cases"]}
SCORING = load("scoring")["cases"]


@pytest.mark.parametrize("flag", sorted(load("scoring")["notes"]))
def test_scoring(flag: str) -> None:
    """Decisions: measures, factors, scores, order and quantities of every case with this flag."""
    differing = []
    for case in SCORING:
        if flag in case["flags"]:
            inputs = case["in"]
            decision = decide(
                read_policy(bytes.fromhex(POLICIES[inputs["policy"]])),
                read_offer(inputs["offer"]),
                [read_request(each) for each in inputs["requests"]],
                [read_collective(each) for each in inputs["collectives"]],
                int(inputs["as_of"]),
            )
            if named(plain_outcome(decision)) != case["steps"]:
                differing.append(case["id"])
    assert differing == []


def test_there_are_enough_decisions() -> None:
    """At least 300 decisions, and of each sort some."""
    assert len(SCORING) >= 300
    for flag in load("scoring")["notes"]:
        assert sum(flag in case["flags"] for case in SCORING) >= 20, flag


IDS = ("collective", "approver", "observer", "before", "after")


def read_field(name: str, value: Any) -> Any:
    """Read one field of an outcome."""
    match value:
        case None | bool():
            return value
        case list():
            return tuple((key(who), int(worth)) for who, worth in value)
        case _ if name in IDS:
            return key(value)
        case _:
            return value if name in ("urgency", "indicator") else int(value)


def read_rows(kind: Callable[..., T], rows: list[Case]) -> list[T]:
    """Read outcomes of one kind."""
    return [kind(**{name: read_field(name, value) for name, value in row.items()}) for row in rows]


def figures(op: str, inputs: Case) -> Any:
    """Return what comes out of a metrics case."""
    match op:
        case "requests":
            tally = RequestTally(read_rows(RequestOutcome, inputs["requests"]))
            classes = {name: asdict(each) for name, each in tally.classes().items()}
            mix = {who: tally.mix(who) for who in tally.collectives()}
            some = {who: asdict(tally.served(who)) for who in tally.collectives()}
            return {"classes": classes, "mix": mix, "collectives": some}
        case "flow":
            return asdict(GrantTally(read_rows(GrantOutcome, inputs["grants"])).flow())
        case "compare":
            return asdict(compare(read_rows(Replayed, inputs["decisions"])))
        case "health":
            seen = read_rows(Sighting, inputs["sightings"])
            found = health(seen, int(inputs["as_of"]))
            return {"values": dict(found.values), "index": found.index}
        case "expired":
            return {"value": OfferTally(read_rows(OfferOutcome, inputs["offers"])).expired_pm()}
        case "share":
            return {"value": share_pm(int(inputs["part"]), int(inputs["whole"]))}
        case "four-fifths":
            pairs = {name: tuple(map(int, pair)) for name, pair in inputs["groups"].items()}
            return {"value": four_fifths_pm(cast("dict[str, tuple[int, int]]", pairs))}
        case _:
            ratio = {"median": median, "gini": gini_pm, "least": least_to_mean_pm}[op]
            return {"value": ratio([int(value) for value in inputs["values"]])}


@cases("metrics")
def test_metrics(case: Case) -> None:
    """Figures of audits come out again from the plain form of what they are made from."""
    assert plain(trees(figures(case["in"]["op"], case["in"]))) == case["steps"]
