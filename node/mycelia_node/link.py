"""One WebSocket, either side of it: a bounded queue out, one task that sends.

When the peer reads too slowly, the engine is told from `FULL_SIZE` on, so that it pushes nothing
more there; reconciliation brings what it left out. No frame can be left out here: each is encrypted
under the next nonce. If the queue grows beyond `QUEUE_SIZE_MAX` all the same, the link is closed:
the peer asked for more than it takes.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable
from typing import Final, TypeAlias

from aiohttp import ClientWebSocketResponse, WSMsgType, web

Socket: TypeAlias = web.WebSocketResponse | ClientWebSocketResponse

FULL_SIZE: Final = 1 * 1024 * 1024  # bytes queued, from which nothing more should be pushed
DRAINED_SIZE: Final = FULL_SIZE // 4  # bytes queued, at which it may be again
QUEUE_SIZE_MAX: Final = 8 * 1024 * 1024  # bytes queued, beyond which the link is closed
CLOSE_SLOW: Final = 4009  # spec appendix C.2
CLOSE_TEXT: Final = 4001
CLOSE_WAIT_S: Final = 2.0  # for the peer's half of closing
REASON_SIZE_MAX: Final = 120  # bytes of a close frame's reason


class Link:
    """One open WebSocket.

    Args:
        tell: called with True when too much waits to be sent, and with False when that is over.
    """

    def __init__(
        self,
        number: int,
        socket: Socket,
        outbound: bool,
        address: str,
        opened_ms: int,
        tell: Callable[[bool], None],
    ) -> None:
        self.number: Final = number
        self.outbound: Final = outbound
        self.address: Final = address
        self.opened_ms: Final = opened_ms
        self.is_ready = False  # whether a member's session runs on it
        self._tell = tell
        self._is_full = False
        self._socket = socket
        self._queue: deque[bytes] = deque()
        self._size = 0
        self._wake = asyncio.Event()
        self._close: tuple[int, str] | None = None
        self.reason = ""
        self.closed_with: int | None = None  # the code that the peer gave
        self._sender = asyncio.create_task(self._send_all(), name=f"link-{number}-send")

    def send(self, data: bytes) -> None:
        """Queue a frame."""
        if self._close is not None:
            return
        self._queue.append(data)
        self._size += len(data)
        if self._size > FULL_SIZE and not self._is_full:
            self._is_full = True
            self._tell(True)
        if self._size > QUEUE_SIZE_MAX:
            self._queue.clear()
            self.close(CLOSE_SLOW, "slow: the peer does not take what is sent to it")
        self._wake.set()

    @property
    def queued(self) -> int:
        """How many bytes wait to be sent; what waited on a link that closes was dropped."""
        return 0 if self._close is not None else self._size

    @property
    def is_closing(self) -> bool:
        """Whether it was told to close, and waits for the peer's half of that."""
        return self._close is not None

    def close(self, code: int, reason: str) -> None:
        """Send what is queued, then close; the reader ends by itself."""
        if self._close is None:
            self._close = (code, reason)
            self.reason = reason
            self._wake.set()

    async def receive(self) -> bytes | None:
        """Return the next frame, or None when the link has ended."""
        message = await self._socket.receive()
        if message.type is WSMsgType.BINARY:
            data: bytes = message.data
            return data
        if message.type is WSMsgType.TEXT:
            self.close(CLOSE_TEXT, "frame: text where only binary is spoken")
            await self.finished(CLOSE_WAIT_S)
        elif message.type is WSMsgType.CLOSE:
            self.closed_with = message.data or None
            self.reason = self.reason or f"closed by the peer: {message.extra or message.data}"
        elif message.type is WSMsgType.ERROR:
            self.reason = self.reason or f"broken: {message.data}"
        return None

    async def end(self) -> None:
        """Stop sending and let go of the socket; the reader has ended."""
        self._sender.cancel()
        await asyncio.wait([self._sender])
        with contextlib.suppress(Exception):
            await self._socket.close()
        self._drop_unread()
        self.reason = self.reason or "the connection broke"

    def _drop_unread(self) -> None:
        """Let go of frames that came and were not read, 128 KiB and one frame at most.

        aiohttp's objects of a connection refer to each other in a circle, which is collected once
        in two million allocations: who dials again and again would fill the memory until then.
        """
        unread = getattr(self._socket._reader, "_buffer", None)
        if unread is not None:
            unread.clear()

    async def finished(self, timeout_s: float) -> None:
        """Wait until all is sent and the socket closed, but not for ever."""
        await asyncio.wait([self._sender], timeout=timeout_s)

    async def _send_all(self) -> None:
        """Send what is queued, as fast as the peer takes it, until told to close."""
        with contextlib.suppress(ConnectionError, RuntimeError):
            while True:
                while self._queue:
                    data = self._queue.popleft()
                    await self._socket.send_bytes(data)
                    self._size -= len(data)
                    if self._is_full and self._size <= DRAINED_SIZE:
                        self._is_full = False
                        self._tell(False)
                if self._close is not None:
                    break
                self._wake.clear()
                await self._wake.wait()
        if self._close is not None:
            code, reason = self._close
            said = reason.encode()[:REASON_SIZE_MAX].decode(errors="ignore").encode()
            await self._socket.close(code=code, message=said)
