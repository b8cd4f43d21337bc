"""Vectors of section 8.7: policies, well-formed and broken.

The suite of scores names its policies by the ids of these cases.
"""

from typing import Final

from mycelia_protocol.encoding import Value, decode, encode
from mycelia_protocol.sharing.baselines import BASELINES, document
from mycelia_protocol.sharing.policy import FACTORS, policy_id, write_policy
from vectors.suite import Json, Suite, derived, plain

NOTES = {
    "Baseline": "One of the six policies to begin with.",
    "Scoring": "A policy that cases of the suite `scoring` use.",
    "Limit": "At or beyond a limit of section 3 or a bound of 8.7.1.",
    "Missing": "A required field is not there.",
    "Type": "A field of another type.",
    "Rule": "A rule of section 8.7 is broken.",
    "Format": "The bytes are not canonical, or no map.",
    "Extra": "A field that is not listed is part of the id and otherwise ignored.",
}
Document = dict[str, Value]

UNITS: Final = ("1", "W.h", "g", "mL", "min")
SAME: Final[list[Value]] = [["*", unit, 1] for unit in UNITS]


def weights(**values: int) -> Value:
    """Return weights, those not named 0."""
    return {factor: values.get(factor, 0) for factor in FACTORS}


def _limits(low: bool) -> Document:
    """Return a policy at the small or the large end of every bound."""
    huge: list[Value] = [["*", unit, 100_000_000] for unit in UNITS]
    needs: list[Value] = [["*", unit, 1_000_000_000] for unit in UNITS]
    return {
        **document("balanced"),
        "name": "Everything small" if low else "Everything large",
        "epoch": 0 if low else 2**53 - 1,
        "previous": None if low else derived("a policy before"),
        "ecology_floor_pm": 0 if low else 1_000,
        "distance_max_m": 1 if low else 20_000_000,
        "distance_unknown_m": 0 if low else 20_000_000,
        "carbon_cap_mg": 1 if low else 10**15,
        "rescue_horizon_s": 1 if low else 10**10,
        "waiting_cap_s": 1 if low else 10**10,
        "window_s": 1 if low else 10**10,
        "now_max": 0 if low else 10**9,
        "carriers": {"unknown": 0} if low else {"a" * 24: 0, "unknown": 4_000_000},
        "masses": [["*", unit, 0] for unit in UNITS] if low else huge,
        "person_days": SAME if low else needs,
    }


# Policies that the suite of scores uses: name -> what differs from `balanced`.
VARIANTS: Final[dict[str, Document]] = {
    **{factor: {"weights": weights(**{factor: 1_000})} for factor in FACTORS},
    "even": {"weights": weights(urgency=167, equity=167, ecology=167, proximity=167, waiting=332)},
    "fair": {"weights": weights(equity=500, proximity=500)},
    "urgent first": {"floors": ["urgent"]},
    "ecology first": {"floors": ["ecology", "urgent"], "ecology_floor_pm": 300},
    "ecology alone": {"floors": ["ecology"], "ecology_floor_pm": 1_000},
    "no floors": {"floors": []},
    "none now": {"floors": ["urgent"], "now_max": 0},
    "lots with floors": {"mode": "lottery", "floors": ["urgent"]},
    "two with floors": {"mode": "two-choices", "floors": ["ecology"], "ecology_floor_pm": 200},
    "small": _limits(True),
    "large": _limits(False),
}


def policies() -> dict[str, Document]:
    """Return all policies that cases of other suites may use, by name."""
    found = {name: document(name) for name in BASELINES}
    for name, difference in VARIANTS.items():
        found[name] = {**document("balanced"), "floors": [], "name": name.title(), **difference}
    return found


def case_of(name: str) -> str:
    """Return the id of the case that holds a policy."""
    return f"policy-{list(policies()).index(name) + 1:03}"


def build() -> Suite:
    """Return the suite."""
    suite = Suite("policy", NOTES)
    for name, found in policies().items():
        flag = "Baseline" if name in BASELINES else "Scoring"
        more = ["Limit"] if name in ("small", "large") else []
        _valid(suite, f"the policy {name!r}", "POL-1 POL-10", found, flag, *more)
    _add_fields(suite)
    _add_rules(suite)
    _add_tables(suite)
    _add_formats(suite)
    return suite


def _add_fields(suite: Suite) -> None:
    good = document("balanced")
    extra: Document = {**good, "electorate": [bytes(32)], "zz": {"a": None}}
    _valid(suite, "two fields more", "POL-1", extra, "Extra")
    for name in good:
        less = {key: value for key, value in good.items() if key != name}
        _broken(suite, f"without {name}", 1, less, "Missing")
        numbers = {"weights": 5, "urgency": 6, "floors": 7, "carriers": 8, "masses": 9}
        rule = {**numbers, "v": 2, "mode": 4, "person_days": 9}.get(name, 1)
        wrong: Value = True if isinstance(good[name], int) else 1
        _broken(suite, f"{name} of another type", rule, {**good, name: wrong}, "Type")
    large = _limits(False)
    for name in (
        *("ecology_floor_pm", "distance_max_m", "distance_unknown_m", "carbon_cap_mg"),
        *("rescue_horizon_s", "waiting_cap_s", "window_s", "now_max"),
    ):
        most, least = large[name], _limits(True)[name]
        assert isinstance(most, int)
        assert isinstance(least, int)
        for value in (least - 1, most + 1):
            _broken(suite, f"{name} is {value}", 1, {**good, name: value}, "Limit")
    for text in ("", "n" * 81):
        _broken(suite, f"a name of {len(text)}", 1, {**good, "name": text}, "Limit")
    for size in (0, 31, 33):
        changed = {**good, "epoch": 1, "previous": bytes(size)}
        _broken(suite, f"previous of {size} bytes", 1, changed, "Limit")


def _add_rules(suite: Suite) -> None:
    good = document("balanced")
    rules: list[tuple[int, str, Document]] = [
        (2, "version 2", {"v": 2}),
        (3, "epoch 0 with a policy before", {"previous": bytes(32)}),
        (3, "epoch 1 without a policy before", {"epoch": 1}),
        (4, "an unknown mode", {"mode": "auction"}),
        (5, "weights that sum to 999", {"weights": weights(urgency=999)}),
        (5, "weights that sum to 1001", {"weights": weights(urgency=1_000, fill=1)}),
        (5, "a weight below 0", {"weights": weights(urgency=1_001, fill=-1)}),
        (5, "a weight is missing", {"weights": {"urgency": 1_000}}),
        (6, "a class is missing", {"urgency": {"now": 1_000}}),
        (6, "a class above 1000", {"urgency": _classes(1_001, 1, 1, 1)}),
        (6, "a class below 0", {"urgency": _classes(1_000, 1, 1, -1)}),
        (6, "week before days", {"urgency": _classes(1_000, 400, 401, 100)}),
        (7, "an unknown floor", {"floors": ["price"]}),
        (7, "a floor twice", {"floors": ["urgent", "urgent"]}),
        (8, "no unknown carrier", {"carriers": {"van": 1}}),
        (8, "a carrier without name", {"carriers": {"": 1, "unknown": 1}}),
        (8, "a name of 25 letters", {"carriers": {"a" * 25: 1, "unknown": 1}}),
        (8, "a name in capitals", {"carriers": {"Van": 1, "unknown": 1}}),
        (8, "a factor below 0", {"carriers": {"unknown": -1}}),
        (8, "a factor too large", {"carriers": {"unknown": 4_000_001}}),
    ]
    names = [f"{chr(97 + n // 26)}{chr(97 + n % 26)}" for n in range(256)]
    rules.append((8, "257 carriers", {"carriers": {**dict.fromkeys(names, 1), "unknown": 1}}))
    for number, comment, change in rules:
        _broken(suite, comment, number, {**good, **change}, "Rule")
    equal: Document = {**good, "urgency": _classes(500, 500, 0, 0)}
    _valid(suite, "classes that count alike", "POL-6", equal, "Limit")
    both: Document = {**good, "floors": ["ecology", "urgent"]}
    _valid(suite, "both floors the other way round", "POL-7", both, "Limit")
    most = {**dict.fromkeys(names[:255], 1), "unknown": 1}
    _valid(suite, "256 carriers", "POL-8", {**good, "carriers": most}, "Limit")


def _classes(now: int, days: int, week: int, anytime: int) -> Value:
    return {"now": now, "days": days, "week": week, "anytime": anytime}


def _add_tables(suite: Suite) -> None:
    good = document("balanced")
    tables: list[tuple[str, list[Value]]] = [
        ("no row for * in min", SAME[:-1]),
        ("a row of two", [*SAME, ["food", "g"]]),
        ("a row of four", [*SAME, ["food", "g", 1, 1]]),
        ("a value that is a bool", [*SAME, ["food", "g", True]]),
        ("a value that is nil", [*SAME, ["food", "g", None]]),
        ("a value below its bound", [*SAME, ["food", "g", -1]]),
        ("a value above its bound", [*SAME, ["food", "g", 1_000_000_001]]),
        ("an unknown unit", [*SAME, ["food", "kg", 1]]),
        ("no category and no group", [*SAME, ["food.", "g", 1]]),
        ("three words", [*SAME, ["food.dry.rice", "g", 1]]),
        ("a category of 41 letters", [*SAME, ["a" * 20 + "." + "b" * 20, "g", 1]]),
        ("a row twice", [*SAME, ["food", "g", 1], ["food", "g", 1]]),
        ("rows out of order", [*SAME, ["food.dry", "g", 1], ["food", "g", 1]]),
        ("* at the end", [["food", "g", 1], *SAME]),
    ]
    for name in ("masses", "person_days"):
        for comment, rows in tables:
            _broken(suite, f"{name}: {comment}", 9, {**good, name: rows}, "Rule")
    _broken(suite, "masses beyond 100 kg", 9, _with_row("masses", 100_000_001), "Limit")
    _broken(suite, "person_days of 0", 9, _with_row("person_days", 0), "Limit")
    rows = [
        *SAME,
        ["a", "1", 1],
        ["a", "g", 2],
        ["a.a", "1", 3],
        ["a.b-c", "min", 4],
        ["b", "g", 5],
    ]
    _valid(suite, "groups and categories", "POL-9", {**good, "person_days": rows}, "Limit")
    words = [f"a.{chr(97 + n // 26)}{chr(97 + n % 26)}" for n in range(252)]
    many: list[Value] = [*SAME, *(_row(word) for word in words)]
    _broken(suite, "257 rows", 9, {**good, "masses": many}, "Limit")
    shorter: Document = {**good, "masses": many[:-1], "person_days": SAME}
    _valid(suite, "256 rows", "POL-9", shorter, "Limit")


def _row(what: str) -> Value:
    return [what, "1", 1]


def _with_row(name: str, value: int) -> Document:
    return {**document("balanced"), name: [*SAME, ["food", "g", value]]}


def _add_formats(suite: Suite) -> None:
    data = write_policy(document("fifo"))
    filled: Document = {**document("fifo"), "zz": "z" * 20_000}
    for comment, raw, req, error in (
        ("an array", encode([]), "POL-1", "schema"),
        ("nil", encode(None), "POL-1", "schema"),
        ("a byte more", data + b"\0", "POL-1 ENC-8", "encoding"),
        ("a byte less", data[:-1], "POL-1 ENC-8", "encoding"),
        ("a wide map", b"\xdf\0\0" + data[1:], "POL-1 ENC-2", "encoding"),
        ("no bytes", b"", "POL-1 ENC-8", "encoding"),
        ("20,000 bytes", encode(filled), "POL-1 ENC-7", "encoding"),
    ):
        suite.invalid(comment, req, {"bytes": raw.hex()}, error, "Format")


def _valid(suite: Suite, comment: str, req: str, found: Document, *flags: str) -> None:
    data = write_policy(found)
    steps: dict[str, Json] = {
        "document": plain(decode(data, maps=True)),
        "id": policy_id(data).hex(),
    }
    suite.valid(comment, req, {"bytes": data.hex()}, steps, *flags)


def _broken(suite: Suite, comment: str, number: int, found: Document, flag: str) -> None:
    inputs: dict[str, Json] = {"bytes": encode(found).hex()}
    suite.invalid(comment, f"POL-{number}", inputs, "schema", flag)
