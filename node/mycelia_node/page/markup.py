"""Small helpers to write HTML and SVG: everything that comes from a run is escaped here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape


def text(value: object) -> str:
    """Return a value as HTML text, safe in attributes too."""
    return escape(str(value), quote=True)


def table(
    caption: str, head: Sequence[str], rows: Iterable[Sequence[object]], *, numbers_from: int = 1
) -> str:
    """Return a table that scrolls inside itself; columns from `numbers_from` on are right-aligned.

    The first column names its row.
    """
    cells = "".join(f'<th scope="col">{text(name)}</th>' for name in head)
    body = []
    for row in rows:
        first, *others = row
        tail = "".join(
            f'<td class="n">{text(cell)}</td>' if n >= numbers_from else f"<td>{text(cell)}</td>"
            for n, cell in enumerate(others, 1)
        )
        body.append(f'<tr><th scope="row">{text(first)}</th>{tail}</tr>')
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{text(caption)}">'
        f"<table><caption>{text(caption)}</caption><thead><tr>{cells}</tr></thead>"
        f"<tbody>{''.join(body)}</tbody></table></div>"
    )


def twin(summary: str, inside: str) -> str:
    """Return a table that is folded up beside a picture."""
    return f'<details class="twin"><summary>{text(summary)}</summary>{inside}</details>'


def fixed(value: float) -> str:
    """Return a coordinate with at most one decimal."""
    return f"{value:.1f}".removesuffix(".0")


def path(points: Iterable[tuple[float, float]]) -> str:
    """Return the path data of a polyline."""
    steps = [f"{fixed(x)} {fixed(y)}" for x, y in points]
    return f"M{'L'.join(steps)}" if steps else ""
