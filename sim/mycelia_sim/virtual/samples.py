"""Looks at all nodes of a virtual run now and then: what they hold, and whom they are linked to."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from mycelia_sim.plan import Plan
from mycelia_sim.timeline import Sample

if TYPE_CHECKING:
    from mycelia_sim.virtual.world import World

SAMPLES_MAX: Final = 600
MANY_NODES: Final = 1_000
SAMPLES_OF_MANY: Final = 200  # a file holds two numbers for each node and sample
EVERY_MS_MIN: Final = 250


class Sampler:
    """Takes samples at about even distances over the whole run."""

    def __init__(self, plan: Plan) -> None:
        self.samples: list[Sample] = []
        most = SAMPLES_OF_MANY if len(plan.nodes) >= MANY_NODES else SAMPLES_MAX
        length_ms = plan.duration_ms + plan.converge_within_ms
        self._every_ms = max(EVERY_MS_MIN, -(-length_ms // most))
        self._next_ms = 0

    def tell(self, world: World) -> None:
        """Take a sample if it is time for one."""
        if world.has_begun and world.elapsed_ms >= self._next_ms:
            self.take(world)

    def take(self, world: World) -> None:
        """Take a sample now."""
        now_ms = world.elapsed_ms
        self._next_ms = now_ms + self._every_ms
        union, held = len(world.journeys), world.liars_logs.honest_records
        have: list[int | None] = []
        peers: list[int | None] = []
        prints: Counter[int] = Counter()
        for node in world.nodes.values():
            if node.engine is None:
                have.append(None)
                peers.append(None)
                continue
            have.append(min(union, held(node.store)))
            peers.append(node.engine.peers.ready_count)
            prints[world.custody.prints[node.id]] += 1
        agreeing = max(prints.values(), default=0)
        self.samples.append(Sample(now_ms, union, tuple(have), tuple(peers), agreeing))
