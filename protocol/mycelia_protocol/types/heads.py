"""What an author knew when it decided something, as heads of logs. Spec: 7.21.

What somebody decided can be recomputed by whoever knows which records it was decided from. These
are all records of some logs up to some place. A log says what changed since it last said so; a
chain of digests binds every head in full, so that eight bytes of an id are enough in the list.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from mycelia_protocol.crypto import LOG, VIEW, digest
from mycelia_protocol.encoding import Value, encode
from mycelia_protocol.errors import SchemaError
from mycelia_protocol.limits import HEAD_PREFIX_SIZE, ID_SIZE, INT_MAX, VIEW_HEADS_MAX
from mycelia_protocol.schema import Body, Field

VIEW_FIELDS = (
    Field("view", "bytes", ID_SIZE, ID_SIZE),
    Field("heads", "list", 0, VIEW_HEADS_MAX),
)
TAGS_KEPT: Final = 65_536  # each is asked for whenever its log is announced or seen
NOTHING = bytes(ID_SIZE)  # the digest before a log's first view


@dataclass(frozen=True, slots=True)
class Seen:
    """One log up to one record.

    Attributes:
        tag: names the log: first bytes of H("log", author, log).
        seq: of the last record that counts.
        prefix: first bytes of that record's id.
    """

    tag: bytes
    seq: int
    prefix: bytes


@dataclass(frozen=True, slots=True)
class FullHead:
    """The same in full: what a digest binds."""

    author: bytes
    log: bytes
    seq: int
    id: bytes


@dataclass(frozen=True, slots=True)
class View:
    """Heads that changed since the same log last named some.

    Attributes:
        digest: see `chain`.
        heads: by tag.
    """

    digest: bytes
    heads: tuple[Seen, ...]


@lru_cache(TAGS_KEPT)
def tag_of(author: bytes, log: bytes) -> bytes:
    """Return the short name of a log."""
    return digest(LOG, author, log)[:HEAD_PREFIX_SIZE]


def chain(before: bytes, heads: Iterable[FullHead]) -> bytes:
    """Return the digest of a view: over the one before, and the heads that changed (VIEW-3)."""
    rows: list[Value] = [
        (head.author, head.log, head.seq, head.id)
        for head in sorted(heads, key=lambda head: (head.author, head.log))
    ]
    return digest(VIEW, before, encode(rows))


def content(before: bytes, heads: Sequence[FullHead]) -> dict[str, Value]:
    """Return the fields of a view after the one with the digest `before`."""
    rows = sorted(
        (tag_of(head.author, head.log), head.seq, head.id[:HEAD_PREFIX_SIZE]) for head in heads
    )
    return {"view": chain(before, heads), "heads": tuple(rows)}


def read_heads(body: Body) -> tuple[Seen, ...]:
    """Read the list of heads.

    Raises:
        SchemaError: an entry is malformed (VIEW-1), or they are not in order (VIEW-2).
    """
    heads = tuple(_read_head(item) for item in body.items("heads"))
    tags = [head.tag for head in heads]
    if tags != sorted(set(tags)):
        raise SchemaError("heads are in order of their logs, each once", requirement="VIEW-2")
    return heads


def _read_head(item: Value) -> Seen:
    match item:
        case [bytes(tag), int(seq), bytes(prefix)] if (
            type(seq) is int and 0 <= seq <= INT_MAX and len(tag) == len(prefix) == HEAD_PREFIX_SIZE
        ):
            return Seen(tag, seq, prefix)
        case _:
            raise SchemaError(
                f"a head is [{HEAD_PREFIX_SIZE} bytes, seq, {HEAD_PREFIX_SIZE} bytes]",
                requirement="VIEW-1",
            )
