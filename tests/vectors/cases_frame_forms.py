"""Vectors of section 9.4 about frames in which logs travel in compact form."""

from mycelia_protocol.compact import compact
from mycelia_protocol.encoding import Value, encode
from vectors.chains import Writer
from vectors.suite import Json, Suite, derived, tagged

MOST = 2**53 - 1
HASH = derived("hash beside")


def _log() -> tuple[list[Value], list[Value], list[Value]]:
    """Return what names a log, its compact forms, and its envelopes."""
    mill = Writer("mill")
    mill.begin()
    mill.write("profile", {"name": "Mill"})
    first = mill.records[0]
    place: list[Value] = [first.author, first.log]
    return (
        place,
        [compact(each) for each in mill.records],
        [each.envelope() for each in mill.records],
    )


def add(suite: Suite) -> None:
    """Add the cases."""
    place, forms, envelopes = _log()
    good: list[tuple[str, list[Value], str]] = [
        ("SEEK", [16, *place, 5, 0], "Frame"),
        ("SEEK of the last record that is covered", [16, *place, MOST, MOST - 1], "Limit"),
        ("FORMS of nothing", [17, *place, 5, 0, [], []], "Frame"),
        ("FORMS", [17, *place, 2, 0, forms, []], "Frame"),
        ("FORMS, one whole", [17, *place, 2, 0, [forms[0], envelopes[1]], []], "Frame"),
        ("FORMS with 128 hashes", [17, *place, 5, 1, [forms[1]], [HASH] * 128], "Limit"),
        ("QUERY from the first on", [18, None], "Frame"),
        ("QUERY", [18, derived("id")], "Frame"),
        ("EVIDENCE, more to come", [19, envelopes, derived("id")], "Frame"),
        ("EVIDENCE, the last", [19, [], None], "Frame"),
    ]
    for comment, frame, flag in good:
        suite.valid(comment, "SESS-5", _in(frame), {"value": tagged(frame)}, flag)
    wrong: list[tuple[str, list[Value]]] = [
        ("SEEK: author of 31 bytes", [16, bytes(31), place[1], 5, 0]),
        ("SEEK: first is until", [16, *place, 5, 5]),
        ("SEEK: first below 0", [16, *place, 5, -1]),
        ("SEEK: until is true", [16, *place, True, 0]),
        ("SEEK without first", [16, *place, 5]),
        ("FORMS: more than is covered", [17, *place, 1, 0, forms, []]),
        ("FORMS: a record of another place", [17, *place, 5, 0, [envelopes[1]], []]),
        ("FORMS: a hash of 31 bytes", [17, *place, 5, 0, [forms[0]], [bytes(31)]]),
        ("FORMS with 129 hashes", [17, *place, 5, 0, [forms[0]], [HASH] * 129]),
        ("FORMS without hashes", [17, *place, 5, 0, [forms[0]]]),
        ("QUERY: 31 bytes", [18, bytes(31)]),
        ("QUERY of nothing", [18]),
        ("EVIDENCE without what follows", [19, envelopes]),
        ("EVIDENCE: what follows is text", [19, envelopes, "more"]),
        ("EVIDENCE of 257 records", [19, envelopes[:1] * 257, None]),
    ]
    for comment, frame in wrong:
        suite.invalid(comment, "SESS-5", _in(frame), "session", "Fields")
    broken: list[tuple[str, list[Value]]] = [
        ("FORMS: what stands for an offer has no facts", _shape(0, "offer", None)),
        ("FORMS: an incarnation at seq 1", _shape(1, "incarnation", b"\x80")),
        ("FORMS: another kind at seq 0", _shape(0, "offer", b"\x80")),
    ]
    for comment, frame in broken:
        suite.invalid(comment, "FORM-1", _in(frame), "record", "Record")


def _shape(first: int, kind: str, facts: Value) -> list[Value]:
    place, _, _ = _log()
    form = encode([derived("id"), kind, 5, [], facts])
    return [17, *place, 5, first, [form], []]


def _in(frame: list[Value]) -> dict[str, Json]:
    return {"bytes": encode(frame).hex()}
