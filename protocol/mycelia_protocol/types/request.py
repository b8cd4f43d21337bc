"""`request`: something a collective needs; its log is where it is filled. Spec: section 7.6.

How far it is filled follows from the walk in `promises.py`.
"""

from dataclasses import dataclass

from mycelia_protocol.errors import SchemaError
from mycelia_protocol.limits import ID_SIZE, INT_MAX, MEMBERS_MAX, SUBSTITUTES_MAX
from mycelia_protocol.record import Record
from mycelia_protocol.schema import Body, Field
from mycelia_protocol.types.place import PLACE_FIELDS, Place, read_place
from mycelia_protocol.types.things import THING_FIELDS, check_category, is_category, is_word

URGENCIES = ("now", "days", "week", "anytime")

FIELDS = (
    *THING_FIELDS,
    Field("urgency", "text", choices=URGENCIES),
    Field("needed_by_ms", "int", 0, INT_MAX, required=False),
    Field("people", "int", 1, MEMBERS_MAX, required=False),
    Field("on_behalf_of", "bytes", ID_SIZE, ID_SIZE, required=False),
    Field("substitutes", "list", 0, SUBSTITUTES_MAX, required=False),
    *PLACE_FIELDS,
)


@dataclass(frozen=True, slots=True)
class Request:
    """What is needed: quantity in base units of `unit`, and how soon.

    Attributes:
        expires_ms: when it drops off the list, whether it was met or not.
        urgency: `now` (a day, or danger to life), `days` (two or three), `week`, `anytime`.
        needed_by_ms: when it is too late.
        people: for how many, if somebody said.
        on_behalf_of: id of the `party` that it is for; see `parties.py`.
        substitutes: categories, or whole groups, that would do as well.
    """

    category: str
    title: str
    quantity: int
    unit: str
    note: str
    expires_ms: int | None
    urgency: str
    needed_by_ms: int | None
    people: int | None
    on_behalf_of: bytes | None
    substitutes: tuple[str, ...]
    place: Place | None


def asked_by(author: bytes, request: Request) -> tuple[bytes, str, str]:
    """Return under what the quantity of a request is added up: by whom, and of what."""
    return author, request.category, request.unit


def read(body: Body, record: Record) -> Request:
    """Read a checked body.

    Raises:
        SchemaError: bad category or place, or a substitute is no category and no group (ASK-1).
    """
    substitutes = tuple(item for item in body.items("substitutes") if isinstance(item, str))
    if len(set(substitutes)) < len(body.items("substitutes")) or not all(
        is_category(item) or is_word(item) for item in substitutes
    ):
        message = "substitutes are categories such as food.dry, or groups such as food, each once"
        raise SchemaError(message, requirement="ASK-1")
    return Request(
        category=check_category(body.text("category")),
        title=body.text("title"),
        quantity=body.integer("quantity"),
        unit=body.text("unit"),
        note=body.text("note"),
        expires_ms=body.optional_integer("expires_ms"),
        urgency=body.text("urgency"),
        needed_by_ms=body.optional_integer("needed_by_ms"),
        people=body.optional_integer("people"),
        on_behalf_of=body.optional_data("on_behalf_of"),
        substitutes=substitutes,
        place=read_place(body),
    )
