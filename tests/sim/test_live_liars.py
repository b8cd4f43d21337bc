"""Adversaries among real nodes: what carries what they send, and that they do all that there is."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from aiohttp import WSCloseCode, web

from mycelia_node.transport import PATH
from mycelia_protocol.charter import Charter
from mycelia_protocol.crypto import public_key
from mycelia_sim.adversaries.liar import Liar
from mycelia_sim.adversaries.scene import WIRE_REASONS, Scene
from mycelia_sim.adversaries.talk import Manner, Talk
from mycelia_sim.backends import BEHAVIOURS
from mycelia_sim.conduct import Settings
from mycelia_sim.live.beneath import BENEATH
from mycelia_sim.live.carrier import LiveCarrier
from mycelia_sim.live.monitor import Snapshot, view_of
from mycelia_sim.plan import Attempt
from mycelia_sim.play import begin, play
from mycelia_sim.progress import Progress
from mycelia_sim.switch.probe import probe
from support.liars import a_plan

DEADLINE_S = 10.0
SEED = bytes(32)


class Target:
    """A WebSocket server that does with each message what its first byte says."""

    def __init__(self) -> None:
        self.heard: list[bytes | str] = []

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Serve one connection."""
        socket = web.WebSocketResponse(timeout=0.2)  # for the other half of closing
        await socket.prepare(request)
        async for message in socket:
            self.heard.append(message.data)
            match message.data[:1]:
                case "{":
                    await socket.close()
                case b"w":  # with words
                    await socket.close(code=4002, message=b"forged: no")
                case b"c":  # with a code alone
                    await socket.close(code=WSCloseCode.MESSAGE_TOO_BIG)
                case b"d":  # as a process that dies
                    assert request.transport is not None
                    request.transport.abort()
                case _:
                    await socket.send_bytes(message.data)
        return socket


@asynccontextmanager
async def liar_and_target() -> AsyncIterator[tuple[Liar, Target]]:
    """Give an adversary who reaches n0, where a target listens, and n1, where nobody does."""
    target, crashes = Target(), list[BaseException]()
    app = web.Application()
    app.router.add_get(PATH, target.serve)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    ways = {"n0": f"{host}:{port}", "n1": "127.0.0.1:9"}
    carrier = LiveCarrier(ways.__getitem__, crashes.append)
    await carrier.start()
    key = public_key(SEED)
    scene = Scene(
        seed=1,
        charter=Charter("Test", key, 0, bytes(16)),
        keys={"x00": key},
        seeds={"x00": SEED},
        nodes=("n0", "n1"),
        founders_log=(key, bytes(8)),
    )
    try:
        yield Liar("x00", scene, carrier), target
    finally:
        await carrier.stop()
        await runner.cleanup()
    assert crashes == []


async def ended(liar: Liar, data: bytes, target: str = "n0", manner: Manner = "raw") -> str:
    """Send something on a fresh link, and return why that ends."""
    done = asyncio.Event()

    def woken() -> None:
        if talk.is_open and data not in said:
            said.append(data)
            talk.send(data)
        if talk.ended is not None:
            done.set()

    said: list[bytes] = []
    talk: Talk = liar.dial(target, woken, manner)
    async with asyncio.timeout(DEADLINE_S):
        await done.wait()
    assert talk.ended is not None
    return talk.ended


async def test_a_node_s_own_answer_is_told_from_what_the_wire_does() -> None:
    """An attempt counts as delivered by what the node itself said, never by a broken connection."""
    async with liar_and_target() as (liar, target):
        assert await ended(liar, b"w") == "forged: no"
        assert await ended(liar, b"c") == "1009"
        assert await ended(liar, b"d") == "connection reset"
        assert await ended(liar, b"", "n1") == "refused"
        assert {"connection reset", "refused"} <= WIRE_REASONS
        assert target.heard == [b"w", b"c", b"d"]


async def test_a_bare_connection_carries_bytes_as_they_are() -> None:
    """Beneath the frames an adversary speaks no WebSocket, unless it writes one itself."""
    async with liar_and_target() as (liar, target):
        answer = await ended(liar, b"NONSENSE\r\n\r\n", manner="bare")
        assert answer.startswith("ended: HTTP/1.0 400")
        (text,) = [said for said in BENEATH["garbage"] if said.endswith(b"{}")]
        assert (await ended(liar, text, manner="bare")).startswith("ended: HTTP/1.1 101")
        assert await ended(liar, b"x", "n1", "bare") == "refused"
        assert target.heard == ["{}"]


def heads(**logs: tuple[str, int, str]) -> dict[str, object]:
    """Return what a node tells of its logs: author, seq of the last, head."""
    rows = [{"author": a, "log": log, "seq": n, "head": h} for log, (a, n, h) in logs.items()]
    return {"logs": rows}


def test_nodes_agree_but_for_what_was_forked() -> None:
    """A liar's log counts for agreement unless it forked it; honest logs always do."""
    liars = {"liar"}
    one = view_of(heads(a=("oak", 3, "r3"), b=("liar", 1, "left")), liars)
    other = view_of(heads(a=("oak", 3, "r3"), b=("liar", 4, "right")), liars)
    behind = view_of(heads(a=("oak", 2, "r2"), b=("liar", 1, "left")), liars)
    assert (one.records, one.extents, one.digest) == (4, {("oak", "a"): 4}, other.digest)
    parted = Snapshot(0.0, {"n0": one, "n1": other})
    assert parted.groups() == 1
    assert not parted.is_agreed(2)
    assert parted.is_agreed(2, {("liar", "b")})
    assert parted.union() == {("oak", "a"): 4}
    assert not Snapshot(0.0, {"n0": one, "n1": behind}).is_agreed(2, {("liar", "b")})


@pytest.mark.slow
@pytest.mark.daemon
@pytest.mark.timeout(240)
@pytest.mark.parametrize("backend", ["live", "switch"])
def test_real_nodes_withstand_every_adversary(tmp_path: Path, backend: str) -> None:
    """Members, each with another way of doing wrong, reach four daemons and harm nobody."""
    if backend == "switch" and not all(is_ok for _, is_ok, _ in probe()):
        pytest.skip("no user namespaces on this machine")
    attempts = tuple(
        Attempt(n, f"x{n:02}", 2_500 + 100 * n, behaviour, f"n{n % 4}", f"n{(n + 1) % 4}")
        for n, behaviour in enumerate(sorted(BEHAVIOURS))
    )
    plan = replace(a_plan(*attempts, nodes=4, duration_ms=45_000, posts_each=2), backend=backend)
    finished = play(begin(plan, Settings(out=tmp_path)), Progress(is_quiet=True))
    assert finished.exit_code == 0, finished.text
    assert "1 forked logs, all by adversaries" in finished.text
    facts = finished.summary["attempts"]
    assert isinstance(facts, list)
    missed = [fact for fact in facts if not fact["is_delivered"]]
    assert (len(facts), missed) == (len(BEHAVIOURS), [])
