"""The signed statement that everything else is made of. Spec: section 6.

    header   = [v, commons, author, log, seq, prev, kind, time_ms, body_size, body_hash, refs]
    id       = H("record", header bytes)
    signature= Ed25519("mycelia/1/signature\\0" || id)
    envelope = [header, signature | nil, body | nil]

What a body is, and how its words go while its facts stay, is in `body.py`.

The header's bytes are kept as received: what is hashed is never a re-encoding. The signature is
nil when a later record of the same log vouches for this one by its hash.
Nothing here decides whether a record is authentic; that is `logs.py`.
"""

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TypeAlias, cast

from mycelia_protocol.body import (
    erase_words,
    is_whole,
    read_content,
    split_body,
    write_body,
)
from mycelia_protocol.crypto import digest, sign_id, verify_id
from mycelia_protocol.encoding import Value, decode, decode_proven, encode
from mycelia_protocol.errors import LimitExceeded, RecordError
from mycelia_protocol.limits import (
    BODY_SIZE_MAX,
    BODY_SIZE_MIN,
    HEADER_SIZE_MAX,
    ID_SIZE,
    INT_MAX,
    KIND_SIZE_MAX,
    LOG_ID_SIZE,
    PROTOCOL_VERSION,
    REFS_MAX,
    SIGNATURE_SIZE,
)

Envelope = list[bytes | None]
_Fields: TypeAlias = (
    "tuple[bytes, bytes, bytes, int, bytes | None, str, int, int, bytes, tuple[bytes, ...]]"
)
KINDS_KEPT = 256  # of which it is remembered that they are well made
KIND_CHARACTERS = frozenset("abcdefghijklmnopqrstuvwxyz-")


@dataclass(frozen=True, slots=True)
class Record:
    """One record, its header taken apart and its bytes as they came.

    Attributes:
        id: H("record", header), 32 bytes. It covers no signature.
        header: the header's bytes as received.
        signature: 64 bytes, or None if the record stands on a later one's signature.
        body: whole or erased, as received, or None if not held.
        commons: id of the commons, 32 bytes.
        author: Ed25519 public key, 32 bytes.
        log: 8 bytes, one incarnation of the author.
        seq: position in the log, from 0.
        prev: id of the record at seq - 1; None exactly at seq 0.
        kind: name of the record family, 1 to 24 characters of a-z and "-".
        time_ms: the author's clock; a hint that never decides validity.
        body_size: bytes of the whole body.
        body_hash: what proves the body, whole or erased; 32 bytes.
        refs: ids of records that this one speaks of, at most 16, no id twice.
    """

    id: bytes
    header: bytes
    signature: bytes | None
    body: bytes | None
    commons: bytes
    author: bytes
    log: bytes
    seq: int
    prev: bytes | None
    kind: str
    time_ms: int
    body_size: int
    body_hash: bytes
    refs: tuple[bytes, ...]

    @classmethod
    def parse(cls, header: bytes, signature: bytes | None, body: bytes | None) -> "Record":
        """Take an envelope apart and check everything that needs no other record.

        Raises:
            EncodingError: the header is not canonical (REC-1).
            RecordError: a field breaks its rule (REC-2 to REC-9).
        """
        if len(header) > HEADER_SIZE_MAX:
            raise RecordError(f"header of {len(header)} bytes", requirement="REC-1")
        fields = decode(header, size_max=HEADER_SIZE_MAX)
        if not isinstance(fields, tuple) or len(fields) != 11:
            raise RecordError("a header has eleven fields", requirement="REC-2")
        record = cls(
            digest("record", header),
            header,
            signature,
            body,
            *_checked_fields(fields),
        )
        if signature is not None and len(signature) != SIGNATURE_SIZE:
            raise RecordError("a signature has 64 bytes", requirement="REC-8")
        if body is not None:
            record.check_body(body)
        return record

    @classmethod
    def restore(
        cls, header: bytes, signature: bytes | None, body: bytes | None, before: "Record | None"
    ) -> "Record":
        """Take apart an envelope that was checked when it came, and kept since.

        Only the body is checked anew. The header is good if a record that is known by its id hangs
        on it, or its signature verifies: that is for the caller to see.

        Args:
            before: the record before it in the store, whose author and log it shares in memory if
                they are the same.

        Raises:
            EncodingError: the header is no MessagePack.
            RecordError: it has not eleven fields, or the body is not the one in the header.
        """
        fields = decode_proven(header)
        if not isinstance(fields, tuple) or len(fields) != 11:
            raise RecordError("a header has eleven fields", requirement="REC-2")
        checked = cast("_Fields", fields[1:])
        if before is not None and checked[:3] == (before.commons, before.author, before.log):
            checked = (before.commons, before.author, before.log, *checked[3:])
        record = cls(digest("record", header), header, signature, body, *checked)
        if body is not None:
            record.check_body(body)
        return record

    @classmethod
    def known(
        cls,
        id_: bytes,
        commons: bytes,
        author: bytes,
        log: bytes,
        seq: int,
        kind: str,
        time_ms: int,
        refs: tuple[bytes, ...],
        body: bytes | None,
    ) -> "Record":
        """Return a record of which the header is not known, only what it said (`compact.py`)."""
        return cls(
            id_, b"", None, body, commons, author, log, seq, None, kind, time_ms, 0, b"", refs
        )

    def check_body(self, body: bytes) -> None:
        """Check that these bytes are the body that the header promises, whole or erased.

        Raises:
            RecordError: it has no form of a body, or the size or the hash differs (REC-9).
        """
        parts = split_body(body) if len(body) <= BODY_SIZE_MAX else None
        is_right_size = parts is not None and (parts.words is None or len(body) == self.body_size)
        if parts is None or not is_right_size or parts.hash != self.body_hash:
            raise RecordError("the body is not the one in the header", requirement="REC-9")

    @property
    def content(self) -> Value:
        """The body's fields, decoded; the caller checks them against the kind's schema.

        Raises:
            EncodingError: the facts are not canonical.
            RecordError: the body is not held.
        """
        if self.body is None:
            raise RecordError("the body is not held")
        return read_content(self.body)

    @property
    def is_compact(self) -> bool:
        """Whether nothing is known of the record but its compact form."""
        return not self.header

    @property
    def is_whole(self) -> bool:
        """Whether the body is held with its words."""
        return self.body is not None and is_whole(self.body)

    @property
    def size(self) -> int:
        """Bytes that this record's envelope takes on the wire, at most."""
        return len(self.header) + (len(self.body) if self.body else 0) + SIGNATURE_SIZE + 12

    def envelope(self) -> Envelope:
        """Return `[header, signature, body]` for the wire."""
        return [self.header, self.signature, self.body]

    def is_signed(self) -> bool:
        """Return whether the record carries a signature that verifies by itself."""
        return self.signature is not None and verify_id(self.author, self.id, self.signature)

    def without_words(self) -> "Record":
        """Return the same record, its words erased."""
        return replace(self, body=erase_words(self.body)) if self.body is not None else self

    def without_signature(self) -> "Record":
        """Return the same record, standing on a later record's signature."""
        if self.signature is None:
            return self
        return Record(
            self.id,
            self.header,
            None,
            self.body,
            self.commons,
            self.author,
            self.log,
            self.seq,
            self.prev,
            self.kind,
            self.time_ms,
            self.body_size,
            self.body_hash,
            self.refs,
        )


def parse_envelope(value: Value) -> Record:
    """Read `[header, signature | nil, body | nil]`.

    Raises:
        EncodingError, RecordError: as `Record.parse`.
    """
    match value:
        case [bytes(header), bytes() | None as signature, bytes() | None as body]:
            return Record.parse(header, signature, body)
        case _:
            raise RecordError("an envelope is [header, signature, body]", requirement="REC-1")


def build_record(
    *,
    commons: bytes,
    seed: bytes,
    author: bytes,
    log: bytes,
    seq: int,
    prev: bytes | None,
    kind: str,
    time_ms: int,
    content: dict[str, Value],
    salt: bytes,
    refs: tuple[bytes, ...] = (),
) -> Record:
    """Write and sign one record.

    Args:
        seed: the author's Ed25519 private seed, 32 bytes.
        content: the body's fields; they should already fit the kind's schema.
        salt: 16 bytes nobody else knows.

    Raises:
        LimitExceeded: the body or header would be larger than allowed.
    """
    body = write_body(salt, content)
    header = encode(
        [
            PROTOCOL_VERSION,
            commons,
            author,
            log,
            seq,
            prev,
            kind,
            time_ms,
            len(body),
            split_body(body).hash,
            list(refs),
        ]
    )
    if len(header) > HEADER_SIZE_MAX:
        raise LimitExceeded(f"a header has at most {HEADER_SIZE_MAX} bytes, this one {len(header)}")
    return Record.parse(header, sign_id(seed, digest("record", header)), body)


def _checked_fields(
    fields: tuple[Value, ...],
) -> "_Fields":
    """Check the eleven header fields one by one and return them without the version."""
    version, commons, author, log, seq, prev, kind, time_ms, body_size, body_hash, refs = fields
    if type(version) is not int or version != PROTOCOL_VERSION:
        raise RecordError(f"version {version!r} is not 1", code="version", requirement="REC-2")
    if type(commons) is not bytes or len(commons) != ID_SIZE:
        raise RecordError("commons is 32 bytes", requirement="REC-3")
    if type(author) is not bytes or len(author) != ID_SIZE:
        raise RecordError("author is 32 bytes", requirement="REC-3")
    if type(log) is not bytes or len(log) != LOG_ID_SIZE:
        raise RecordError("log is 8 bytes", requirement="REC-3")
    if type(seq) is not int or not 0 <= seq <= INT_MAX:
        raise RecordError("seq is an integer from 0", requirement="REC-4")
    if prev is not None and (type(prev) is not bytes or len(prev) != ID_SIZE):
        raise RecordError("prev is 32 bytes or nil", requirement="REC-4")
    if (seq == 0) != (prev is None):
        raise RecordError("prev is nil exactly at seq 0", requirement="REC-4")
    kind = checked_kind(kind)
    if (seq == 0) != (kind == "incarnation"):
        raise RecordError("a log begins with its one incarnation", requirement="REC-5")
    time_ms = checked_time(time_ms)
    if type(body_size) is not int or not BODY_SIZE_MIN <= body_size <= BODY_SIZE_MAX:
        raise RecordError("body_size is out of range", requirement="REC-6")
    if type(body_hash) is not bytes or len(body_hash) != ID_SIZE:
        raise RecordError("body_hash is 32 bytes", requirement="REC-6")
    return (
        commons,
        author,
        log,
        seq,
        prev,
        kind,
        time_ms,
        body_size,
        body_hash,
        checked_refs(refs),
    )


def checked_kind(kind: Value) -> str:
    """Return the name of a kind (REC-5), or raise a RecordError."""
    if type(kind) is not str or not 1 <= len(kind) <= KIND_SIZE_MAX:
        raise RecordError("kind has 1 to 24 characters", requirement="REC-5")
    if not _is_made_of_letters(kind):
        raise RecordError("kind is made of a-z and -", requirement="REC-5")
    return kind


@lru_cache(KINDS_KEPT)
def _is_made_of_letters(kind: str) -> bool:
    return KIND_CHARACTERS.issuperset(kind)


def checked_time(time_ms: Value) -> int:
    """Return an author's time (REC-6), or raise a RecordError."""
    if type(time_ms) is not int or not 0 <= time_ms <= INT_MAX:
        raise RecordError("time_ms is out of range", requirement="REC-6")
    return time_ms


def checked_refs(refs: Value) -> tuple[bytes, ...]:
    """Return a list of references (REC-7), or raise a RecordError."""
    if refs == ():
        return ()
    if not isinstance(refs, tuple) or len(refs) > REFS_MAX:
        raise RecordError(f"refs is a list of at most {REFS_MAX}", requirement="REC-7")
    checked = tuple(ref for ref in refs if type(ref) is bytes and len(ref) == ID_SIZE)
    if len(checked) != len(refs) or len(set(checked)) != len(checked):
        raise RecordError("refs are different ids of 32 bytes", requirement="REC-7")
    return checked
