"""Records of the job as Mycelia has them: offers that say as many bytes as the job asks for."""

from __future__ import annotations

import os

from mycelia_node.home import Home
from mycelia_node.store import Report, SqliteStore
from mycelia_protocol.charter import Charter
from mycelia_protocol.crypto import public_key
from mycelia_protocol.encoding import Value, encode
from mycelia_protocol.record import Record, build_record

BATCH = 2_000  # records in one transaction
LOG = b"benchlog"


def offer(number: int, size: int) -> dict[str, Value]:
    """Return an offer whose content has `size` bytes, as its author's tool sends it.

    Raises:
        ValueError: an offer can't be so small.
    """
    fields: dict[str, Value] = {
        "category": "food.water",
        "title": f"Water {number:08d}",
        "quantity": 1_000,
        "unit": "mL",
    }
    room = size - len(encode({**fields, "note": ""}))
    if room < 0:
        raise ValueError(f"an offer has at least {size - room} bytes, not {size}")
    note = os.urandom((room + 1) // 2).hex()[:room]
    over = len(encode({**fields, "note": note})) - size  # a longer text has more bytes ahead
    return {**fields, "note": note[: room - over]}


def fill(home: Home, count: int, size: int) -> None:
    """Write a log of the home's own key, of `count` records, into its store."""
    seed = bytes.fromhex(home.key.read_text("ascii").strip())
    charter = Charter.decode(home.charter.read_bytes())
    reports: list[Report] = []
    store = SqliteStore(home.database, charter.commons, lambda report: report())
    store.report = reports.append
    records: list[Record] = []
    for seq in range(count):
        content: dict[str, Value] = offer(seq, size) if seq else {"heads": ()}
        records.append(
            build_record(
                commons=charter.commons,
                seed=seed,
                author=public_key(seed),
                log=LOG,
                seq=seq,
                prev=records[-1].id if records else None,
                kind="offer" if seq else "incarnation",
                time_ms=1_700_000_000_000 + seq,
                content=content,
                salt=os.urandom(16),
            )
        )
    for number, first in enumerate(range(0, count, BATCH)):
        store.submit(number, tuple(records[first : first + BATCH]))
    store.close()
