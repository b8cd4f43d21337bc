"""`party`: somebody without a key of its own, and the members who speak for it. Spec: 7.12.

A river, a soil, an orchard; or people who have no node. What guardians ask for on its behalf counts
as received by the party, not by them.
"""

from dataclasses import dataclass

from mycelia_protocol.limits import GUARDIANS_MAX, MEMBERS_MAX, NAME_SIZE_MAX, TEXT_SIZE_MAX
from mycelia_protocol.record import Record
from mycelia_protocol.schema import Body, Field
from mycelia_protocol.types.place import PLACE_FIELDS, Place, read_place
from mycelia_protocol.types.things import check_keys

FORMS = ("ecosystem", "people")

FIELDS = (
    Field("form", "text", choices=FORMS),
    Field("name", "text", 1, NAME_SIZE_MAX),
    Field("about", "text", 0, TEXT_SIZE_MAX, required=False),
    Field("members", "int", 1, MEMBERS_MAX, required=False),
    Field("guardians", "list", 0, GUARDIANS_MAX, required=False),
    *PLACE_FIELDS,
)


@dataclass(frozen=True, slots=True)
class Party:
    """Who it is, and who speaks for it.

    Attributes:
        form: `ecosystem`, a living place; `people`, a group without a node.
        members: how many people it stands for; of a living place, what weight it has.
        guardians: keys that speak for it beside its author, sorted.
    """

    form: str
    name: str
    about: str
    members: int
    guardians: tuple[bytes, ...]
    place: Place | None


def read(body: Body, record: Record) -> Party:
    """Read a checked body.

    Raises:
        SchemaError: guardians are not keys, sorted, each once (PARTY-1), or a bad place.
    """
    return Party(
        body.text("form"),
        body.text("name"),
        body.text("about"),
        body.optional_integer("members") or 1,
        check_keys(body.items("guardians"), "guardians", "PARTY-1"),
        read_place(body),
    )
