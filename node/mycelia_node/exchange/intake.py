"""What of a table is new, what is here already, and what is wrong. A pure function."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from mycelia_node.exchange.rows import Problem, Wanted
from mycelia_protocol.types.place import snap

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Intake:
    """What is to be written, lines that are here already, and problems by line."""

    fresh: tuple[Wanted, ...]
    known: tuple[int, ...]
    problems: tuple[Problem, ...]


def plan(rows: Iterable[Wanted], things: Iterable[Json], now_ms: int) -> Intake:
    """Return what is to be done with rows.

    A row is here already if it names a record that is, or if this node wrote a thing that says the
    same; two equal rows need two such things. So a table can be taken in again.

    Args:
        things: all offers and requests that the node knows, as the API tells them.
    """
    ids: set[str] = set()
    own: dict[tuple[object, ...], list[int | None]] = defaultdict(list)
    for thing in things:
        ids.add(thing["id"])
        if thing["mine"]:
            own[_same(thing["kind"], thing)].append(thing["expires_ms"])
    fresh, known, problems = [], [], []
    for row in rows:
        if row.record in ids or (not row.problems and _take(own[_same(row.kind, row.body)], row)):
            known.append(row.line)
            continue
        ends = row.body.get("expires_ms")
        if not row.problems and ends is not None and ends <= now_ms:
            row.complain("until", "It is over already.", "Correct the date or leave the row out.")
        if row.problems:
            problems += row.problems
        else:
            fresh.append(row)
    return Intake(tuple(fresh), tuple(known), tuple(problems))


def _take(ends: list[int | None], row: Wanted) -> bool:
    """Take a thing that says the same out of those that are here, if there is one."""
    wanted = row.body.get("expires_ms")
    if not row.is_dated and ends:
        ends.pop()
        return True
    if row.is_dated and wanted in ends:
        ends.remove(wanted)
        return True
    return False


def _same(kind: str, item: Json) -> tuple[object, ...]:
    """Return what two things have in common that say the same, their ends aside."""
    place = item.get("place")
    corner = snap(place["lat_e7"], place["lon_e7"]) if place else None
    names = ("category", "title", "quantity", "unit", "note", "people", "urgency", "needed_by_ms")
    fields = [item.get(name) or None for name in names[: 5 if kind == "offer" else 7]]
    return (kind, corner, *fields)
