"""Sections 6.3 and 7.23: facts and words, and which words are to go."""

from typing import Any

from independent.keys import h
from independent.text import is_integer
from independent.wire import Refused, decode

WORDS = ["about", "condition", "enc", "method", "name", "note", "reason", "sealed", "text", "title"]


def read_words(words: bytes | None) -> dict[str, Any]:
    """Return the map in words; nothing if they are erased, or none."""
    try:
        found = decode(b"\x80" if words is None else words, maps=True)
    except Refused:
        return {}
    return found if isinstance(found, dict) else {}


def open_body(body: bytes) -> tuple[bytes, bytes, bytes | None]:
    """Return blind, facts, and words unless they are erased."""
    try:
        parts = decode(body)
    except Refused:
        raise Refused("record", "REC-9") from None
    match parts:
        case [bytes(salt), bytes(facts), bytes(words)] if len(salt) == 16:
            return h("words", salt, words), facts, words
        case [bytes(blind), bytes(facts)] if len(blind) == 32:
            return blind, facts, None
        case _:
            raise Refused("record", "REC-9")


def erase(body: dict[str, Any], log: bytes) -> bool:
    """Say whether the ranges of an erasure are right."""
    before = -2
    for item in body["ranges"]:
        match item:
            case [first, last] if is_integer(first) and is_integer(last):
                if not before + 1 < first <= last:
                    return False
                before = last
            case _:
                return False
    return True
