"""The adversaries of a run of real nodes: they join by real invites, then do as they do anywhere.

What they do is in `adversaries/`; here are their keys, and what carries them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from mycelia_node.clock import Clock
from mycelia_node.errors import NodeError
from mycelia_node.joining import join
from mycelia_protocol.charter import Charter
from mycelia_protocol.crypto import public_key
from mycelia_protocol.errors import MyceliaError
from mycelia_protocol.identity import to_text
from mycelia_protocol.join import decode_introduction
from mycelia_protocol.record import Record
from mycelia_sim.adversaries.cast import Cast, adversary_ids
from mycelia_sim.adversaries.scene import Scene
from mycelia_sim.errors import HarnessError
from mycelia_sim.facts import AttemptFact
from mycelia_sim.live.beneath import BENEATH
from mycelia_sim.live.carrier import LiveCarrier
from mycelia_sim.live.network import Network
from mycelia_sim.plan import Attempt, Plan
from mycelia_sim.streams import Stream

LogText = tuple[str, str]  # author and log, as nodes tell them


class LiveLiars:
    """All adversaries of one run.

    Attributes:
        keys: adversary -> public key; known before it joins.
    """

    def __init__(self, plan: Plan, network: Network) -> None:
        self._plan = plan
        self._network = network
        self._seeds = {
            one: Stream(plan.seed, f"key/{one}").bytes(32) for one in adversary_ids(plan.attempts)
        }
        self.keys: Final = {one: public_key(seed) for one, seed in self._seeds.items()}
        self._carriers = {one: LiveCarrier(network.way_in, self._crash) for one in self._seeds}
        self._cast: Cast | None = None
        self._facts: list[AttemptFact] | None = None
        self._crashed: BaseException | None = None

    async def join(
        self, node_keys: Mapping[str, bytes], invite: Callable[[], Awaitable[str]]
    ) -> None:
        """Become members, each by an invite of its own.

        Args:
            node_keys: node -> public key, of all honest nodes.
            invite: returns a fresh invite of the founder.

        Raises: HarnessError when an invite does not work.
        """
        introductions: dict[str, tuple[Record, ...]] = {}
        charter = b""
        for one, seed in self._seeds.items():
            text = self._network.invite_from_outside(await invite())
            try:
                joined = await join(text, seed, Clock())
                introductions[one], _ = decode_introduction(joined.introduction)
            except (MyceliaError, NodeError) as error:
                raise HarnessError(f"adversary {one} can't join: {error}") from error
            charter = joined.charter
        if not introductions:
            return
        vouch = next(iter(introductions.values()))[0]
        nodes = tuple(node.id for node in self._plan.nodes)
        scene = Scene(
            seed=self._plan.seed,
            charter=Charter.decode(charter),
            keys={**node_keys, **self.keys},
            seeds=self._seeds,
            nodes=nodes,
            founders_log=(vouch.author, vouch.log),
            introductions=introductions,
            addresses={node: self._network.listen_address(node) for node in nodes},
            beneath=BENEATH,
        )
        for carrier in self._carriers.values():
            await carrier.start()
        self._cast = Cast(self._plan.attempts, scene, self._carriers.__getitem__)

    def begin(self, attempt: Attempt) -> None:
        """Begin an attempt."""
        assert self._cast is not None
        self._cast.begin(attempt)

    async def finish(self) -> list[AttemptFact]:
        """End all attempts and links; return what became of each attempt, every time the same."""
        if self._facts is None:
            self._facts = [] if self._cast is None else self._cast.finish()
        await asyncio.gather(*(carrier.stop() for carrier in self._carriers.values()))
        return self._facts

    def raise_if_broken(self) -> None:
        """Raise what a script or its carrier raised, which is a bug of theirs.

        Raises: HarnessError.
        """
        error = self._crashed
        if error is not None:
            raise HarnessError(f"an adversary broke: {type(error).__name__}: {error}") from error

    @property
    def authors(self) -> frozenset[str]:
        """The keys of all, as nodes tell them."""
        return frozenset(to_text("key", key) for key in self.keys.values())

    @property
    def forked(self) -> frozenset[LogText]:
        """The logs of which somebody wrote two ends, as nodes tell them."""
        logs = frozenset() if self._cast is None else self._cast.forked
        return frozenset((to_text("key", author), to_text("log", log)) for author, log in logs)

    def _crash(self, error: BaseException) -> None:
        self._crashed = self._crashed or error
