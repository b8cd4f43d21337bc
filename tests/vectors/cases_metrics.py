"""Vectors of section 8.10: figures of audits."""

import random
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, Final

from mycelia_protocol.sharing.audit import (
    GrantOutcome,
    OfferOutcome,
    Replayed,
    RequestOutcome,
    compare,
)
from mycelia_protocol.sharing.exact import median
from mycelia_protocol.sharing.health import INDICATORS, Sighting, health
from mycelia_protocol.sharing.metrics import four_fifths_pm, gini_pm, least_to_mean_pm, share_pm
from mycelia_protocol.sharing.policy import URGENCIES
from mycelia_protocol.sharing.tally import GrantTally, OfferTally, RequestTally
from support.decisions import NOW_MS, key
from vectors.suite import Json, Suite, plain

NOTES: Final = {
    "Ratio": "A share, a coefficient, or a median.",
    "Unknown": "Nothing can be said, and that is said.",
    "Cap": "At a cap or beyond it: sums stop, values are divided.",
    "Requests": "How urgency classes fare.",
    "Flow": "What grants moved, and for whom.",
    "Replay": "What another policy would have changed.",
    "Health": "How a living place fares.",
}
NAMES: Final = ("oak", "elm", "ash", "fir")
WORDS: Final = {key(name): name for name in NAMES}
DAY_MS: Final = 86_400_000


def build() -> Suite:
    """Return the suite."""
    suite = Suite("metrics", NOTES)
    for add in (_shares, _coefficients, _groups, _requests, _flows, _offers, _replays, _health):
        add(suite)
    return suite


def _shares(suite: Suite) -> None:
    for part, whole in ((0, 1), (1, 3), (2, 3), (3, 3), (4, 3), (10**15, 10**15), (1, 9 * 10**12)):
        _add(suite, "share", {"part": part, "whole": whole}, share_pm(part, whole), "Ratio")
    half = {"part": 45 * 10**11, "whole": 9 * 10**12 + 1}
    _add(suite, "share", half, share_pm(*half.values()), "Ratio", "Cap")
    _add(suite, "share", {"part": 0, "whole": 0}, None, "Ratio", "Unknown")
    for values in ([], [5], [4, 1], [1, 2], [3, 1, 2], [10, 0, 0, 1], [7] * 5):
        flags = () if values else ("Unknown",)
        _add(suite, "median", {"values": values}, median(values), "Ratio", *flags)


def _coefficients(suite: Suite) -> None:
    rng = random.Random("metrics")
    lists: list[Sequence[int]] = [
        *([], [0], [7], [0, 0, 0], [0, 0, 0, 10], [1, 2, 3, 4], [5, 5, 5], [0, 1]),
        *([1, 1, 1, 1_000_000], [999, 1_000, 1_001]),
        *([rng.randint(0, 10 ** rng.randint(1, 7)) for _ in range(size)] for size in (3, 10, 30)),
    ]
    caps: list[Sequence[int]] = [
        [10**10] * 30,
        [10**10 + 5, 10**10, 0],
        [*range(10**10 - 40, 10**10)],
        [10**10] * 899 + [1],
        [rng.randint(0, 10**10) for _ in range(200)],
        [0] * 299 + [2**53 - 1],
    ]
    for values in [*lists, *caps]:
        flags = ["Cap"] if values in caps else [] if values else ["Unknown"]
        found = {"values": list(values)}
        _add(suite, "gini", found, gini_pm(values), "Ratio", *flags)
        _add(suite, "least", found, least_to_mean_pm(values), "Ratio", *flags)


def _groups(suite: Suite) -> None:
    for groups in (
        {},
        {"north": (1, 2)},
        {"north": (1, 2), "south": (0, 0)},
        {"north": (4, 5), "south": (1, 1)},
        {"north": (799, 1_000), "south": (999, 1_000)},
        {"north": (0, 5), "south": (0, 7)},
        {"north": (0, 5), "south": (1, 7), "people": (5, 7), "rivers": (1, 9)},
        {"north": (10**13, 10**13), "south": (10**12, 10**14)},
    ):
        found = four_fifths_pm(groups)
        flags = ["Unknown"] if found is None else []
        _add(suite, "four-fifths", {"groups": groups}, found, "Ratio", *flags)


def _requests(suite: Suite) -> None:
    rng = random.Random("requests")
    lists = [[_request(rng) for _ in range(size)] for size in (0, 1, 2, 5, 12, 24)]
    large = RequestOutcome(key("oak"), "now", 10**9, 10**9, 10**13, 10**12, 10**10)
    lists.append([large, large])
    for outcomes in lists:
        tally = RequestTally(outcomes)
        steps: dict[str, Any] = {
            "classes": {name: asdict(one) for name, one in tally.classes().items()},
            "mix": {who: tally.mix(who) for who in tally.collectives()},
            "collectives": {who: asdict(tally.served(who)) for who in tally.collectives()},
        }
        rows = [asdict(each) for each in outcomes]
        _add(suite, "requests", {"requests": rows}, steps, "Requests")


def _request(rng: random.Random) -> RequestOutcome:
    wanted = rng.randint(1, 9) * 500
    served = rng.choice((0, wanted // 2, wanted, wanted + 500))
    worth = wanted * 1_000 // 15_000
    waited = rng.randint(0, 10**6) if served else None
    who, urgency = key(rng.choice(NAMES)), rng.choice(URGENCIES)
    return RequestOutcome(who, urgency, wanted, served, worth, served // 15, waited)


def _flows(suite: Suite) -> None:
    rng = random.Random("flows")
    lists = [[_grant(rng) for _ in range(size)] for size in (0, 1, 2, 7, 20)]
    lists.append([GrantOutcome(5, 999, 999, 600_000)])
    caps = [
        [GrantOutcome(10**13, 4 * 10**8, 2 * 10**7, 4_000_000)] * 2,
        [GrantOutcome(1, 4 * 10**8 + 1, 2 * 10**7 + 1, 4_000_000)],
        [GrantOutcome(1, 4 * 10**8, 2 * 10**7, 3_999_999, key("oak"), False, True, True)] * 300,
    ]
    for outcomes in [*lists, *caps]:
        steps = asdict(GrantTally(outcomes).flow())
        flags = ["Cap"] if outcomes in caps else [] if outcomes else ["Unknown"]
        rows = [asdict(each) for each in outcomes]
        _add(suite, "flow", {"grants": rows}, steps, "Flow", *flags)


def _grant(rng: random.Random) -> GrantOutcome:
    return GrantOutcome(
        rng.randint(0, 9_999),
        rng.choice((0, 400, rng.randint(1, 10**6))),
        rng.randint(0, 50_000),
        rng.choice((0, 10_000, 600_000, 2_000_000)),
        rng.choice((None, None, None, key("oak"), key("elm"))),
        rng.random() < 0.8,
        rng.random() < 0.3,
        rng.random() < 0.2,
    )


def _offers(suite: Suite) -> None:
    for pairs in ([], [(5, 0)], [(5, 5), (10, 1)], [(10**13, 10**12)], [(0, 0)]):
        outcomes = [OfferOutcome(*pair) for pair in pairs]
        found = OfferTally(outcomes).expired_pm()
        flags = ["Unknown"] if found is None else []
        rows = [asdict(each) for each in outcomes]
        _add(suite, "expired", {"offers": rows}, found, "Flow", *flags)


def _replays(suite: Suite) -> None:
    rng = random.Random("replays")
    for size in (0, 1, 3, 10):
        decisions = [_replayed(rng) for _ in range(size)]
        found = asdict(compare(decisions))
        rows = [asdict(each) for each in decisions]
        flags = [] if size else ["Unknown"]
        _add(suite, "compare", {"decisions": rows}, found, "Replay", *flags)


def _replayed(rng: random.Random) -> Replayed:
    def worths() -> tuple[tuple[bytes, int], ...]:
        return tuple((key(name), rng.randint(0, 99)) for name in rng.sample(NAMES, 2))

    before, after = (rng.choice((*map(key, NAMES), None)) for _ in range(2))
    return Replayed(before, after, worths(), worths())


def _health(suite: Suite) -> None:
    rng = random.Random("health")
    lists = [[_sighting(rng) for _ in range(size)] for size in (0, 4, 12, 20, 30, 40)]
    edges = (0, 30 * DAY_MS, 30 * DAY_MS + 1, -1)
    for indicators in (INDICATORS[:2], INDICATORS[:3], INDICATORS):
        lists += [[*_seen(indicators, 7, 0), *_seen(indicators, 107, age)] for age in edges]
    twice = [Sighting(each, key(name), 500, NOW_MS) for each in INDICATORS for name in NAMES[:3]]
    lists.append([*twice, *(Sighting("soil", key("oak"), value, NOW_MS) for value in (900, 3, 4))])
    lists.append([*twice, Sighting("soil", key("oak"), 999, NOW_MS - 1)])
    lists.append([*twice, *(Sighting("noise", key(name), 0, NOW_MS) for name in NAMES)])
    for sightings in lists:
        found = health(sightings, NOW_MS)
        steps = {"values": dict(found.values), "index": found.index}
        flags = ["Unknown"] if found.index is None else []
        rows = [asdict(each) for each in sightings]
        _add(suite, "health", {"as_of": NOW_MS, "sightings": rows}, steps, "Health", *flags)


def _seen(indicators: Sequence[str], value: int, age_ms: int) -> list[Sighting]:
    """Return sightings of one observer, who is called by the value."""
    who = key(NAMES[value // 100])
    return [Sighting(indicator, who, value, NOW_MS - age_ms) for indicator in indicators]


def _sighting(rng: random.Random) -> Sighting:
    age = rng.randint(-1, 31) * DAY_MS
    who = key(rng.choice(NAMES))
    return Sighting(rng.choice(INDICATORS), who, rng.randint(0, 1_000), NOW_MS - age)


def _add(suite: Suite, op: str, inputs: dict[str, Any], found: Any, *flags: str) -> None:
    """Add one case; a lone result is called `value`."""
    steps = found if isinstance(found, dict) else {"value": found}
    req = {"gini": "MET-1", "least": "MET-1", "health": "MET-5 MET-6 MET-7"}.get(op, "")
    written: dict[str, Json] = {"op": op}
    for name, value in named(inputs).items():
        written[name] = plain(value)
    results = {name: plain(value) for name, value in named(steps).items()}
    suite.valid(op, req, written, results, *flags)


def named(value: Any) -> Any:
    """Return a value with names in place of ids."""
    if isinstance(value, dict):
        return {named(name): named(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [named(item) for item in value]
    return WORDS.get(value, value) if isinstance(value, bytes) else value
