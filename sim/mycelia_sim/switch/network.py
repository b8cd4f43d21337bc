"""The network of a run on the switch backend, as the fleet and the stage see it."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Final

from mycelia_protocol.invite import Invite
from mycelia_sim.errors import HarnessError
from mycelia_sim.live.proxy import Tally
from mycelia_sim.plan import Cut, Plan, Shape
from mycelia_sim.switch import enter
from mycelia_sim.switch.addresses import NODE_PORT, address_of
from mycelia_sim.switch.client import SwitchClient
from mycelia_sim.switch.doors import Doors

COUNTS: Final = ("frames", "bytes", "lost", "duplicates", "overtaken", "held", "resets")


class SwitchNetwork:
    """One network namespace for each node, joined by a switch process.

    Args:
        log: where that process writes what goes wrong.
    """

    def __init__(self, plan: Plan, log: Path) -> None:
        self._plan = plan
        self._hosts = {node.id: address_of(n) for n, node in enumerate(plan.nodes)}
        self._client = SwitchClient(log)
        targets = {node: (host, NODE_PORT) for node, host in self._hosts.items()}
        self._doors = Doors(targets, self._client.knock)
        self._before: dict[str, int] = {}  # shape -> frames on its directions when it began

    async def start(self) -> None:
        """Make all namespaces, and doors if an adversary will need them.

        Raises: BackendError when this machine does not let us; HarnessError.
        """
        await self._client.start(self._plan)
        if self._plan.attempts:
            try:
                await self._doors.open()
            except OSError as error:
                raise HarnessError(f"a door into the network can't open: {error}") from error

    async def close(self) -> None:
        """End the switch; the namespaces go with the daemons."""
        await self._doors.close()
        await self._client.close()

    def listen_address(self, node: str) -> str:
        """Return the address of a node in its own namespace."""
        return f"{self._hosts[node]}:{NODE_PORT}"

    def dial_addresses(self, node: str) -> list[str]:
        """Return the addresses that a node keeps connected."""
        return [
            self.listen_address(link.listener) for link in self._plan.links if link.dialer == node
        ]

    def placed(self, node: str, command: list[str]) -> list[str]:
        """Return the command line that runs a node's command in its namespace."""
        descriptor = self._client.networks[node]
        launcher = [sys.executable, "-I", "-S", enter.__file__]
        return [*launcher, str(self._client.pid), str(descriptor), *command]

    def way_in(self, node: str) -> str:
        """Return the address of a node's door."""
        return self._doors.address(node)

    def invite_from_outside(self, invite: str) -> str:
        """Return an invite that names the door of whoever wrote it instead of its address."""
        known = Invite.from_text(invite)
        doors = [
            self.way_in(node)
            for node in self._hosts
            if self.listen_address(node) in known.addresses
        ]
        return replace(known, addresses=tuple(doors)).to_text()

    async def apply(self, cut: Cut) -> int:
        """Begin a cut; return how many links it touches."""
        return int((await self._client.ask("cut", cut.id))["links"])

    async def lift(self, cut: Cut) -> Tally:
        """End a cut; return what it kept back."""
        held = await self._client.ask("heal", cut.id)
        return Tally(held.get("bytes", 0), held.get("connections", 0))

    async def bend(self, shape: Shape) -> None:
        """Make some directions worse."""
        self._before[shape.id] = (await self._client.ask("bend", shape.id))["frames"]

    async def unbend(self, shape: Shape) -> int:
        """End what `bend` began; return how many frames met it."""
        frames: int = (await self._client.ask("unbend", shape.id))["frames"]
        return frames - self._before[shape.id]

    async def traffic(self) -> dict[str, int]:
        """Return counts of what was carried so far, and of what the machine itself lost."""
        told = await self._client.ask("traffic")
        return {**dict.fromkeys(COUNTS, 0), **told}
