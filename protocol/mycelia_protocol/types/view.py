"""`view`: more heads than fit into the decision that comes after it. Spec: section 7.21."""

from dataclasses import dataclass

from mycelia_protocol.record import Record
from mycelia_protocol.schema import Body
from mycelia_protocol.types.heads import VIEW_FIELDS, View, read_heads

FIELDS = VIEW_FIELDS


@dataclass(frozen=True, slots=True)
class Elided:
    """A view of which only that it was there is known: its log is here in compact form."""


def read(body: Body, record: Record) -> View:
    """Read a checked body.

    Raises:
        SchemaError: VIEW-1 or VIEW-2 is broken.
    """
    return View(body.data("view"), read_heads(body))
