"""All links of a run: which port stands for whom, and which links a cut touches."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from collections.abc import Iterator
from typing import Final, Protocol

from mycelia_sim.errors import HarnessError
from mycelia_sim.live.proxy import LinkProxy, Rule, Tally
from mycelia_sim.path import cut_directions
from mycelia_sim.plan import Cut, Plan, PlanLink, Shape

HOST: Final = "127.0.0.1"
PORT_FIRST: Final = 10_000
PORT_LAST: Final = 32_000  # above lie the ports that the system gives to clients


class Ports:
    """Hands out free loopback ports; two harnesses at once begin at different places."""

    def __init__(self) -> None:
        self._next = PORT_FIRST + os.getpid() * 331 % (PORT_LAST - PORT_FIRST)

    def take(self) -> int:
        """Return a port on which nobody listens now.

        Raises: HarnessError when all are taken.
        """
        for _ in range(PORT_LAST - PORT_FIRST):
            port = self._next
            self._next = PORT_FIRST + (port + 1 - PORT_FIRST) % (PORT_LAST - PORT_FIRST)
            with socket.socket() as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                with contextlib.suppress(OSError):
                    probe.bind((HOST, port))
                    return port
        raise HarnessError("no loopback port is free; end what listens on them")


class Network(Protocol):
    """What joins the daemons of one run, and what its faults are done to."""

    async def start(self) -> None:
        """Be ready for daemons.

        Raises: HarnessError; BackendError when this machine can't have such a network.
        """
        ...

    async def close(self) -> None:
        """Take everything down again."""
        ...

    def listen_address(self, node: str) -> str:
        """Return the address on which a node's daemon listens."""
        ...

    def dial_addresses(self, node: str) -> list[str]:
        """Return the addresses that a node keeps connected."""
        ...

    def placed(self, node: str, command: list[str]) -> list[str]:
        """Return the command line that runs a node's command at its place in the network."""
        ...

    def way_in(self, node: str) -> str:
        """Return an address at which the harness itself reaches a node, unharmed by any fault."""
        ...

    def invite_from_outside(self, invite: str) -> str:
        """Return an invite as somebody in the harness can use it."""
        ...

    async def apply(self, cut: Cut) -> int:
        """Begin a cut; return how many links it touches."""
        ...

    async def lift(self, cut: Cut) -> Tally:
        """End a cut; return what it kept back."""
        ...

    async def bend(self, shape: Shape) -> None:
        """Make some directions worse."""
        ...

    async def unbend(self, shape: Shape) -> int:
        """End what `bend` began; return how many packets met it, or bytes where there are none."""
        ...

    async def traffic(self) -> dict[str, int]:
        """Return counts of what was carried so far."""
        ...


class ProxyNetwork:
    """Daemons on loopback, and a relay for each link.

    Attributes:
        node_ports: node id -> port that its daemon listens on itself.
    """

    def __init__(self, plan: Plan) -> None:
        ports = Ports()
        self._ports = ports
        self.node_ports = {node.id: ports.take() for node in plan.nodes}
        self._proxies = {
            link: LinkProxy(self.node_ports[link.listener], link.latency_ms) for link in plan.links
        }
        self._tallies: dict[str, Tally] = {}
        self._before: dict[str, int] = {}  # shape -> bytes on its ways when it began

    async def start(self) -> None:
        """Open all proxies.

        Raises: HarnessError when a port can't be had.
        """
        for proxy in self._proxies.values():
            try:
                await proxy.start(self._ports.take())
            except OSError as error:
                raise HarnessError(f"a link proxy can't listen: {error}") from error

    async def close(self) -> None:
        """Close all proxies."""
        await asyncio.gather(*(proxy.close() for proxy in self._proxies.values()))

    def listen_address(self, node: str) -> str:
        """Return the address on which a node's daemon listens."""
        return f"{HOST}:{self.node_ports[node]}"

    def dial_addresses(self, node: str) -> list[str]:
        """Return the addresses that a node keeps connected: its links' proxies."""
        return [
            f"{HOST}:{proxy.port}" for link, proxy in self._proxies.items() if link.dialer == node
        ]

    def placed(self, node: str, command: list[str]) -> list[str]:
        """Return the command line as it is: all daemons share the machine's own network."""
        return command

    def way_in(self, node: str) -> str:
        """Return the address of a node's daemon itself, past the proxies."""
        return self.listen_address(node)

    def invite_from_outside(self, invite: str) -> str:
        """Return the invite as it is."""
        return invite

    async def apply(self, cut: Cut) -> int:
        """Begin a cut; return how many links it touches."""
        tally = self._tallies[cut.id] = Tally()
        for link, proxy in self._proxies.items():
            forward, backward = _ways(cut, link)
            if forward or backward:
                rule = Rule(cut.mode, forward, backward, cut.delay_ms, tally)
                proxy.apply(cut.id, rule)
        return tally.links

    async def lift(self, cut: Cut) -> Tally:
        """End a cut; return what it kept back."""
        for proxy in self._proxies.values():
            proxy.lift(cut.id)
        return self._tallies[cut.id]

    async def bend(self, shape: Shape) -> None:
        """Set rates; `backends.py` keeps plans away that want more of TCP relays."""
        self._before[shape.id] = self._moved(shape)
        for proxy, way in self._ways_of(shape):
            proxy.rates[way] = shape.rate_bps

    async def unbend(self, shape: Shape) -> int:
        """End the rates; return how many bytes met them."""
        for proxy, way in self._ways_of(shape):
            proxy.rates[way] = 0
        return self._moved(shape) - self._before[shape.id]

    def _ways_of(self, shape: Shape) -> Iterator[tuple[LinkProxy, int]]:
        """Yield the ways that a shape bends."""
        for link, proxy in self._proxies.items():
            ends = (link.dialer, link.listener)
            for way, direction in enumerate((ends, ends[::-1])):
                if direction in shape.links:
                    yield proxy, way

    def _moved(self, shape: Shape) -> int:
        return sum(proxy.moved[way] for proxy, way in self._ways_of(shape))

    async def traffic(self) -> dict[str, int]:
        """Return the bytes relayed so far."""
        return {"bytes": sum(sum(proxy.moved) for proxy in self._proxies.values())}


def _ways(cut: Cut, link: PlanLink) -> tuple[bool, bool]:
    """Return whether a cut touches a link's way forward, and its way back."""
    forward, backward = (link.dialer, link.listener), (link.listener, link.dialer)
    held = cut_directions(cut, [forward, backward])
    return forward in held, backward in held
