"""From a row's cells to an offer or a request, or to what is wrong with it and how to mend it."""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, Final

import click

from mycelia_node.category import CategoryError, read_category
from mycelia_node.cli.times import parse_moment, parse_span
from mycelia_node.exchange.board_table import Row
from mycelia_node.exchange.mapping import Mapping
from mycelia_node.nearest import hint
from mycelia_node.quantity import QuantityError, parse_quantity
from mycelia_protocol.encoding import Value
from mycelia_protocol.errors import SchemaError
from mycelia_protocol.schema import check
from mycelia_protocol.types import offer, request
from mycelia_protocol.types.place import place_content, snap

KINDS: Final = {
    **dict.fromkeys(("offer", "offers", "have", "give", "supply"), "offer"),
    **dict.fromkeys(("request", "requests", "need", "ask", "want", "demand"), "request"),
}


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong in one cell, and what to do."""

    line: int
    column: str
    message: str
    action: str


@dataclass(slots=True)
class Wanted:
    """One thing to write.

    Attributes:
        body: as the API takes it; holds what could be read.
        record: the id that the row gives, or "".
        is_dated: whether its end is a moment that the row names, and not a span from now on.
    """

    line: int
    kind: str = ""
    record: str = ""
    body: dict[str, Any] = field(default_factory=dict)
    is_dated: bool = False
    problems: list[Problem] = field(default_factory=list)

    def complain(self, column: str, message: str, action: str = "") -> None:
        """Note that a cell is wrong."""
        self.problems.append(Problem(self.line, column, message, action))


def read_row(row: Row, mapping: Mapping, now_ms: int) -> Wanted:
    """Return what a row wants, with all that is wrong with it."""
    wanted, cells = Wanted(row.line, record=row.cells["id"]), row.cells
    wanted.kind = KINDS.get(cells["kind"].casefold(), "")
    if not wanted.kind:
        wanted.complain("kind", f"{cells['kind']!r} is no kind.", "Write offer or request.")
    _read_what(wanted, cells)
    _read_amount(wanted, cells, mapping.decimal)
    _read_place(wanted, cells)
    wanted.is_dated = _read_end(wanted, cells, mapping.date, now_ms)
    if wanted.kind == "request":
        _read_need(wanted, cells, mapping.date, now_ms)
    if not wanted.problems:
        _check(wanted)
    return wanted


def _read_what(wanted: Wanted, cells: dict[str, str]) -> None:
    title = " ".join((cells["what"] or cells["category"]).split())
    if not title:
        wanted.complain("what", "It says not what it is.", "Write a word or two.")
        return
    wanted.body["title"] = title
    try:
        wanted.body["category"] = read_category(cells["category"] or title)
    except CategoryError as error:
        wanted.complain("category", error.message, error.action)
    if cells["note"]:
        wanted.body["note"] = cells["note"]


def _read_amount(wanted: Wanted, cells: dict[str, str], decimal: str) -> None:
    """Read amount and unit, which may stand in one cell, such as 20 kg."""
    amount, unit = cells["quantity"], cells["unit"]
    if not unit:
        digits = amount.rstrip("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ3")
        if digits != amount and amount[len(digits) :][:1].isalpha():
            amount, unit = digits.strip(), amount[len(digits) :]
    if not amount or not unit:
        missing = "unit" if amount else "quantity"
        wanted.complain(missing, f"The {missing} is missing.", "Write 20 and kg, or 20 kg.")
        return
    if decimal == ",":
        amount = amount.replace(".", "").replace(",", ".")
    try:
        wanted.body["quantity"], wanted.body["unit"] = parse_quantity(amount, unit)
    except QuantityError as error:
        action = error.action
        if "," in amount:
            action += " For decimals after a comma say so in the mapping: [format] decimal = ','."
        wanted.complain("quantity", error.message, action.strip())


def _read_place(wanted: Wanted, cells: dict[str, str]) -> None:
    """Read coordinates; an address in words has no business in a record that all members read."""
    place = cells["place"] or ",".join(filter(None, (cells["lat"], cells["lon"])))
    if not place:
        return
    try:
        lat, lon = (int(Decimal(part.strip()) * 10_000_000) for part in place.split(","))
    except (InvalidOperation, ValueError, OverflowError):
        action = "Write 44.97,-93.26 (kept to about 1 km) or nothing; everybody reads it."
        wanted.complain("place", f"{place!r} is no place on the map.", action)
        return
    wanted.body["place"] = {"lat_e7": lat, "lon_e7": lon}


def _read_end(wanted: Wanted, cells: dict[str, str], form: str, now_ms: int) -> bool:
    """Read until when it holds; return whether that is a date and not a span from now on."""
    text = cells["until"]
    if not text:
        return False
    moment = _moment(wanted, "until", text, form, now_ms)
    if moment is not None:
        wanted.body["expires_ms"] = moment
    return not text[-1:].isalpha() or text.endswith("Z")


def _read_need(wanted: Wanted, cells: dict[str, str], form: str, now_ms: int) -> None:
    """Read what only requests have."""
    urgency = cells["urgency"].casefold() or "anytime"
    if urgency not in request.URGENCIES:
        action = f"Write {', '.join(request.URGENCIES[:-1])} or {request.URGENCIES[-1]}. "
        wanted.complain(
            "urgency", f"{urgency!r} is no urgency.", action + hint(urgency, request.URGENCIES)
        )
    wanted.body["urgency"] = urgency
    if cells["needed by"]:
        moment = _moment(wanted, "needed by", cells["needed by"], form, now_ms)
        if moment is not None:
            wanted.body["needed_by_ms"] = moment
    if cells["people"]:
        if cells["people"].isascii() and cells["people"].isdigit():
            wanted.body["people"] = int(cells["people"])
        else:
            wanted.complain("people", f"{cells['people']!r} is no number.", "Write it like 12.")


def _moment(wanted: Wanted, column: str, text: str, form: str, now_ms: int) -> int | None:
    """Return a date's end, a moment, or a span from now on, in ms; None if it is none of them."""
    try:
        if text[-1:].isalpha() and not text.endswith("Z"):
            return now_ms + parse_span(text)
        day = datetime.strptime(text, form) if form else _plain_day(text)  # noqa: DTZ007
        if day is None:
            return parse_moment(text)
        is_whole = (day.hour, day.minute, day.second) == (0, 0, 0)
        return round((day + timedelta(days=is_whole)).timestamp() * 1000)
    except (click.BadParameter, ValueError, OverflowError, OSError):
        action = (
            f"Write it like {form}, as the mapping file says."
            if form
            else (
                "Write 2026-08-01, 2026-08-01T09:00 or 14d; the mapping file may name another form."
            )
        )
        wanted.complain(column, f"{text!r} is no date.", action)
        return None


def _plain_day(text: str) -> datetime | None:
    """Return a day written as 2026-08-01, or None if it is written with a time."""
    if len(text) != len("2026-08-01"):
        return None
    day = date.fromisoformat(text)
    return datetime(day.year, day.month, day.day)  # noqa: DTZ001  by the local clock


def _check(wanted: Wanted) -> None:
    """Check bounds as the core will."""
    place = wanted.body.get("place")
    content: dict[str, Value] = {k: v for k, v in wanted.body.items() if k != "place"}
    if place is not None:
        content |= place_content(snap(place["lat_e7"], place["lon_e7"]))
    try:
        fields = offer.FIELDS if wanted.kind == "offer" else request.FIELDS
        check(content, fields, is_draft=True)
    except SchemaError as error:
        wanted.complain("", f"{error}.", "Shorten it, or correct the number.")
