"""All links of a run: which port stands for whom, and which links a cut touches."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from typing import Final

from mycelia_sim.errors import HarnessError
from mycelia_sim.live.proxy import LinkProxy, Rule, Tally
from mycelia_sim.plan import Cut, Plan, PlanLink

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


class Network:
    """The proxies of one run.

    Attributes:
        node_ports: node id -> port that its daemon listens on itself.
    """

    def __init__(self, plan: Plan) -> None:
        ports = Ports()
        self._plan = plan
        self._ports = ports
        self.node_ports = {node.id: ports.take() for node in plan.nodes}
        self._proxies = {
            link: LinkProxy(self.node_ports[link.listener], link.latency_ms) for link in plan.links
        }

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

    def dial_addresses(self, node: str) -> list[str]:
        """Return the addresses that a node keeps connected: its links' proxies."""
        return [
            f"{HOST}:{proxy.port}" for link, proxy in self._proxies.items() if link.dialer == node
        ]

    @property
    def moved(self) -> int:
        """Return the bytes relayed on all links so far."""
        return sum(sum(proxy.moved) for proxy in self._proxies.values())

    def apply(self, cut: Cut) -> Tally:
        """Begin a cut; the tally counts on until it is lifted."""
        tally = Tally()
        for link, proxy in self._proxies.items():
            forward, backward = _ways(cut, link)
            if forward or backward:
                rule = Rule(cut.mode, forward, backward, cut.delay_ms, tally)
                proxy.apply(cut.id, rule)
        return tally

    def lift(self, cut: Cut) -> None:
        """End a cut."""
        for proxy in self._proxies.values():
            proxy.lift(cut.id)

    def lift_all(self) -> None:
        """End whatever is cut."""
        for cut in self._plan.cuts:
            self.lift(cut)


def _ways(cut: Cut, link: PlanLink) -> tuple[bool, bool]:
    """Return whether a cut touches a link's way forward, and its way back."""
    group_of = {node: n for n, group in enumerate(cut.groups) for node in group}
    dialer, listener = group_of.get(link.dialer), group_of.get(link.listener)
    if dialer is None or listener is None or dialer == listener:
        return False, False
    if cut.oneway:
        return dialer == 0, listener == 0
    return True, True
