"""What people see: tables, amounts, times. Others' texts are cleaned of what steers terminals."""

import json
import time
import unicodedata
from collections.abc import Sequence
from typing import Any

import click

from mycelia_node.quantity import format_quantity
from mycelia_node.text import printable, short, unique_size

ERASED = "(erased)"
TITLE_WIDTH = 40  # columns; longer titles are cut in tables, never in `show`


def clean(value: object) -> str:
    """Return a value as a text without control characters."""
    return printable(str(value))


def width(text: str) -> int:
    """Return how many columns a text takes on a terminal."""
    return sum(map(_letter_width, text))


def _letter_width(letter: str) -> int:
    if unicodedata.combining(letter):
        return 0
    return 2 if unicodedata.east_asian_width(letter) in "WF" else 1


def cut(text: str, columns: int = TITLE_WIDTH) -> str:
    """Return a text of at most so many columns."""
    if width(text) <= columns:
        return text
    while width(text) > columns - 1:
        text = text[:-1]
    return text + "…"


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return aligned columns with a header."""
    cells = [list(header), *[[clean(cell) for cell in row] for row in rows]]
    widths = [max(width(row[n]) for row in cells) for n in range(len(header))]
    lines = []
    for row in cells:
        padded = [cell + " " * (widths[n] - width(cell)) for n, cell in enumerate(row)]
        lines.append("  ".join(padded).rstrip())
    return "\n".join(lines)


def say(text: str) -> None:
    """Print an answer."""
    click.echo(text)


def say_json(answer: object) -> None:
    """Print an answer for programs."""
    click.echo(json.dumps(answer, ensure_ascii=False))


def duration(milliseconds: int) -> str:
    """Return a span of time in its largest fitting unit."""
    seconds = max(milliseconds, 0) // 1000
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


def until(time_ms: int | None, now_ms: int) -> str:
    """Return how long something still lasts."""
    if time_ms is None:
        return "-"
    return "over" if time_ms <= now_ms else f"in {duration(time_ms - now_ms)}"


def now() -> int:
    """Return the wall clock in ms."""
    return time.time_ns() // 1_000_000


def amount(item: dict[str, Any], name: str = "quantity") -> str:
    """Return one of an item's amounts for people."""
    value, unit = item[name], item["unit"]
    if not isinstance(value, int) or unit is None:
        return "?"
    return format_quantity(value, unit) if value else "0"


def title_of(item: dict[str, Any]) -> str:
    """Return what an item is called, or why there is no title."""
    if item["title"] is None:
        return "not here yet"
    return item["title"] or ERASED


def offers_table(items: list[dict[str, Any]]) -> str:
    """Return offers as a table."""
    size = unique_size(item["id"] for item in items)
    rows = [
        (
            short(item["id"], size),
            cut(clean(title_of(item))),
            item["category"],
            amount(item, "left") if item["open"] else _closed(item),
            amount(item),
            until(item["expires_ms"], now()),
            cut(clean(item["author"]["name"]), 24) + (" (you)" if item["mine"] else ""),
        )
        for item in items
    ]
    return table(("ID", "OFFER", "CATEGORY", "LEFT", "OF", "ENDS", "WHO"), rows)


def requests_table(items: list[dict[str, Any]]) -> str:
    """Return requests as a table."""
    size = unique_size(item["id"] for item in items)
    rows = [
        (
            short(item["id"], size),
            cut(clean(title_of(item))),
            item["category"],
            amount(item, "lacking") if item["open"] else _closed(item),
            amount(item),
            item["urgency"],
            until(item["needed_by_ms"], now()),
            cut(clean(item["author"]["name"]), 24) + (" (you)" if item["mine"] else ""),
        )
        for item in items
    ]
    return table(("ID", "REQUEST", "CATEGORY", "LACKING", "OF", "URGENCY", "BY", "WHO"), rows)


def grants_table(items: list[dict[str, Any]]) -> str:
    """Return grants as a table."""
    size = unique_size(item["id"] for item in items)
    rows = [
        (
            short(item["id"], size),
            cut(clean(title_of(item))),
            amount(item),
            cut(clean(item["provider"]["name"]), 24),
            cut(clean(item["requester"]["name"]) if item["requester"] else "not here yet", 24),
            item["status"],
            ", ".join(item["needs"]) or "-",
        )
        for item in items
    ]
    return table(("ID", "WHAT", "AMOUNT", "FROM", "TO", "STATUS", "YOU CAN SAY"), rows)


def _closed(item: dict[str, Any]) -> str:
    if item["withdrawn"]:
        return "withdrawn"
    return "expired" if item["expired"] else "0"
