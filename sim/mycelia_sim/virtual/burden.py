"""How much a node keeps in memory for others, beside the bounds of the protocol.

It looks into the machines of the engine: none of this is told to anybody, and a bound that is not
kept shows nowhere else before the memory is gone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from mycelia_protocol import limits
from mycelia_protocol.engine import Engine
from mycelia_sim.facts import Overrun
from mycelia_sim.virtual.loop import MS

if TYPE_CHECKING:
    from mycelia_sim.virtual.world import World

LOOK_EVERY_US: Final = 1_000 * MS  # while there are adversaries
LOOK_SELDOM_US: Final = 30_000 * MS

Measure = tuple[str, int, int]


def measure(engine: Engine) -> Iterator[Measure]:
    """Yield (what, how much there is, how much there may be)."""
    records, size = engine.logs.gap_load
    yield "records beyond gaps", records, limits.GAP_RECORDS_MAX
    yield "bytes beyond gaps", size, limits.GAP_SIZE_MAX
    peers = engine.replicate.reconcile._peers.values()
    for peer in peers:
        yield "heads of one peer", len(peer.told), limits.PEER_HEADS_MAX
        yield "logs to ask one peer for", len(peer.ahead), limits.PEER_HEADS_MAX
        yield "strangers' logs of one peer", len(peer.strange), limits.PEER_HEADS_MAX
        yield "doubts about one peer", len(peer.doubts), limits.WANTS_PER_FRAME_MAX
        yield "WANTs to one peer", len(peer.askings), limits.WANTS_IN_FLIGHT_MAX
    for link, reads in Counter(engine.replicate._reads.values()).items():
        if link in engine.replicate._links:
            yield "WANTs of one peer", reads, limits.READS_PER_LINK_MAX
    dials = len(engine.options.dial) + limits.DEGREE_TARGET
    yield "links of members", len(engine.peers.ready_links()), limits.DEGREE_MAX + dials
    yield "links without greeting", engine.peers.unproven, limits.UNPROVEN_MAX + dials
    yield "drafts", len(engine.publisher._queue), limits.PUBLISH_QUEUE_MAX


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
        for what, amount, bound in measure(engine):
            self.most[what] = max(amount, self.most.get(what, 0))
            if amount > bound and (node, what) not in self._told:
                self._told.add((node, what))
                facts.overruns.append(Overrun(node, at_ms, what, amount, bound))
