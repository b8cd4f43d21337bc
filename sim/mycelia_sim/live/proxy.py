"""One link between two daemons as a TCP relay that can be slow, cut or reset.

Theory of operation. A `LinkProxy` listens where the dialer believes the other node to be. Each
connection has two ways, forward (dialer to listener) and backward. A way is a queue of
(due time, bytes): what arrives is stamped with now + latency and released when its time has come.
Sleeping in the pump would be simpler and wrong: it turns a latency into a limit of one read per
latency. Queues are bounded; a full one stops reading, so that TCP pushes back on the sender. Where
a way has a rate, bytes are on the line for as long as they take, one after the other.

A cut way (mode drop) releases nothing, as if each packet were lost and sent again: bytes wait in
the queue and then in the sender's own buffers, in order. New connections are accepted and left
without an answer, and go on when the link heals, if the dialer still waits. Mode reset sends RST
to everything that is there and that comes. Mode delay only adds to the latency.

TCP shows neither loss nor reordering, so this proxy does not pretend to have them.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from mycelia_sim.live.relay import Connection


@dataclass(slots=True)
class Tally:
    """What one fault kept back on all the links that it touched."""

    bytes: int = 0
    connections: int = 0
    links: int = 0


@dataclass(frozen=True, slots=True)
class Rule:
    """What a fault does to one link: its mode (drop, delay, reset) and the ways that it touches."""

    mode: str
    forward: bool
    backward: bool
    delay_ms: int
    tally: Tally


class LinkProxy:
    """The relay of one directed dial link; rules of several faults add up.

    Attributes:
        moved: bytes relayed so far, forward and backward.
        rates: limits in bits a second, forward and backward; 0 for none.
        port: where it listens, once `start` has returned.
    """

    def __init__(self, target_port: int, latency_ms: int, host: str = "127.0.0.1") -> None:
        self.host = host
        self.target_port = target_port
        self.latency_s = latency_ms / 1000
        self.moved = [0, 0]
        self.rates = [0, 0]
        self._free_s = [0.0, 0.0]  # when the line is free again, forward and backward
        self.port = 0
        self.connections: list[Connection] = []
        self._rules: dict[str, Rule] = {}
        self._server: asyncio.Server | None = None
        self.tasks: set[asyncio.Task[None]] = set()

    async def start(self, port: int = 0) -> None:
        """Listen on `port` (0: any free one).

        Raises: OSError when the port is taken.
        """
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: Connection(self).dialer_end, self.host, port
        )
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Stop listening and drop every connection."""
        if self._server is not None:
            self._server.close()
        for task in list(self.tasks):
            task.cancel()
        for connection in list(self.connections):
            connection.reset()
        if self._server is not None:
            await self._server.wait_closed()

    def apply(self, fault: str, rule: Rule) -> None:
        """Begin a fault on this link."""
        self._rules[fault] = rule
        rule.tally.links += 1
        for connection in list(self.connections):
            if rule.mode == "reset":
                rule.tally.connections += 1
                connection.reset()
            else:
                rule.tally.bytes += connection.ways[0].size if rule.forward else 0
                rule.tally.bytes += connection.ways[1].size if rule.backward else 0

    def lift(self, fault: str) -> None:
        """End a fault on this link; what waited moves on if no other fault holds it."""
        if self._rules.pop(fault, None) is not None:
            for connection in list(self.connections):
                connection.go_on()

    def is_blocked(self, way: int) -> bool:
        """Return whether a way (0 forward, 1 backward) lets nothing through now."""
        return any(
            rule.mode != "delay" and (rule.backward if way else rule.forward)
            for rule in self._rules.values()
        )

    def due_s(self, way: int, size: int, now_s: float) -> float:
        """Return when bytes that come to a way (0 forward, 1 backward) now are through."""
        if self.rates[way]:
            now_s = self._free_s[way] = max(now_s, self._free_s[way]) + size * 8 / self.rates[way]
        return now_s + self._delay_s(way)

    def _delay_s(self, way: int) -> float:
        """Return the present latency of a way in seconds."""
        extra_ms = sum(
            rule.delay_ms
            for rule in self._rules.values()
            if rule.mode == "delay" and (rule.backward if way else rule.forward)
        )
        return self.latency_s + extra_ms / 1000

    def count_withheld(self, way: int, size: int) -> None:
        """Tell the faults on a way that bytes came to them."""
        for rule in self._rules.values():
            if rule.backward if way else rule.forward:
                rule.tally.bytes += size

    def admit(self) -> str:
        """Return what to do with a new connection: "go", "hold" or "reset"; count what is kept."""
        holding = [rule for rule in self._rules.values() if rule.mode != "delay"]
        for rule in holding:
            rule.tally.connections += 1
        if any(rule.mode == "reset" for rule in holding):
            return "reset"
        return "hold" if holding else "go"
