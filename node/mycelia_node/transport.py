"""Links over WebSockets: a listening side, a dialling side, and the bounds on both.

Every byte that arrives here may come from a stranger. So: sockets that have not become a WebSocket
are few and short-lived; WebSockets on which no member has proved itself are few; of both the oldest
makes room, so that nobody can keep others out by holding on. All inbound links together are
bounded; frames are at most 1 MiB, uncompressed; silence is noticed by pings. What is inside a frame
is the engine's business.
"""

import asyncio
import contextlib
import gc
import itertools
import logging
import socket
import ssl
import time
from collections.abc import Awaitable, Callable
from typing import Final

import aiohttp
from aiohttp import web

from mycelia_node.certificates import trusted
from mycelia_node.clock import Clock
from mycelia_node.link import QUEUE_SIZE_MAX, Link, Socket
from mycelia_protocol.burden import Burden
from mycelia_protocol.events import (
    DialFailed,
    Event,
    FrameReceived,
    LinkClosed,
    LinkDrained,
    LinkFilled,
    LinkOpened,
)
from mycelia_protocol.limits import FRAME_SIZE_MAX, UNPROVEN_MAX

PATH: Final = "/mycelia"
MESSAGE_SIZE_MAX: Final = FRAME_SIZE_MAX + 1  # aiohttp refuses a message of exactly its limit
HEARTBEAT_S: Final = 15.0  # below common NAT idle limits of 30 s
DIAL_TIMEOUT_S: Final = 10.0
UPGRADE_TIMEOUT_S: Final = 10.0  # from accept to WebSocket
UPGRADING_MAX: Final = 64  # accepted sockets that are no WebSocket yet
INBOUND_MAX: Final = 64
TURN_S: Final = 0.002  # of one link's frames at a time; then others get a turn
CLOSE_FULL: Final = 4008  # spec appendix C.2
STOP_WAIT_S: Final = 2.0
EVICT_WAIT_S: Final = 0.2  # for telling a link that makes room why; then its socket is cut
COLLECTED_TOGETHER: Final = 64  # links that ended, before what is left of them is collected

log = logging.getLogger("mycelia.link")


def url_of(address: str) -> str:
    """Return the WebSocket URL of an address: itself, or the default path at host:port."""
    return address if "://" in address else f"ws://{address}{PATH}"


def new_session() -> aiohttp.ClientSession:
    """Return a client that asks nobody for proxies and keeps no idle connections."""
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(force_close=True, limit=0),
        cookie_jar=aiohttp.DummyCookieJar(),
        trust_env=False,
    )


async def connect(session: aiohttp.ClientSession, address: str) -> aiohttp.ClientWebSocketResponse:
    """Open a WebSocket to an address.

    Raises:
        OSError, aiohttp.ClientError, TimeoutError: nobody answers there, or somebody else does.
    """
    url = url_of(address)
    async with asyncio.timeout(DIAL_TIMEOUT_S):
        if not url.lower().startswith("wss:"):
            # A proxy there may send on to where a certificate is shown.
            with contextlib.suppress(aiohttp.ClientConnectorCertificateError):
                return await _connect(session, url, True)
        return await _connect(session, url, await asyncio.to_thread(trusted))


async def _connect(
    session: aiohttp.ClientSession, url: str, verified_by: ssl.SSLContext | bool
) -> aiohttp.ClientWebSocketResponse:
    return await session.ws_connect(
        url,
        ssl=verified_by,
        max_msg_size=MESSAGE_SIZE_MAX,
        heartbeat=HEARTBEAT_S,
        compress=0,
        timeout=aiohttp.ClientWSTimeout(ws_close=STOP_WAIT_S),  # pyright: ignore[reportCallIssue]
    )


def dial_failure(error: BaseException) -> str:
    """Return in words why a dial led to nothing."""
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, aiohttp.WSServerHandshakeError):
        return f"something else than a Mycelia node answers there (HTTP {error.status})"
    if isinstance(error, aiohttp.ClientConnectorError):
        return error.os_error.strerror or str(error.os_error)
    return str(error) or type(error).__name__


class Transport:
    """All links of a node; see `driver.Links` for what the driver asks of it.

    Args:
        deliver: takes events; `LinkClosed` comes exactly once for each `LinkOpened`.
        room: waited for between frames, so that links are read no faster than the disk takes.
        on_crash: told of an exception that nobody expected.
    """

    def __init__(
        self,
        deliver: Callable[[Event], None],
        room: Callable[[], Awaitable[None]],
        clock: Clock,
        on_crash: Callable[[BaseException], None],
    ) -> None:
        self._on_crash = on_crash
        self._deliver = deliver
        self._room = room
        self._clock = clock
        self.links: dict[int, Link] = {}
        self._numbers = itertools.count(1)
        self._session: aiohttp.ClientSession | None = None
        self._runner: web.AppRunner | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._upgrading: dict[asyncio.BaseTransport, asyncio.TimerHandle] = {}  # oldest first
        self._sockets: dict[int, asyncio.Transport] = {}  # inbound link -> what it runs on
        self._is_stopping = False
        self._ended = 0  # links

    async def start(self, listener: socket.socket | None) -> None:
        """Begin to accept on a listening socket (None: only dial)."""
        self._session = new_session()
        if listener is None:
            return
        app = web.Application()
        app.router.add_get(PATH, self._accept_link)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=STOP_WAIT_S)
        await self._runner.setup()
        listener.setblocking(False)
        self._spawn(self._accept_all(listener), "accept")

    async def stop(self) -> None:
        """Close all links, for good."""
        self._is_stopping = True
        for link in list(self.links.values()):
            link.close(4000, "resting: the node stops")
        deadline = [link.finished(STOP_WAIT_S) for link in list(self.links.values())]
        await asyncio.gather(*deadline)
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for timer in self._upgrading.values():
            timer.cancel()
        if self._session is not None:
            await self._session.close()
        if self._runner is not None:
            await self._runner.cleanup()

    # --- what the driver asks ---

    def send(self, link: int, data: bytes) -> None:
        """Queue a frame for a link; one that is gone takes nothing."""
        if link in self.links:
            self.links[link].send(data)

    def close_link(self, link: int, code: int, reason: str) -> None:
        """Close a link once what is queued was sent."""
        if link in self.links:
            self.links[link].close(code, reason)

    def dial(self, address: str) -> None:
        """Try to open a link; `LinkOpened` or `DialFailed` follows."""
        if not self._is_stopping:
            self._spawn(self._dial(address), f"dial {address}")

    def burdens(self) -> list[Burden]:
        """Return what strangers and slow peers make this node keep: what, how much, its bound."""
        inbound = sum(not link.outbound for link in self.links.values())
        queued = max((link.queued for link in self.links.values()), default=0)
        return [
            ("connections that are no link yet", len(self._upgrading), UPGRADING_MAX),
            ("links from others", inbound, INBOUND_MAX),
            ("bytes to send on one link", queued, QUEUE_SIZE_MAX),
        ]

    def mark_ready(self, link: int) -> None:
        """Note that a member has proved itself on a link."""
        if link in self.links:
            self.links[link].is_ready = True

    # --- dialling ---

    async def _dial(self, address: str) -> None:
        assert self._session is not None
        try:
            ws = await connect(self._session, address)
        except (OSError, aiohttp.ClientError, TimeoutError, ValueError) as error:
            log.debug("%s does not answer: %s", address, dial_failure(error))
            self._deliver(DialFailed(address, dial_failure(error)))
            return
        await self._run(self._new_link(ws, True, address))

    # --- listening ---

    async def _accept_all(self, listener: socket.socket) -> None:
        """Accept sockets for ever; those that do not become a WebSocket in time are cut."""
        loop = asyncio.get_running_loop()
        assert self._runner is not None
        assert self._runner.server is not None
        while True:
            try:
                accepted, _ = await loop.sock_accept(listener)
            except OSError as error:  # out of file descriptors, most likely
                log.warning("cannot accept a connection: %s", error)
                await asyncio.sleep(1)
                continue
            while len(self._upgrading) >= UPGRADING_MAX:
                self._cut(next(iter(self._upgrading)))
            with contextlib.suppress(OSError):
                transport, _ = await loop.connect_accepted_socket(self._runner.server, accepted)
                self._upgrading[transport] = loop.call_later(
                    UPGRADE_TIMEOUT_S, self._cut, transport
                )

    def _cut(self, transport: asyncio.BaseTransport) -> None:
        """End a socket that did not become a WebSocket; it may have ended by itself."""
        self._upgrading.pop(transport).cancel()
        assert isinstance(transport, asyncio.Transport)
        transport.abort()

    def _make_room(self, inbound: list[Link]) -> None:
        """Close the oldest link on which nobody has proved itself, if there are too many."""
        unproven = [link for link in inbound if not link.is_ready and not link.is_closing]
        if len(unproven) < UNPROVEN_MAX:
            return
        unproven[0].close(CLOSE_FULL, "full: too many handshakes at once")
        cut = self._sockets[unproven[0].number].abort
        asyncio.get_running_loop().call_later(EVICT_WAIT_S, cut)

    async def _accept_link(self, request: web.Request) -> web.StreamResponse:
        """Turn a request into a link and stay until it ends."""
        inbound = [link for link in self.links.values() if not link.outbound]
        if len(inbound) >= INBOUND_MAX or self._is_stopping:
            raise web.HTTPServiceUnavailable(text="full: try another member")
        self._make_room(inbound)
        ws = web.WebSocketResponse(
            max_msg_size=MESSAGE_SIZE_MAX,
            heartbeat=HEARTBEAT_S,
            compress=False,
            timeout=STOP_WAIT_S,
        )
        try:
            await ws.prepare(request)
        except ConnectionError:
            return web.Response()  # gone before it was let in
        assert request.transport is not None
        timer = self._upgrading.pop(request.transport, None)
        if timer is not None:
            timer.cancel()
        peer = request.transport.get_extra_info("peername")
        address = f"{peer[0]}:{peer[1]}" if peer else ""
        link = self._new_link(ws, False, address)
        self._sockets[link.number] = request.transport
        try:
            await self._run(link)
        finally:
            del self._sockets[link.number]
        return ws

    # --- both ---

    def _new_link(self, socket: Socket, outbound: bool, address: str) -> Link:
        number = next(self._numbers)

        def tell(is_full: bool) -> None:
            self._deliver(LinkFilled(number) if is_full else LinkDrained(number))

        return Link(number, socket, outbound, address, self._clock.now_ms(), tell)

    async def _run(self, link: Link) -> None:
        """Hand a link's frames to the engine until it ends."""
        self.links[link.number] = link
        self._deliver(LinkOpened(link.number, link.outbound, link.address))
        try:
            turn_s = time.monotonic()
            while (data := await link.receive()) is not None:
                self._deliver(FrameReceived(link.number, data))
                await self._room()
                if time.monotonic() - turn_s > TURN_S:
                    await asyncio.sleep(0)
                    turn_s = time.monotonic()
        finally:
            try:
                await asyncio.shield(asyncio.create_task(link.end()))
            finally:
                del self.links[link.number]
                self._deliver(LinkClosed(link.number, link.reason, link.closed_with))
                self._collect()

    def _collect(self) -> None:
        """Collect what is left of links that ended: their sockets lie in circles, with half frames.

        Only among what is young, some milliseconds' worth: a whole collection is seldom, and long.
        """
        self._ended += 1
        if self._ended % COLLECTED_TOGETHER == 0:
            gc.collect(1)

    def _spawn(self, work: Awaitable[None], name: str) -> None:
        async def run() -> None:
            try:
                await work
            except Exception as error:
                self._on_crash(error)

        task = asyncio.create_task(run(), name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
