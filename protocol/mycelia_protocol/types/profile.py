"""`profile`: what a collective says of itself. Spec: section 7.4.

The last profile in its author's order counts. Places are E7 integers snapped to a declared grid
before signing, so that nobody's door is in a record.
"""

from dataclasses import dataclass

from mycelia_protocol.encoding import Value
from mycelia_protocol.errors import SchemaError
from mycelia_protocol.limits import (
    ADDRESS_SIZE_MAX,
    ADDRESSES_MAX,
    ID_SIZE,
    MEMBERS_MAX,
    NAME_SIZE_MAX,
    TEXT_SIZE_MAX,
)
from mycelia_protocol.record import Record
from mycelia_protocol.schema import Body, Field
from mycelia_protocol.types.base import Facts, Statement
from mycelia_protocol.types.place import PLACE_FIELDS, Place, read_place

FIELDS = (
    Field("name", "text", 1, NAME_SIZE_MAX),
    Field("about", "text", 0, TEXT_SIZE_MAX, required=False),
    Field("addresses", "list", 0, ADDRESSES_MAX, required=False),
    Field("members", "int", 1, MEMBERS_MAX, required=False),
    Field("seal_key", "bytes", ID_SIZE, ID_SIZE, required=False),
    *PLACE_FIELDS,
)


@dataclass(frozen=True, slots=True)
class Profile:
    """Name, description, addresses to dial, size in people, and coarse place of a collective.

    Attributes:
        seal_key: X25519 key to which messages for it are sealed; None if it takes none.
    """

    name: str
    about: str
    addresses: tuple[str, ...]
    members: int
    seal_key: bytes | None
    place: Place | None


def read(body: Body, record: Record) -> Profile:
    """Read a checked body.

    Raises:
        SchemaError: an address is not a text of 1 to 200 characters, or the place is off its grid.
    """
    addresses = tuple(item for item in body.items("addresses") if isinstance(item, str))
    sizes = [len(address) for address in addresses]
    if len(addresses) != len(body.items("addresses")) or any(
        not 1 <= size <= ADDRESS_SIZE_MAX for size in sizes
    ):
        raise SchemaError("an address is a text of 1 to 200 characters", requirement="PROF-1")
    return Profile(
        body.text("name"),
        body.text("about"),
        addresses,
        body.optional_integer("members") or 1,
        body.optional_data("seal_key"),
        read_place(body),
    )


def row(facts: Facts, statement: Statement[object]) -> list[Value]:
    """Return the digest row; the state keeps only the last profile of each author."""
    return [statement.author, statement.id]
