"""What this machine can do at most: the floor under every figure that Mycelia quotes.

Rates of pure computation and of WebSockets are per CPU-second of one core, rates of the disk are
per second on the clock; each is the best of several rounds, since noise only ever slows one down.
"""

from __future__ import annotations

import asyncio
import random
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from aiohttp import ClientSession, WSMsgType, web

from mycelia_protocol.crypto import digest, public_key, sign_id, verify_id
from mycelia_protocol.encoding import decode, encode
from mycelia_protocol.record import Record, build_record
from mycelia_protocol.sharing.baselines import baseline
from mycelia_protocol.sharing.decide import decide
from mycelia_protocol.sharing.views import CollectiveView, OfferView, RequestView

CHECKS: Final = "Ed25519 checks, strict"  # the unit of all others
ROUNDS: Final = 5  # best of; the first ones warm caches
GROUP_SIZE: Final = 256  # records in one transaction, a usual group commit under load
MESSAGE_SIZE: Final = 300
MESSAGES_PER_ROUND: Final = 2_000

Rates = dict[str, float]


def measure_limits(seconds: float, folder: Path) -> Rates:
    """Return all rates.

    Args:
        seconds: about this long for each; the WebSockets take a second in all.
        folder: on the disk that counts; a temporary folder in memory would be none.
    """
    rates = {name: rate(act, time.process_time, seconds) for name, act in _computations()}
    with tempfile.TemporaryDirectory(dir=folder) as inner:
        rates |= _store_rates(seconds, Path(inner))
    return rates | asyncio.run(_websocket_rates())


def rate(action: Callable[[], object], clock: Callable[[], float], seconds: float) -> float:
    """Return how often `action` runs per second of `clock`, best of `ROUNDS`."""
    count = 1
    while True:  # find how many fill one round, so that reading the clock costs nothing
        start = clock()
        for _ in range(count):
            action()
        if clock() - start >= seconds / ROUNDS / 2:
            break
        count *= 4
    best = 0.0
    for _ in range(ROUNDS):
        start = clock()
        for _ in range(count):
            action()
        best = max(best, count / max(clock() - start, 1e-9))
    return best


def sample_record() -> Record:
    """Return an offer of the usual size, signed."""
    seed = bytes(range(32))
    return build_record(
        commons=digest("commons", b"bench"),
        seed=seed,
        author=public_key(seed),
        log=bytes(8),
        seq=1,
        prev=digest("record", bytes(8)),
        kind="offer",
        time_ms=1_600_000_000_000,
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


def _computations() -> Iterator[tuple[str, Callable[[], object]]]:
    """Yield the core's own primitives, on one offer."""
    record = sample_record()
    signature, body, header = record.signature, record.body, record.header
    assert signature is not None
    assert body is not None
    fields, seed = decode(header), bytes(range(32))
    yield CHECKS, lambda: verify_id(record.author, record.id, signature)
    yield "Ed25519 signatures", lambda: sign_id(seed, record.id)
    yield f"SHA-256 of a header ({len(header)} bytes)", lambda: digest("record", header)
    yield "canonical encodings of a header", lambda: encode(fields)
    yield "strict decodings of a header", lambda: decode(header)
    yield "records parsed, their body checked", lambda: Record.parse(header, signature, body)
    yield "decisions among 30 requests, 40 lots", sample_decision()


def _store_rates(seconds: float, folder: Path) -> Rates:
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
    return {
        "SQLite rows, a durable commit each (clock)": single,
        f"SQLite rows, {GROUP_SIZE} a durable commit (clock)": grouped,
    }


async def _websocket_rates() -> Rates:
    """Measure aiohttp's WebSockets over loopback; the CPU of both ends counts."""

    async def answer(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(compress=False)
        await socket.prepare(request)
        left = MESSAGES_PER_ROUND
        async for message in socket:
            if message.type is not WSMsgType.BINARY:
                break
            if request.path == "/echo":
                await socket.send_bytes(message.data)
                continue
            left -= 1
            if not left:
                await socket.send_bytes(b"")
                left = MESSAGES_PER_ROUND
        return socket

    app = web.Application()
    app.router.add_get("/{way}", answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    message = bytes(MESSAGE_SIZE)
    best = {"one-way": 0.0, "echo": 0.0}
    async with ClientSession() as session:
        for way in best:
            async with session.ws_connect(f"http://{host}:{port}/{way}", compress=0) as socket:
                for _ in range(ROUNDS):
                    start = time.process_time()
                    for _ in range(MESSAGES_PER_ROUND):
                        await socket.send_bytes(message)
                        if way == "echo":
                            await socket.receive_bytes()
                    if way == "one-way":
                        await socket.receive_bytes()
                    used_s = time.process_time() - start
                    best[way] = max(best[way], MESSAGES_PER_ROUND / used_s)
    await runner.cleanup()
    return {
        f"WebSocket messages of {MESSAGE_SIZE} bytes, one way": best["one-way"],
        "WebSocket round trips": best["echo"],
    }
