"""The link proxy on real sockets: latency, back-pressure, cuts, resets and what they count."""

import asyncio
import socket
import struct
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest

from mycelia_sim.live.proxy import LinkProxy, Rule, Tally
from mycelia_sim.live.relay import BUFFER_SIZE_MAX

DEADLINE_S = 10.0
DIALED: list[asyncio.StreamWriter] = []


class Echo:
    """A server that sends back what it gets, keeps it, and can stop reading."""

    def __init__(self) -> None:
        self.received = bytearray()
        self.accepted = 0
        self.serving: list[asyncio.Task[None] | None] = []
        self.writer: asyncio.StreamWriter | None = None
        self.may_read = asyncio.Event()
        self.may_read.set()
        self.got_some = asyncio.Event()

    def break_off(self) -> None:
        """Close the connection with RST, as a process that dies with unread bytes does."""
        assert self.writer is not None
        sock = self.writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection until its end."""
        self.accepted += 1
        self.serving.append(asyncio.current_task())
        self.writer = writer
        try:
            while True:
                await self.may_read.wait()
                data = await reader.read(65_536)
                if not data:
                    break
                self.received += data
                self.got_some.set()
                writer.write(data)
                await writer.drain()
        except ConnectionError:
            pass
        writer.close()

    async def ended(self) -> None:
        """Wait until no connection is served any more."""
        tasks = [task for task in self.serving if task is not None]
        if tasks:
            await asyncio.wait(tasks, timeout=DEADLINE_S)


@asynccontextmanager
async def proxied(latency_ms: int = 0) -> AsyncIterator[tuple[LinkProxy, Echo]]:
    """Run an echo server and a proxy before it."""
    echo = Echo()
    server = await asyncio.start_server(echo.serve, "127.0.0.1", 0)
    proxy = LinkProxy(server.sockets[0].getsockname()[1], latency_ms)
    await proxy.start()
    try:
        yield proxy, echo
    finally:
        echo.may_read.set()
        await proxy.close()
        server.close()
        await echo.ended()
        await server.wait_closed()
        while DIALED:
            writer = DIALED.pop()
            writer.transport.abort()
            with suppress(OSError):
                await writer.wait_closed()


def cut(tally: Tally, *, forward: bool = True, backward: bool = True, mode: str = "drop") -> Rule:
    """Return the rule of a cut."""
    return Rule(mode, forward, backward, 0, tally)


async def dial(proxy: LinkProxy) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Connect through the proxy."""
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    DIALED.append(writer)
    return reader, writer


async def exchange(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, data: bytes
) -> bytes:
    """Send bytes and return as many that come back."""
    writer.write(data)
    return await asyncio.wait_for(reader.readexactly(len(data)), DEADLINE_S)


async def is_silent(reader: asyncio.StreamReader, seconds: float = 0.2) -> bool:
    """Return whether nothing arrives for a while."""
    try:
        await asyncio.wait_for(reader.read(1), seconds)
    except TimeoutError:
        return True
    return False


async def test_bytes_pass_unchanged_in_both_directions() -> None:
    """Without a fault the proxy is a plain relay, and counts what it moved."""
    async with proxied() as (proxy, _):
        reader, writer = await dial(proxy)
        data = bytes(range(256)) * 8_192  # 2 MiB, many times the buffer
        assert await exchange(reader, writer, data) == data
        assert proxy.moved == [len(data), len(data)]
        writer.close()


async def test_a_rate_is_kept_one_way() -> None:
    """Bytes that are more than the line takes wait for those before them, in their direction."""
    async with proxied() as (proxy, _):
        proxy.rates[0] = 2_000_000  # bits a second
        reader, writer = await dial(proxy)
        begin = time.monotonic()
        data = bytes(50_000)
        assert await exchange(reader, writer, data) == data
        assert 0.2 <= time.monotonic() - begin < 5
        proxy.rates[0] = 0
        assert await exchange(reader, writer, data) == data
        writer.close()


async def test_latency_is_added_but_is_no_rate_limit() -> None:
    """Two hundred messages sent one after another arrive about one latency later, not 200."""
    async with proxied(latency_ms=50) as (proxy, _):
        reader, writer = await dial(proxy)
        begin = time.monotonic()
        for n in range(200):
            writer.write(b"%03d" % n)
            await asyncio.sleep(0)
        echoed = await asyncio.wait_for(reader.readexactly(600), DEADLINE_S)
        took_s = time.monotonic() - begin
        assert echoed == b"".join(b"%03d" % n for n in range(200))
        assert 0.1 <= took_s < 2.0  # two latencies, and far from 200 of them
        writer.close()


async def test_a_slow_reader_pushes_back_on_the_sender() -> None:
    """A proxy before a stuck receiver stops reading instead of buffering without end."""
    async with proxied() as (proxy, echo):
        echo.may_read.clear()
        _, writer = await dial(proxy)
        sent = 0
        is_moving = True
        while is_moving:
            writer.write(bytes(65_536))
            sent += 65_536
            try:
                await asyncio.wait_for(writer.drain(), 0.3)
            except TimeoutError:
                is_moving = False
        held = proxy.connections[0].ways[0].size
        assert held <= 3 * BUFFER_SIZE_MAX
        assert sent < 64 * 1_048_576  # kernel buffers and ours, no more
        writer.transport.abort()


async def test_a_cut_holds_bytes_back_and_a_heal_lets_them_go_on() -> None:
    """During a cut nothing arrives; afterwards everything does, in order, none twice."""
    async with proxied() as (proxy, echo):
        reader, writer = await dial(proxy)
        await exchange(reader, writer, b"before")
        tally = Tally()
        proxy.apply("p", cut(tally))
        writer.write(b"during")
        assert await is_silent(reader)
        assert bytes(echo.received) == b"before"
        assert (tally.bytes, tally.links) == (6, 1)
        proxy.lift("p")
        writer.write(b"after")
        assert await asyncio.wait_for(reader.readexactly(11), DEADLINE_S) == b"duringafter"
        writer.close()


async def test_a_oneway_cut_leaves_the_other_way_open() -> None:
    """With only the backward way cut, the listener hears the dialer but not the reverse."""
    async with proxied() as (proxy, echo):
        reader, writer = await dial(proxy)
        await exchange(reader, writer, b"x")
        tally = Tally()
        proxy.apply("p", cut(tally, forward=False))
        echo.got_some.clear()
        writer.write(b"heard")
        await asyncio.wait_for(echo.got_some.wait(), DEADLINE_S)
        assert await is_silent(reader)
        assert tally.bytes == 5  # the echo
        proxy.lift("p")
        assert await asyncio.wait_for(reader.readexactly(5), DEADLINE_S) == b"heard"
        writer.close()


async def test_a_new_connection_waits_until_the_heal() -> None:
    """A dial during a cut is counted, reaches nobody, and goes on when the link is back."""
    async with proxied() as (proxy, echo):
        tally = Tally()
        proxy.apply("p", cut(tally))
        reader, writer = await dial(proxy)
        writer.write(b"hello")
        assert await is_silent(reader)
        assert (echo.accepted, tally.connections, tally.bytes) == (0, 1, 5)
        proxy.lift("p")
        assert await asyncio.wait_for(reader.readexactly(5), DEADLINE_S) == b"hello"
        writer.close()


async def test_a_dialer_that_gave_up_during_a_cut_leaves_nothing_behind() -> None:
    """After the heal the listener never hears of connections that their dialers closed."""
    async with proxied() as (proxy, echo):
        proxy.apply("p", cut(Tally()))
        reader, writer = await dial(proxy)
        writer.write(b"hello")
        writer.close()
        await writer.wait_closed()
        other, _ = await dial(proxy)
        assert await is_silent(other)  # by now the proxy has seen the first one close
        assert len(proxy.connections) == 1
        proxy.connections[0].reset()
        proxy.lift("p")
        reader, writer = await dial(proxy)
        await exchange(reader, writer, b"new")
        assert (echo.accepted, bytes(echo.received)) == (1, b"new")
        writer.close()


async def test_reset_breaks_what_is_there_and_what_comes() -> None:
    """Mode reset answers old and new connections with RST until it is lifted."""
    async with proxied() as (proxy, _):
        reader, writer = await dial(proxy)
        await exchange(reader, writer, b"x")
        tally = Tally()
        proxy.apply("r", cut(tally, mode="reset"))
        with pytest.raises(ConnectionResetError):
            await asyncio.wait_for(reader.readexactly(1), DEADLINE_S)
        reader, writer = await dial(proxy)
        with pytest.raises((OSError, asyncio.IncompleteReadError)):
            await exchange(reader, writer, b"y")
        assert tally.connections == 2
        proxy.lift("r")
        reader, writer = await dial(proxy)
        assert await exchange(reader, writer, b"z") == b"z"
        writer.close()


async def test_delay_adds_to_the_latency_while_it_lasts() -> None:
    """Mode delay slows a link down, keeps the order, and ends with the fault."""
    async with proxied() as (proxy, _):
        reader, writer = await dial(proxy)
        tally = Tally()
        proxy.apply("d", Rule("delay", forward=True, backward=True, delay_ms=100, tally=tally))
        begin = time.monotonic()
        await exchange(reader, writer, b"slow")
        assert time.monotonic() - begin >= 0.2
        assert tally.bytes == 8
        proxy.lift("d")
        assert await exchange(reader, writer, b"fast") == b"fast"
        writer.close()


async def test_two_faults_on_one_link_add_up() -> None:
    """A link that two cuts hold opens only when both are lifted; each counts for itself."""
    async with proxied() as (proxy, _):
        reader, writer = await dial(proxy)
        await exchange(reader, writer, b"x")
        first, second = Tally(), Tally()
        proxy.apply("a", cut(first))
        proxy.apply("b", cut(second, backward=False))
        writer.write(b"held")
        assert await is_silent(reader)
        proxy.lift("a")
        assert await is_silent(reader)
        assert (first.bytes, second.bytes) == (4, 4)
        proxy.lift("b")
        assert await asyncio.wait_for(reader.readexactly(4), DEADLINE_S) == b"held"
        writer.close()


async def test_an_end_of_stream_is_passed_on() -> None:
    """A listener that closes is seen to close by the dialer, after its last byte."""
    async with proxied() as (proxy, _):
        reader, writer = await dial(proxy)
        writer.write(b"last")
        writer.write_eof()
        assert await asyncio.wait_for(reader.read(), DEADLINE_S) == b"last"
        writer.close()


async def test_nobody_listening_resets_the_dialer() -> None:
    """A dial to a daemon that is down fails at once, as it would without the proxy."""
    proxy = LinkProxy(1, 0)
    await proxy.start()
    reader, writer = await dial(proxy)
    with pytest.raises(ConnectionResetError):
        await asyncio.wait_for(reader.readexactly(1), DEADLINE_S)
    writer.close()
    await proxy.close()


async def test_a_break_during_a_cut_is_learned_after_the_heal() -> None:
    """A listener that dies in a cut leaves the dialer waiting; the heal tells it."""
    async with proxied() as (proxy, echo):
        reader, writer = await dial(proxy)
        await exchange(reader, writer, b"x")
        proxy.apply("p", cut(Tally()))
        echo.break_off()
        assert await is_silent(reader)
        proxy.lift("p")
        with pytest.raises(ConnectionResetError):
            await asyncio.wait_for(reader.readexactly(1), DEADLINE_S)
        assert echo.accepted == 1
        writer.close()
