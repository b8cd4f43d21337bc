"""The same store once its node let go of what is old: each log of others in compact form.

A made-up year holds no checkpoints. So this does what `Shorten` would do once all is confirmed, of
all records before some day; nothing in it is open for longer.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Final

from mycelia_bench.errors import BenchError
from mycelia_node.home import Home
from mycelia_node.store import Report, SqliteStore
from mycelia_protocol.form_events import Shorten, Shortened
from mycelia_protocol.shortening import KEPT
from mycelia_protocol.spans import Spans

WAIT_MAX_S: Final = 1_800.0


def shorten_home(home: Home, commons: bytes, own: bytes, before_ms: int) -> int:
    """Let a home's store keep compact forms of what others wrote before a time; return how many.

    The home must be at rest.

    Raises: BenchError if a log was not shortened.
    """
    reports: list[Report] = []
    with home.locked():
        store = SqliteStore(home.database, commons, lambda report: report())
        store.report = reports.append
        wanted = list(_wanted(store, own, before_ms))
        for each in wanted:
            store.shorten(each)
        until_s = time.monotonic() + WAIT_MAX_S
        while len(reports) < len(wanted) and time.monotonic() < until_s:
            time.sleep(0.01)
        store.close()
        SqliteStore(home.database, commons, lambda report: report()).close()  # gives room back
    if not all(isinstance(each, Shortened) and each.is_done for each in reports):
        raise BenchError("a log could not be shortened")
    return sum(last - first + 1 for each in wanted for first, last in each.places)


def _wanted(store: SqliteStore, own: bytes, before_ms: int) -> Iterator[Shorten]:
    """Yield what is to be shortened, log by log."""
    found: dict[tuple[bytes, bytes], tuple[Spans, int]] = {}
    for records in store.load():
        for record in records:
            if record.author == own or record.time_ms >= before_ms:
                continue
            key = (record.author, record.log)
            spans, _ = found.get(key, (Spans(), 0))
            if record.kind not in KEPT:
                spans.add(record.seq, record.seq)
            found[key] = (spans, record.seq + 1)
    for key, (spans, until) in found.items():
        yield Shorten(*key, until, tuple(spans))
