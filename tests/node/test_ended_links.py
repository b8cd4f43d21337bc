"""What is left of links that ended: nothing, however often somebody dials."""

import gc
import weakref
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from mycelia_node import transport
from mycelia_node.daemon import bind
from node.test_transport import End


@pytest.fixture
async def ends() -> AsyncIterator[tuple[End, End]]:
    """A transport that listens, and one that dials."""
    server, client = End(bind("127.0.0.1", 0)), End()
    for end in (server, client):
        await end.transport.start(end.listener)
    yield server, client
    for end in (client, server):
        await end.transport.stop()
        assert end.crashes == []
    assert server.listener is not None
    server.listener.close()


async def test_what_came_and_was_not_read_goes_with_its_link(
    ends: tuple[End, End], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever dials again and again, and goes on sending while links close, fills no memory."""
    server, client = ends
    client.transport.dial(server.address)
    here = await server.opened()
    socket: Any = server.transport.links[here]._socket
    close, reader = socket.close, socket._reader

    async def closing(**reason: Any) -> Any:
        late = aiohttp.WSMessage(aiohttp.WSMsgType.BINARY, bytes(5_000), None)
        if here in server.transport.links:
            reader.feed_data(late, 5_000)
        return await close(**reason)

    monkeypatch.setattr(socket, "close", closing)
    server.transport.close_link(here, 4004, "rate: too much")
    await server.closed(here)
    assert not reader._buffer


async def test_sockets_of_links_that_ended_are_collected(
    ends: tuple[End, End], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody waits for a whole collection, which is seldom: links may come and go all day."""
    server, client = ends
    monkeypatch.setattr(transport, "COLLECTED_TOGETHER", 4)
    sockets: list[weakref.ref[Any]] = []
    gc.collect()
    gc.disable()
    try:
        for count in range(1, 5):
            client.transport.dial(server.address)
            there, here = await client.opened(count), await server.opened(count)
            sockets.append(weakref.ref(server.transport.links[here]._socket))
            client.transport.close_link(there, 4000, "resting: done")
            await server.closed(here)
            await client.closed(there)
        assert sockets[0]() is None
    finally:
        gc.enable()
