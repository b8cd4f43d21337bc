"""Taking a snapshot of a whole store that was folded. What is in it says `snapshot.py`."""

from array import array
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import accumulate
from typing import Final, TypeAlias

from mycelia_protocol.allocate import closing_ms
from mycelia_protocol.digest_rows import KINDS_WITH_ROWS
from mycelia_protocol.encoding import Value, encode
from mycelia_protocol.erasures import Erasures
from mycelia_protocol.errors import LocalError
from mycelia_protocol.limits import ID_SIZE
from mycelia_protocol.snapshot import (
    ALIGNMENT,
    BUCKET_BITS_MAX,
    BYTE_ORDER,
    NEVER_S,
    LogKey,
    bucket_of,
    write_head,
)
from mycelia_protocol.spans import Spans
from mycelia_protocol.state import State
from mycelia_protocol.types import KINDS
from mycelia_protocol.types.base import Statement
from mycelia_protocol.types.offer import Offer
from mycelia_protocol.types.request import Request, asked_by

KIND_NAMES: Final = tuple(sorted(KINDS))
STORED_ROWS: Final = tuple(name for name in KINDS_WITH_ROWS if name not in ("fork", "profile"))
BUCKET_IDS: Final = 16  # in one of the buckets in which ids are looked up, at least
Buffer: TypeAlias = bytes | bytearray
Tables: TypeAlias = "dict[str, bytes | array[int]]"


def write_snapshot(
    state: State, erasures: Erasures, ids: Mapping[LogKey, Buffer], stamp: bytes
) -> Iterator[bytes]:
    """Yield the bytes of a snapshot.

    Args:
        state: of the records of some whole logs, and of nothing else; it rests on no snapshot.
        erasures: of the same.
        ids: of each of the logs the ids of all its records, by seq, joined.
        stamp: what tells this code from another that would fold or lay out anything differently.

    Raises:
        LocalError: one of the logs can't be covered; see `left_out`.
    """
    if left_out(state, ids):
        raise LocalError("not all of these logs can be in a snapshot")
    yield from _joined(state.commons, stamp, _Taking(state, ids).tables(erasures))


def left_out(state: State, logs: Iterable[LogKey]) -> list[LogKey]:
    """Return which logs a snapshot can't cover; they are folded anew at each start, and are few.

    They are contested, or by no member, or their incarnation is not here. Since rows must follow
    from what is covered alone, a state without these logs has to be made, and looked at again.
    """
    return [
        key
        for key in logs
        if state.depth_of(key) is None or not state.is_member(key[0]) or state.is_forked(key)
    ]


def _joined(commons: bytes, stamp: bytes, tables: Tables) -> Iterator[bytes]:
    """Yield the head, and behind it the tables."""
    sections, at = list[Value](), 0
    for name, table in tables.items():
        size = len(table) * (table.itemsize if isinstance(table, array) else 1)
        sections.append((name, at, size))
        at += size + -size % ALIGNMENT
    yield write_head([BYTE_ORDER, stamp, commons, KIND_NAMES, tuple(sections), STORED_ROWS])
    for table in tables.values():
        data = table.tobytes() if isinstance(table, array) else table
        yield data
        yield bytes(-len(data) % ALIGNMENT)


class _Taking:
    """Puts all that is covered in its place."""

    def __init__(self, state: State, ids: Mapping[LogKey, Buffer]) -> None:
        self._state = state
        self._logs: Final = sorted((key[0], state.depth_of(key) or 0, key[1]) for key in ids)
        self._ids: Final = b"".join(ids[author, log] for author, _, log in self._logs)
        self._lengths: Final = [len(ids[author, log]) // ID_SIZE for author, _, log in self._logs]
        self._count: Final = len(self._ids) // ID_SIZE
        self._order: Final = sorted(range(self._count), key=self._id_at)
        self._position: Final = {self._id_at(each): each for each in range(self._count)}
        self._statements: Final = [
            state.statement(self._id_at(each)) for each in range(self._count)
        ]

    def tables(self, erasures: Erasures) -> Tables:
        """Return all tables by name."""
        erased, missing = erasures.spans
        tables: Tables = {
            "logs": self._logs_table(),
            "ids": self._ids,
            "by_id": array("I", self._order),
            "fan": self._fan(),
            "kinds": bytes(
                0 if one is None else KIND_NAMES.index(one.kind) + 1 for one in self._statements
            ),
            "written_s": array(
                "I", (0 if one is None else _seconds(one.time_ms) for one in self._statements)
            ),
            "closes_s": array("I", map(self._closes_s, self._statements)),
            "erased": _spans(erased),
            "missing_words": _spans(missing),
            "asked": self._asked(),
        }
        tables |= self._references()
        tables |= _postings("parties", self._parties())
        tables |= _postings("addressed", self._addressed())
        for name in STORED_ROWS:
            tables |= self._rows(name)
        return tables

    def _id_at(self, position: int) -> bytes:
        return self._ids[position * ID_SIZE : (position + 1) * ID_SIZE]

    def _logs_table(self) -> bytes:
        return b"".join(
            author + log + depth.to_bytes(8, "big") + length.to_bytes(8, "big")
            for (author, depth, log), length in zip(self._logs, self._lengths, strict=True)
        )

    def _fan(self) -> "array[int]":
        """Return for each bucket how many ids come before it, and behind them how many there are.

        There are a power of two of them, by the first bits of the ids.
        """
        bits = min((self._count // BUCKET_IDS).bit_length(), BUCKET_BITS_MAX)
        counts = [0] * ((1 << bits) + 1)
        for position in range(self._count):
            counts[bucket_of(self._id_at(position), bits) + 1] += 1
        return array("I", accumulate(counts))

    def _closes_s(self, statement: Statement[object] | None) -> int:
        if statement is None or not isinstance(statement.body, Offer | Request):
            return 0
        time_ms = closing_ms(self._state, statement)
        return NEVER_S if time_ms is None else _seconds(time_ms)

    def _references(self) -> Tables:
        """Return who refers to what is here, and to what is not."""
        missing: dict[bytes, list[int]] = defaultdict(list)
        pairs: list[int] = []  # of two positions, made one number so that they sort fast
        for position, statement in enumerate(self._statements):
            for ref in () if statement is None else statement.refs:
                target = self._position.get(ref)
                if target is None:
                    missing[ref].append(position)
                else:
                    pairs.append(target * self._count + position)
        pairs.sort()
        counts = [0] * (self._count + 1)
        for pair in pairs:
            counts[pair // self._count + 1] += 1
        about = array("I", (pair % self._count for pair in pairs))
        starts = array("I", accumulate(counts))
        return {"about": about, "about_starts": starts, **_postings("missing", missing)}

    def _parties(self) -> dict[bytes, list[int]]:
        """Return the offers and requests that speak for a party that is not here."""
        found: dict[bytes, list[int]] = defaultdict(list)
        for position, statement in enumerate(self._statements):
            if statement is None or not isinstance(statement.body, Offer | Request):
                continue
            party = statement.body.on_behalf_of
            if party is not None and party not in self._position:
                found[party].append(position)
        return found

    def _asked(self) -> bytes:
        """Return what was asked for in all, each entry behind its size."""
        totals: Counter[tuple[bytes, str, str]] = Counter()
        for statement in self._statements:
            if statement is not None and isinstance(statement.body, Request):
                key = asked_by(statement.author, statement.body)
                totals[key] += statement.body.quantity
        entries = (encode([*key, total]) for key, total in sorted(totals.items()))
        return b"".join(len(entry).to_bytes(2, "big") + entry for entry in entries)

    def _addressed(self) -> dict[bytes, list[int]]:
        found: dict[bytes, list[int]] = defaultdict(list)
        for position, statement in enumerate(self._statements):
            addressee = None if statement is None else KINDS[statement.kind].addressee
            if statement is not None and addressee is not None:
                found[addressee(statement)].append(position)
        return found

    def _rows(self, name: str) -> Tables:
        """Return the rows of one kind, by id."""
        row = KINDS[name].row
        if row is None:
            raise LocalError(f"{name} has no rows")
        positions, starts, data = array("I"), array("I", [0]), bytearray()
        for position in self._order:
            statement = self._statements[position]
            if statement is not None and statement.kind == name:
                positions.append(position)
                data += encode(row(self._state, statement))
                starts.append(len(data))
        return {
            f"rows.{name}": positions,
            f"row_starts.{name}": starts,
            f"row_data.{name}": bytes(data),
        }


def _postings(name: str, found: Mapping[bytes, Sequence[int]]) -> Tables:
    keys, starts, positions = sorted(found), array("I", [0]), array("I")
    for key in keys:
        positions.extend(found[key])
        starts.append(len(positions))
    return {
        f"{name}.keys": b"".join(keys),
        f"{name}.starts": starts,
        f"{name}.positions": positions,
    }


def _spans(found: Mapping[LogKey, Spans]) -> bytes:
    return b"".join(
        author + log + first.to_bytes(8, "big") + last.to_bytes(8, "big")
        for (author, log), spans in found.items()
        for first, last in spans
    )


def _seconds(time_ms: int) -> int:
    """Return a time in seconds, rounded up, so that it never comes too early."""
    return min(-(-time_ms // 1_000), NEVER_S)
