"""Tables of the audit's page: cells with a figure, and with a bar or a strip that repeats it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mycelia_node.auditing.words import amount, per_mille, span
from mycelia_node.page.markup import text
from mycelia_node.text import printable


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell.

    Attributes:
        value: what is said.
        note: said below it, smaller.
        picture: HTML that repeats it, for eyes alone.
        is_number: whether it is set right.
        look: a class of its own.
    """

    value: str
    note: str = ""
    picture: str = ""
    is_number: bool = False
    look: str = ""

    def html(self, tag: str) -> str:
        """Return the cell; `tag` is `td`, or `th scope="row"`."""
        looks = " ".join(filter(None, ("n" if self.is_number else "", self.look)))
        named = f' class="{looks}"' if looks else ""
        note = f"<small>{text(self.note)}</small>" if self.note else ""
        told, end = text(printable(self.value)), tag.partition(" ")[0]
        return f"<{tag}{named}>{told}{note}{self.picture}</{end}>"


@dataclass(frozen=True, slots=True)
class Row:
    """Cells of one row, the first of which names it."""

    cells: Sequence[Cell]
    look: str = ""

    def html(self) -> str:
        """Return the row."""
        named = f' class="{self.look}"' if self.look else ""
        first, *others = self.cells
        cells = first.html('th scope="row"') + "".join(each.html("td") for each in others)
        return f"<tr{named}>{cells}</tr>"


def grid(caption: str, head: Sequence[str], rows: Iterable[Row]) -> str:
    """Return a table that scrolls inside itself."""
    found = list(rows)
    numbers = [cell.is_number for cell in found[0].cells] if found else []
    cells = "".join(
        f'<th scope="col"{" class=n" if number else ""}>{text(name)}</th>'
        for name, number in zip(head, numbers or [False] * len(head), strict=True)
    )
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{text(caption)}">'
        f"<table><caption>{text(caption)}</caption><thead><tr>{cells}</tr></thead>"
        f"<tbody>{''.join(row.html() for row in found)}</tbody></table></div>"
    )


def bar(per_thousand: int) -> str:
    """Return a bar of a length from 0 to 1000."""
    width = f"{per_thousand // 10}.{per_thousand % 10}"
    return f'<span class="bar" aria-hidden="true"><i style="width:{width}%"></i></span>'


def shares(value: int | None) -> tuple[Cell]:
    """Return a share with its bar."""
    if value is None:
        return (Cell("unknown", look="unknown"),)
    return (Cell(per_mille(value), picture=bar(value), look="share"),)


def fared_cells(fared: Mapping[str, Any]) -> tuple[Cell, ...]:
    """Return how some requests fared."""
    wait = fared["wait_s"]
    return (
        Cell(f"{fared['count']:,}", is_number=True),
        *shares(fared["met_pm"]),
        *shares(fared["worth_pm"]),
        Cell(span(wait), is_number=True, look="unknown" if wait is None else ""),
    )


def mix_cell(mix: Mapping[str, int]) -> Cell:
    """Return how requests fall into classes."""
    strips = "".join(
        f'<i class="{name}" style="width:{part // 10}.{part % 10}%"></i>'
        for name, part in mix.items()
        if part
    )
    told = " · ".join(str(part) for part in mix.values())
    return Cell(told, picture=f'<span class="mix" aria-hidden="true">{strips}</span>')


def gain_bar(gain: int, most: int) -> Cell:
    """Return what somebody would gain or lose, beside the largest of all."""
    said = f"{'+' if gain > 0 else ''}{amount(gain)}"
    look = "share gain" if gain > 0 else "share loss"
    return Cell(said, picture=bar(abs(gain) * 1_000 // most), look=look)
