"""Vectors of section 7: bodies of each kind, well-formed and malformed.

A malformed record stays in its log; the fold leaves it out. That is the verdict "invalid" here.
"""

from mycelia_protocol.encoding import Value, encode
from vectors import forked
from vectors.bodies import (
    BOUNDS,
    CHOICES,
    GOOD,
    LARGEST,
    LOAN,
    MORE_REFS,
    OFFER,
    OPTIONAL,
    OVERRIDE,
    PARTY,
    PLACE,
    PROFILE,
    REFS,
    REQUEST,
    ROWS,
    SOME_KEYS,
    THING,
    VIEW,
    VOUCH,
    Content,
    decided,
)
from vectors.chains import COMMONS
from vectors.suite import KEYS, Json, Suite, derived, tagged

NOTES = {
    "Missing": "A required field is not there.",
    "Type": "A field of another type.",
    "Limit": "At or beyond a limit of section 3.",
    "Choice": "A text that is not one of those listed.",
    "Rule": "A rule of this kind is broken.",
    "Refs": "A wrong number of references.",
    "Format": "The content is not canonical, or no map.",
    "Extra": "A field that is not listed is kept and ignored, so that later versions can add some.",
}


def build() -> Suite:
    """Return the suite."""
    suite = Suite("body", NOTES)
    for kind, content in GOOD.items():
        _add_fields(suite, kind, content)
    _add_quantities(suite)
    _add_rules(suite)
    _add_terms(suite)
    _add_places(suite)
    for req, comment, ends in forked.near_misses():
        _malformed(suite, f"fork: {comment}", req, "fork", {"ends": ends}, "Rule")
    for one, other in ((1, 1), (3, 1), (1, 2)):
        proof = forked.proof(forked.ONE[:one], forked.OTHER[:other])
        comment = f"fork with ends of {one} and {other}"
        suite.valid(comment, "FORK-2", _in("fork", proof), _steps(proof), "Rule")
    _add_decisions(suite)
    _add_formats(suite)
    return suite


def _add_fields(suite: Suite, kind: str, content: Content) -> None:
    """Add what concerns single fields: absence, type, bounds and choices."""
    suite.valid(f"{kind} with all fields", "BODY-1", _in(kind, content), _steps(content))
    optional = set(content) if kind == "renew" else OPTIONAL | set(PLACE)
    required = {key: value for key, value in content.items() if key not in optional}
    if required not in (content, {}):
        inputs = _in(kind, required)
        suite.valid(f"{kind} with required fields only", "BODY-2", inputs, _steps(required))
    extra: Content = {**content, "zz-later": [{"a": 1}, None]}
    suite.valid(f"{kind} with a field more", "BODY-4", _in(kind, extra), _steps(extra), "Extra")
    for name in content:
        if name in required:
            less = {key: value for key, value in content.items() if key != name}
            _malformed(suite, f"{kind} without {name}", "BODY-2", kind, less, "Missing")
        wrong: Value = 1 if not isinstance(content[name], int) else "1"
        typed: list[Value] = [wrong, None, b"\1" if isinstance(content[name], bool) else True]
        for value in typed:
            bad: Content = {**content, name: value}
            comment = f"{kind}: {name} is {type(value).__name__}"
            _malformed(suite, comment, "BODY-3", kind, bad, "Type")
        inside, outside = BOUNDS.get(name, ([], []))
        for value in inside:
            good: Content = {**content, name: value}
            comment = f"{kind}: {name} within its bounds"
            suite.valid(comment, "BODY-3", _in(kind, good), _steps(good), "Limit")
        for value in outside:
            bad = {**content, name: value}
            req = "BODY-3 PROF-1" if name == "addresses" else "BODY-3"
            _malformed(suite, f"{kind}: {name} outside its bounds", req, kind, bad, "Limit")
        for choice in CHOICES.get(name, []):
            if content[name] != choice:
                good = {**content, name: choice}
                comment = f"{kind}: {name} is {choice}"
                suite.valid(comment, "BODY-3", _in(kind, good), _steps(good), "Choice")
        if name in CHOICES:
            bad = {**content, name: "kg"}
            _malformed(suite, f"{kind}: {name} is kg", "BODY-3", kind, bad, "Choice")


def _add_quantities(suite: Suite) -> None:
    for kind, least in (
        ("request", 1),
        ("grant", 1),
        ("receipt", 0),
        ("rights", 1),
        ("return", 1),
    ):
        for quantity in (least, LARGEST):
            content: Content = {**GOOD[kind], "quantity": quantity}
            comment = f"{kind} of {quantity}"
            suite.valid(comment, "BODY-3", _in(kind, content), _steps(content), "Limit")
        for quantity in (least - 1, LARGEST + 1):
            content = {**GOOD[kind], "quantity": quantity}
            _malformed(suite, f"{kind} of {quantity}", "BODY-3", kind, content, "Limit")
    for quantity, lot in ((1, 1), (LARGEST, LARGEST), (LARGEST, 1)):
        content = {**THING, "quantity": quantity, "lot": lot}
        comment = f"offer of {quantity} in lots of {lot}"
        suite.valid(comment, "OFFER-1", _in("offer", content), _steps(content), "Limit")
    for quantity, lot, req in (
        (0, 1, "BODY-3"),
        (LARGEST + 1, 1, "BODY-3"),
        (10, 0, "BODY-3"),
        (10, 3, "OFFER-1"),
        (10, 20, "OFFER-1"),
    ):
        content = {**THING, "quantity": quantity, "lot": lot}
        _malformed(suite, f"offer of {quantity} in lots of {lot}", req, "offer", content, "Rule")


def _add_rules(suite: Suite) -> None:
    for category in (
        "food",
        "food.",
        ".water",
        "food.water.tap",
        "Food.water",
        "food water",
        "f.ä",
    ):
        content: Content = {**OFFER, "category": category}
        _malformed(suite, f"category {category}", "THING-1", "offer", content, "Rule")
        substitute: Content = {**REQUEST, "substitutes": [category]}
        if category != "food":
            _malformed(suite, f"substitute {category}", "ASK-1", "request", substitute, "Rule")
    neutral = bytes([1]) + bytes(31)
    for comment, key in (("neutral", neutral), ("off the curve", b"\2" + bytes(31))):
        content = {**VOUCH, "key": key}
        _malformed(suite, f"vouch for a key that is {comment}", "VOUCH-1", "vouch", content, "Rule")
    head: list[Value] = [bytes(8), 3, bytes(32)]
    second: list[Value] = [b"\1" + bytes(7), 3, bytes(32)]
    wrong: list[tuple[str, Value, str]] = [
        ("no triple", [head[:2]], "INC-1"),
        ("log of 7 bytes", [[bytes(7), 3, bytes(32)]], "INC-1"),
        ("seq below 0", [[bytes(8), -1, bytes(32)]], "INC-1"),
        ("seq is a bool", [[bytes(8), True, bytes(32)]], "INC-1"),
        ("id of 31 bytes", [[bytes(8), 3, bytes(31)]], "INC-1"),
        ("out of order", [second, head], "INC-2"),
        ("one log twice", [head, head], "INC-2"),
        ("the log itself", [[_log(), 3, bytes(32)]], "INC-2"),
    ]
    for comment, heads, req in wrong:
        content = {"heads": heads}
        _malformed(suite, f"incarnation: {comment}", req, "incarnation", content, "Rule")
    most: Content = {"heads": [[n.to_bytes(8, "big"), 0, bytes(32)] for n in range(256)]}
    suite.valid("256 older logs", "INC-1", _in("incarnation", most), _steps(most), "Limit")
    more: Content = {"heads": [[n.to_bytes(8, "big"), 0, bytes(32)] for n in range(257)]}
    _malformed(suite, "257 older logs", "BODY-3", "incarnation", more, "Limit")


def _add_terms(suite: Suite) -> None:
    """Add what an offer's terms allow."""
    good: list[tuple[str, Content]] = [
        ("something lent in two slots", LOAN),
        ("something lent, kept for some", {**LOAN, "minimum": 1, "audience": SOME_KEYS}),
        ("a service", {**THING, "terms": "service", "unit": "min"}),
        ("something inexhaustible", {**THING, "inexhaustible": True, "renewing": False}),
        ("256 slots", {**LOAN, "slots": [[n, n + 1] for n in range(256)]}),
    ]
    for comment, content in good:
        suite.valid(comment, "OFFER-2", _in("offer", content), _steps(content), "Rule")
    low, high = sorted((KEYS["elm"], KEYS["oak"]))
    bad: list[tuple[str, str, Content]] = [
        ("OFFER-1", "a minimum of more than there is", {**THING, "minimum": 20_001}),
        ("OFFER-2", "lent without slots", {**LOAN, "slots": []}),
        ("OFFER-2", "given in slots", {**LOAN, "terms": "consume"}),
        ("OFFER-2", "slots of usual terms", {**THING, "unit": "1", "slots": LOAN["slots"]}),
        ("OFFER-2", "a slot of one time", {**LOAN, "slots": [[1]]}),
        ("OFFER-2", "a slot of three times", {**LOAN, "slots": [[1, 2, 3]]}),
        ("OFFER-2", "a slot that ends as it begins", {**LOAN, "slots": [[1, 1]]}),
        ("OFFER-2", "a slot that begins before 0", {**LOAN, "slots": [[-1, 1]]}),
        ("OFFER-2", "a slot from true", {**LOAN, "slots": [[True, 2]]}),
        ("OFFER-2", "slots that overlap", {**LOAN, "slots": [[1, 4], [3, 5]]}),
        ("OFFER-2", "slots out of order", {**LOAN, "slots": [[4, 5], [1, 2]]}),
        ("BODY-3", "257 slots", {**LOAN, "slots": [[n, n + 1] for n in range(257)]}),
        ("OFFER-3", "lent in mL", {**LOAN, "unit": "mL"}),
        ("OFFER-3", "a service in pieces", {**THING, "terms": "service", "unit": "1"}),
        ("OFFER-4", "a window that ends as it begins", {**THING, "from_ms": 5, "until_ms": 5}),
        ("OFFER-5", "a carrier of two words", {**THING, "carrier": "cargo bike"}),
        ("OFFER-6", "an audience out of order", {**THING, "audience": [high, low]}),
        ("OFFER-6", "an audience with a key twice", {**THING, "audience": [low, low]}),
        ("OFFER-6", "an audience of texts", {**THING, "audience": ["oak"]}),
        ("OFFER-6", "an audience of short keys", {**THING, "audience": [bytes(31)]}),
        ("OFFER-7", "lent for ever", {**LOAN, "inexhaustible": True}),
        ("OFFER-7", "lent and renewing", {**LOAN, "renewing": True}),
        ("OFFER-7", "endless and more", {**THING, "inexhaustible": True, "renewing": True}),
    ]
    for req, comment, content in bad:
        _malformed(suite, f"offer: {comment}", req, "offer", content, "Rule")
    _malformed(suite, "a renewal that changes nothing", "RENEW-1", "renew", {}, "Rule")
    twice: Content = {**REQUEST, "substitutes": ["food", "food"]}
    _malformed(suite, "a substitute twice", "ASK-1", "request", twice, "Rule")
    text: Content = {**REQUEST, "substitutes": [1]}
    _malformed(suite, "a substitute that is a number", "ASK-1", "request", text, "Rule")
    unsorted: Content = {**PARTY, "guardians": [high, low]}
    _malformed(suite, "guardians out of order", "PARTY-1", "party", unsorted, "Rule")


def _add_places(suite: Suite) -> None:
    for name in PLACE:
        content = {key: value for key, value in PROFILE.items() if key != name}
        _malformed(suite, f"place without {name}", "PLACE-1", "profile", content, "Missing")
    for name, value, req in (
        ("lat_e7", 449_700_001, "PLACE-2"),
        ("lon_e7", -932_650_000, "PLACE-2"),
        ("lat_e7", 900_100_000, "BODY-3"),
        ("lon_e7", -1_800_100_000, "BODY-3"),
        ("cell_e7", 99_999, "BODY-3"),
        ("cell_e7", 100_000_001, "BODY-3"),
    ):
        content = {**PROFILE, name: value}
        _malformed(suite, f"{name} is {value}", req, "profile", content, "Limit")
    corner: Content = {"lat_e7": -900_000_000, "lon_e7": 1_800_000_000, "cell_e7": 100_000_000}
    content = {**PROFILE, **corner}
    inputs = _in("profile", content)
    suite.valid("a corner of the world in the largest cell", "PLACE-2", inputs, _steps(content))


def _add_decisions(suite: Suite) -> None:
    """Add what policies, views and decisions may hold."""
    many: list[Value] = [[derived(f"row {n}"), 0, None, None, 0] for n in range(65)]
    good: list[tuple[str, str, Content]] = [
        ("DEC-2", "no rows", decided([], ground="nobody")),
        ("DEC-2", "64 rows", decided(many[:64])),
        ("DEC-2", "the first 64 of 65 rows", decided(many)),
        ("DEC-3", "a digest of rows that are elsewhere", decided(many, digest=bytes(32))),
        ("DEC-4", "an override", {**decided(ROWS), **OVERRIDE}),
        ("VIEW-1", "256 heads", decided(ROWS, heads=_heads(256))),
    ]
    for req, comment, content in good:
        name = f"decision: {comment}"
        suite.valid(name, req, _in("decision", content), _steps(content), "Rule")
    bad: list[tuple[str, str, Content]] = [
        ("DEC-2", "fewer rows than total", decided(ROWS, total=4)),
        ("DEC-2", "63 of 65 rows", {**decided(many), "rows": many[:63]}),
        ("BODY-3", "65 rows", {**decided(many), "rows": many}),
        ("DEC-3", "another digest", decided(ROWS, digest=bytes(32))),
        ("BODY-3", "257 heads", decided(ROWS, heads=_heads(257))),
        *(("DEC-4", f"no {name}", {**decided(ROWS), **_less(name)}) for name in OVERRIDE),
        *(("DEC-1", comment, decided([row])) for comment, row in _bad_rows()),
    ]
    for req, comment, content in bad:
        _malformed(suite, f"decision: {comment}", req, "decision", content, "Rule")
    head = _heads(2)
    heads: list[tuple[str, str, Value]] = [
        ("VIEW-1", "a head of two", [head[0][:2]]),
        ("VIEW-1", "a log of 7 bytes", [[bytes(7), 0, bytes(8)]]),
        ("VIEW-1", "an id of 32 bytes", [[bytes(8), 0, bytes(32)]]),
        ("VIEW-1", "seq below 0", [[bytes(8), -1, bytes(8)]]),
        ("VIEW-1", "seq is a bool", [[bytes(8), True, bytes(8)]]),
        ("VIEW-2", "heads out of order", [head[1], head[0]]),
        ("VIEW-2", "a log twice", [head[0], head[0]]),
    ]
    for req, comment, value in heads:
        content = {**VIEW, "heads": value}
        _malformed(suite, f"view: {comment}", req, "view", content, "Rule")
    for comment, document in (("no map", encode([])), ("no policy", encode({"v": 1}))):
        bad_policy: Content = {"document": document}
        _malformed(suite, f"policy: {comment}", "PUT-1", "policy", bad_policy, "Rule")


def _heads(count: int) -> list[list[Value]]:
    return [[n.to_bytes(8, "big"), n, bytes(8)] for n in range(count)]


def _less(name: str) -> Content:
    return {key: value for key, value in OVERRIDE.items() if key != name}


def _bad_rows() -> list[tuple[str, Value]]:
    request, factors = derived("first"), [1, 2, 3, 4, 5, 6]
    return [
        ("a row of four", [request, 0, None, None]),
        ("a row of a short id", [request[:31], 0, None, None, 0]),
        ("gates below 0", [request, -1, None, None, 0]),
        ("gates of 11 bits", [request, 1_024, None, None, 0]),
        ("gates are a bool", [request, True, None, None, 0]),
        ("five factors", [request, 0, factors[:5], 0, 0]),
        ("a factor of 1001", [request, 0, [*factors[:5], 1_001], 0, 0]),
        ("a factor that is a bool", [request, 0, [*factors[:5], True], 0, 0]),
        ("factors without a score", [request, 0, factors, None, 0]),
        ("a score without factors", [request, 0, None, 5, 0]),
        ("a score of 1000001", [request, 0, factors, 1_000_001, 0]),
        ("less than nothing given", [request, 0, factors, 0, -1]),
        ("too much given", [request, 0, factors, 0, LARGEST + 1]),
    ]


def _add_formats(suite: Suite) -> None:
    raws = [
        ("an array", encode([]), "BODY-1"),
        ("nil", encode(None), "BODY-1"),
        ("a key twice", bytes.fromhex("82a6616363657074c3a6616363657074c2"), "ENC-5"),
        ("keys out of order", bytes.fromhex("82a162c0a6616363657074c3"), "ENC-5"),
        ("a wide map", bytes.fromhex("de0001a6616363657074c3"), "ENC-2"),
        ("a byte more", bytes.fromhex("81a6616363657074c300"), "ENC-8"),
    ]
    for comment, raw, req in raws:
        inputs = _raw("answer", raw, 1)
        suite.invalid(f"content is {comment}", req, inputs, "schema", "Format")
    for kind, content in GOOD.items():
        right = REFS.get(kind, 0)
        for count in sorted({0, 1, 2, 3, 16} - {right}):
            inputs = _raw(kind, encode(content), count)
            comment = f"{kind} with {count} references"
            if right < count <= MORE_REFS.get(kind, 0):
                suite.valid(comment, "", inputs, _steps(content), "Refs")
            else:
                suite.invalid(comment, "", inputs, "schema", "Refs")


def _malformed(
    suite: Suite, comment: str, req: str, kind: str, content: Content, flag: str
) -> None:
    suite.invalid(comment, req, _in(kind, content), "schema", flag)


def _log() -> bytes:
    return derived("log of the bodies", 8)


def _in(kind: str, content: Content) -> dict[str, Json]:
    return _raw(kind, encode(content), REFS.get(kind, 0))


def _raw(kind: str, content: bytes, refs: int) -> dict[str, Json]:
    """Return what of a record decides whether its body is malformed."""
    commons: dict[str, Json] = {"commons": COMMONS.hex()} if kind == "fork" else {}
    return {
        **commons,
        "kind": kind,
        "log": _log().hex(),
        "refs": [derived(f"reference {number}").hex() for number in range(refs)],
        "content": content.hex(),
    }


def _steps(content: Content) -> dict[str, Json]:
    return {"content": tagged(content)}
