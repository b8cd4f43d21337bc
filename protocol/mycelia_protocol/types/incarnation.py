"""`incarnation`: the first record of every log. Spec: section 7.2.

A node that cannot prove that its store is the latest (a restored backup, a copied folder, a crash)
opens a new log and names in it the best-known heads of its older ones. So an honest restore never
forks a log. The number of logs named orders the author's logs: see `Statement.order`. A backup may
be older than some of them; so a node that lost records begins a new *generation*, after all others.
"""

from dataclasses import dataclass
from typing import Final

from mycelia_protocol.encoding import Value
from mycelia_protocol.errors import SchemaError
from mycelia_protocol.limits import ID_SIZE, INT_MAX, LOG_ID_SIZE, PREDECESSOR_LOGS_MAX
from mycelia_protocol.record import Record
from mycelia_protocol.schema import Body, Field

FIELDS = (
    Field("heads", "list", 0, PREDECESSOR_LOGS_MAX),
    Field("generation", "int", 0, INT_MAX, required=False),
)
DEPTHS: Final = PREDECESSOR_LOGS_MAX + 1  # that logs of one generation can have


@dataclass(frozen=True, slots=True)
class Head:
    """The last record of an older log that the author knew of."""

    log: bytes
    seq: int
    id: bytes


@dataclass(frozen=True, slots=True)
class Incarnation:
    """The older logs of the author, in order of their log ids, none twice, and the generation."""

    heads: tuple[Head, ...]
    generation: int

    @property
    def depth(self) -> int:
        """How far behind the log stands among its author's: by generation, then by logs named."""
        return self.generation * DEPTHS + len(self.heads)


def generation_of(depth: int) -> int:
    """Return the generation of a log that stands so far behind."""
    return depth // DEPTHS


def content(heads: list[Head], generation: int = 0) -> dict[str, Value]:
    """Return the body that opens a log after these older ones."""
    ordered = sorted(heads, key=lambda head: head.log)[-PREDECESSOR_LOGS_MAX:]
    body: dict[str, Value] = {"heads": [[head.log, head.seq, head.id] for head in ordered]}
    return {**body, "generation": generation} if generation else body


def read(body: Body, record: Record) -> Incarnation:
    """Read a checked body.

    Raises:
        SchemaError: an entry is no [log, seq, id], or the logs are not in order.
    """
    heads = tuple(_read_head(item) for item in body.items("heads"))
    logs = [head.log for head in heads]
    if logs != sorted(set(logs)) or record.log in logs:
        raise SchemaError("older logs are named once each, in order", requirement="INC-2")
    return Incarnation(heads, body.optional_integer("generation") or 0)


def _read_head(item: Value) -> Head:
    match item:
        case [bytes(log), int(seq), bytes(head)] if (
            len(log) == LOG_ID_SIZE
            and len(head) == ID_SIZE
            and type(seq) is int  # True would match int() too
            and 0 <= seq <= INT_MAX
        ):
            return Head(log, seq, head)
        case _:
            raise SchemaError("a head is [log, seq, id]", requirement="INC-1")
