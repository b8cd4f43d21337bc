"""Snapshots of records that lie in a dict instead of a store."""

from collections.abc import Iterable

from mycelia_protocol.charter import Charter
from mycelia_protocol.erasures import Erasures
from mycelia_protocol.record import Record
from mycelia_protocol.snapshot import LogKey, Snapshot
from mycelia_protocol.snapshot_writer import left_out, write_snapshot
from mycelia_protocol.state import State

STAMP = b"as the tests are"


def snapshot_bytes(charter: Charter, records: Iterable[Record]) -> bytes:
    """Return a snapshot of all of these records that one can cover."""
    logs: dict[LogKey, list[Record]] = {}
    for record in sorted(records, key=lambda one: one.seq):
        logs.setdefault((record.author, record.log), []).append(record)
    while True:
        state, erasures = State(charter), Erasures()
        for log in logs.values():
            erasures.admit(log)
            for record in log:
                state.add(record)
        out = left_out(state, logs)
        if not out:
            break
        logs = {key: log for key, log in logs.items() if key not in out}
    ids = {key: b"".join(record.id for record in log) for key, log in logs.items()}
    return b"".join(write_snapshot(state, erasures, ids, STAMP))


def snapshot_of(
    charter: Charter, records: Iterable[Record], later: Iterable[Record] = ()
) -> Snapshot:
    """Return a snapshot of all of these records that one can cover, read from its bytes.

    Args:
        later: what the store came to hold in the places of some of them.
    """
    store = {(record.author, record.log, record.seq): record for record in records}
    data = snapshot_bytes(charter, store.values())
    store |= {(record.author, record.log, record.seq): record for record in later}
    return Snapshot(memoryview(data), STAMP, lambda *place: store[place])


def covers(snapshot: Snapshot, record: Record) -> bool:
    """Return whether a record is in a snapshot."""
    return record.seq < snapshot.length_of((record.author, record.log))
