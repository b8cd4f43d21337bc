"""Doors into the run's network: a loopback port for each node, relayed to where it listens.

The adversary lives in the harness, outside of the namespaces, and needs a way to its targets. It
meets no link model there, as on the live backend.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from mycelia_sim.errors import HarnessError

HOST: Final = "127.0.0.1"
CHUNK: Final = 65_536
DIAL_TIMEOUT_S: Final = 10.0


class Doors:
    """Listens for each node.

    Args:
        targets: node -> host and port inside.
        knock: gives a fresh socket inside.
    """

    def __init__(
        self,
        targets: Mapping[str, tuple[str, int]],
        knock: Callable[[], Awaitable[socket.socket]],
    ) -> None:
        self._targets = targets
        self._knock = knock
        self._servers: dict[str, asyncio.Server] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def open(self) -> None:
        """Begin to listen.

        Raises: OSError.
        """
        for node, target in self._targets.items():
            self._servers[node] = await asyncio.start_server(self._serve(target), HOST, 0)

    def address(self, node: str) -> str:
        """Return host:port of a node's door."""
        return f"{HOST}:{self._servers[node].sockets[0].getsockname()[1]}"

    async def close(self) -> None:
        """Stop listening and drop every connection."""
        for server in self._servers.values():
            server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _serve(
        self, target: tuple[str, int]
    ) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
            with contextlib.suppress(OSError, HarnessError, asyncio.CancelledError):
                await self._relay(target, reader, writer)
            writer.close()

        return serve

    async def _relay(
        self,
        target: tuple[str, int],
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        inside = await self._knock()
        inside.setblocking(False)
        try:
            async with asyncio.timeout(DIAL_TIMEOUT_S):
                await asyncio.get_running_loop().sock_connect(inside, target)
        except BaseException:
            inside.close()
            raise
        far_reader, far_writer = await asyncio.open_connection(sock=inside)
        try:
            await asyncio.gather(_pump(reader, far_writer), _pump(far_reader, writer))
        finally:
            far_writer.close()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Copy until the end, and pass that on."""
    while data := await reader.read(CHUNK):
        writer.write(data)
        await writer.drain()
    if writer.can_write_eof():
        writer.write_eof()
