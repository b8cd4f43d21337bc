"""Vectors of section 6.2 and 6.3: headers, ids, signatures, bodies."""

from mycelia_protocol.body import erase_words, split_body
from mycelia_protocol.crypto import domain, signature_message
from mycelia_protocol.encoding import Value, encode
from mycelia_protocol.record import Record
from vectors.chains import (
    Writer,
    envelope_json,
    header_fields,
    resigned,
    signed_header,
)
from vectors.suite import Json, Suite, derived, tagged

NOTES = {
    "Header": "A field of the header breaks its rule; the signature is right all the same.",
    "Signature": "The signature is absent, or wrong.",
    "Body": "The body is absent, or is not the one that the header promises.",
    "Format": "The header's bytes are not the canonical array of eleven fields.",
    "Limit": "At or beyond a limit of section 3.",
}
OFFER: dict[str, Value] = {
    "category": "food.water",
    "title": "Water",
    "quantity": 20_000,
    "unit": "mL",
}


def examples() -> tuple[Record, Record]:
    """Return the first two records of mill's log: an incarnation and an offer."""
    mill = Writer("mill")
    return mill.begin(), mill.write("offer", OFFER)


def build() -> Suite:
    """Return the suite."""
    suite = Suite("record", NOTES)
    _add_valid(suite)
    _add_wrong_fields(suite)
    _add_wrong_format(suite)
    _add_wrong_rest(suite)
    return suite


def _add_valid(suite: Suite) -> None:
    first, offer = examples()
    mill = Writer("mill")
    mill.begin()
    refs = [Record.parse(header, None, None) for header in _numbered_headers(16)]
    many = mill.write("x-sixteen-references", {}, *refs)
    long_kind = mill.write("k" * 24, {})
    largest = mill.write("large", {"fill": "a" * 16_350})
    assert largest.body_size == 16_384
    for comment, record, flags in [
        ("the first record of a log", first, ()),
        ("the second, with prev", offer, ()),
        ("a kind that is not known, with 16 references", many, ("Limit",)),
        ("a kind of 24 characters", long_kind, ("Limit",)),
        ("a body of 16384 bytes", largest, ("Limit",)),
    ]:
        suite.valid(comment, "REC-1", _in(record.envelope()), _steps(record), *flags)
    header, signature, body = offer.envelope()
    assert body is not None
    suite.valid("no body", "REC-9", _in([header, signature, None]), _steps(offer), "Body")
    erased = _in([header, signature, erase_words(body)])
    suite.valid("an erased body", "REC-9", erased, _steps(offer), "Body")
    unsigned = _in([header, None, body])
    suite.valid(
        "stands on a later record's signature", "REC-8", unsigned, _steps(offer), "Signature"
    )
    future = Record.parse(*_envelope(resigned(offer, 7, 2**53 - 1)))
    suite.valid(
        "time is no rule: far in the future", "REC-6", _in(future.envelope()), _steps(future)
    )


def _numbered_headers(count: int) -> list[bytes]:
    """Return headers of different records that need not exist."""
    fields = header_fields(examples()[1])
    return [encode([*fields[:7], number, *fields[8:]]) for number in range(count)]


def _add_wrong_fields(suite: Suite) -> None:
    first, offer = examples()
    places: list[tuple[str, int, str, list[tuple[str, Value]]]] = [
        ("version", 0, "REC-2", [("2", 2), ("true", True), ("nil", None), ("0", 0)]),
        ("commons", 1, "REC-3", [("31 bytes", bytes(31)), ("text", "a" * 32), ("nil", None)]),
        ("author", 2, "REC-3", [("33 bytes", bytes(33)), ("nil", None)]),
        ("log", 3, "REC-3", [("7 bytes", bytes(7)), ("an integer", 7)]),
        ("seq", 4, "REC-4", [("-1", -1), ("true", True), ("0 with a prev", 0), ("text", "1")]),
        ("prev", 5, "REC-4", [("nil at seq 1", None), ("31 bytes", bytes(31)), ("0", 0)]),
        (
            "kind",
            6,
            "REC-5",
            [
                ("empty", ""),
                ("25 characters", "k" * 25),
                ("upper case", "Offer"),
                ("a digit", "offer2"),
                ("bytes", b"offer"),
                ("incarnation at seq 1", "incarnation"),
            ],
        ),
        ("time_ms", 7, "REC-6", [("-1", -1), ("true", True), ("nil", None)]),
        ("body_size", 8, "REC-6", [("24", 24), ("16385", 16_385), ("true", True), ("-1", -1)]),
        ("body_hash", 9, "REC-6", [("31 bytes", bytes(31)), ("nil", None)]),
        (
            "refs",
            10,
            "REC-7",
            [
                ("nil", None),
                ("an id of 31 bytes", [bytes(31)]),
                ("an id twice", [first.id, first.id]),
                ("17 ids", [derived(f"ref {n}") for n in range(17)]),
                ("text", ["a" * 32]),
                ("nil in it", [None]),
            ],
        ),
    ]
    for name, place, req, values in places:
        for comment, value in values:
            error = "version" if place == 0 else "record"
            envelope = _without_body(resigned(offer, place, value))
            suite.invalid(f"{name} is {comment}", req, _in(envelope), error, "Header")
    firsts: list[tuple[str, int, Value]] = [
        ("seq 0 of another kind than incarnation", 6, "offer"),
        ("seq 0 with a prev", 5, bytes(32)),
        ("seq 1 without a prev", 4, 1),
    ]
    for comment, place, wrong in firsts:
        envelope = _without_body(resigned(first, place, wrong))
        suite.invalid(comment, "REC-4 REC-5", _in(envelope), "record", "Header")


def _add_wrong_format(suite: Suite) -> None:
    _, offer = examples()
    fields = header_fields(offer)
    long = encode([*fields[:10], [derived(f"ref {n}") for n in range(27)]])
    assert len(long) > 1_024
    headers = [
        ("ten fields", encode(fields[:10]), "REC-2", "record"),
        ("twelve fields", encode([*fields, 0]), "REC-2", "record"),
        ("no array", encode(b"header"), "REC-2", "record"),
        ("1025 bytes or more", long, "REC-1", "record"),
        (
            "seq as uint8",
            offer.header.replace(offer.log + b"\1", offer.log + b"\xcc\1"),
            "REC-1 ENC-2",
            "encoding",
        ),
        ("a byte more", offer.header + b"\0", "REC-1 ENC-8", "encoding"),
        ("a byte less", offer.header[:-1], "REC-1 ENC-8", "encoding"),
        ("a map", encode({"v": 1}), "REC-1 ENC-1", "encoding"),
        ("empty", b"", "REC-1 ENC-8", "encoding"),
    ]
    for comment, header, req, error in headers:
        envelope = signed_header(header, None)
        suite.invalid(f"header: {comment}", req, _in(envelope), error, "Format")


def _add_wrong_rest(suite: Suite) -> None:
    first, offer = examples()
    header, signature, body = _envelope(offer.envelope())
    assert signature is not None
    assert body is not None
    oak = Writer("oak").begin()
    bad: list[tuple[str, bytes, str]] = [
        ("63 bytes", signature[:63], "record"),
        ("65 bytes", signature + b"\0", "record"),
        ("of another record", first.signature or b"", "signature"),
        ("by another author", oak.signature or b"", "signature"),
        ("a bit changed", bytes([signature[0] ^ 1]) + signature[1:], "signature"),
    ]
    for comment, wrong, error in bad:
        inputs = _in([header, wrong, body])
        suite.invalid(f"signature: {comment}", "REC-8", inputs, error, "Signature")
    parts = split_body(body)
    bodies = [
        ("of another record", first.body or b""),
        ("without its salt", body[19:]),
        ("a byte less", body[:-1]),
        ("a byte more", body + b"\0"),
        ("another salt", body[:3] + bytes(16) + body[19:]),
        ("an erased body with another blind", _erased(bytes(32), parts.facts)),
        ("an erased body with other facts", _erased(parts.blind, encode({"lot": 1}))),
        ("an erased body and a byte more", erase_words(body) + b"\0"),
        ("words without a salt", encode([parts.blind, parts.facts, b"\x80"])),
        ("four parts", encode([body[3:19], parts.facts, parts.words, b""])),
        ("a text for words", encode([body[3:19], parts.facts, "words"])),
        ("a length as bin 16", _wide(body)),
        ("empty", b""),
    ]
    for comment, wrong in bodies:
        inputs = _in([header, signature, wrong])
        suite.invalid(f"body: {comment}", "REC-9", inputs, "record", "Body")


def _erased(blind: bytes, facts: bytes) -> bytes:
    return encode([blind, facts])


def _wide(body: bytes) -> bytes:
    """Return a body with the length of its facts in two bytes where one is enough."""
    assert body[19] == 0xC4
    return body[:19] + b"\xc5\0" + body[20:]


def _in(envelope: list[bytes | None]) -> dict[str, Json]:
    return {"envelope": envelope_json(envelope)}


def _steps(record: Record) -> dict[str, Json]:
    return {
        "fields": tagged(header_fields(record)),
        "preimage": (domain("record") + record.header).hex(),
        "id": record.id.hex(),
        "signed_message": signature_message(record.id).hex(),
        "body_hash": record.body_hash.hex(),
    }


def _envelope(envelope: list[bytes | None]) -> tuple[bytes, bytes | None, bytes | None]:
    header, signature, body = envelope
    assert header is not None
    return header, signature, body


def _without_body(envelope: list[bytes | None]) -> list[bytes | None]:
    return [envelope[0], envelope[1], None]
