"""Sections 7.18 and 8.1: what proves a fork."""

from typing import Any

from independent.records import Rec, read_envelope
from independent.wire import Refused

Place = tuple[bytes, bytes, int]


def parting(body: Any, commons: bytes) -> Place | None:
    """Return author, log and seq at which the ends in a body part, or None if it proves nothing."""
    ends = body.get("ends")
    if not isinstance(ends, list) or len(ends) != 2:
        return None
    try:
        one, other = (_first(end, commons) for end in ends)
    except Refused:
        return None
    is_fork = one.fields[1:6] == other.fields[1:6] and one.id < other.id
    return (*one.log, one.seq) if is_fork else None


def _first(end: Any, commons: bytes) -> Rec:
    """Go along one end and return the record with which it begins."""
    match end:
        case [[_, *_] as headers, bytes(signature)]:
            pass
        case _:
            raise Refused("schema", "FORK-1")
    last = len(headers) - 1
    chain = [
        read_envelope([header, signature if number == last else None, None])
        for number, header in enumerate(headers)
    ]
    for number, record in enumerate(chain):
        before = chain[number - 1] if number else None
        if record.fields[1] != commons:
            raise Refused("schema", "FORK-1")
        if before and (record.log, record.seq, record.prev) != (
            before.log,
            before.seq + 1,
            before.id,
        ):
            raise Refused("schema", "FORK-2")
    if not chain[-1].is_signed():
        raise Refused("schema", "FORK-3")
    return chain[0]
