"""Section 9.4: the registry of frames."""

import hashlib
from typing import Any

from independent import keys
from independent.forms import lengthen
from independent.records import read_envelope
from independent.text import is_bytes, is_integer
from independent.wire import Refused, decode, encode

MOST_ENVELOPES = {3: 4_096, 4: 256, 5: 64, 7: 64}


def read_frame(data: bytes) -> list[object]:
    """Return the fields of a frame, its number first."""
    frame = decode(data)
    if not isinstance(frame, list) or not frame or not is_integer(frame[0], 1, 19):
        raise Refused("unknown-frame")
    if not is_right(frame):
        raise Refused("session", "wrong fields")
    if frame[0] in MOST_ENVELOPES:
        envelopes = frame[-1]
        assert isinstance(envelopes, list)
        for envelope in envelopes:
            read_envelope(envelope)
    if frame[0] == 19:
        for envelope in frame[1]:
            read_envelope(envelope)
    if frame[0] == 17:
        read_forms(frame)
    return frame


def is_right(frame: list[object]) -> bool:
    """Say whether the fields are those of the table; envelopes are read later."""
    match frame:
        case [1, list(heads), bool()]:
            return len(heads) <= 4_096 and all(map(is_head, heads))
        case [2, list(ranges), stage]:
            is_stage = is_integer(stage, 1, 3)
            return is_stage and len(ranges) <= 256 and all(map(is_range, ranges))
        case [3, list(envelopes)]:
            return len(envelopes) <= MOST_ENVELOPES[3]
        case [4, list(envelopes)]:
            return len(envelopes) <= MOST_ENVELOPES[4]
        case [5, list(envelopes)]:
            return len(envelopes) <= MOST_ENVELOPES[5]
        case [6, secret]:
            return is_bytes(secret, 16)
        case [7, bytes(), list(envelopes)]:
            return len(envelopes) <= MOST_ENVELOPES[7]
        case [8, str(), str()]:
            return True
        case [9, list(heads)]:
            return len(heads) <= 4_096 and all(is_head(row) or is_tagged(row) for row in heads)
        case [12, digest, logs, base]:
            is_base = is_bytes(base, 8) or is_bytes(base, 0)
            return is_bytes(digest, 16) and is_integer(logs) and is_base
        case [15, list(places), list(seqs), prefixes, bool()]:
            is_even = len(places) == len(seqs) <= 4_096 and is_bytes(prefixes, 8 * len(seqs))
            numbers = all(map(is_integer, places)) and all(is_integer(seq, 1) for seq in seqs)
            return is_even and numbers
        case [13, list(digests)]:
            return len(digests) in (64, 256) and all(is_bytes(one, 8) for one in digests)
        case [16, author, log, until, first]:
            return is_place(author, log, until, first)
        case [17, author, log, until, int(first), list(forms), list(hashes)]:
            fits = is_place(author, log, until, first) and len(forms) + first <= until  # type: ignore[operator]
            return fits and len(hashes) <= 128 and all(is_bytes(one, 32) for one in hashes)
        case [18, after]:
            return after is None or is_bytes(after, 32)
        case [19, list(envelopes), after]:
            return len(envelopes) <= 256 and (after is None or is_bytes(after, 32))
        case [14, author, time_ms, mark, bool(), list(versions), list(features), signature]:
            sizes = ((author, 32), (mark, 8), (signature, 64))
            is_sized = all(is_bytes(value, size) for value, size in sizes)
            is_few = 1 <= len(versions) <= 16 and len(features) <= 16
            numbers = all(map(is_integer, (time_ms, *versions)))
            return is_sized and is_few and numbers and all(map(is_feature, features))
        case [10 | 11, list(authors)]:
            return len(authors) <= 256 and all(is_bytes(author, 32) for author in authors)
        case _:
            return False


def is_feature(value: object) -> bool:
    """Say whether a value names a feature."""
    return isinstance(value, str) and len(value) <= 24


def is_place(author: object, log: object, until: object, first: object) -> bool:
    """Say whether these name records before a checkpoint of a log."""
    is_log = is_bytes(author, 32) and is_bytes(log, 8)
    return is_log and is_integer(until, 1) and is_integer(first, 0, until - 1)  # type: ignore[operator]


def read_forms(frame: list[Any]) -> None:
    """Read what stands for records: compact forms, or envelopes of just these places."""
    _, author, log, _, first, forms, _ = frame
    for seq, form in enumerate(forms, first):
        if isinstance(form, bytes):
            lengthen(author, log, seq, form)
        elif (found := read_envelope(form)).log != (author, log) or found.seq != seq:
            raise Refused("session", "another place")


def is_head(row: object) -> bool:
    """Say whether a row is [author, log, next_seq, prefix]."""
    match row:
        case [author, log, seq, prefix]:
            return (
                is_bytes(author, 32)
                and is_bytes(log, 8)
                and is_integer(seq, 1)
                and is_bytes(prefix, 8)
            )
        case _:
            return False


def is_tagged(row: object) -> bool:
    """Say whether a row is [tag, next_seq, prefix]."""
    match row:
        case [tag, seq, prefix]:
            return is_bytes(tag, 8) and is_integer(seq, 1) and is_bytes(prefix, 8)
        case _:
            return False


def is_range(row: object) -> bool:
    """Say whether a row is [tag, first, last]."""
    match row:
        case [tag, int(first), last]:
            return is_bytes(tag, 8) and is_integer(first) and is_integer(last, first)
        case _:
            return False


def compared(session: bytes, heads: list[list[object]], buckets: int) -> list[bytes]:
    """Return the digests of so many buckets of a store (10.1.1), or of all that it holds if 0."""
    parts: dict[int, bytes] = dict.fromkeys(range(buckets or 1), b"")
    for author, log, seq, prefix in sorted(heads):
        assert isinstance(author, bytes)
        assert isinstance(log, bytes)
        assert isinstance(seq, int)
        assert isinstance(prefix, bytes)
        at = log[0] // (256 // buckets) if buckets else 0
        parts[at] += author + log + seq.to_bytes(8, "big") + prefix
    size = 8 if buckets else 16
    return [hashlib.blake2b(parts[at], key=session, digest_size=size).digest() for at in parts]


def mark_of(heads: list[list[object]]) -> bytes:
    """Return the short digest of all heads in a store (10.7)."""
    rows = b""
    for author, log, seq, prefix in sorted(heads):
        assert isinstance(author, bytes)
        assert isinstance(log, bytes)
        assert isinstance(seq, int)
        assert isinstance(prefix, bytes)
        rows += author + log + seq.to_bytes(8, "big") + prefix
    return keys.h("heads", rows)[:8]


def read_word(commons: bytes, data: bytes) -> dict[str, str]:
    """Return what a member signed, and who it is (10.7).

    Raises:
        Refused: it did not sign that.
    """
    _, *said, signature = read_frame(data)
    author = said[0]
    assert isinstance(author, bytes)
    assert isinstance(signature, bytes)
    signed = keys.prefix("presence") + encode([commons, *said])
    if not keys.verify(author, signed, signature):
        raise Refused("forged")
    return {"signed": signed.hex(), "author": author.hex()}


def name_changes(then: list[list[object]], data: bytes) -> list[list[object]]:
    """Return the heads that CHANGES tells, of logs that both held at a base (10.1.2).

    Raises:
        Refused: a place is that of no log.
    """
    _, places, seqs, prefixes, _ = read_frame(data)
    assert isinstance(places, list)
    assert isinstance(seqs, list)
    assert isinstance(prefixes, bytes)
    table = sorted(then)
    if any(place >= len(table) for place in places):
        raise Refused("session")
    return [
        [*table[place], seq, prefixes[8 * at : 8 * at + 8]]
        for at, (place, seq) in enumerate(zip(places, seqs, strict=True))
    ]
