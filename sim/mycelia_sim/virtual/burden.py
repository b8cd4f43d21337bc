"""Measures how much virtual nodes keep in memory for others, beside the bounds of the protocol."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from mycelia_protocol.burden import burdens
from mycelia_protocol.engine import Engine
from mycelia_sim.facts import Overrun
from mycelia_sim.virtual.loop import MS

if TYPE_CHECKING:
    from mycelia_sim.virtual.world import World

LOOK_EVERY_US: Final = 1_000 * MS  # while there are adversaries
LOOK_SELDOM_US: Final = 30_000 * MS


class Scales:
    """Measures all nodes of a world now and then; what is too much becomes a fact, once each."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._every_us = LOOK_EVERY_US if world.plan.attempts else LOOK_SELDOM_US
        self._told: set[tuple[str, str]] = set()
        self.most: dict[str, int] = {}

    def begin(self) -> None:
        """Measure now, and again after a while."""
        for node in self._world.nodes.values():
            if node.engine is not None:
                self._weigh(node.id, node.engine)
        self._world.loop.after(self._every_us, self.begin)

    def _weigh(self, node: str, engine: Engine) -> None:
        facts, at_ms = self._world.facts, self._world.elapsed_ms
        facts.looks += 1
        for what, amount, bound in burdens(engine):
            self.most[what] = max(amount, self.most.get(what, 0))
            if amount > bound and (node, what) not in self._told:
                self._told.add((node, what))
                facts.overruns.append(Overrun(node, at_ms, what, amount, bound))
