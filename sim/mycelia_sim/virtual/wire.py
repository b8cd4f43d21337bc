"""Connections between virtual nodes: ordered messages with latency, rate, loss, and cuts.

A connection behaves like TCP under a WebSocket: messages arrive whole and in order, or the
connection dies. So a lost packet shows as a delay (it is sent again after a timeout that doubles),
reordering as waiting for the one before, and a duplicate as nothing but bytes. What a cut does
depends on its mode:

    drop    messages wait; the connection dies when its heartbeat has heard nothing for 22 s;
            what waited arrives after the heal if that comes first
    queue   like drop, but the connection lives and all that waited arrives at the heal
    delay   messages take longer
    reset   connections break at once, on both sides, and new ones are refused at once

Every draw is made by counter from (seed, link, n), so one link's traffic shifts no other's.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Protocol

from mycelia_sim.path import Path, name_of
from mycelia_sim.virtual.loop import MS, Loop
from mycelia_sim.virtual.watch import Watch

HEARTBEAT_US: Final = 22_500 * MS  # a ping every 15 s, half that to answer
DIAL_TIMEOUT_US: Final = 10_000 * MS
RESEND_US: Final = 200 * MS  # the least retransmission timeout of common systems
RESEND_MAX: Final = 8  # after so many losses in a row the message is late enough
HEADER_SIZE: Final = 60  # bytes of packet headers on each message


class Endpoint(Protocol):
    """A node as its connections see it."""

    id: str

    def opened(self, link: int, outbound: bool, address: str) -> None:
        """Take note of a new link."""
        ...

    def received(self, link: int, data: bytes) -> None:
        """Take a message."""
        ...

    def closed(self, link: int, reason: str) -> None:
        """Take note that a link has ended."""
        ...

    def dial_failed(self, address: str, reason: str) -> None:
        """Take note that a dial led to nothing."""
        ...

    def listens(self) -> bool:
        """Say whether somebody answers here."""
        ...


@dataclass(slots=True)
class Way:
    """One direction of one connection; `sent` and `arrived` number its messages for the trace."""

    source: Endpoint
    target: Endpoint
    target_link: int
    path: Path
    name: str
    free_us: int = 0  # when the next message may arrive at the earliest
    busy_us: int = 0  # until when the sender's line is taken
    numbered: int = 0  # messages so far; their numbers keep the order of what a cut holds
    held: list[tuple[int, bytes]] = field(default_factory=list)
    given: int = 0  # messages that the receiver was given, without a gap
    early: dict[int, bytes] = field(default_factory=dict)  # came before one that a cut held
    sent: int = 0
    arrived: int = 0
    old: int = 0  # of those sent, how many were sent before somebody listened


@dataclass(slots=True)
class Connection:
    """Two directions, and whether they still are."""

    id: int
    ways: tuple[Way, Way]
    is_open: bool = True
    silent_since_us: int | None = None


@dataclass(slots=True)
class Traffic:
    """What all connections carried, in messages and bytes; `held` counts what cuts kept back."""

    messages: int = 0
    bytes: int = 0
    held: int = 0
    lost: int = 0
    duplicates: int = 0


class Network:
    """All connections of a world.

    Args:
        path: gives the direction between two nodes; the same object at every call.
    """

    def __init__(
        self, loop: Loop, seed: int, path: Callable[[str, str], Path], watch: Watch
    ) -> None:
        self.traffic = Traffic()
        self.held: dict[str, int] = {}  # fault id -> messages and dials that it kept back
        self._loop = loop
        self._seed = seed
        self._path = path
        self._watch = watch
        self._connections: dict[int, Connection] = {}
        self._of_node: dict[str, set[int]] = {}
        self._next_id = 1

    def dial(self, source: Endpoint, target: Endpoint | None, address: str) -> None:
        """Try to connect; the outcome comes one round trip later, or at the timeout."""
        if target is None:
            self._loop.after(MS, source.dial_failed, address, "no such node")
            return
        there, back = self._path(source.id, target.id), self._path(target.id, source.id)
        cut = {**there.cuts, **back.cuts}
        if there.is_cut or back.is_cut:
            self._count(cut, 1)
            is_reset = "reset" in cut.values()
            wait_us = there.latency_us if is_reset else DIAL_TIMEOUT_US
            reason = "refused" if is_reset else "timeout"
            self._loop.after(wait_us, source.dial_failed, address, reason)
            return
        trip_us = self._delay_us(there, 0, source.id, target.id)
        trip_us += self._delay_us(back, 0, target.id, source.id)
        self._loop.after(trip_us, self._connect, source, target, address)

    def send(self, link: int, data: bytes) -> None:
        """Send a message on a link; on one that is gone it is lost."""
        connection = self._connections.get(link >> 1)
        if connection is None or not connection.is_open:
            return
        way = connection.ways[link & 1]
        self.traffic.messages += 1
        self.traffic.bytes += len(data) + HEADER_SIZE
        self._watch.sent(way, len(data))
        way.numbered += 1
        if way.path.is_cut or way.held:
            way.held.append((way.numbered, data))
            self._count(way.path.cuts, 1)
            self._fall_silent(connection)
            return
        self._carry(connection, way, (way.numbered, data), 0)

    def close(self, link: int, reason: str) -> None:
        """Close a link from one side; that side is told at once, the other a latency later."""
        connection = self._connections.get(link >> 1)
        if connection is None or not connection.is_open:
            return
        way = connection.ways[link & 1]
        connection.is_open = False
        self._loop.after(0, self._end, connection, link & 1, reason)
        if way.path.is_cut:
            self._loop.after(HEARTBEAT_US, self._end, connection, 1 - (link & 1), "timeout")
        else:
            at_us = max(self._loop.now_us + way.path.latency_us, way.free_us)
            self._loop.at(at_us, self._end, connection, 1 - (link & 1), reason)

    def crash(self, node: Endpoint) -> None:
        """Let a node vanish: its own side says nothing, the others see a reset."""
        for number in sorted(self._of_node.get(node.id, ())):
            connection = self._connections[number]
            side = 0 if connection.ways[0].source is node else 1
            connection.is_open = False
            self._forget(connection, side)
            way = connection.ways[side]
            wait_us = HEARTBEAT_US if way.path.is_cut else way.path.latency_us
            self._loop.after(wait_us, self._end, connection, 1 - side, "connection reset")

    def cut(self, fault: str, mode: str, pairs: list[tuple[str, str]], delay_us: int) -> int:
        """Cut directions between nodes; return how many connections that touches."""
        touched = 0
        for source, target in pairs:
            self._path(source, target).cut(fault, mode, delay_us)
        for connection in list(self._connections.values()):
            if not connection.is_open or not any(fault in w.path.cuts for w in connection.ways):
                continue
            touched += 1
            if mode == "reset":
                self._count({fault: mode}, 1)
                self._reset(connection)
            elif mode == "drop":
                self._fall_silent(connection)
        return touched

    def heal(self, fault: str, pairs: list[tuple[str, str]], delay_us: int) -> None:
        """End a cut; what waited on living connections arrives."""
        for source, target in pairs:
            self._path(source, target).heal(fault, delay_us)
        for connection in list(self._connections.values()):
            if connection.is_open and not any(way.path.is_cut for way in connection.ways):
                connection.silent_since_us = None
                for way in connection.ways:
                    held, way.held = way.held, []
                    for message in sorted(held):  # what was on its way comes before later ones
                        self._carry(connection, way, message, RESEND_US)

    def listen(self) -> None:
        """Tell from now on what is said from what is only late; see `Watch.said`."""
        for connection in self._connections.values():
            for way in connection.ways:
                way.old = way.sent

    # --- inside ---

    def _connect(self, source: Endpoint, target: Endpoint, address: str) -> None:
        if not source.listens():
            return
        if not target.listens():
            source.dial_failed(address, "refused")
            return
        number, self._next_id = self._next_id, self._next_id + 1
        there, back = self._path(source.id, target.id), self._path(target.id, source.id)
        ways = (
            Way(source, target, number << 1 | 1, there, f"{source.id}>{target.id}"),
            Way(target, source, number << 1, back, f"{target.id}>{source.id}"),
        )
        connection = Connection(number, ways)
        self._connections[number] = connection
        for node in (source, target):
            self._of_node.setdefault(node.id, set()).add(number)
        target.opened(number << 1 | 1, False, source.id)
        source.opened(number << 1, True, address)
        if there.is_cut or back.is_cut:
            self._fall_silent(connection)

    def _carry(
        self, connection: Connection, way: Way, message: tuple[int, bytes], extra_us: int
    ) -> None:
        path, size = way.path, len(message[1])
        now_us = self._loop.now_us
        if path.cuts:  # of mode delay, else nothing would be carried
            self._count(path.cuts, 1)
        if path.rates:
            path.bent += 1
        if path.rates and path.rate_bps:
            way.busy_us = max(now_us, way.busy_us) + (
                (size + HEADER_SIZE) * 8_000_000 // path.rate_bps
            )
            extra_us += way.busy_us - now_us
        delay_us = self._delay_us(path, size, way.source.id, way.target.id)
        way.free_us = max(now_us + extra_us + delay_us, way.free_us)
        self._loop.at(way.free_us, self._arrive, connection, way, message)

    def _arrive(self, connection: Connection, way: Way, message: tuple[int, bytes]) -> None:
        if connection.id in self._connections and way.target.listens():
            if way.path.is_cut and connection.is_open:
                way.held.append(message)
                self._count(way.path.cuts, 1)
                self._fall_silent(connection)
                return
            way.early[message[0]] = message[1]
            while way.given + 1 in way.early and way.target.listens():
                way.given += 1
                self._watch.arrives(way, way.early.pop(way.given))
        else:
            self._watch.dropped(way)

    def _delay_us(self, path: Path, size: int, source: str, target: str) -> int:
        """Return how long a message takes now: latency, jitter, and what losses cost."""
        delay_us = path.latency_us + path.delay_us
        if not path.is_disturbed:
            return delay_us
        name = name_of(source, target)
        jitter_us, is_twice, is_late, is_lost = path.toss(self._seed, name)
        delay_us += jitter_us
        if is_twice:
            self.traffic.duplicates += 1
            self.traffic.bytes += size + HEADER_SIZE
        if is_late:
            delay_us += path.latency_us  # what came before its turn waits in the receiver's buffer
        losses = 0
        while is_lost and losses < RESEND_MAX:
            delay_us += RESEND_US << losses
            losses += 1
            is_lost = path.toss_again(self._seed, name)
        self.traffic.lost += losses
        return delay_us

    def _fall_silent(self, connection: Connection) -> None:
        """Begin the wait after which the heartbeat gives up."""
        modes = [mode for way in connection.ways for mode in way.path.cuts.values()]
        if connection.silent_since_us is not None or "drop" not in modes:
            return
        connection.silent_since_us = self._loop.now_us
        self._loop.after(HEARTBEAT_US, self._give_up, connection, self._loop.now_us)

    def _give_up(self, connection: Connection, since_us: int) -> None:
        if connection.is_open and connection.silent_since_us == since_us:
            self._reset(connection, "no heartbeat")

    def _reset(self, connection: Connection, reason: str = "connection reset") -> None:
        connection.is_open = False
        for side in (0, 1):
            self._loop.after(0, self._end, connection, side, reason)

    def _end(self, connection: Connection, side: int, reason: str) -> None:
        """Tell one side that its link has ended."""
        node = connection.ways[side].source
        if connection.id in self._of_node.get(node.id, ()):
            self._forget(connection, side)
            self._watch.ended += 1
            node.closed(connection.id << 1 | side, reason)

    def _forget(self, connection: Connection, side: int) -> None:
        self._of_node[connection.ways[side].source.id].discard(connection.id)
        other = connection.ways[1 - side].source.id
        if connection.id not in self._of_node.get(other, ()):
            self._connections.pop(connection.id, None)

    def _count(self, cuts: dict[str, str], messages: int) -> None:
        self.traffic.held += messages
        for fault in cuts:
            self.held[fault] = self.held.get(fault, 0) + messages
