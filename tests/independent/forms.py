"""Section 6.8: what stays of a record, and the sum over a log."""

from collections.abc import Sequence

from independent.bodies import open_body
from independent.keys import h
from independent.records import Rec, read_body, structure
from independent.wire import Refused, decode, encode


def shorten(record: Rec) -> bytes:
    """FORM-1: write the compact form of a record."""
    assert record.body is not None
    _, facts, words = open_body(record.body)
    is_there = read_body(record.kind, record.log[1], len(record.refs), facts, words) is not None
    is_settled = record.kind == "view" or (record.kind == "decision" and is_there)
    fields = [record.id, record.kind, record.fields[7], record.refs]
    return encode([*fields, None if is_settled else facts])


def lengthen(author: bytes, log: bytes, seq: int, form: bytes) -> Rec:
    """Read a compact form, as a record whose header is unknown."""
    match decode(form):
        case [bytes(id_), kind, time, refs, bytes() | None as facts] if len(id_) == 32:
            before = bytes(32) if seq else None
            fields = [1, bytes(32), author, log, seq, before, kind, time, 25, bytes(32), refs]
            structure(fields)
        case _:
            raise Refused("record", "FORM-1")
    if facts is None and kind not in ("decision", "view"):
        raise Refused("record", "FORM-1")
    return Rec(id_, b"", None, None if facts is None else encode([bytes(32), facts]), fields)


def root(leaves: Sequence[bytes]) -> bytes:
    """Return the root of RFC 9162, 2.1.1, straight from its definition."""
    if len(leaves) == 1:
        return h("leaf", leaves[0])
    half = 1 << (len(leaves) - 1).bit_length() - 1
    return h("node", root(leaves[:half]), root(leaves[half:]))


def root_beside(count: int, first: int, leaves: Sequence[bytes], beside: Sequence[bytes]) -> bytes:
    """CHECK-7: return the root from some leaves and the roots beside them, from left to right."""
    rest = list(beside)

    def climb(low: int, high: int) -> bytes:
        if high <= first or low >= first + len(leaves):
            if not rest:
                raise Refused("forged", "CHECK-7")
            return rest.pop(0)
        if high - low == 1:
            return h("leaf", leaves[low - first])
        half = low + (1 << (high - low - 1).bit_length() - 1)
        left = climb(low, half)
        return h("node", left, climb(half, high))

    found = climb(0, count)
    if rest:
        raise Refused("forged", "CHECK-7")
    return found
