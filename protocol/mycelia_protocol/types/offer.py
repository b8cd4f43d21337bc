"""`offer`: something a collective can give; its log is where it is spent. Spec: section 7.5.

What is left of it, and which grants hold, follows from the walk in `promises.py`.
"""

from dataclasses import dataclass

from mycelia_protocol.encoding import Value
from mycelia_protocol.errors import SchemaError
from mycelia_protocol.limits import (
    AUDIENCE_MAX,
    CARRIER_SIZE_MAX,
    ID_SIZE,
    INT_MAX,
    QUANTITY_MAX,
    SLOTS_MAX,
)
from mycelia_protocol.record import Record
from mycelia_protocol.schema import Body, Field
from mycelia_protocol.types.place import PLACE_FIELDS, Place, place_content, read_place
from mycelia_protocol.types.things import (
    THING_FIELDS,
    check_category,
    check_keys,
    is_word,
)

TERMS = ("consume", "lend", "service")

FIELDS = (
    *THING_FIELDS,
    Field("terms", "text", choices=TERMS, required=False),
    Field("lot", "int", 1, QUANTITY_MAX, required=False),
    Field("minimum", "int", 0, QUANTITY_MAX, required=False),
    Field("slots", "list", 0, SLOTS_MAX, required=False),
    Field("from_ms", "int", 0, INT_MAX, required=False),
    Field("until_ms", "int", 0, INT_MAX, required=False),
    Field("carrier", "text", 1, CARRIER_SIZE_MAX, required=False),
    Field("audience", "list", 0, AUDIENCE_MAX, required=False),
    Field("on_behalf_of", "bytes", ID_SIZE, ID_SIZE, required=False),
    Field("renewing", "bool", required=False),
    Field("inexhaustible", "bool", required=False),
    Field("ask", "bool", required=False),
    *PLACE_FIELDS,
)


@dataclass(frozen=True, slots=True)
class Slot:
    """A span of time in which something is lent: from `from_ms` to before `until_ms`."""

    from_ms: int
    until_ms: int


@dataclass(frozen=True, slots=True)
class Offer:
    """What is given or lent: quantities in base units of `unit`; grants are whole lots.

    Attributes:
        terms: `consume` (it is gone then), `lend` (it comes back), `service` (somebody's time).
        quantity: how much there is; of something lent, how many there are in each slot.
        lot: the smallest part that is given.
        minimum: the least that one request should get; 0 if any lot will do.
        slots: when it can be borrowed, in order; empty unless it is lent.
        from_ms, until_ms: when it can be had, if that is not open.
        carrier: how it travels; a key of a policy's `carriers`, `unknown` if nobody says.
        audience: keys that it is for, sorted; empty if for all.
        on_behalf_of: id of the `party` whose it is; see `parties.py`.
        renewing: whether more of it comes again and again.
        inexhaustible: whether giving takes nothing away; `quantity` bounds each grant alone.
        ask: whether nodes grant nothing of it by themselves: a person is asked.
    """

    category: str
    title: str
    quantity: int
    unit: str
    note: str
    expires_ms: int | None
    terms: str
    lot: int
    minimum: int
    slots: tuple[Slot, ...]
    from_ms: int | None
    until_ms: int | None
    carrier: str
    audience: tuple[bytes, ...]
    on_behalf_of: bytes | None
    renewing: bool
    inexhaustible: bool
    ask: bool
    place: Place | None

    @property
    def slot_count(self) -> int:
        """How many amounts are kept apart: one for each slot of what is lent, else one."""
        return max(len(self.slots), 1)

    @property
    def amounts(self) -> list[int]:
        """How much there is at first, by slot."""
        return [self.quantity] * self.slot_count

    def slot_index(self, slot: int | None) -> int | None:
        """Return which of the amounts a slot stands for, or None if it is no slot of this."""
        if not self.slots:
            return 0 if slot is None else None
        return slot if slot is not None and slot < len(self.slots) else None


def read(body: Body, record: Record) -> Offer:
    """Read a checked body.

    Raises:
        SchemaError: bad category or place, or a rule from OFFER-1 to OFFER-7 is broken.
    """
    offer = Offer(
        category=check_category(body.text("category")),
        title=body.text("title"),
        quantity=body.integer("quantity"),
        unit=body.text("unit"),
        note=body.text("note"),
        expires_ms=body.optional_integer("expires_ms"),
        terms=body.text("terms", "consume"),
        lot=body.optional_integer("lot") or 1,
        minimum=body.optional_integer("minimum") or 0,
        slots=tuple(_read_slot(item) for item in body.items("slots")),
        from_ms=body.optional_integer("from_ms"),
        until_ms=body.optional_integer("until_ms"),
        carrier=body.text("carrier", "unknown"),
        audience=check_keys(body.items("audience"), "audience", "OFFER-6"),
        on_behalf_of=body.optional_data("on_behalf_of"),
        renewing=body.optional_flag("renewing"),
        inexhaustible=body.optional_flag("inexhaustible"),
        ask=body.optional_flag("ask"),
        place=read_place(body),
    )
    _check_amounts(offer)
    _check_times(offer)
    return offer


def content(offer: Offer) -> dict[str, Value]:
    """Return the body that says this, without what goes without saying."""
    body: dict[str, Value] = {
        "category": offer.category,
        "title": offer.title,
        "quantity": offer.quantity,
        "unit": offer.unit,
        "lot": offer.lot,
    }
    if offer.terms != "consume":
        body["terms"] = offer.terms
    times = ("expires_ms", "from_ms", "until_ms")
    for name in ("note", "minimum", *times, "on_behalf_of", "audience"):
        value = getattr(offer, name)
        if value is not None and value not in ("", 0, ()):
            body[name] = value
    for name in ("renewing", "inexhaustible", "ask"):
        if getattr(offer, name):
            body[name] = True
    if offer.slots:
        body["slots"] = tuple((slot.from_ms, slot.until_ms) for slot in offer.slots)
    if offer.carrier != "unknown":
        body["carrier"] = offer.carrier
    return body | place_content(offer.place)


def _check_amounts(offer: Offer) -> None:
    """Check what an offer says of how much there is."""
    if offer.quantity % offer.lot:
        raise SchemaError("an offer's quantity is a number of whole lots", requirement="OFFER-1")
    if offer.minimum > offer.quantity:
        raise SchemaError("minimum is more than the quantity", requirement="OFFER-1")
    needed = {"lend": "1", "service": "min"}.get(offer.terms, offer.unit)
    if offer.unit != needed:
        raise SchemaError(f"the unit of {offer.terms} is {needed}", requirement="OFFER-3")
    if offer.renewing + offer.inexhaustible + (offer.terms == "lend") > 1:
        raise SchemaError(
            "an offer is renewing, inexhaustible or lent, only one of them", requirement="OFFER-7"
        )
    if not is_word(offer.carrier):
        raise SchemaError("carrier is a word of a-z and -", requirement="OFFER-5")


def _check_times(offer: Offer) -> None:
    """Check what an offer says of when it can be had."""
    if bool(offer.slots) != (offer.terms == "lend"):
        raise SchemaError("slots are of what is lent, and only of that", requirement="OFFER-2")
    pairs = zip(offer.slots[1:], offer.slots, strict=False)
    if any(slot.from_ms < before.until_ms for slot, before in pairs):
        raise SchemaError("slots come in order and don't overlap", requirement="OFFER-2")
    if offer.from_ms is None or offer.until_ms is None:
        return
    if offer.from_ms >= offer.until_ms:
        raise SchemaError("from_ms is before until_ms", requirement="OFFER-4")


def _read_slot(item: Value) -> Slot:
    match item:
        case [int(from_ms), int(until_ms)] if (
            type(from_ms) is int  # True would match int() too
            and type(until_ms) is int
            and 0 <= from_ms < until_ms <= INT_MAX
        ):
            return Slot(from_ms, until_ms)
        case _:
            raise SchemaError("a slot is [from_ms, until_ms], in order", requirement="OFFER-2")
