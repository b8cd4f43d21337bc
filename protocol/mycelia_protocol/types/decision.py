"""`decision`: who gets what of an offer, and everything it can be recomputed from. Spec: 7.22.

refs = [purse], and for an override [purse, consent] if its approver wrote one. The grants that
follow from a decision name it. It holds the policy, the view, and
the leading candidates with all numbers; a digest stands for the rest, since a body is small.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from mycelia_protocol.crypto import ROWS, digest
from mycelia_protocol.encoding import Value, encode
from mycelia_protocol.errors import SchemaError
from mycelia_protocol.limits import (
    DECISION_ROWS_MAX,
    GATES_MAX,
    ID_SIZE,
    INT_MAX,
    QUANTITY_MAX,
    REASON_SIZE_MAX,
    SCORE_MAX,
    SLOTS_MAX,
)
from mycelia_protocol.record import Record
from mycelia_protocol.schema import Body, Field
from mycelia_protocol.sharing import decide
from mycelia_protocol.sharing.gates import ECOLOGY_FIRST, GATES, URGENT_FIRST
from mycelia_protocol.types.heads import VIEW_FIELDS, View, read_heads

GROUNDS = (
    decide.NOBODY, decide.ALONE, decide.FLOOR, decide.SCORE, decide.POSTED, decide.TIE,
    decide.LOT, decide.HAD, decide.NEARER,
)  # fmt: skip

ALL_GATES = (*GATES, URGENT_FIRST, ECOLOGY_FIRST)  # in the order of their bits

FIELDS = (
    *VIEW_FIELDS,
    Field("policy", "bytes", ID_SIZE, ID_SIZE),
    Field("as_of_ms", "int", 0, INT_MAX),
    Field("slot", "int", 0, SLOTS_MAX - 1, required=False),
    Field("left", "int", 0, QUANTITY_MAX),
    Field("total", "int", 0, INT_MAX),
    Field("rows", "list", 0, DECISION_ROWS_MAX),
    Field("digest", "bytes", ID_SIZE, ID_SIZE),
    Field("ground", "text", choices=GROUNDS),
    Field("margin", "int", -SCORE_MAX, SCORE_MAX, required=False),
    Field("chosen", "bytes", ID_SIZE, ID_SIZE, required=False),
    Field("quantity", "int", 1, QUANTITY_MAX, required=False),
    Field("reason", "text", 1, REASON_SIZE_MAX, required=False),
    Field("approver", "bytes", ID_SIZE, ID_SIZE, required=False),
)
OVERRIDE_FACTS = ("chosen", "quantity", "approver")  # its reason is a word, and may be erased
OVERRIDE = (*OVERRIDE_FACTS, "reason")


@dataclass(frozen=True, slots=True)
class Row:
    """One request in a decision.

    Attributes:
        gates: bits, the first gate of section 8.8.2 being 1; floors last.
        factors, score: None where nothing compares.
        given: base units.
    """

    request: bytes
    gates: int
    factors: tuple[int, ...] | None
    score: int | None
    given: int


@dataclass(frozen=True, slots=True)
class Override:
    """What a person decided instead: who gets how much, why, and the key of who approved it.

    The reason is empty once it is erased.
    """

    chosen: bytes
    quantity: int
    reason: str
    approver: bytes


@dataclass(frozen=True, slots=True)
class Decided:
    """What somebody decided; names as in `sharing.decide.Decision`.

    Attributes:
        left: base units that could be given from the purse.
        total: number of all rows.
        rows: the leading ones.
        digest: over all of them.
    """

    view: View
    policy: bytes
    as_of_ms: int
    slot: int | None
    left: int
    total: int
    rows: tuple[Row, ...]
    digest: bytes
    ground: str
    margin: int | None
    override: Override | None


@dataclass(frozen=True, slots=True)
class Settled:
    """A decision of which only that it was made is known: its log is here in compact form."""


DECISIONS: Final[tuple[type, ...]] = (Decided, Settled)  # what a decision may be read as


def rows_of(decision: decide.Decision) -> list[Row]:
    """Return the rows of a decision: all of them, as they stand."""
    return [
        Row(
            each.request,
            sum(1 << ALL_GATES.index(gate) for gate in each.gates),
            each.factors and tuple(each.factors),
            each.score,
            each.given,
        )
        for each in decision.candidates
    ]


def rows_digest(rows: Sequence[Row]) -> bytes:
    """Return what stands for all rows of a decision (DEC-3)."""
    return digest(ROWS, *(encode(_plain(row)) for row in rows))


def content(
    decision: decide.Decision,
    view: dict[str, Value],
    left: int,
    slot: int | None = None,
    override: Override | None = None,
) -> dict[str, Value]:
    """Return the body of a decision made from a view; `view` as `view.content` gives it."""
    rows = rows_of(decision)
    body: dict[str, Value] = {
        **view,
        "policy": decision.policy,
        "as_of_ms": decision.as_of_ms,
        "left": left,
        "total": len(rows),
        "rows": tuple(_plain(row) for row in rows[:DECISION_ROWS_MAX]),
        "digest": rows_digest(rows),
        "ground": decision.ground,
    }
    if slot is not None:
        body["slot"] = slot
    if decision.margin is not None:
        body["margin"] = decision.margin
    if override is not None:
        body |= {name: getattr(override, name) for name in OVERRIDE}
    return body


def read(body: Body, record: Record) -> Decided:
    """Read a checked body.

    Raises:
        SchemaError: a rule from DEC-1 to DEC-4, VIEW-1 or VIEW-2 is broken.
    """
    rows, total = tuple(_read_row(item) for item in body.items("rows")), body.integer("total")
    if len(rows) != min(total, DECISION_ROWS_MAX):
        raise SchemaError("rows are the first of total", requirement="DEC-2")
    if total <= DECISION_ROWS_MAX and rows_digest(rows) != body.data("digest"):
        raise SchemaError("digest is not that of the rows", requirement="DEC-3")
    return Decided(
        View(body.data("view"), read_heads(body)),
        body.data("policy"),
        body.integer("as_of_ms"),
        body.optional_integer("slot"),
        body.integer("left"),
        total,
        rows,
        body.data("digest"),
        body.text("ground"),
        body.optional_integer("margin"),
        _read_override(body, len(record.refs)),
    )


def _plain(row: Row) -> Value:
    return (row.request, row.gates, row.factors, row.score, row.given)


def _read_row(item: Value) -> Row:
    match item:
        case [bytes(request), int(gates), factors, score, int(given)] if (
            len(request) == ID_SIZE
            and _is_whole(gates, GATES_MAX)
            and _is_whole(given, QUANTITY_MAX)
            and (factors is None) == (score is None)
        ):
            if factors is None:
                return Row(request, gates, None, None, given)
            if isinstance(factors, tuple) and len(factors) == 6 and _is_whole(score, SCORE_MAX):
                values = [value for value in factors if isinstance(value, int)]
                if len(values) == 6 and all(_is_whole(value, 1_000) for value in factors):
                    assert isinstance(score, int)
                    return Row(request, gates, tuple(values), score, given)
    raise SchemaError("a row is [request, gates, factors, score, given]", requirement="DEC-1")


def _is_whole(value: Value, most: int) -> bool:
    return type(value) is int and 0 <= value <= most


def _read_override(body: Body, refs: int) -> Override | None:
    there = [name for name in OVERRIDE_FACTS if name in body.fields]
    if not there:
        if refs > 1:
            raise SchemaError("only an override refers to a consent", requirement="DEC-6")
        return None
    if len(there) < len(OVERRIDE_FACTS):
        raise SchemaError(
            "who decides otherwise names chosen, quantity and approver", requirement="DEC-4"
        )
    return Override(
        body.data("chosen"), body.integer("quantity"), body.text("reason"), body.data("approver")
    )
