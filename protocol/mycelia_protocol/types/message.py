"""`message`: a text that only one member can read. Spec: section 7.19.

refs = the records that it is about. The fold reads nothing of it; `sealing.py` opens it.
"""

from dataclasses import dataclass
from typing import cast

from mycelia_protocol.limits import ID_SIZE, SEALED_SIZE_MAX
from mycelia_protocol.record import Record
from mycelia_protocol.schema import Body, Field
from mycelia_protocol.types.base import Statement

FIELDS = (
    Field("to", "bytes", ID_SIZE, ID_SIZE),
    Field("enc", "bytes", 32, 32),
    Field("sealed", "bytes", 16, SEALED_SIZE_MAX),
)


@dataclass(frozen=True, slots=True)
class Message:
    """Whom it is for, and what only they can open: encapsulated key and sealed text.

    Both are empty once they are erased.
    """

    to: bytes
    enc: bytes
    sealed: bytes


def read(body: Body, record: Record) -> Message:
    """Read a checked body."""
    return Message(body.data("to"), body.word_data("enc"), body.word_data("sealed"))


def addressee(statement: Statement[object]) -> bytes:
    """Return the key that a message is meant for."""
    return cast("Statement[Message]", statement).body.to
