"""A home opened while no daemon runs, for bundles out of it and into it."""

import asyncio
import contextlib
from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import Any, Self

from mycelia_node.carrying import Incoming, pack
from mycelia_node.clock import Clock
from mycelia_node.config import load_config
from mycelia_node.errors import HomeError, RequestError
from mycelia_node.home import Home
from mycelia_node.keys import load_seed
from mycelia_node.node import Node, read_charter
from mycelia_node.watchers import Watchers
from mycelia_protocol.charter import Charter


class RestingNode:
    """A home that is locked and read, as long as the context lasts.

    Records go through the engine as they do in a daemon; it only talks to nobody, and writes
    nothing by itself. A clean end stays one: the marker is taken and left again.
    """

    def __init__(self, home: Home) -> None:
        self._home = home
        self._stack = contextlib.ExitStack()
        self._failures: list[BaseException] = []
        self._runner: asyncio.Runner
        self._node: Node

    def __enter__(self) -> Self:
        """Lock the home and read its store.

        Raises:
            NodeError: in use, in no commons, or damaged.
        """
        with self._stack:
            self._stack.enter_context(self._home.locked())
            charter = read_charter(self._home)
            if charter is None:
                raise RequestError(
                    "This node is in no commons yet.",
                    "Use `mycelia found NAME` or `mycelia join INVITE`.",
                    code="no-commons",
                    status=409,
                )
            self._runner = self._stack.enter_context(asyncio.Runner())
            self._node = self._runner.run(self._open(charter))
            self._stack = self._stack.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Write what waits, and let the home go; after a bug without the marker of a clean end."""
        with self._stack:
            if self._failures:
                raise self._failures[0]
            self._runner.run(self._node.stop())

    async def _open(self, charter: Charter) -> Node:
        config, seed = load_config(self._home), load_seed(self._home.key)
        node = Node(
            self._home,
            config,
            charter,
            seed,
            Clock(),
            Watchers(),
            self._failures.append,
            is_resting=True,
        )
        node.load()
        return node

    @contextlib.contextmanager
    def giving(self, audience: str | None) -> Iterator[tuple[dict[str, Any], Iterator[bytes]]]:
        """Give what is known of a bundle, and its bytes.

        Raises:
            RequestError: nobody is called so.
        """
        bundle = self._runner.run(pack(self._node, audience))
        blocks = bundle.blocks()

        async def following() -> bytes | None:
            return await anext(blocks, None)

        def each() -> Iterator[bytes]:
            while (block := self._runner.run(following())) is not None:
                yield block

        yield bundle.describe(), each()

    def take(self, pieces: Iterable[bytes]) -> dict[str, Any]:
        """Take a bundle in and return what became of it.

        Raises:
            RequestError: not for this node, or the disk is full.
        """
        return self._runner.run(self._take(pieces))

    async def _take(self, pieces: Iterable[bytes]) -> dict[str, Any]:
        incoming = Incoming(self._node)
        try:
            for piece in pieces:
                await incoming.take(piece)
            return await incoming.finish()
        finally:
            incoming.close()


def open_resting(home: Home) -> RestingNode:
    """Return a home that no daemon runs on, to be entered.

    Raises:
        HomeError: there is none.
    """
    if not home.exists():
        raise HomeError(
            f"There is no node at {home.path} yet.",
            "Make one with `mycelia found` or `mycelia join`, or name the right --home.",
        )
    return RestingNode(home)
