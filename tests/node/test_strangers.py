"""What strangers send to a real daemon's peer port: every kind of nonsense ends their own link."""

import asyncio
import os
import random
from collections.abc import Awaitable, Callable

import aiohttp
import pytest

from mycelia_node.transport import url_of
from mycelia_protocol.crypto import public_key
from mycelia_protocol.errors import RemoteError
from mycelia_protocol.identity import from_text
from mycelia_protocol.invite import Invite
from mycelia_protocol.limits import FRAME_SIZE_MAX
from mycelia_protocol.messages import Heads, Introduce, Join, Message, Want
from mycelia_protocol.session import Session, open_session
from node_daemons import Daemon

pytestmark = pytest.mark.daemon
DEADLINE_S = 15
SEED = b"\5" * 32
Socket = aiohttp.ClientWebSocketResponse
Say = Callable[[Socket, Daemon], Awaitable[None]]


def session(commons: bytes, seed: bytes = SEED) -> Session:
    """Return the session of a newcomer that dials."""
    return open_session(
        outbound=True,
        commons=commons,
        seed=seed,
        static=os.urandom(32),
        ephemeral=os.urandom(32),
        now_ms=0,
    )


def commons_of(oak: Daemon) -> bytes:
    """Return the id of a daemon's commons."""
    return from_text(oak.status()["commons"]["id"], "commons")


async def shake(socket: Socket, own: Session) -> None:
    """Go through the handshake and greet nobody yet."""
    first = own.begin()
    assert first is not None
    await socket.send_bytes(first)
    answers, _ = own.receive(await socket.receive_bytes(timeout=DEADLINE_S), 0)
    for answer in answers:
        await socket.send_bytes(answer)
    assert own.is_ready


def sends(*frames: bytes) -> Say:
    """Send these bytes as messages."""

    async def say(socket: Socket, oak: Daemon) -> None:
        for frame in frames:
            await socket.send_bytes(frame)

    return say


def says(*messages: Message) -> Say:
    """Shake hands properly, then say this."""

    async def say(socket: Socket, oak: Daemon) -> None:
        own = session(commons_of(oak))
        await shake(socket, own)
        for message in messages:
            await socket.send_bytes(own.send(message))

    return say


async def wrong_commons(socket: Socket, oak: Daemon) -> None:
    """Shake hands for another commons, which neither side can understand."""
    own = session(b"\1" * 32)
    with pytest.raises(RemoteError):
        await shake(socket, own)
    await socket.send_bytes(b"\0" * 200)


async def twice_the_first(socket: Socket, oak: Daemon) -> None:
    """Begin twice."""
    first = session(commons_of(oak)).begin()
    assert first is not None
    await socket.send_bytes(first)
    await socket.send_bytes(first)


async def garbled_frame(socket: Socket, oak: Daemon) -> None:
    """Shake hands, then send bytes that do not decrypt."""
    await shake(socket, session(commons_of(oak)))
    await socket.send_bytes(b"\0" * 200)


async def replayed_frame(socket: Socket, oak: Daemon) -> None:
    """Shake hands, then send the same encrypted frame twice."""
    own = session(commons_of(oak))
    await shake(socket, own)
    frame = own.send(Introduce(()))
    await socket.send_bytes(frame)
    await socket.send_bytes(frame)


async def text(socket: Socket, oak: Daemon) -> None:
    """Speak text."""
    await socket.send_str("hello")


CASES: dict[str, Say] = {
    "nothing in it": sends(b""),
    "one byte": sends(b"\x90"),
    "random": sends(random.Random(1).randbytes(96)),
    "too long for a handshake": sends(b"\0" * 1_025),
    "as long as a frame may be": sends(b"\0" * FRAME_SIZE_MAX),
    "longer than a frame may be": sends(b"\0" * (FRAME_SIZE_MAX + 1)),
    "many": sends(*[b"\0" * 32] * 500),
    "text": text,
    "another commons": wrong_commons,
    "twice the first": twice_the_first,
    "a garbled frame": garbled_frame,
    "a replayed frame": replayed_frame,
    "no vouch": says(Introduce(())),
    "no greeting": says(Heads((), True)),
    "a want": says(Want(())),
    "a wrong secret": says(Join(b"\0" * 16)),
    "two joins": says(Join(b"\0" * 16), Join(b"\1" * 16)),
}


@pytest.mark.parametrize("name", CASES)
async def test_a_stranger_gets_nowhere(oak: Daemon, name: str) -> None:
    """The stranger's link is closed; the store is untouched; nothing but a line in the log."""
    before = oak.client.get("/v1/heads")
    async with (
        asyncio.timeout(DEADLINE_S),
        aiohttp.ClientSession() as http,
        http.ws_connect(url_of(oak.ready["listen"]), max_msg_size=0) as socket,
    ):
        try:
            await CASES[name](socket, oak)
            while (await socket.receive()).type is aiohttp.WSMsgType.BINARY:
                pass
            assert socket.closed
        except ConnectionError:
            pass  # the link was gone before all was said
    assert oak.client.get("/v1/heads") == before
    assert oak.status()["peers"] == []
    assert "Traceback" not in oak.log.read_text()


async def test_a_flood_of_strangers_keeps_nobody_out(oak: Daemon) -> None:
    """While strangers hold open all the links they can get, a newcomer still joins."""
    invite = oak.invite()
    async with asyncio.timeout(DEADLINE_S), aiohttp.ClientSession() as http:
        held = [await http.ws_connect(url_of(oak.ready["listen"])) for _ in range(40)]
        parsed = Invite.from_text(invite)
        own = session(parsed.commons, b"\6" * 32)
        async with http.ws_connect(url_of(oak.ready["listen"])) as socket:
            await shake(socket, own)
            await socket.send_bytes(own.send(Join(parsed.secret)))
            kinds = []
            for _ in range(2):
                frame = await socket.receive_bytes(timeout=DEADLINE_S)
                _, message = own.receive(frame, 0)
                kinds.append(type(message).__name__)
        for each in held:
            await each.close()
    assert kinds == ["Introduce", "Welcome"]
    assert public_key(b"\6" * 32)
    assert oak.status()["members"] == 2
