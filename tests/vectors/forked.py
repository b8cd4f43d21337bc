"""A log that parts, for the examples: both its ends, and bodies that prove it, or nearly do."""

from typing import Final

from mycelia_protocol.encoding import Value, encode
from mycelia_protocol.record import Record
from vectors.chains import Writer, header_fields, signed_header
from vectors.suite import TIME_MS

Content = dict[str, Value]
End = list[Value]


def part(writer: Writer) -> Writer:
    """Return a second end of a log; what it writes stands beside what the first one writes."""
    return Writer(writer.name, writer.incarnation, list(writer.records))


def end(records: list[Record], signature: bytes | None = None) -> End:
    """Return one end of a proof: headers, and the signature of the last."""
    return [[each.header for each in records], signature or records[-1].signature]


def proof(*ends: list[Record]) -> Content:
    """Return the body that proves where these ends part."""
    return {"ends": [end(each) for each in sorted(ends, key=lambda each: each[0].id)]}


def _ends() -> tuple[list[Record], list[Record]]:
    """Return what ash wrote on two ends, from the place where they part."""
    one = Writer("ash", 7)
    one.begin()
    one.write("offer", {"title": "before"})
    other = part(one)
    for writer, words in ((one, ("a", "b", "c")), (other, ("d", "e", "f"))):
        for word in words:
            writer.write("offer", {"title": word})
    return one.records[2:], other.records[2:]


ONE, OTHER = sorted(_ends(), key=lambda each: each[0].id)
GOOD: Final[Content] = proof(ONE, OTHER)


def _resigned(record: Record, place: int, value: Value, author: str = "ash") -> End:
    """Return an end of one header with another value in one field, rightly signed."""
    fields = header_fields(record)
    fields[place] = value
    header = encode(fields)
    return [[header], signed_header(header, None, author)[1]]


def near_misses() -> list[tuple[str, str, list[Value]]]:
    """Return (requirement, what is wrong, ends)."""
    one, other = end(ONE[:1]), end(OTHER[:1])
    elm = Writer("elm", 7)
    elm.begin()
    elm.write("offer", {"title": "by elm"})
    elm.write("offer", {"title": "by elm"})
    headers = [each.header for each in ONE]
    spoilt = bytes(64)
    assert ONE[-1].signature is not None
    return [
        ("FORK-1", "an end that is no pair", [[ONE[0].header], other]),
        ("FORK-1", "an end without headers", [[[], ONE[0].signature], other]),
        ("FORK-1", "a header that is a text", [[["header"], ONE[0].signature], other]),
        ("FORK-1", "a header cut short", [[[ONE[0].header[:-1]], ONE[0].signature], other]),
        ("FORK-1", "another commons", [_resigned(ONE[0], 1, bytes(32)), other]),
        ("FORK-1", "a signature of 63 bytes", [[[ONE[0].header], spoilt[:63]], other]),
        ("FORK-2", "a chain with a gap", [[[headers[0], headers[2]], ONE[2].signature], other]),
        ("FORK-2", "a chain backwards", [[headers[1::-1], ONE[0].signature], other]),
        ("FORK-3", "a bad signature", [end(ONE[:1], spoilt), other]),
        ("FORK-3", "the first header signed instead", [[headers, ONE[0].signature], other]),
        ("FORK-3", "signed by another", [_resigned(ONE[0], 7, TIME_MS, "elm"), other]),
        ("FORK-4", "one end twice", [one, one]),
        ("FORK-4", "the ends in the wrong order", [other, one]),
        ("FORK-4", "different places", [one, [[headers[1]], ONE[1].signature]]),
        ("FORK-4", "different predecessors", [_resigned(ONE[0], 5, bytes(32)), other]),
        ("FORK-4", "different logs", [_resigned(ONE[0], 3, bytes(8)), other]),
        ("FORK-4", "different authors", [one, end(elm.records[2:3])]),
        ("BODY-3", "one end", [one]),
        ("BODY-3", "three ends", [one, other, other]),
    ]
