"""Signed logs to fill stores with, made without an engine."""

import hashlib

from mycelia_protocol.crypto import public_key
from mycelia_protocol.record import Record, build_record

COMMONS = bytes(range(32))


def make_log(author: int = 1, log: int = 1, count: int = 10, size: int = 20) -> list[Record]:
    """Return a chain of signed records; `size` is the length of each one's note."""
    seed = hashlib.sha256(b"author %d" % author).digest()
    records: list[Record] = []
    for seq in range(count):
        records.append(
            build_record(
                commons=COMMONS,
                seed=seed,
                author=public_key(seed),
                log=log.to_bytes(8, "big"),
                seq=seq,
                prev=records[-1].id if records else None,
                kind="note" if seq else "incarnation",
                time_ms=1_700_000_000_000 + seq,
                content={"text": "x" * size},
                salt=hashlib.sha256(b"salt %d" % seq).digest()[:16],
            )
        )
    return records


def signed_only_last(records: list[Record]) -> list[Record]:
    """Return a run as it is kept: authenticated by its last signature alone."""
    return [record.without_signature() for record in records[:-1]] + records[-1:]
