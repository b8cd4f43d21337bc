"""Links on real sockets: frames both ways, and every bound on what strangers can take up."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

import aiohttp
import pytest

from mycelia_node import link as link_module
from mycelia_node import transport as transport_module
from mycelia_node.clock import Clock
from mycelia_node.daemon import address_of, bind
from mycelia_node.transport import PATH, Transport, url_of
from mycelia_protocol.events import (
    DialFailed,
    Event,
    FrameReceived,
    LinkClosed,
    LinkDrained,
    LinkFilled,
    LinkOpened,
)
from mycelia_protocol.limits import FRAME_SIZE_MAX

DEADLINE_S = 10
UPGRADE = (
    b"GET /mycelia HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)


@dataclass
class End:
    """A transport whose events a test reads."""

    listener: socket.socket | None = None
    events: list[Event] = field(default_factory=list)
    crashes: list[BaseException] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._changed = asyncio.Event()
        self.open = asyncio.Event()
        self.open.set()
        self.transport = Transport(self._deliver, self._room, Clock(), self.crashes.append)

    def _deliver(self, event: Event) -> None:
        self.events.append(event)
        self._changed.set()

    async def _room(self) -> None:
        await self.open.wait()

    async def wait(self, fits: Callable[[Event], bool], count: int = 1) -> Event:
        """Return the last of `count` events that fit, waiting for them if need be."""
        async with asyncio.timeout(DEADLINE_S):
            while len(found := [event for event in self.events if fits(event)]) < count:
                self._changed.clear()
                await self._changed.wait()
        return found[count - 1]

    async def opened(self, count: int = 1) -> int:
        """Return the number of the link that opened last of `count`."""
        event = await self.wait(lambda event: isinstance(event, LinkOpened), count)
        assert isinstance(event, LinkOpened)
        return event.link

    async def closed(self, link: int) -> str:
        """Return why a link closed, waiting for it."""
        event = await self.wait(lambda event: isinstance(event, LinkClosed) and event.link == link)
        assert isinstance(event, LinkClosed)
        return event.reason

    @property
    def address(self) -> str:
        """Where it listens."""
        assert self.listener is not None
        return address_of(self.listener)

    def frames(self) -> list[bytes]:
        """Return the frames that arrived."""
        return [event.data for event in self.events if isinstance(event, FrameReceived)]


@pytest.fixture
async def server() -> AsyncIterator[End]:
    """A transport that listens."""
    end = End(bind("127.0.0.1", 0))
    await end.transport.start(end.listener)
    yield end
    await end.transport.stop()
    assert end.listener is not None
    end.listener.close()
    assert end.crashes == []


@pytest.fixture
async def client() -> AsyncIterator[End]:
    """A transport that only dials."""
    end = End()
    await end.transport.start(None)
    yield end
    await end.transport.stop()
    assert end.crashes == []


async def test_frames_travel_both_ways_in_order(server: End, client: End) -> None:
    """What one side sends, up to the limit, arrives on the other whole and in order."""
    client.transport.dial(server.address)
    here, there = await client.opened(), await server.opened()
    frames = [b"x" * size for size in (0, 1, 125, 126, 65_535, 65_536, FRAME_SIZE_MAX)]
    for frame in frames:
        client.transport.send(here, frame)
        server.transport.send(there, frame)
    for end in (client, server):
        await end.wait(lambda event: isinstance(event, FrameReceived), len(frames))
        assert end.frames() == frames


async def test_closing_sends_what_is_queued_and_tells_why(server: End, client: End) -> None:
    """The last frames go out before the close frame, whose reason the other side learns."""
    client.transport.dial(server.address)
    here, there = await client.opened(), await server.opened()
    server.transport.send(there, b"last words")
    server.transport.close_link(there, 4003, "stranger: nobody vouched")
    assert await client.closed(here) == "closed by the peer: stranger: nobody vouched"
    assert await server.closed(there) == "stranger: nobody vouched"
    codes = [e.code for end in (client, server) for e in end.events if isinstance(e, LinkClosed)]
    assert codes == [4003, None], "whoever was left knows that it was left, and did not break"
    assert client.frames() == [b"last words"]
    server.transport.send(there, b"too late")
    server.transport.close_link(there, 4003, "again")


async def test_every_open_link_is_closed_once(server: End, client: End) -> None:
    """However a link ends, `LinkClosed` comes exactly once for each `LinkOpened`."""
    for count in range(1, 6):
        client.transport.dial(server.address)
        await server.opened(count)
    links = list(server.transport.links)
    server.transport.close_link(links[0], 4000, "one")
    client.transport.close_link(await client.opened(2), 4000, "two")
    await client.transport.stop()
    for link in links:
        await server.closed(link)
    for end in (server, client):
        opened = [event.link for event in end.events if isinstance(event, LinkOpened)]
        closed = [event.link for event in end.events if isinstance(event, LinkClosed)]
        assert sorted(opened) == sorted(closed)


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("127.0.0.1:9", "Connect"),
        ("nowhere.invalid:7946", ""),
        ("ws://127.0.0.1:9/mycelia", "Connect"),
        ("127.0.0.1:http", ""),
        ("", ""),
    ],
)
async def test_a_dial_that_leads_nowhere(client: End, address: str, said: str) -> None:
    """Nobody there, no such name, no such port: each is reported in words, and only once."""
    client.transport.dial(address)
    event = await client.wait(lambda event: isinstance(event, DialFailed))
    assert isinstance(event, DialFailed)
    assert event.address == address
    assert said in event.reason
    assert event.reason
    assert len(client.events) == 1


async def test_a_dial_to_another_program(client: End) -> None:
    """Something that speaks HTTP but is no node is recognised as such."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as other:
        address = "{}:{}".format(*other.sockets[0].getsockname())
        client.transport.dial(address)
        event = await client.wait(lambda event: isinstance(event, DialFailed))
    assert isinstance(event, DialFailed)
    assert "something else than a Mycelia node" in event.reason


async def test_an_oversize_frame_closes_the_link(server: End, client: End) -> None:
    """A frame beyond 1 MiB is never handed on; the link ends."""
    client.transport.dial(server.address)
    here, there = await client.opened(), await server.opened()
    client.transport.send(here, b"x" * (FRAME_SIZE_MAX + 1))
    await server.closed(there)
    assert server.frames() == []


async def test_text_closes_the_link(server: End) -> None:
    """Only binary messages are spoken."""
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(url_of(server.address)) as stranger,
    ):
        await stranger.send_str("hello")
        message = await stranger.receive(DEADLINE_S)
        assert (message.type, message.data) == (aiohttp.WSMsgType.CLOSE, 4001)


async def test_a_link_is_read_no_faster_than_there_is_room(server: End, client: End) -> None:
    """While the disk lags, at most one more frame of a link is handed on."""
    client.transport.dial(server.address)
    here = await client.opened()
    server.open.clear()
    for _ in range(50):
        client.transport.send(here, b"x" * 100_000)
    await server.wait(lambda event: isinstance(event, FrameReceived))
    await asyncio.sleep(0)
    assert len(server.frames()) == 1
    server.open.set()
    await server.wait(lambda event: isinstance(event, FrameReceived), 50)


async def test_a_slow_peers_link_says_that_it_filled_and_drained(server: End, client: End) -> None:
    """The engine is told once each, and every frame still arrives: none can be left out."""
    client.transport.dial(server.address)
    here = await client.opened()
    server.open.clear()
    for _ in range(40):
        client.transport.send(here, b"push" * 25_000)
    assert client.events.count(LinkFilled(here)) == 1
    server.open.set()
    await server.wait(lambda event: isinstance(event, FrameReceived), 40)
    await client.wait(lambda event: event == LinkDrained(here))
    assert client.events.count(LinkDrained(here)) == 1


async def test_a_peer_that_does_not_read_is_closed(
    server: End, client: End, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When what must not be dropped piles up, the link is closed instead of filling memory."""
    monkeypatch.setattr(link_module, "CLOSE_WAIT_S", 0.2)
    client.transport.dial(server.address)
    here = await client.opened()
    server.open.clear()
    for _ in range(12):
        client.transport.send(here, b"x" * 1_000_000)
    server.open.set()
    assert "slow" in await client.closed(here)


async def test_sockets_that_say_nothing_are_cut(
    server: End, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A socket that does not become a WebSocket in time is closed (slowloris)."""
    monkeypatch.setattr(transport_module, "UPGRADE_TIMEOUT_S", 0.1)
    for said in (b"", b"GET /myce"):
        reader, writer = await asyncio.open_connection(*server.address.split(":"))
        writer.write(said)
        async with asyncio.timeout(DEADLINE_S):
            with contextlib.suppress(ConnectionResetError):
                assert await reader.read() == b""
        writer.close()
    assert server.events == []


async def test_silent_sockets_are_few(server: End, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the bound the oldest socket is cut, so that holding sockets keeps nobody out."""
    monkeypatch.setattr(transport_module, "UPGRADING_MAX", 3)
    host, port = server.address.split(":")
    held = [await asyncio.open_connection(host, port) for _ in range(4)]  # accepted in order
    async with asyncio.timeout(DEADLINE_S):
        with contextlib.suppress(ConnectionResetError):
            assert await held[0][0].read() == b""
    assert server.transport.burdens()[0][1] == 3
    for _, writer in held:
        writer.close()


async def test_sockets_that_are_gone_keep_nobody_out(
    server: End, client: End, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stranger who opens and closes many sockets takes up no room that others need."""
    monkeypatch.setattr(transport_module, "UPGRADING_MAX", 3)
    host, port = server.address.split(":")
    for _ in range(5):
        _, writer = await asyncio.open_connection(host, port)
        writer.close()
    client.transport.dial(server.address)
    await client.opened()


async def test_the_oldest_unproven_link_makes_room(
    server: End, client: End, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Strangers who never finish the handshake cannot keep newcomers out; members stay."""
    monkeypatch.setattr(transport_module, "UNPROVEN_MAX", 2)
    for count in range(1, 4):
        client.transport.dial(server.address)
        link = await server.opened(count)
        if count == 1:
            server.transport.mark_ready(link)
    proven, oldest = list(server.transport.links)[:2]
    client.transport.dial(server.address)
    await server.opened(4)
    assert "too many handshakes" in await server.closed(oldest)
    assert proven in server.transport.links


async def test_strangers_who_do_not_even_close_keep_nobody_out(
    server: End, client: End, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Links that make room and ignore it are cut, so others find room at once."""
    monkeypatch.setattr(transport_module, "UNPROVEN_MAX", 2)
    monkeypatch.setattr(transport_module, "INBOUND_MAX", 4)
    monkeypatch.setattr(transport_module, "EVICT_WAIT_S", 0.0)
    monkeypatch.setattr(transport_module, "STOP_WAIT_S", 60.0)  # what closing would take
    host, port = server.address.split(":")
    held = []
    for count in range(1, 9):
        reader, writer = await asyncio.open_connection(host, port)
        writer.write(UPGRADE)
        held.append(writer)
        await server.opened(count)
        live = [link for link in server.transport.links.values() if not link.is_closing]
        assert len(live) <= 2
        await reader.readuntil(b"\r\n\r\n")
    client.transport.dial(server.address)
    await client.opened()
    for writer in held:
        writer.close()


async def test_inbound_links_are_bounded(
    server: End, client: End, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beyond the bound a caller is told to try another member."""
    monkeypatch.setattr(transport_module, "INBOUND_MAX", 2)
    for count in range(1, 3):
        client.transport.dial(server.address)
        await server.opened(count)
    client.transport.dial(server.address)
    event = await client.wait(lambda event: isinstance(event, DialFailed))
    assert isinstance(event, DialFailed)
    assert "503" in event.reason
    assert len(server.transport.links) == server.transport.burdens()[1][1] == 2
    assert client.transport.burdens()[1][1] == 0  # those that it dialled itself


@pytest.mark.parametrize("path", ["/", "/mycelia/", "/metrics", "/mycelia?x"])
async def test_other_requests_find_nothing(server: End, path: str) -> None:
    """The peer port serves links and nothing else."""
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"http://{server.address}{path}") as response,
    ):
        assert response.status in (400, 404)
    assert server.events == []


def test_addresses_become_urls() -> None:
    """host:port gets the default path; a URL is taken as it is."""
    assert url_of("oak:7946") == f"ws://oak:7946{PATH}"
    assert url_of("[::1]:7946") == f"ws://[::1]:7946{PATH}"
    assert url_of("wss://oak.example/x") == "wss://oak.example/x"
