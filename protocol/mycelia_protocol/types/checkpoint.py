"""`checkpoint`: its author sums up what its log came to so far. Spec: section 7.24.

It covers all records before it in its log. The root is that of the tree over their compact forms
(`compact.py`), in order of seq. It may lie; so it is worth something once others, who hold the
records themselves, have compared and written an acknowledgement.
"""

from dataclasses import dataclass

from mycelia_protocol.encoding import Value
from mycelia_protocol.limits import ID_SIZE
from mycelia_protocol.record import Record
from mycelia_protocol.schema import Body, Field

FIELDS = (Field("root", "bytes", ID_SIZE, ID_SIZE),)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What the log before it comes to, as far as its author says: the root, 32 bytes."""

    root: bytes


def content(root: bytes) -> dict[str, Value]:
    """Return the body of a checkpoint."""
    return {"root": root}


def read(body: Body, record: Record) -> Checkpoint:
    """Read a checked body."""
    return Checkpoint(body.data("root"))
