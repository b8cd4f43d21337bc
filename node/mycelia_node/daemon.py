"""The process: takes the home, listens, serves the local API, and ends cleanly on a signal.

    up ──> lock home ──> config, key ──> port ──> API ──> node (once there is a charter) ──> ready

Without a charter it waits for `found` or `join` through the API. Any exception that nobody expected
ends the process loudly with exit code 1 and without the marker of a clean end.
"""

import asyncio
import gc
import json
import logging
import os
import signal
import socket
import sys
from typing import Final

from mycelia_node.clock import Clock
from mycelia_node.config import LISTEN_HOST, LISTEN_PORT_FIRST, Config, split_host_port
from mycelia_node.config_edit import set_value
from mycelia_node.errors import RequestError, TransportError
from mycelia_node.home import Home
from mycelia_node.joining import join, keep
from mycelia_node.names import short_id
from mycelia_node.node import Node, read_charter
from mycelia_node.observe import start_logging
from mycelia_node.setup import new_charter, prepare
from mycelia_node.text import count
from mycelia_node.watchers import Watchers
from mycelia_protocol.charter import Charter
from mycelia_protocol.crypto import public_key
from mycelia_protocol.identity import to_text

PORTS_TRIED = 1_000
LISTEN_BACKLOG = 128  # sockets that wait to be accepted
# Records live as long as the node and are in no cycles: to look through them often finds nothing.
COLLECT_EVERY = (20_000, 10, 10)  # new containers, young and middle collections

log = logging.getLogger("mycelia.node")


class Daemon:
    """One home's process while it runs. The home must be created and locked."""

    def __init__(self, home: Home, config: Config, seed: bytes) -> None:
        self.home: Final = home
        self.config = config
        self.seed: Final = seed
        self.key: Final = public_key(seed)
        self.clock: Final = Clock()
        self.started_ms: Final = self.clock.now_ms()
        self.watchers: Final = Watchers()
        self.node: Node | None = None
        self.stopping: Final = asyncio.Event()
        self.failure: BaseException | None = None
        self._listener: socket.socket | None = None
        self._entering = asyncio.Lock()

    async def run(self, as_json: bool) -> int:
        """Serve until told to stop; return the exit code."""
        from mycelia_node.api.server import serve_api  # the API knows the daemon, not the reverse

        loop = asyncio.get_running_loop()
        loop.set_exception_handler(self._on_loop_error)
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.stop, number.name)
        self._listener = self._bind()
        async with serve_api(self):
            try:
                charter = read_charter(self.home)
                if charter is not None:
                    await self._start_node(charter)
                self._say_ready(as_json)
                await self.stopping.wait()
            finally:
                self.watchers.end()
                if self.node is not None and self.failure is None:
                    await self.node.stop()
                self._listener.close()
        if self.failure is not None:
            self.home.snapshot.unlink(missing_ok=True)  # it may be why: all is read next time
            log.critical("the node failed and stops", exc_info=self.failure)
            return 1
        log.info("stopped")
        return 0

    def stop(self, reason: str) -> None:
        """Begin to end."""
        if not self.stopping.is_set():
            log.info("stopping: %s", reason)
            self.stopping.set()

    # --- entering a commons ---

    async def found(self, name: str, node_name: str | None) -> Node:
        """Found a commons and become its first member.

        Raises:
            RequestError: this node is in a commons already.
        """
        async with self._entering:
            self._refuse_second_commons()
            if node_name is not None:
                self.config = set_value(self.home, "node", "name", node_name)
            charter = new_charter(name, self.key, self.clock.now_ms())
            self.home.write_private(self.home.charter, charter.encode())
            log.info("founded %s (%s)", name, short_id("commons", charter.commons))
            return await self._start_node(charter)

    async def join(self, invite: str, node_name: str | None) -> Node:
        """Join a commons with an invite.

        Raises:
            RequestError: this node is in a commons already, or the invite did not work.
        """
        async with self._entering:
            self._refuse_second_commons()
            if node_name is not None:
                self.config = set_value(self.home, "node", "name", node_name)
            joined = await join(invite, self.seed, self.clock)
            keep(self.home, joined)
            charter = Charter.decode(joined.charter)
            log.info("joined %s (%s)", charter.name, short_id("commons", charter.commons))
            return await self._start_node(charter)

    def _refuse_second_commons(self) -> None:
        if self.node is not None:
            raise RequestError(
                f"This node is in the commons {self.node.engine.state.charter.name!r} already.",
                "One home is one node in one commons; name another --home.",
                code="in-commons",
                status=409,
            )

    async def _start_node(self, charter: Charter) -> Node:
        node = Node(
            self.home, self.config, charter, self.seed, self.clock, self.watchers, self._on_crash
        )
        await node.start(self._listener)
        gc.freeze()  # what was read from the store stays; to look through it again costs seconds
        self.node = node
        return node

    # --- listening ---

    def _bind(self) -> socket.socket:
        """Bind the port of the settings, or the first free one, which the settings then name.

        Raises:
            TransportError: the address is in use or not this machine's.
        """
        if self.config.link.listen:
            host, port = split_host_port(self.config.link.listen, "link.listen")
            try:
                listener = bind(host, port)
            except OSError as error:
                raise TransportError(
                    f"{self.config.link.listen} can't be listened on: {reason(error)}.",
                    f"Free it, or change listen in {self.home.config}.",
                ) from error
            if port == 0:
                self.config = set_value(self.home, "link", "listen", address_of(listener))
            return listener
        for port in range(LISTEN_PORT_FIRST, LISTEN_PORT_FIRST + PORTS_TRIED):
            try:
                listener = bind(LISTEN_HOST, port)
            except OSError:
                continue
            self.config = set_value(self.home, "link", "listen", address_of(listener))
            return listener
        raise TransportError(
            f"No port from {LISTEN_PORT_FIRST} on is free.",
            f"Write listen into the section [link] of {self.home.config}.",
        )

    # --- saying what happens ---

    def _say_ready(self, as_json: bool) -> None:
        """Tell on stdout that the daemon can be used; one line for programs, some for people."""
        ready = {
            "event": "ready",
            "socket": str(self.home.socket),
            "listen": self.config.link.listen,
            "key": to_text("key", self.key),
            "pid": os.getpid(),
        }
        if as_json:
            print(json.dumps(ready), flush=True)  # noqa: T201  the answer of `up`
            return
        name, key = self.config.node.name, short_id("key", self.key)
        if self.node is None:
            commons = "It is in no commons yet: `mycelia found NAME` or `mycelia join INVITE`."
        else:
            state = self.node.engine.state
            commons = f'In "{state.charter.name}", {count(len(state.roster()), "member")}.'
        lines = (
            f"ready: {name} ({key}) listens on {self.config.link.listen}. {commons}",
            f"home: {self.home.path}",
        )
        print("\n".join(lines), flush=True)  # noqa: T201  the answer of `up`

    def _on_crash(self, error: BaseException) -> None:
        """Keep the first failure and end."""
        if self.failure is None:
            self.failure = error
        self.stopping.set()

    def _on_loop_error(self, loop: asyncio.AbstractEventLoop, context: dict[str, object]) -> None:
        """Be loud about an exception in a task or callback that nobody waited for."""
        error = context.get("exception")
        known = error if isinstance(error, BaseException) else None
        log.error("%s", context.get("message"), exc_info=known)


def run_daemon(home: Home, name: str | None, as_json: bool) -> int:
    """Run a node on this home until it is told to stop; return the exit code.

    Raises:
        NodeError: it could not start; the message says why and what to do.
    """
    gc.set_threshold(*COLLECT_EVERY)
    home.create()
    with home.locked():
        config, seed = prepare(home, name)
        start_logging(config.log)

        async def run() -> int:
            return await Daemon(home, config, seed).run(as_json)

        try:
            return asyncio.run(run())
        finally:
            sys.stdout.flush()


def bind(host: str, port: int) -> socket.socket:
    """Return a listening TCP socket.

    It listens at once: with SO_REUSEADDR a port that is only bound could be bound twice.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    info = socket.getaddrinfo(host, port, family, socket.SOCK_STREAM)[0]
    listener = socket.socket(info[0], info[1], info[2])
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(info[4])
        listener.listen(LISTEN_BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener


def address_of(listener: socket.socket) -> str:
    """Return host:port of a bound socket."""
    host, port = listener.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def reason(error: OSError) -> str:
    """Return an OS error in words."""
    return error.strerror or str(error)
