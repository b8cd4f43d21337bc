"""Who confirmed a checkpoint, counted as plainly as the spec says it. Spec: section 10.5, CHECK-4.

Members can let in as many keys as they like. So voices are counted by branches: all those whom
nobody would know without one and the same member are one voice. This is worked out here by leaving
out each member in turn, which is slow, and shares nothing with the node's own way.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from mycelia_protocol.record import Record
from mycelia_sim.audit import Held, read_record

BRANCHES_MIN: Final = 2
MEMO: Final = 1 << 14  # records read


@dataclass(frozen=True, slots=True)
class Said:
    """What a member said that counts here: whom it let in, or which checkpoints it found right."""

    author: bytes
    key: bytes | None
    checkpoints: tuple[bytes, ...]


def said_in(records: Iterable[Record]) -> Iterator[Said | None]:
    """Yield what each record says, None where that is nothing of this."""
    for record in records:
        is_about = record.kind in ("vouch", "acknowledge") and not record.is_compact
        yield _read(record.header, record.body) if is_about else None


@lru_cache(MEMO)
def _read(header: bytes, body: bytes | None) -> Said | None:
    return said(read_record(header, None, body))


def said(record: Held) -> Said | None:
    """Return what a record says, as it lies on a disk."""
    content = record.content
    key, checkpoints = content.get("key"), content.get("checkpoints")
    if record.kind == "vouch" and isinstance(key, bytes):
        return Said(record.author, key, ())
    if record.kind == "acknowledge" and isinstance(checkpoints, list):
        return Said(record.author, None, tuple(checkpoints))
    return None


def is_confirmed(
    founder: bytes,
    sayings: Sequence[Said],
    checkpoint: bytes,
    author: bytes,
    *,
    is_for_good: bool = False,
) -> bool:
    """Return whether enough members found a checkpoint of an author right.

    Args:
        is_for_good: whether it would be so if all members had spoken, too.
    """
    witnesses = {each.author for each in sayings if each.checkpoints}
    if is_for_good:
        witnesses |= {founder, *(each.key for each in sayings if each.key is not None)}
    named = {each.author for each in sayings if checkpoint in each.checkpoints}
    if len(named) < BRANCHES_MIN:
        return False
    vouched: dict[bytes, set[bytes]] = defaultdict(set)
    for each in sayings:
        if each.key is not None and (each.author != author or author == founder):
            vouched[each.author].add(each.key)
    tops = _tops(founder, vouched)
    tops.pop(author, None)
    voices = {tops[key] for key in witnesses if key in tops}
    found = {tops[key] for key in named if key in tops}
    return len(found) >= BRANCHES_MIN and 2 * len(found) > len(voices)


def _tops(founder: bytes, vouched: Mapping[bytes, set[bytes]]) -> dict[bytes, bytes]:
    """Return for each member the one whom only the founder carries, and who carries it or is it."""
    members = _reached(founder, vouched, None)
    carried = {
        carrier: members - _reached(founder, vouched, carrier) - {carrier}
        for carrier in sorted(members - {founder})
        if vouched.get(carrier)
    }
    carriers = {key: {one for one in carried if key in carried[one]} for key in members}
    return {
        key: next((one for one in sorted(carriers[key]) if not carriers[one]), key)
        for key in members
    }


def _reached(
    founder: bytes, vouched: Mapping[bytes, set[bytes]], without: bytes | None
) -> set[bytes]:
    reached, todo = {founder}, [founder]
    while todo:
        fresh = vouched.get(todo.pop(), set()) - reached - {without}
        reached |= fresh
        todo += sorted(fresh)
    return reached
