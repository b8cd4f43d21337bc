"""The nodes of a run as one: their homes, daemons and clients."""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from mycelia_protocol.identity import from_text
from mycelia_sim.errors import HarnessError
from mycelia_sim.live.client import CallFailed, Client
from mycelia_sim.live.network import Network
from mycelia_sim.live.process import Command, Daemon, Ready, Warden
from mycelia_sim.plan import Plan, PlanNode
from mycelia_sim.streams import Stream

COMMONS: Final = "Twin Cities"
INVITE_DAYS: Final = 1
JOINS_AT_ONCE: Final = 4


class Fleet:
    """All daemons of a run.

    Attributes:
        daemons: node id -> its process.
        keys: node id -> its public key in hex, once it was started.
        turns: node id -> (monotonic seconds, start, crash, pause or resume), in order. A node was
            certainly not running from a crash to the next start, and from a pause to a resume.
        on_ready: told of every daemon that is ready, with a client to it.
    """

    def __init__(
        self, plan: Plan, network: Network, homes: Path, logs: Path, command: Command
    ) -> None:
        self.plan = plan
        self.network = network
        self.warden = Warden()
        self.keys: dict[str, str] = {}
        self.turns: dict[str, list[tuple[float, str]]] = {node.id: [] for node in plan.nodes}
        self.on_ready: Callable[[str, Client], None] = lambda node, client: None
        self.daemons = {
            node.id: Daemon(
                f"{node.id} ({node.name})",
                homes / node.id,
                logs / f"{node.id}.log",
                self._placed(node.id, command),
                self.warden,
            )
            for node in plan.nodes
        }
        self._clients: dict[str, Client] = {}
        self._unclean: set[str] = set()
        # Starting is work for the CPU alone: more at once than cores would only make all late.
        self._starts = asyncio.Semaphore(max(2, os.cpu_count() or 2))

    def _placed(self, node: str, command: Command) -> Command:
        """Return the command of one node's daemon at its place in the network."""
        return lambda home: self.network.placed(node, command(home))

    @property
    def founder(self) -> str:
        """Return the node that founds the commons and invites the others."""
        return self.plan.nodes[0].id

    def prepare(self) -> None:
        """Write each node's folder: its settings and its key."""
        for node in self.plan.nodes:
            home = self.daemons[node.id].home
            home.mkdir(mode=0o700, parents=True)
            (home / "config.toml").write_text(self._config(node), "utf-8")
            key = home / "identity.key"
            key.touch(mode=0o600)
            seed = Stream(self.plan.seed, f"key/{node.id}").bytes(32)
            key.write_text(f"{seed.hex()}\n", "ascii")

    def _config(self, node: PlanNode) -> str:
        dial = ", ".join(f'"{address}"' for address in self.network.dial_addresses(node.id))
        # No discovery: a node that dialled others by itself would pass by the proxies.
        return (
            "version = 1\n"
            f"[node]\nname = {json.dumps(node.name, ensure_ascii=False)}\n"
            f'[link]\nlisten = "{self.network.listen_address(node.id)}"\n'
            f"dial = [{dial}]\ndiscover = false\n"
            f"presence = {json.dumps(self.plan.presence)}\n"
            f'[share]\npolicy = "{self.plan.policy}"\nreceipts = "{self.plan.receipts}"\n'
            f"preposition = {json.dumps(self.plan.preposition)}\n{self._patience()}"
            '[log]\nlevel = "info"\nformat = "text"\n'
        )

    def _patience(self) -> str:
        """Return the line that says how long grants wait, if that is not left to the node."""
        wait_ms = self.plan.accept_within_ms
        return "" if wait_ms is None else f"accept_within_s = {-(-wait_ms // 1_000)}\n"

    async def start(self, node: str) -> Ready:
        """Start one daemon, when it is its turn, and open a client to it.

        Raises: HarnessError.
        """
        async with self._starts:
            self._turned(node, "start")
            ready = await self.daemons[node].start()
        self.keys[node] = from_text(ready.key, "key").hex()
        await self._close_client(node)
        client = self._clients[node] = Client(ready.socket)
        self.on_ready(node, client)
        return ready

    def _turned(self, node: str, what: str) -> None:
        self.turns[node].append((time.monotonic(), what))

    async def gather(self, progress: Callable[[int], None]) -> None:
        """Start all daemons, found a commons at the first and let the others join by invites.

        Raises: HarnessError.
        """
        joined = 1
        joins = asyncio.Semaphore(JOINS_AT_ONCE)
        await self.start(self.founder)
        await self._call(self.founder, "/v1/found", {"name": self._name(), "commons": COMMONS})
        if self.plan.agreed_policy is not None:
            await self._call(self.founder, "/v1/policy", {"baseline": self.plan.agreed_policy})
        progress(joined)

        async def bring_in(node: str) -> None:
            nonlocal joined
            await self.start(node)
            async with joins:
                await self._call(node, "/v1/join", {"invite": await self.invite()})
            joined += 1
            progress(joined)

        others = [node.id for node in self.plan.nodes if node.id != self.founder]
        tasks = [asyncio.create_task(bring_in(node)) for node in others]
        try:
            await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def invite(self) -> str:
        """Return a fresh invite of the founder.

        Raises: HarnessError.
        """
        answer = await self._call(self.founder, "/v1/invites", {"days": INVITE_DAYS})
        return str(answer["invite"])

    def _name(self) -> str:
        return self.plan.node(self.founder).name

    async def _call(self, node: str, path: str, body: dict[str, object]) -> dict[str, object]:
        try:
            return await self._clients[node].post(path, body)
        except CallFailed as error:
            daemon = self.daemons[node]
            raise HarnessError(f"{daemon.name}: {error}; its log is {daemon.log}") from error

    def client(self, node: str) -> Client | None:
        """Return the client of a node that runs, None while it is down."""
        return self._clients.get(node) if self.daemons[node].ready is not None else None

    def running(self) -> list[str]:
        """Return the nodes whose daemons are ready, and not stopped by SIGSTOP."""
        return [
            node
            for node, daemon in self.daemons.items()
            if daemon.ready is not None and not daemon.is_paused
        ]

    async def kill(self, node: str) -> bool:
        """End one daemon with SIGKILL; return whether it was running."""
        daemon = self.daemons[node]
        was_running = daemon.is_running and daemon.ready is not None
        daemon.ready = None
        await daemon.kill()
        self._turned(node, "crash")
        await self._close_client(node)
        return was_running

    def pause(self, node: str) -> bool:
        """Stop one daemon without ending it; return whether it was running."""
        daemon = self.daemons[node]
        is_stopped = daemon.ready is not None and daemon.pause()
        if is_stopped:
            self._turned(node, "pause")
        return is_stopped

    def resume(self, node: str) -> None:
        """Let a daemon that was paused go on."""
        self._turned(node, "resume")
        self.daemons[node].resume()

    async def leave(self, node: str) -> bool:
        """Let one daemon end politely; return whether it was running."""
        daemon = self.daemons[node]
        was_running = daemon.is_running and daemon.ready is not None
        await self._close_client(node)
        if was_running and not await daemon.stop():
            self._unclean.add(node)
        self._turned(node, "crash")
        return was_running

    async def stop(self) -> list[str]:
        """Stop all daemons; return the nodes that ever did not end cleanly when asked."""
        await self.close_clients()
        nodes = [node for node, daemon in self.daemons.items() if daemon.is_running]
        ended = await asyncio.gather(*(self.daemons[node].stop() for node in nodes))
        found = {node for node, is_clean in zip(nodes, ended, strict=True) if not is_clean}
        return sorted(self._unclean | found)

    async def close_clients(self) -> None:
        """Close all clients."""
        for node in list(self._clients):
            await self._close_client(node)

    async def _close_client(self, node: str) -> None:
        client = self._clients.pop(node, None)
        if client is not None:
            await client.close()

    async def end(self) -> None:
        """Leave no process behind, whatever has happened."""
        await self.close_clients()
        await asyncio.gather(*(d.kill() for d in self.daemons.values() if d.is_running))
        self.warden.end_all()
