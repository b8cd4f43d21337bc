"""Vectors of section 7: bodies of each kind, well-formed and malformed.

A malformed record stays in its log; the fold leaves it out. That is the verdict "invalid" here.
"""

from mycelia_protocol.body import WORDS
from mycelia_protocol.encoding import Value, encode
from vectors import forked
from vectors.bodies import (
    BOUNDS,
    CHOICES,
    GOOD,
    LARGEST,
    LATER,
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
    SOME_KEYS,
    THING,
    VOUCH,
    Content,
)
from vectors.bodies_decided import decided_badly, decided_well
from vectors.chains import COMMONS
from vectors.suite import KEYS, Json, Suite, derived, hex_or_none, tagged

NOTES = {
    "Missing": "A required field is not there.",
    "Type": "A field of another type.",
    "Limit": "At or beyond a limit of section 3.",
    "Choice": "A text that is not one of those listed.",
    "Rule": "A rule of this kind is broken.",
    "Refs": "A wrong number of references.",
    "Format": "The facts are not canonical, or no map.",
    "Words": "Words are missing or break a rule: nothing follows, for others may have erased them.",
    "Extra": "A field that is not listed is kept and ignored, so that later versions can add some.",
}


def build() -> Suite:
    """Return the suite."""
    suite = Suite("body", NOTES)
    for kind, content in GOOD.items():
        if kind not in LATER:
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
    _add_words(suite)
    _add_erasures(suite)
    for kind in LATER:
        _add_fields(suite, kind, GOOD[kind])
    _add_acknowledgements(suite)
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
            _faulty(suite, f"{kind} without {name}", "BODY-2", kind, less, name, "Missing")
        wrong: Value = 1 if not isinstance(content[name], int) else "1"
        typed: list[Value] = [wrong, None, b"\1" if isinstance(content[name], bool) else True]
        for value in typed:
            bad: Content = {**content, name: value}
            comment = f"{kind}: {name} is {type(value).__name__}"
            _faulty(suite, comment, "BODY-3", kind, bad, name, "Type")
        inside, outside = BOUNDS.get(name, ([], []))
        for value in inside:
            good: Content = {**content, name: value}
            comment = f"{kind}: {name} within its bounds"
            suite.valid(comment, "BODY-3", _in(kind, good), _steps(good), "Limit")
        for value in outside:
            bad = {**content, name: value}
            req = "BODY-3 PROF-1" if name == "addresses" else "BODY-3"
            _faulty(suite, f"{kind}: {name} outside its bounds", req, kind, bad, name, "Limit")
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
    for wrong_one in (-1, "1"):
        content = {"heads": [], "generation": wrong_one}
        _malformed(suite, f"generation {wrong_one!r}", "BODY-3", "incarnation", content, "Rule")
    late: Content = {"heads": [], "generation": 2**53 - 1}
    suite.valid("the last generation", "INC-5", _in("incarnation", late), _steps(late), "Limit")
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
    for req, comment, content in decided_well():
        name = f"decision: {comment}"
        suite.valid(name, req, _in("decision", content), _steps(content), "Rule")
    for kind, req, comment, content in decided_badly():
        _malformed(suite, f"{kind}: {comment}", req, kind, content, "Rule")
    agreed: Content = {**GOOD["decision"], **OVERRIDE}
    comment = "decision: an override with a consent"
    suite.valid(comment, "DEC-6", _in("decision", agreed, 2), _steps(agreed), "Rule")
    inputs = _in("decision", agreed, 3)
    suite.invalid("decision: an override with two consents", "DEC-6", inputs, "schema", "Rule")


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
        suite.invalid(f"facts are {comment}", req, inputs, "schema", "Format")
    for kind, content in GOOD.items():
        right = REFS.get(kind, 0)
        for count in sorted({0, 1, 2, 3, 16} - {right}):
            inputs = _in(kind, content, count)
            comment = f"{kind} with {count} references"
            if right < count <= MORE_REFS.get(kind, 0):
                suite.valid(comment, "", inputs, _steps(content), "Refs")
            else:
                suite.invalid(comment, "", inputs, "schema", "Refs")


def _add_words(suite: Suite) -> None:
    """Add what becomes of words: they are erased, broken, or stand where facts do."""
    facts: Content = {key: value for key, value in OFFER.items() if key not in WORDS}
    words: Content = {key: value for key, value in OFFER.items() if key in WORDS}
    plain = encode(facts)
    cases: list[tuple[str, str, Content, bytes | None]] = [
        ("are erased", "BODY-5", facts, None),
        ("are no map", "BODY-5", facts, encode([])),
        ("are not canonical", "BODY-5", facts, encode(words) + b"\0"),
        ("are no MessagePack", "BODY-5", facts, b"\xc1"),
        ("hold a fact, which does not count there", "BODY-5", facts, encode({"lot": 1})),
    ]
    for comment, req, expected, raw in cases:
        inputs = _raw("offer", plain, 0, raw)
        suite.valid(f"words that {comment}", req, inputs, _steps(expected), "Words")
    inputs = _raw("offer", encode(OFFER), 0, encode({}))
    suite.valid("words among the facts", "BODY-5", inputs, _steps(facts), "Words")
    inputs = _raw("answer", encode({}), 1, encode({"accept": True}))
    suite.invalid("a fact among the words", "BODY-2", inputs, "schema", "Words")


def _add_erasures(suite: Suite) -> None:
    """Add what places an erasure may name."""
    most: list[Value] = [[2 * n, 2 * n] for n in range(257)]
    bad: list[tuple[str, str, Value]] = [
        ("BODY-3", "no range", []),
        ("BODY-3", "257 ranges", most),
        ("ERASE-1", "a range of one number", [[1]]),
        ("ERASE-1", "a range that ends before it begins", [[2, 1]]),
        ("ERASE-1", "a range below 0", [[-1, 2]]),
        ("ERASE-1", "a range of bools", [[False, True]]),
        ("ERASE-1", "ranges that overlap", [[1, 3], [3, 4]]),
        ("ERASE-1", "ranges without a gap between them", [[1, 3], [4, 4]]),
        ("ERASE-1", "ranges that descend", [[5, 6], [1, 2]]),
    ]
    for req, comment, ranges in bad:
        content: Content = {**GOOD["erase"], "ranges": ranges}
        _malformed(suite, f"erase: {comment}", req, "erase", content, "Rule")
    for comment, ranges in (("256 ranges", most[:256]), ("a place far off", [[0, 2**53 - 1]])):
        content = {**GOOD["erase"], "ranges": ranges}
        suite.valid(f"erase: {comment}", "ERASE-1", _in("erase", content), _steps(content), "Rule")


def _faulty(
    suite: Suite, comment: str, req: str, kind: str, content: Content, name: str, flag: str
) -> None:
    """Add a body with a field that is missing or wrong: a word is left out, a fact is not."""
    if name not in WORDS:
        _malformed(suite, comment, req, kind, content, flag)
        return
    rest = {key: value for key, value in content.items() if key != name}
    suite.valid(comment, f"BODY-5 {req}", _in(kind, content), _steps(rest), flag, "Words")


def _malformed(
    suite: Suite, comment: str, req: str, kind: str, content: Content, flag: str
) -> None:
    suite.invalid(comment, req, _in(kind, content), "schema", flag)


def _log() -> bytes:
    return derived("log of the bodies", 8)


def _in(kind: str, content: Content, refs: int | None = None) -> dict[str, Json]:
    facts: Content = {key: value for key, value in content.items() if key not in WORDS}
    words: Content = {key: value for key, value in content.items() if key in WORDS}
    count = REFS.get(kind, 0) if refs is None else refs
    return _raw(kind, encode(facts), count, encode(words))


def _raw(kind: str, facts: bytes, refs: int, words: bytes | None = b"\x80") -> dict[str, Json]:
    """Return what of a record decides whether its body is malformed."""
    commons: dict[str, Json] = {"commons": COMMONS.hex()} if kind == "fork" else {}
    return {
        **commons,
        "kind": kind,
        "log": _log().hex(),
        "refs": [derived(f"reference {number}").hex() for number in range(refs)],
        "facts": facts.hex(),
        "words": hex_or_none(words),
    }


def _steps(content: Content) -> dict[str, Json]:
    return {"content": tagged(content)}


def _add_acknowledgements(suite: Suite) -> None:
    ids: list[Value] = [*sorted(derived(f"checkpoint {n}") for n in range(257))]
    for comment, named in (("one", ids[:1]), ("256", ids[:256])):
        content: Content = {"checkpoints": named}
        steps = _steps(content)
        suite.valid(f"acknowledge: {comment}", "ACK-1", _in("acknowledge", content), steps, "Limit")
    broken: tuple[tuple[str, list[Value], str], ...] = (
        ("none", [], "Limit"),
        ("257", ids, "Limit"),
        ("not sorted", ids[1::-1], "Rule"),
        ("the same twice", [ids[0], ids[0]], "Rule"),
        ("no id", [b"\1" * 31], "Rule"),
    )
    for comment, named, flag in broken:
        content = {"checkpoints": named}
        _malformed(suite, f"acknowledge: {comment}", "ACK-1", "acknowledge", content, flag)
