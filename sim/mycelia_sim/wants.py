"""What became of the requests of each side, added up from the disks: what lacks in the end."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, field

from mycelia_node.quantity import format_quantity
from mycelia_sim.escrow import Book, amount
from mycelia_sim.evidence import Evidence


@dataclass(slots=True)
class Wants:
    """How many requests ended how, by what their authors accepted, and what is lacking.

    Attributes:
        full, part, unmet: promised all of it, some of it, none of it.
        withdrawn: taken back by their authors; counted nowhere else.
        lacking: base unit -> amount that nobody promised.
    """

    full: int = 0
    part: int = 0
    unmet: int = 0
    withdrawn: int = 0
    lacking: Counter[str] = field(default_factory=Counter)

    def add(self, asked: int, accepted: int, unit: str) -> None:
        """Count a request that stands."""
        missing = max(asked - accepted, 0)
        self.full += not missing
        self.part += 0 < missing < asked
        self.unmet += missing == asked
        if missing:
            self.lacking[unit] += missing

    def amounts(self) -> str:
        """Return in words what is lacking."""
        words = [format_quantity(size, unit) for unit, size in sorted(self.lacking.items())]
        return ", ".join(words) or "nothing"

    def to_json(self) -> dict[str, object]:
        """Return plain values."""
        return {**asdict(self), "lacking": dict(sorted(self.lacking.items()))}


def wants_by_side(evidence: Evidence) -> dict[str, Wants]:
    """Return side -> what became of its requests; a side is that of the request's author.

    What adversaries ask for is left out, and so is what they promise.
    """
    side_of = {node.id: node.side for node in evidence.plan.nodes}
    wants = {side: Wants() for side in sorted(set(side_of.values()))}
    book = Book(evidence.library.records)
    for entries in book.requests():
        request = entries.thing
        node = evidence.node_of.get(request.author)
        if node is None:
            continue
        side = wants[side_of[node]]
        if (request.author, request.id) in book.taken_back:
            side.withdrawn += 1
            continue
        honest = [each for each in entries.spends if each.author not in evidence.liars]
        unit = str(request.content.get("unit", "1"))
        side.add(amount(request), sum(map(amount, honest)), unit)
    return wants
