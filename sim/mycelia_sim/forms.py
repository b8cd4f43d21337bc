"""Whether the compact forms on a disk are proven: sums of logs, added up apart from nodes' code.

A compact form names an id and proves nothing. The root over all forms of a log stands in a
checkpoint behind them, which its author signed: so each form before one whose sum is right is
what that author wrote. Plain MessagePack and SHA-256; only whether a decision can be read at all is
asked of the protocol, since its form says no more than that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from hashlib import sha256
from typing import Any, TypeAlias

import msgpack  # type: ignore[import-untyped]  # the package has no stubs

from mycelia_sim.audit import NO_FACTS, Held, LogCopy, Verifier

IsRead: TypeAlias = Callable[[Held], bool]


def form_of(record: Held, is_read: IsRead) -> bytes:
    """Return what the compact form of a record is, by its own bytes.

    Args:
        is_read: whether the protocol can read a decision.
    """
    if record.is_compact:
        return record.form
    kind = msgpack.unpackb(record.header)[6]  # `record.kind` says where it is malformed
    says_nothing = kind == "view" or (kind in NO_FACTS and is_read(record))
    facts = None if says_nothing else record.facts
    form: Any = msgpack.packb([record.id, kind, record.time_ms, list(record.refs), facts])
    return bytes(form)


def sums(forms: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the root over the first form, over the first two, and so on."""
    full: list[bytes] = []  # the roots of full trees, the largest first
    for count, form in enumerate(forms):
        root, bits = _hash(b"leaf", form), count
        while bits & 1:
            root, bits = _hash(b"node", full.pop() + root), bits >> 1
        full.append(root)
        whole = full[-1]
        for left in reversed(full[:-1]):
            whole = _hash(b"node", left + whole)
        yield whole


def summed(copy: LogCopy, verifier: Verifier, is_read: IsRead) -> dict[int, bytes]:
    """Return the checkpoints in a copy of a log whose sums are right: seq -> id.

    Only those count that their author signed.
    """
    roots: dict[int, tuple[bytes, bytes]] = {}
    for record in copy.records:
        root = record.content.get("root") if record.kind == "checkpoint" else None
        if isinstance(root, bytes) and verifier.has_signed(record):
            roots[record.seq] = record.id, root
    found: dict[int, bytes] = {}
    if roots and _is_whole(copy):
        forms = (form_of(record, is_read) for record in copy.records[: max(roots)])
        for count, total in enumerate(sums(forms), start=1):
            if count in roots and roots[count][1] == total:
                found[count] = roots[count][0]
    return found


def _is_whole(copy: LogCopy) -> bool:
    """Return whether no record of a log is missing."""
    return all(record.seq == n for n, record in enumerate(copy.records))


def _hash(purpose: bytes, data: bytes) -> bytes:
    return sha256(b"mycelia/1/" + purpose + b"\0" + data).digest()
