"""Homes with much in their stores, written without running them, and bundles as files."""

import threading
from pathlib import Path
from typing import Any

from mycelia_node.carrying import Json
from mycelia_node.contents import Contents
from mycelia_node.home import Home
from mycelia_node.keys import load_seed
from mycelia_node.node import read_charter
from mycelia_node.store import SqliteStore
from mycelia_protocol.crypto import public_key
from mycelia_protocol.record import Record, build_record
from node_daemons import cli

RUN = 64  # records of a run, of which the last is signed; others come so from a neighbour


def fill(home: Path, count: int, size: int = 16_000, batch: int = 256) -> None:
    """Write a log of so many large records, of a kind that nobody knows, into a founder's store."""
    folder = Home.at(home)
    charter, seed = read_charter(folder), load_seed(folder.key)
    assert charter is not None
    done = threading.Semaphore(0)
    store = SqliteStore(folder.database, charter.commons, lambda report: report())
    store.report = lambda _: done.release()
    records: list[Record] = []
    prev: Record | None = None
    for seq in range(count):
        prev = build_record(
            commons=charter.commons,
            seed=seed,
            author=public_key(seed),
            log=b"large log"[:8],
            seq=seq,
            prev=None if prev is None else prev.id,
            kind="x-large" if seq else "incarnation",
            time_ms=seq,
            content={"data": bytes(size)} if seq else {"heads": []},
            salt=seq.to_bytes(16, "big"),
        )
        is_inner = (seq + 1) % RUN and seq + 1 < count
        records.append(prev.without_signature() if is_inner else prev)
        if len(records) == batch or seq + 1 == count:
            store.submit(seq, tuple(records))
            assert done.acquire(timeout=20)
            records = []
    store.close()


def out(home: Path, path: Path, *words: str) -> dict[str, Any]:
    """Write a bundle and return what the command says."""
    result = cli("--home", home, "carry", "out", path, *words, "--json")
    assert result.code == 0, result.err
    answer: dict[str, Any] = result.json
    return answer


def take(home: Path, *paths: Path, code: int = 0) -> list[dict[str, Any]]:
    """Take bundles in and return the report of each."""
    result = cli("--home", home, "carry", "in", *paths, "--json")
    assert result.code == code, result.err
    files: list[dict[str, Any]] = result.json["files"]
    return files


def look(path: Path) -> Json:
    """Return what is in a bundle."""
    contents = Contents({})
    contents.take(path.read_bytes())
    return contents.finish()
