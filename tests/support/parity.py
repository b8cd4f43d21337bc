"""A plan whose outcome hangs on no timing, and nodes whose records are named by their place.

A record's id covers its log's id, its salt and its author's clock, which are random or differ from
run to run. Here, on every backend alike, all three are functions of the record's place: which key
wrote it, in which of its logs, at which seq; and grants wait for their answers for ever. So two
runs come to the same ids exactly if every node wrote the same things, in the same order, about the
same things. Nothing else is changed: engine, sessions, store, sockets and clocks are the backend's
own.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Final

from mycelia_node.database import Writer
from mycelia_protocol.encoding import Value
from mycelia_protocol.limits import INT_MAX
from mycelia_protocol.publish import Publisher
from mycelia_protocol.record import Record
from mycelia_sim.plan import Plan, PlanLink, Post, Shape, Stop
from mycelia_sim.virtual.genesis import Beginning, begin
from mycelia_sim.virtual.node import EPOCH_MS
from support.city import city, cut, kill, trouble

SEED: Final = 11
# Two triangles with two bridges. Who will be down dials the others itself, as soon as it is back.
LINKS: Final = (
    ("n01", "n00"),
    ("n01", "n02"),
    ("n02", "n00"),
    ("n05", "n03"),
    ("n05", "n04"),
    ("n04", "n03"),
    ("n03", "n00"),
    ("n04", "n02"),
)
VARIABLE: Final = "MYCELIA_TEST_PARITY"  # tells a node's process who else there is

# Who posts what, and when. What follows in an exchange follows from what came before it, however
# long that takes, and no node has a part in two exchanges at a time. Nobody posts at a node that a
# fault has down, or may still have: what such a node writes then, it writes by itself.
POSTS: Final = (
    (100, "n01", "offer", "good.blankets", 7),  # its node will leave, and grant when it is back
    (100, "n05", "offer", "tool.building", 3),  # its node will be killed, and grant in a new log
    (100, "n00", "offer", "food.bread", 10),
    (300, "n01", "request", "food.bread", 4),
    (1_800, "n03", "offer", "food.meal", 5),  # the cut: an exchange on the east side alone
    (1_900, "n02", "offer", "good.clothing", 2),
    (2_000, "n04", "request", "food.meal", 3),
    (4_600, "n04", "request", "good.clothing", 1),  # can be granted only once the cut is healed
    (6_000, "n00", "request", "tool.building", 3),  # of the node that was killed
    (6_000, "n03", "withdraw", "", 0),
    (6_200, "n03", "request", "good.blankets", 5),  # of the node that left
)


def plan(backend: str) -> Plan:
    """Return the plan: six nodes, a cut river, a kill, and a node that leaves for a while.

    On the switch packets are lost, doubled and overtaken besides; TCP relays show none of that.
    """
    calm = Stop("quiescent", 2_500)  # a node that was killed waits for others before it grants
    made = replace(city(6, 0, seed=SEED, duration_ms=6_500), backend=backend, stop=calm)
    links = tuple(PlanLink(*ends, latency_ms=3 + n) for n, ends in enumerate(LINKS))
    made = replace(made, links=links)
    made = cut(made, 1_500, 5_200)
    made = kill(made, "n05", 1_500, 1_600)
    made = trouble(made, "leave", "n01", 2_700, 2_800)
    if backend == "switch":
        ways = [(link.dialer, link.listener) for link in made.links]
        ways += [(target, source) for source, target in ways]
        lossy = Shape("link-1", 0, 60_000, tuple(ways), 0, 4, 30_000, 10_000, 10_000, 0)
        made = replace(made, shapes=(lossy,))
    posts = tuple(
        Post(
            n=n,
            at_ms=at_ms,
            node=node,
            kind=kind,
            category=category,
            title=f"Thing {n}",
            quantity=quantity,
            unit="1",
            lot=1,
            urgency="now" if kind == "request" else None,
            of=4 if kind == "withdraw" else None,
        )
        for n, (at_ms, node, kind, category, quantity) in enumerate(POSTS)
    )
    return replace(made, posts=posts)


def beginning(made: Plan) -> Beginning:
    """Return the commons with which a plan begins on every backend."""
    return begin(made.seed, tuple(node.id for node in made.nodes), plain=False)


class _Place:
    """What a place in a log gives in the place of randomness."""

    def __init__(self, *place: bytes) -> None:
        self._place = b"|".join(place)

    def random(self) -> float:
        """Refuse: a publisher draws nothing but bytes."""
        raise AssertionError("a publisher drew a number")

    def randbytes(self, n: int, /) -> bytes:
        """Return n bytes."""
        return sha256(self._place).digest()[:n]


@contextlib.contextmanager
def placed() -> Iterator[None]:
    """Let publishers name records by their place, in this process."""
    real_build, real_open = Publisher._build, Publisher._open_log

    def build(
        self: Publisher, kind: str, content: dict[str, Value], refs: tuple[bytes, ...], now_ms: int
    ) -> Record:
        assert self.log is not None
        seq = self._logs.accepted((self.key, self.log)).next_seq
        self._rng = _Place(b"salt", self.key, self.log, str(seq).encode())
        if "accept_by_ms" in content:
            content = {**content, "accept_by_ms": INT_MAX}  # a time by the author's clock, too
        return real_build(self, kind, content, refs, EPOCH_MS + 1_000 * seq)

    def open_log(self: Publisher, now_ms: int) -> Record:
        self._rng = _Place(b"log", self.key, str(len(self.own_logs())).encode())
        return real_open(self, now_ms)

    Publisher._build, Publisher._open_log = build, open_log  # type: ignore[method-assign]
    try:
        yield
    finally:
        Publisher._build, Publisher._open_log = real_build, real_open  # type: ignore[method-assign]


def settle_in(home: Path) -> None:
    """Put a real node's home into the commons of the plan, unless it is there already."""
    charter = home / "charter.bin"
    if charter.exists():
        return
    start = beginning(plan(os.environ[VARIABLE]))
    writer = Writer(home / "node.db", start.charter.commons)
    writer.write([record for log in start.base.values() for record in log], ())
    writer.close()
    charter.touch(mode=0o600)
    charter.write_bytes(start.charter.encode())
