"""Vectors of section 9.4: frames before encryption."""

from mycelia_protocol.encoding import Value, encode
from vectors import cases_frame_forms
from vectors.cases_identity import CHARTER
from vectors.chains import Writer
from vectors.suite import KEYS, TIME_MS, Json, Suite, derived, tagged

NOTES = {
    "Frame": "A frame of the registry.",
    "Fields": "A field is missing, too many, of another type, or out of bounds.",
    "Unknown": "A number that is not in the registry. The session ends.",
    "Format": "Not canonical.",
    "Record": "An envelope in the frame breaks a structural rule.",
    "Limit": "At or beyond a limit of section 3.",
}
LOG = derived("log of the frames", 8)
HEAD: list[Value] = [KEYS["mill"], LOG, 1, bytes(8)]
RANGE: list[Value] = [derived("tag", 8), 0, 4]
WORD: list[Value] = [KEYS["mill"], TIME_MS, derived("mark", 8), False, [1], [], bytes(64)]
SECRET = derived("secret of the invite", 16)
NAMES = {1: "HEADS", 2: "WANT", 3: "RECORDS", 4: "PUSH", 5: "INTRODUCE", 6: "JOIN", 7: "WELCOME"}


def build() -> Suite:
    """Return the suite."""
    suite = Suite("frame", NOTES)
    _add_good(suite)
    _add_heads_and_wants(suite)
    _add_records(suite)
    _add_others(suite)
    cases_frame_forms.add(suite)
    return suite


def envelopes() -> list[Value]:
    """Return the envelopes of an incarnation and of a profile."""
    mill = Writer("mill")
    mill.begin()
    mill.write("profile", {"name": "Mill"})
    return [record.envelope() for record in mill.records]


def bare() -> Value:
    """Return an envelope without signature and body."""
    return [Writer("mill").begin().header, None, None]


def _add_good(suite: Suite) -> None:
    first, second = envelopes()
    charter = CHARTER.encode()
    good: list[tuple[str, list[Value], str]] = [
        ("HEADS, complete", [1, [HEAD], True], "Frame"),
        ("HEADS, changed", [1, [HEAD, HEAD], False], "Frame"),
        ("HEADS of nothing", [1, [], True], "Frame"),
        ("HEADS: the largest seq", [1, [[*HEAD[:2], 2**53 - 1, bytes(8)]], True], "Limit"),
        ("WANT", [2, [RANGE], 3], "Frame"),
        ("WANT of what is urgent", [2, [RANGE], 2], "Frame"),
        ("WANT of one record", [2, [[RANGE[0], 7, 7]], 1], "Frame"),
        ("WANT of 256 ranges", [2, [RANGE] * 256, 3], "Limit"),
        ("RECORDS of nothing", [3, []], "Frame"),
        ("RECORDS", [3, [first, second]], "Frame"),
        ("PUSH", [4, [second]], "Frame"),
        ("INTRODUCE of the founder", [5, []], "Frame"),
        ("INTRODUCE of 64 records", [5, [bare()] * 64], "Limit"),
        ("JOIN", [6, SECRET], "Frame"),
        ("WELCOME", [7, charter, [first]], "Frame"),
        ("REFUSE", [8, "invite-expired", "the invite has expired"], "Frame"),
        ("ANNOUNCE", [9, [HEAD]], "Frame"),
        ("ANNOUNCE by tag", [9, [[derived("tag", 8), 7, HEAD[3]], HEAD]], "Frame"),
        ("PRUNE", [10, [KEYS["mill"]]], "Frame"),
        ("PRUNE of 256 authors", [10, [KEYS["mill"]] * 256], "Limit"),
        ("GRAFT", [11, [KEYS["mill"]]], "Frame"),
        ("DIGEST of nothing", [12, derived("digest", 16), 0, b""], "Frame"),
        ("DIGEST of many logs", [12, derived("digest", 16), 2**53 - 1, b""], "Limit"),
        ("DIGEST with a base", [12, derived("digest", 16), 7, derived("base", 8)], "Frame"),
        ("CHANGES", [15, [0, 300], [1, 2**53 - 1], derived("prefixes", 16), True], "Frame"),
        ("CHANGES of nothing, and more to come", [15, [], [], b"", False], "Frame"),
        ("BUCKETS, 64 of them", [13, [derived("bucket", 8)] * 64], "Frame"),
        ("BUCKETS, 256 of them", [13, [derived("bucket", 8)] * 256], "Limit"),
        ("PRESENCE", [14, *WORD], "Frame"),
        ("PRESENCE with 16 features", [14, *WORD[:5], ["f" * 24] * 16, WORD[6]], "Limit"),
    ]
    for comment, frame, flag in good:
        suite.valid(comment, "SESS-5", _in(encode(frame)), {"value": tagged(frame)}, flag)


def _add_heads_and_wants(suite: Suite) -> None:
    heads: list[tuple[str, Value]] = [
        ("author of 31 bytes", [KEYS["mill"][:31], LOG, 1, bytes(8)]),
        ("log of 9 bytes", [KEYS["mill"], LOG + b"\0", 1, bytes(8)]),
        ("next_seq 0", [KEYS["mill"], LOG, 0, bytes(8)]),
        ("next_seq is true", [KEYS["mill"], LOG, True, bytes(8)]),
        ("prefix of 7 bytes", [KEYS["mill"], LOG, 1, bytes(7)]),
        ("three fields", HEAD[:3]),
        ("nil", None),
    ]
    for comment, head in heads:
        _wrong(suite, f"HEADS: {comment}", [1, [HEAD, head], True])
    _wrong(suite, "HEADS without complete", [1, [HEAD]])
    _wrong(suite, "HEADS: complete is 1", [1, [HEAD], 1])
    ranges: list[tuple[str, Value]] = [
        ("first after last", [RANGE[0], 5, 4]),
        ("first below 0", [RANGE[0], -1, 4]),
        ("first is false", [RANGE[0], False, 4]),
        ("last is true", [RANGE[0], 0, True]),
        ("tag of 9 bytes", [derived("tag", 9), *RANGE[1:]]),
        ("two fields", RANGE[:2]),
        ("author and log", [KEYS["mill"], LOG, *RANGE[1:]]),
    ]
    for comment, each in ranges:
        _wrong(suite, f"WANT: {comment}", [2, [each], 3])
    _wrong(suite, "WANT of 257 ranges", [2, [RANGE] * 257, 3], flag="Limit")
    _wrong(suite, "WANT without a stage", [2, [RANGE]])
    _wrong(suite, "WANT: the stage is true", [2, [RANGE], True])
    for stage in (0, 4):
        _wrong(suite, f"WANT: stage {stage}", [2, [RANGE], stage], flag="Limit")


def _add_records(suite: Suite) -> None:
    first, second = envelopes()
    assert isinstance(second, list)
    for number in (3, 4, 5):
        name = NAMES[number]
        _wrong(suite, f"{name}: no array", [number, None])
        _wrong(suite, f"{name}: a field more", [number, [first], 0])
        for comment, envelope in (
            ("two fields", second[:2]),
            ("signature of 63 bytes", [second[0], bytes(63), second[2]]),
            ("header is nil", [None, *second[1:]]),
            ("header is text", ["header", *second[1:]]),
            ("body of another record", [second[0], second[1], b"body"]),
        ):
            frame: list[Value] = [number, [first, envelope]]
            _wrong(suite, f"{name}: envelope with {comment}", frame, "record", "Record")
    _wrong(suite, "PUSH of 257 records", [4, [bare()] * 257], flag="Limit")
    _wrong(suite, "INTRODUCE of 65 records", [5, [bare()] * 65], flag="Limit")


def _add_others(suite: Suite) -> None:
    charter = CHARTER.encode()
    wrong: list[tuple[str, list[Value]]] = [
        ("JOIN: secret of 15 bytes", [6, SECRET[:15]]),
        ("JOIN: secret as text", [6, "s" * 16]),
        ("JOIN: a field more", [6, SECRET, TIME_MS]),
        ("WELCOME without vouches", [7, charter]),
        ("WELCOME: charter as text", [7, "charter", []]),
        ("REFUSE without reason", [8, "invite-used"]),
        ("REFUSE: code is an integer", [8, 1, "reason"]),
        ("ANNOUNCE with complete", [9, [HEAD], True]),
        ("ANNOUNCE: a head of three fields", [9, [HEAD[:3]]]),
        ("ANNOUNCE: a tag of 7 bytes", [9, [[derived("tag", 8)[:7], 7, HEAD[3]]]]),
        ("ANNOUNCE by tag: next_seq 0", [9, [[derived("tag", 8), 0, HEAD[3]]]]),
        ("PRUNE: author of 31 bytes", [10, [KEYS["mill"][:31]]]),
        ("PRUNE: author as text", [10, ["mill"]]),
        ("PRUNE: no array", [10, KEYS["mill"]]),
        ("PRUNE of 257 authors", [10, [KEYS["mill"]] * 257]),
        ("GRAFT: author is nil", [11, [None]]),
        ("DIGEST of 15 bytes", [12, bytes(15), 0, b""]),
        ("DIGEST: a negative count", [12, bytes(16), -1, b""]),
        ("DIGEST: the count is true", [12, bytes(16), True, b""]),
        ("DIGEST without a count", [12, bytes(16)]),
        ("DIGEST without a base", [12, bytes(16), 0]),
        ("DIGEST: a base of 7 bytes", [12, bytes(16), 0, bytes(7)]),
        ("CHANGES: a place below 0", [15, [-1], [1], bytes(8), True]),
        ("CHANGES: a place is true", [15, [True], [1], bytes(8), True]),
        ("CHANGES: next_seq 0", [15, [0], [0], bytes(8), True]),
        ("CHANGES: two places, one seq", [15, [0, 1], [1], bytes(8), True]),
        ("CHANGES: prefixes of 9 bytes", [15, [0], [1], bytes(9), True]),
        ("CHANGES without complete", [15, [0], [1], bytes(8)]),
        ("BUCKETS, 65 of them", [13, [bytes(8)] * 65]),
        ("BUCKETS of nothing", [13, []]),
        ("BUCKETS: a digest of 16 bytes", [13, [bytes(16)] * 64]),
        ("BUCKETS: a digest is text", [13, ["b" * 8] * 64]),
    ]
    for comment, frame in [*wrong, *_wrong_words()]:
        _wrong(suite, comment, frame)
    unknown: list[tuple[str, Value]] = [
        ("number 0", [0]),
        ("number 20", [20, []]),
        ("number -1", [-1, []]),
        ("true in place of 1", [True, [HEAD], True]),
        ("a name in place of a number", ["HEADS", [HEAD], True]),
        ("an empty array", []),
        ("no array", 1),
        ("nil", None),
    ]
    for comment, value in unknown:
        suite.invalid(comment, "SESS-5", _in(encode(value)), "unknown-frame", "Unknown")
    for comment, text, req in (
        ("the number as uint8", "92cc0690", "ENC-2"),
        ("a byte more", "91c000", "ENC-8"),
        ("a map", "81a16101", "ENC-1"),
        ("empty", "", "ENC-8"),
    ):
        suite.invalid(comment, req, _in(bytes.fromhex(text)), "encoding", "Format")


def _wrong_words() -> list[tuple[str, list[Value]]]:
    """Return PRESENCE frames with one field each that is not as it should be."""
    fields: list[tuple[str, int, Value]] = [
        ("author of 31 bytes", 0, KEYS["mill"][:31]),
        ("a time below 0", 1, -1),
        ("the time is true", 1, True),
        ("a digest of 16 bytes", 2, bytes(16)),
        ("rest is 1", 3, 1),
        ("no version", 4, []),
        ("a version is true", 4, [True]),
        ("17 versions", 4, [1] * 17),
        ("a feature of 25 characters", 5, ["f" * 25]),
        ("a feature is bytes", 5, [b"f"]),
        ("signature of 63 bytes", 6, bytes(63)),
    ]
    return [
        *(
            (f"PRESENCE: {what}", [14, *WORD[:at], value, *WORD[at + 1 :]])
            for what, at, value in fields
        ),
        ("PRESENCE without a signature", [14, *WORD[:6]]),
    ]


def _wrong(
    suite: Suite, comment: str, frame: list[Value], error: str = "session", flag: str = "Fields"
) -> None:
    req = "REC-1" if error == "record" else "SESS-5"
    suite.invalid(comment, req, _in(encode(frame)), error, flag)


def _in(data: bytes) -> dict[str, Json]:
    return {"bytes": data.hex()}
