"""Carries what one adversary sends to real nodes: over the node's own transport, and beneath it.

Links are WebSockets as the daemon itself dials them. Bare connections (`scene.BARE`) are TCP and no
more, for what is wrong below the frames. Both reach a node where the harness does, past all faults
of links.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from mycelia_node.clock import Clock
from mycelia_node.transport import Transport
from mycelia_protocol.events import DialFailed, Event, FrameReceived, LinkClosed, LinkOpened
from mycelia_sim.adversaries.scene import BARE

if TYPE_CHECKING:
    from mycelia_sim.adversaries.liar import Liar

BARE_DIAL_S: Final = 5.0
HEARD_MAX: Final = 65_536  # bytes read of a bare connection at a time
CLOSE_CODE: Final = 4000  # spec appendix C.2: a node that rests says the same
SAID: Final = "closed by the peer: "  # how a link tells the node's own words, see `link.py`


class LiveCarrier:
    """The links of one adversary.

    Args:
        way_to: the address at which the harness reaches a node.
        crashed: told of an error that nobody expected.
    """

    def __init__(
        self, way_to: Callable[[str], str], crashed: Callable[[BaseException], None]
    ) -> None:
        self._way_to = way_to
        self._crashed = crashed
        self._clock = Clock()
        self._transport = Transport(self._tell, _always, self._clock, crashed)
        self._targets: dict[str, str] = {}  # address -> node
        self._liar: Liar | None = None
        self._bare: dict[int, asyncio.StreamWriter] = {}
        self._numbers = itertools.count(-1, -1)  # of bare connections; links count up
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Be ready to dial."""
        await self._transport.start(None)

    async def stop(self) -> None:
        """End all that is open."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._transport.stop()

    # --- Carrier ---

    @property
    def now_us(self) -> int:
        """Microseconds by the machine's monotonic clock."""
        return time.monotonic_ns() // 1_000

    @property
    def now_ms(self) -> int:
        """What the machine's clock shows, as the nodes read it."""
        return self._clock.now_ms()

    def after(self, delay_us: int, action: Callable[..., None], *args: object) -> None:
        """Call something after a while."""
        asyncio.get_running_loop().call_later(delay_us / 1e6, self._guarded, action, *args)

    def dial(self, liar: Liar, target: str) -> None:
        """Try to open a link, or a bare connection, to a node."""
        self._liar = liar
        if target.startswith(BARE):
            self._begin_bare(target)
            return
        address = self._way_to(target)
        self._targets[address] = target
        self._transport.dial(address)

    def send(self, link: int, data: bytes) -> None:
        """Send a message, or bytes on a bare connection."""
        if link >= 0:
            self._transport.send(link, data)
        elif link in self._bare:
            self._bare[link].write(data)

    def close(self, link: int, reason: str) -> None:
        """Close a link."""
        if link >= 0:
            self._transport.close_link(link, CLOSE_CODE, reason)
        elif link in self._bare:
            self._bare[link].close()

    # --- links ---

    def _tell(self, event: Event) -> None:
        """Let the adversary know what came of what it asked for."""
        liar = self._liar
        assert liar is not None
        match event:
            case LinkOpened(link, outbound, address):
                liar.opened(link, outbound, self._targets[address])
            case FrameReceived(link, data):
                liar.received(link, data)
            case LinkClosed(link, reason):
                liar.closed(link, ended_by(reason))
            case DialFailed(address, reason):
                liar.dial_failed(self._targets[address], refused_by(reason))
            case _:
                pass  # an adversary goes on pushing, however much waits

    def _guarded(self, action: Callable[..., None], *args: object) -> None:
        try:
            action(*args)
        except Exception as error:
            self._crashed(error)

    # --- bare connections ---

    def _begin_bare(self, target: str) -> None:
        task = asyncio.create_task(self._run_bare(target))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _run_bare(self, target: str) -> None:
        """Open a bare connection and wait until the node ends it."""
        liar = self._liar
        assert liar is not None
        host, _, port = self._way_to(target.removeprefix(BARE)).rpartition(":")
        try:
            async with asyncio.timeout(BARE_DIAL_S):
                reader, writer = await asyncio.open_connection(host, int(port))
        except (OSError, TimeoutError):
            self._guarded(liar.dial_failed, target, "refused")
            return
        number = next(self._numbers)
        self._bare[number] = writer
        self._guarded(liar.opened, number, True, target)
        reason = "connection reset"
        try:
            first = b""
            with contextlib.suppress(OSError):
                while heard := await reader.read(HEARD_MAX):
                    first = first or heard.partition(b"\r\n")[0]
                reason = f"ended: {first.decode(errors='replace')}"
        finally:
            del self._bare[number]
            writer.transport.abort()
            self._guarded(liar.closed, number, reason)


async def _always() -> None:
    """Read as fast as messages come."""


def ended_by(reason: str) -> str:
    """Return why a link ended: the node's own words, or what the wire did, as `WIRE_REASONS` say.

    A node whose process was killed, and a connection that a fault broke, say nothing.
    """
    if reason.startswith(SAID):
        return reason.removeprefix(SAID)
    if reason.startswith("broken: "):
        return "no heartbeat"
    return "connection reset" if reason == "the connection broke" else reason


def refused_by(reason: str) -> str:
    """Return why a dial failed: a node that is full answers, and says so in HTTP."""
    if "HTTP" in reason:
        return f"not let in: {reason}"
    return "timeout" if reason == "no answer in time" else "refused"
