"""Reads what a stopped node holds on its disk, without believing a word the node says.

The reading is deliberately not the node's own: plain SQL on a read-only file, plain MessagePack,
plain SHA-256, and Ed25519 from the library. A node that skips a check or miscounts cannot carry
its mistake into the audit.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import groupby
from pathlib import Path
from typing import Any, Final

import msgpack  # type: ignore[import-untyped]  # the package has no stubs
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

WORDS: Final = frozenset(
    ("about", "condition", "enc", "method", "name", "note", "reason", "sealed", "text", "title")
)
NO_WORDS: Final = b"\x80"  # an empty map
MALFORMED: Final = "malformed"
COMPACT: Final = b""  # in the place of a body: the header's place holds a compact form
NO_FACTS: Final = ("decision", "view")  # kinds whose compact form may say nothing of them

# Of each kind that checkers read: how many references it has, and the fields that they look at.
# Members may write what they like; what does not fit says nothing, here as in the protocol.
SHAPES: Final[dict[str, tuple[int, dict[str, type]]]] = {
    "answer": (1, {"accept": bool}),
    "erase": (0, {"log": bytes, "ranges": list}),
    "grant": (2, {"quantity": int}),
    "incarnation": (0, {"heads": list}),
    "offer": (0, {"quantity": int}),
    "renew": (1, {}),
    "receipt": (1, {"side": str, "quantity": int}),
    "request": (0, {"quantity": int}),
    "return": (1, {"quantity": int}),
    "rights": (1, {"to": bytes, "log": bytes, "quantity": int}),
    "vouch": (0, {"key": bytes}),
    "withdraw": (1, {}),
}
MORE_REFS: Final = frozenset({"grant", "rights", "receipt"})  # kinds that may have more of them
# What the headers of a log begin with; the database leaves it out.
HEADER_BEGIN: Final = b"\x9b\x01\xc4\x20%b\xc4\x20%b\xc4\x08%b"
SELECT: Final = (
    "SELECT logs.author, logs.log, records.seq, header, signature, body "
    "FROM records JOIN logs ON records.log = logs.id ORDER BY author, logs.log, seq"
)


@dataclass(frozen=True, slots=True)
class Held:
    """One record as it lies on a node's disk; the header's fields are taken apart here.

    Of some no more than the compact form is there. It says no predecessor, and nothing ties it to
    the id in it: `forms.py` finds out whether anything proves it.

    Attributes:
        header: b"" of a compact form.
        form: the compact form, where that is all; else b"".
        kind: as the header says, or `malformed` where references or body do not fit that kind.
    """

    id: bytes
    header: bytes
    signature: bytes | None
    body: bytes | None
    author: bytes
    log: bytes
    seq: int
    prev: bytes | None
    kind: str
    time_ms: int
    body_hash: bytes
    refs: tuple[bytes, ...]
    form: bytes = b""

    @property
    def is_compact(self) -> bool:
        """Return whether there is no more than the compact form."""
        return bool(self.form)

    @property
    def content(self) -> dict[str, Any]:
        """Return the body's map; {} when the body is not held or is no map."""
        return _content(self.body) or {}

    @property
    def has_body(self) -> bool:
        """Return whether the body that the header names is here, whole or erased."""
        parts = _parts(self.body)
        if self.is_compact:  # its facts are here, or nothing follows from them
            return parts is not None or self.kind in NO_FACTS
        return parts is not None and _hash("body", parts[0] + parts[1]) == self.body_hash

    @property
    def facts(self) -> bytes | None:
        """Return the bytes of the body's facts, None if they are not here."""
        parts = _parts(self.body)
        return None if parts is None else parts[1]

    @property
    def has_words(self) -> bool:
        """Return whether the body is here, and words in it."""
        parts = _parts(self.body)
        return parts is not None and parts[2] not in (None, NO_WORDS)

    @property
    def lacks_words(self) -> bool:
        """Return whether the body is here, and there were words in it."""
        parts = _parts(self.body)
        return parts is not None and parts[2] is None and not self.is_compact


@dataclass(frozen=True, slots=True, eq=False)
class LogCopy:
    """One log as it lies on a disk, by seq; disks that hold it alike may share one object."""

    author: bytes
    log: bytes
    records: tuple[Held, ...]
    ids: tuple[bytes, ...]


@dataclass(slots=True)
class Holding:
    """Everything on one node's disk.

    Attributes:
        logs: copies by author and log.
        faults: what could not be read at all, in words.
    """

    node: str
    founder: bytes = b""
    charter: bytes = b""
    logs: tuple[LogCopy, ...] = ()
    faults: list[str] = field(default_factory=list)

    @property
    def commons(self) -> bytes:
        """Return the id of the commons."""
        return _hash("commons", self.charter)

    @property
    def records(self) -> Iterator[Held]:
        """Yield all records by author, log and seq."""
        return (record for copy in self.logs for record in copy.records)


def copies(records: Iterable[Held]) -> tuple[LogCopy, ...]:
    """Group records, which come by author, log and seq, into logs."""
    found: list[LogCopy] = []
    for key, group in groupby(records, key=lambda record: (record.author, record.log)):
        log = tuple(group)
        found.append(LogCopy(*key, log, tuple(record.id for record in log)))
    return tuple(found)


def read_home(node: str, home: Path) -> Holding:
    """Read a stopped node's folder; what can't be read is named in `faults`."""
    holding = Holding(node)
    try:
        holding.charter = (home / "charter.bin").read_bytes()
        holding.founder = msgpack.unpackb(holding.charter)[2]
        commons = holding.commons
        rows = _rows(home / "node.db")
    except (OSError, sqlite3.Error, ValueError, TypeError, IndexError) as error:
        holding.faults.append(f"{node}: the store can't be read: {error}")
        return holding
    records: list[Held] = []
    for author, log, seq, rest, signature, body in rows:
        header = HEADER_BEGIN % (commons, author, log) + rest
        try:
            is_whole = body != COMPACT
            record = (
                read_record(header, signature, body)
                if is_whole
                else read_form(author, log, seq, rest)
            )
        except (ValueError, TypeError, msgpack.UnpackException) as error:
            holding.faults.append(f"{node}: record {seq} of log {log.hex()}: {error}")
            continue
        if (record.author, record.log, record.seq) != (author, log, seq):
            holding.faults.append(f"{node}: record {seq} of log {log.hex()} lies at a wrong place")
        records.append(record)
    holding.logs = copies(records)
    return holding


def _rows(path: Path) -> list[tuple[bytes, bytes, int, bytes, bytes | None, bytes | None]]:
    connection = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)
    try:
        return connection.execute(SELECT).fetchall()
    finally:
        connection.close()


def read_record(header: bytes, signature: bytes | None, body: bytes | None) -> Held:
    """Take a record's stored bytes apart.

    Raises: ValueError, TypeError, msgpack.UnpackException when the header is no header.
    """
    fields = msgpack.unpackb(header)
    (_, _, author, log, seq, prev, kind, time_ms, _, body_hash, refs) = fields
    return Held(
        id=_hash("record", header),
        header=header,
        signature=signature,
        body=body,
        author=author,
        log=log,
        seq=seq,
        prev=prev,
        kind=kind if _has_shape(kind, refs, body) else MALFORMED,
        time_ms=time_ms,
        body_hash=body_hash,
        refs=tuple(refs),
    )


def read_form(author: bytes, log: bytes, seq: int, form: bytes) -> Held:
    """Take a compact form apart, of which the store says where it stands.

    Raises: ValueError, TypeError, msgpack.UnpackException when it is none.
    """
    id_, kind, time_ms, refs, facts = msgpack.unpackb(form)
    body = None if facts is None else msgpack.packb([b"", facts])
    return Held(
        id=id_,
        header=b"",
        signature=None,
        body=body,
        author=author,
        log=log,
        seq=seq,
        prev=None,
        kind=kind if _has_shape(kind, refs, body) else MALFORMED,
        time_ms=time_ms,
        body_hash=b"",
        refs=tuple(refs),
        form=form,
    )


def _content(body: bytes | None) -> dict[str, Any] | None:
    """Return the fields in a body, None if its facts can't be read."""
    parts = _parts(body)
    facts, words = (None, None) if parts is None else (_map(parts[1]), _map(parts[2] or b""))
    if facts is None:
        return None
    told = {name: value for name, value in (words or {}).items() if name in WORDS}
    return {name: value for name, value in facts.items() if name not in WORDS} | told


def _parts(body: bytes | None) -> tuple[bytes, bytes, bytes | None] | None:
    """Return the blind, the facts and the words of a body, or None if it is none."""
    try:
        value = msgpack.unpackb(body or b"")
    except (ValueError, msgpack.UnpackException):
        return None
    match value:
        case [bytes(salt), bytes(facts), bytes(words)]:
            return _hash("words", salt + words), facts, words
        case [bytes(blind), bytes(facts)]:
            return blind, facts, None
        case _:
            return None


def _map(data: bytes) -> dict[str, Any] | None:
    try:
        value = msgpack.unpackb(data, strict_map_key=False)
    except (ValueError, TypeError, msgpack.UnpackException):
        return None
    return value if isinstance(value, dict) else None


def _has_shape(kind: str, refs: list[bytes], body: bytes | None) -> bool:
    """Return whether a record has what checkers look for in one of its kind."""
    count, fields = SHAPES.get(kind, (len(refs), {}))
    if len(refs) < count or (len(refs) > count and kind not in MORE_REFS):
        return False
    if body is None:
        return True
    content = _content(body)
    if content is None or any(type(content.get(name)) is not kind for name, kind in fields.items()):
        return False
    heads = content.get("heads", []) if kind == "incarnation" else []
    return all(isinstance(head, list) and len(head) == 3 for head in heads)


def _hash(purpose: str, data: bytes) -> bytes:
    return sha256(b"mycelia/1/" + purpose.encode() + b"\0" + data).digest()


class Verifier:
    """Checks signatures of records, each once however many nodes hold it."""

    def __init__(self) -> None:
        self._known: dict[tuple[bytes, bytes], bool] = {}

    def has_signed(self, record: Held) -> bool:
        """Return whether the record carries a good signature of its author."""
        if record.signature is None:
            return False
        key = (record.id, record.signature)
        if key not in self._known:
            self._known[key] = _verify(record.author, record.id, record.signature)
        return self._known[key]

    def unauthentic(self, records: Iterable[Held], summed: int = 0) -> list[Held]:
        """Return the records that nothing authenticates.

        A record is authentic by its own signature, or when an authentic record after it in the
        same log names it as its predecessor, or by a sum. `records` come by author, log and seq.

        Args:
            summed: before which seq a right and signed sum of the log proves all that is here.
        """
        doubtful: list[Held] = []
        following: Held | None = None
        is_following_good = False
        for record in reversed(list(records)):
            is_named = (
                following is not None
                and is_following_good
                and (following.author, following.log) == (record.author, record.log)
                and (following.seq, following.prev) == (record.seq + 1, record.id)
            )
            is_good = record.seq < summed or is_named or self.has_signed(record)
            if not is_good:
                doubtful.append(record)
            following, is_following_good = record, is_good
        return doubtful[::-1]


def _verify(author: bytes, record_id: bytes, signature: bytes) -> bool:
    try:
        key = Ed25519PublicKey.from_public_bytes(author)
        key.verify(signature, b"mycelia/1/signature\0" + record_id)
    except (InvalidSignature, ValueError):
        return False
    return True


def roster(founder: bytes, records: Iterable[Held]) -> set[bytes]:
    """Return the founder and every key that a member vouched for, by the records held."""
    vouches = [(r.author, r.content.get("key")) for r in records if r.kind == "vouch"]
    members = {founder}
    while True:
        fresh = {key for author, key in vouches if author in members and isinstance(key, bytes)}
        if fresh <= members:
            return members
        members |= fresh
