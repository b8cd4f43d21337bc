"""The two sockets of one relayed connection, and the queues between them. See `proxy.py`."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections import deque
from typing import Final, Protocol

BUFFER_SIZE_MAX: Final = 262_144  # bytes a way holds before it stops reading; a full read more
_LINGER_RESET: Final = struct.pack("ii", 1, 0)  # closing then sends RST instead of FIN


class Link(Protocol):
    """What a connection asks of the link that it runs over; `LinkProxy` is the one."""

    host: str
    target_port: int
    moved: list[int]
    connections: list[Connection]
    tasks: set[asyncio.Task[None]]

    def is_blocked(self, way: int) -> bool:
        """Return whether a way (0 forward, 1 backward) lets nothing through now."""
        ...

    def due_s(self, way: int, size: int, now_s: float) -> float:
        """Return when bytes that come to a way now are through."""
        ...

    def count_withheld(self, way: int, size: int) -> None:
        """Tell the faults on a way that bytes came to them."""
        ...

    def admit(self) -> str:
        """Return what to do with a new connection: "go", "hold" or "reset"."""
        ...


class _Way:
    """One direction of one connection: a bounded queue of bytes with the time each is due."""

    def __init__(self, link: Link, index: int) -> None:
        self._link = link
        self._index = index
        self._queue: deque[tuple[float, bytes]] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self._ended = False
        self.source: _End
        self.sink: _End
        self.size = 0

    def push(self, data: bytes) -> None:
        """Take bytes from the source."""
        now = asyncio.get_running_loop().time()
        self._queue.append((self._link.due_s(self._index, len(data), now), data))
        self.size += len(data)
        self._link.count_withheld(self._index, len(data))
        if self.size > BUFFER_SIZE_MAX:
            self.source.pause()
        self.release()

    def end(self) -> None:
        """The source closed its side: the sink learns of it after the last byte."""
        self._ended = True
        self.release()

    def release(self) -> None:
        """Move everything that is due, unless the way is cut or the sink is full."""
        if self._link.is_blocked(self._index) or not self.sink.is_writable:
            return
        now = asyncio.get_running_loop().time()
        while self._queue and self._queue[0][0] <= now and self.sink.is_writable:
            _, data = self._queue.popleft()
            self.size -= len(data)
            self._link.moved[self._index] += len(data)
            self.sink.write(data)
        if self.size <= BUFFER_SIZE_MAX // 2:
            self.source.resume()
        if self._queue and self.sink.is_writable:
            self._wake_at(self._queue[0][0])
        elif not self._queue and self._ended:
            self.sink.finish()

    def _wake_at(self, due: float) -> None:
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_at(due, self._woken)

    def _woken(self) -> None:
        self._timer = None
        self.release()

    def stop(self) -> None:
        """Forget what is queued."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._queue.clear()
        self.size = 0


class _End(asyncio.Protocol):
    """One socket of a connection; feeds the way that begins here, is fed by the other."""

    def __init__(self, connection: Connection, outgoing: _Way, incoming: _Way) -> None:
        self._connection = connection
        self._outgoing = outgoing
        self._incoming = incoming
        self._transport: asyncio.Transport | None = None
        self._is_full = False
        self._finished = False
        outgoing.source = self
        incoming.sink = self

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._connection.opened(self)

    def data_received(self, data: bytes) -> None:
        self._outgoing.push(data)

    def eof_received(self) -> bool:
        self._connection.gave_up(self)
        self._outgoing.end()
        return True  # the other direction may still have bytes

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._incoming.stop()
        if exc is None:
            self._outgoing.end()
        else:
            self._connection.lost()

    def pause_writing(self) -> None:
        self._is_full = True

    def resume_writing(self) -> None:
        self._is_full = False
        self._incoming.release()

    @property
    def is_writable(self) -> bool:
        transport = self._transport
        if transport is None or transport.is_closing():
            return False
        return not self._is_full and not self._finished

    @property
    def is_open(self) -> bool:
        return self._transport is not None

    def write(self, data: bytes) -> None:
        if self._transport is not None:
            self._transport.write(data)

    def finish(self) -> None:
        """Tell the peer behind this socket that no more bytes follow; close when both ended."""
        if self._transport is not None and not self._finished:
            self._finished = True
            with contextlib.suppress(OSError):  # the other side broke it a moment ago
                self._transport.write_eof()
            self._connection.half_closed()

    def pause(self) -> None:
        if self._transport is not None and self._transport.is_reading():
            self._transport.pause_reading()

    def resume(self) -> None:
        transport = self._transport
        if transport is not None and not transport.is_closing() and not transport.is_reading():
            transport.resume_reading()

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def reset(self) -> None:
        """Close the socket with RST."""
        if self._transport is not None:
            sock = self._transport.get_extra_info("socket")
            if sock is not None:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_RESET)
            self._transport.abort()

    @property
    def has_finished(self) -> bool:
        return self._finished


class Connection:
    """A dialer's connection and the one opened for it to the listener."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self.ways = (_Way(link, 0), _Way(link, 1))
        self.dialer_end = _End(self, self.ways[0], self.ways[1])
        self._listener_end = _End(self, self.ways[1], self.ways[0])
        self._is_dialing = False
        self._is_broken = False

    def opened(self, end: _End) -> None:
        """One socket is connected: the dialer's first, then ours to the listener."""
        if end is not self.dialer_end:
            self.ways[0].release()
            return
        self._link.connections.append(self)
        admitted = self._link.admit()
        if admitted == "reset":
            self.reset()
        elif admitted == "go":
            self._dial()

    def go_on(self) -> None:
        """A fault was lifted: open the far side if it was held, and move what waited."""
        if not self._is_cut():
            if self._is_broken:
                self.reset()
                return
            self._dial()
        for way in self.ways:
            way.release()

    def _dial(self) -> None:
        if self._is_dialing or not self.dialer_end.is_open:
            return
        self._is_dialing = True
        task = asyncio.get_running_loop().create_task(self._dial_listener())
        self._link.tasks.add(task)
        task.add_done_callback(self._link.tasks.discard)

    async def _dial_listener(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            await loop.create_connection(
                lambda: self._listener_end, self._link.host, self._link.target_port
            )
        except OSError:
            self.reset()
            return
        if not self.dialer_end.is_open:
            self.reset()

    def half_closed(self) -> None:
        """One direction ended: close both sockets when the other has too."""
        if self.dialer_end.has_finished and self._listener_end.has_finished:
            self.dialer_end.close()
            self._listener_end.close()
            self._forget()

    def lost(self) -> None:
        """One socket broke: the other breaks too, unless a cut keeps it from learning so."""
        self._is_broken = True
        if not self._is_cut():
            self.reset()

    def gave_up(self, end: _End) -> None:
        """A dialer that closes before the far side was opened leaves nothing to go on with."""
        if end is self.dialer_end and not self._is_dialing:
            self.reset()

    def _is_cut(self) -> bool:
        return self._link.is_blocked(0) or self._link.is_blocked(1)

    def reset(self) -> None:
        """Break both sockets now."""
        for way in self.ways:
            way.stop()
        self.dialer_end.reset()
        self._listener_end.reset()
        self._forget()

    def _forget(self) -> None:
        if self in self._link.connections:
            self._link.connections.remove(self)
