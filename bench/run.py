"""Measure what this machine can do at most: the floor under every figure that Mycelia quotes.

A rate by itself says little, since machines differ. So each figure is given beside the cost of one
Ed25519 verification, the dearest step of the protocol, measured in the same run. Rates of pure
computation are per CPU-second of one core, rates of the disk are per second on the clock; each is
the best of several rounds, since noise only ever slows a round down.

    python bench/run.py [--seconds S]

Prints a table and writes bench/results/latest.json.
"""

import argparse
import json
import os
import platform
import random
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from mycelia_protocol.crypto import digest, public_key, sign_id, verify_id
from mycelia_protocol.encoding import decode, encode
from mycelia_protocol.record import Record, build_record
from mycelia_protocol.sharing.baselines import baseline
from mycelia_protocol.sharing.decide import decide
from mycelia_protocol.sharing.views import CollectiveView, OfferView, RequestView

RESULTS = Path(__file__).parent / "results" / "latest.json"
ROUNDS = 5  # best of; the first ones warm caches
GROUP_SIZE = 256  # records in one transaction, a usual group commit under load


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured rate.

    Attributes:
        name: what was done, short.
        per_second: how often it was done per CPU-second, or per second on the clock.
        clock: "cpu" or "wall".
        verifications: how many signature verifications fit into the time of one of these.
    """

    name: str
    per_second: float
    clock: str
    verifications: float = 0.0


def sample_record(seq: int = 1) -> Record:
    """Return an offer of the usual size, signed."""
    seed = bytes(range(32))
    return build_record(
        commons=digest("commons", b"bench"),
        seed=seed,
        author=public_key(seed),
        log=bytes(8),
        seq=seq,
        prev=digest("record", seq.to_bytes(8, "big")),
        kind="offer",
        time_ms=1_600_000_000_000 + seq,
        content={"category": "food.grain", "quantity": 25_000, "title": "Flour", "unit": "g"},
        salt=bytes(16),
    )


def sample_decision() -> Callable[[], object]:
    """Return a decision to make: 20 L of water in 40 lots, 30 requests of 20 collectives."""
    draw = random.Random("bench")  # noqa: S311  drawn once, the same every time
    everybody = [
        CollectiveView(digest("record", bytes([n])), draw.randint(5, 200), draw.randint(0, 300_000))
        for n in range(20)
    ]
    offer = OfferView(digest("record", b"offer"), everybody[0].id, "food.water", "mL", 20_000, 500)
    requests = [
        RequestView(
            digest("record", b"request", bytes([n])),
            draw.choice(everybody[1:]).id,
            "food.water",
            "mL",
            draw.randint(1, 20) * 500,
            draw.choice(("now", "days", "week", "anytime")),
            10**12 - draw.randint(0, 10**9),
            draw.randint(0, 40_000),
        )
        for n in range(30)
    ]
    policy = baseline("balanced")
    return lambda: decide(policy, offer, requests, everybody, 10**12)


def rate(action: Callable[[], object], clock: Callable[[], float], seconds: float) -> float:
    """Return how often `action` runs per second of `clock`, best of `ROUNDS`."""
    count = 1
    while True:  # find how many fill one round, so that reading the clock costs nothing
        start = clock()
        for _ in range(count):
            action()
        if clock() - start >= seconds / 10:
            break
        count *= 4
    best = 0.0
    for _ in range(ROUNDS):
        start = clock()
        for _ in range(count):
            action()
        best = max(best, count / max(clock() - start, 1e-9))
    return best


def computation_figures(seconds: float) -> list[Figure]:
    """Measure the core's own primitives on one offer."""
    record = sample_record()
    signature = record.signature
    body = record.body
    assert signature is not None
    assert body is not None
    fields = decode(record.header)
    header = record.header
    seed = bytes(range(32))
    actions: list[tuple[str, Callable[[], object]]] = [
        ("Ed25519 verifications, strict", lambda: verify_id(record.author, record.id, signature)),
        ("Ed25519 signatures", lambda: sign_id(seed, record.id)),
        (f"hashes of a header ({len(header)} bytes)", lambda: digest("record", header)),
        ("canonical encodings of a header", lambda: encode(fields)),
        ("strict decodings of a header", lambda: decode(header)),
        ("records parsed, their body checked", lambda: Record.parse(header, signature, body)),
        ("decisions among 30 requests, 40 lots", sample_decision()),
    ]
    return [
        Figure(name, rate(action, time.process_time, seconds), "cpu") for name, action in actions
    ]


def store_figures(seconds: float, folder: Path) -> list[Figure]:
    """Measure bare SQLite with the node's own durability: WAL and an fsync for each commit."""
    record = sample_record()
    connection = sqlite3.connect(folder / "bench.db", isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("CREATE TABLE records (id BLOB PRIMARY KEY, header BLOB, body BLOB) STRICT")
    number = 0

    def insert(count: int) -> None:
        nonlocal number
        connection.execute("BEGIN IMMEDIATE")
        rows = [
            (digest("record", (number + offset).to_bytes(8, "big")), record.header, record.body)
            for offset in range(count)
        ]
        connection.executemany("INSERT INTO records VALUES (?, ?, ?)", rows)
        connection.execute("COMMIT")
        number += count

    single = rate(lambda: insert(1), time.perf_counter, seconds)
    grouped = rate(lambda: insert(GROUP_SIZE), time.perf_counter, seconds) * GROUP_SIZE
    connection.close()
    return [
        Figure("SQLite rows, one durable commit each", single, "wall"),
        Figure(f"SQLite rows, {GROUP_SIZE} a durable commit", grouped, "wall"),
    ]


def measure(seconds: float) -> list[Figure]:
    """Measure everything; each round takes about a tenth of `seconds` to all of it."""
    figures = computation_figures(seconds)
    # The disk under the repository counts, not a temporary folder that may live in memory.
    with tempfile.TemporaryDirectory(dir=Path(__file__).parent) as folder:
        figures += store_figures(seconds, Path(folder))
    unit = figures[0].per_second
    return [
        Figure(each.name, each.per_second, each.clock, unit / each.per_second) for each in figures
    ]


def table(figures: list[Figure]) -> str:
    """Lay the figures out for a person."""
    lines = [f"{'what':40}  {'per second':>12}  {'clock':5}  {'costs, in verifications':>23}"]
    for each in figures:
        cost = f"{each.verifications:.4f}"
        lines.append(f"{each.name:40}  {each.per_second:12,.0f}  {each.clock:5}  {cost:>23}")
    return "\n".join(lines)


def main() -> int:
    """Run the bench and report; return the exit code."""
    parser = argparse.ArgumentParser(description="Measure this machine's limits for Mycelia.")
    parser.add_argument("--seconds", type=float, default=1.0, help="about this long per figure")
    arguments = parser.parse_args()
    print("Measuring, about 15 seconds ...", file=sys.stderr)
    figures = measure(arguments.seconds)
    print(table(figures))
    report = {
        "schema": 1,
        "python": platform.python_version(),
        "machine": platform.machine(),
        "cores": os.cpu_count(),
        "sqlite": sqlite3.sqlite_version,
        "figures": [asdict(each) for each in figures],
    }
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    print(f"\nAlso in {RESULTS.relative_to(Path(__file__).parents[1])}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
