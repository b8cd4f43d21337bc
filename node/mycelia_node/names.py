"""Ids and keys as people see them: a collective's name, a text id, its short form."""

from functools import lru_cache

from mycelia_node.text import short
from mycelia_protocol.identity import TextKind, to_text
from mycelia_protocol.state import State


@lru_cache(maxsize=16_384)
def id_text(kind: TextKind, data: bytes) -> str:
    """Return the text form of an id; remembered, since the same few are asked for all the time."""
    return to_text(kind, data)


def short_id(kind: TextKind, data: bytes) -> str:
    """Return the short text form of an id."""
    return short(id_text(kind, data))


def name_of(state: State, key: bytes) -> str:
    """Return a collective's name, or the short form of its key if it has told none."""
    profile = state.profile(key)
    return profile.name if profile and profile.name else short_id("key", key)


def named(state: State, key: bytes) -> str:
    """Return a name and short key for a log line."""
    profile = state.profile(key)
    key_text = short_id("key", key)
    return f"{profile.name} ({key_text})" if profile and profile.name else key_text
