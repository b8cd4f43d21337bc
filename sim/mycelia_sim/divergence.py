"""Where two traces part: first by the chains of their hashes, then by their lines.

A chain says up to which block two runs are equal, however long they were and although nobody wrote
their lines down. Where lines of the block that follows were written down, the first that differs is
found.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias

from mycelia_sim.run_folder import Chain
from mycelia_sim.virtual.trace import Line, first_difference, to_text

Numbered: TypeAlias = Iterable[tuple[int, Line]]


@dataclass(frozen=True, slots=True)
class Divergence:
    """Where two traces part.

    Attributes:
        lines, at_us: up to where they are surely equal.
        until: the first difference comes before this line.
        number: of the first line that differs, None if the lines are not there to be compared.
        one, other: that line in either trace; None where the trace had ended.
    """

    lines: int
    at_us: int
    until: int
    number: int | None = None
    one: Line | None = None
    other: Line | None = None

    def words(self, one: str, other: str) -> list[str]:
        """Return it in a few lines; `one` and `other` name the traces."""
        said = [
            f"equal for {self.lines:,} lines, up to {self.at_us / 1e6:.3f} s of virtual time; "
            f"the first difference lies before line {self.until:,}"
        ]
        if self.number is not None:
            said.append(f"the first line that differs is {self.number:,}:")
            for name, line in ((one, self.one), (other, self.other)):
                text = "(had ended)" if line is None else to_text([(self.number, line)]).strip()
                said.append(f"  {name:<5} {text}")
        return said


def compare(
    one: Chain,
    other: Chain,
    one_lines: Numbered,
    other_lines: Numbered,
    *,
    is_partial: bool = False,
) -> Divergence | None:
    """Return where two traces part, None if they are equal.

    Args:
        one_lines, other_lines: those that are there, in order; any part of the traces.
        is_partial: one of the runs was broken off, so only whole blocks can be compared.
    """
    place = first_difference(one.links, other.links)
    if place is None:
        if is_partial or (one.lines, one.digest) == (other.lines, other.digest):
            return None
        common = min(len(one.links), len(other.links))
        place = one.links[common - 1][:2] if common else (0, 0)
    lines, at_us = place
    until = max(_next(one, lines), _next(other, lines))
    mine, theirs = _within(one_lines, lines, until), _within(other_lines, lines, until)
    for number in range(lines, until):
        if number not in mine and number not in theirs:
            continue
        is_told = all(
            number in found or number >= chain.lines
            for found, chain in ((mine, one), (theirs, other))
        )
        if is_told and mine.get(number) != theirs.get(number):
            return Divergence(lines, at_us, until, number, mine.get(number), theirs.get(number))
    return Divergence(lines, at_us, until)


def _next(chain: Chain, lines: int) -> int:
    """Return where the block after so many lines ends."""
    return next((end for end, _, _ in chain.links if end > lines), chain.lines)


def _within(lines: Numbered, first: int, until: int) -> dict[int, Line]:
    return {number: line for number, line in lines if first <= number < until}
