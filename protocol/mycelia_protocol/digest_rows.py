"""The rows of the state digest, of what is in memory and of a snapshot below it. Spec: 8.4."""

from typing import Final

from mycelia_protocol.encoding import Value, encode
from mycelia_protocol.index import Index
from mycelia_protocol.types import KINDS
from mycelia_protocol.types.base import Facts, Statement

KINDS_WITH_ROWS: Final = sorted(
    name for name, kind in KINDS.items() if kind.row is not None or name == "fork"
)


def rows(facts: Facts, index: Index, name: str) -> list[list[Value]]:
    """Return the rows of one family, by id of the record."""
    found = _fresh(facts, index, name)
    if index.past is not None and name in index.past.snapshot.rows:
        found.update(index.past.rows(name))
    return [row for _, row in sorted(found.items()) if row is not None]


def encoded_rows(facts: Facts, index: Index, name: str) -> list[bytes]:
    """Return what the digest is made from of one family: its number of rows, and all of them."""
    fresh = _fresh(facts, index, name)
    encoded = {record: None if row is None else encode(row) for record, row in fresh.items()}
    if index.past is not None and name in index.past.snapshot.rows:
        count, parts = index.past.snapshot.rows[name].changed(encoded)
    else:
        parts = [row for _, row in sorted(encoded.items()) if row is not None]
        count = len(parts)
    return [encode([name, count]), *parts]


def _fresh(facts: Facts, index: Index, name: str) -> dict[bytes, list[Value] | None]:
    """Return id -> row of all that no row of a snapshot speaks for; None if there is none now."""
    row = KINDS[name].row
    assert row is not None
    if name == "profile":
        current: list[Statement[object]] = [*index.profiles.values()]
        return {item.id: row(facts, item) for item in current}
    found: dict[bytes, list[Value] | None] = {}
    if index.past is not None:
        outdated = index.past.outdated(name)
        for record, item in outdated.items():
            found[record] = None if item is None else row(facts, item)
    own = (item for item in index.own_statements() if item.kind == name)
    found.update((item.id, row(facts, item)) for item in own)
    return found
