"""`acknowledge`: its author found that some checkpoints of others are true. Spec: section 7.25."""

from collections.abc import Iterable
from dataclasses import dataclass

from mycelia_protocol.encoding import Value
from mycelia_protocol.errors import SchemaError
from mycelia_protocol.limits import ACKNOWLEDGED_MAX, ID_SIZE
from mycelia_protocol.record import Record
from mycelia_protocol.schema import Body, Field

FIELDS = (Field("checkpoints", "list", 1, ACKNOWLEDGED_MAX),)


@dataclass(frozen=True, slots=True)
class Acknowledge:
    """Ids of checkpoints, sorted."""

    checkpoints: tuple[bytes, ...]


def content(checkpoints: Iterable[bytes]) -> dict[str, Value]:
    """Return the body of an acknowledgement of at most `ACKNOWLEDGED_MAX` checkpoints."""
    return {"checkpoints": tuple(sorted(checkpoints))}


def read(body: Body, record: Record) -> Acknowledge:
    """Read a checked body.

    Raises:
        SchemaError: ACK-1 is broken.
    """
    items = body.items("checkpoints")
    named = tuple(item for item in items if isinstance(item, bytes) and len(item) == ID_SIZE)
    if len(named) < len(items) or list(named) != sorted(set(named)):
        raise SchemaError("checkpoints are ids, sorted, each once", requirement="ACK-1")
    return Acknowledge(named)
