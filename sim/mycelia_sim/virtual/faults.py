"""What befalls a virtual city: carries out the cuts, kills, shapes and troubles of a plan.

Every fault leaves a fact behind, so that one which never did anything can't pass for survived.
"""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, TypeAlias

from mycelia_protocol.notices import RecordArrived
from mycelia_protocol.record import Record
from mycelia_sim.backends import AWAY
from mycelia_sim.facts import CutFact, KillFact, TroubleFact
from mycelia_sim.path import cut_directions
from mycelia_sim.plan import Cut, Kill, Shape, Trouble
from mycelia_sim.virtual.loop import MS
from mycelia_sim.virtual.node import VirtualNode

if TYPE_CHECKING:
    from mycelia_sim.virtual.world import World

Due: TypeAlias = tuple[int, Callable[..., None], object]


class Faults:
    """The faults of one world."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self._facts = world.facts

    def schedule(self) -> Iterator[Due]:
        """Yield what is to be done and when, in ms since the workload began."""
        plan = self._world.plan
        for cut in plan.cuts:
            yield cut.at_ms, self._cut, cut
            yield cut.until_ms, self._heal, cut
        for kill in plan.kills:
            self._facts.kills[kill.id] = KillFact(kill.node)
            yield kill.at_ms, self._kill, kill
            yield kill.restart_ms, self._restart, kill
        for shape in plan.shapes:
            self._facts.troubles[shape.id] = TroubleFact("degrade", "")
            yield shape.at_ms, self._bend, shape
            yield shape.until_ms, self._unbend, shape
        for trouble in plan.troubles:
            self._facts.troubles[trouble.id] = TroubleFact(trouble.kind, trouble.node)
            yield trouble.at_ms, self._begin, trouble
            yield trouble.until_ms, self._end, trouble

    # --- cuts ---

    def _cut(self, cut: Cut) -> None:
        self._world.trace(cut.id, "cut")
        network = self._world.network
        links = network.cut(
            cut.id, cut.mode, cut_directions(cut, self._world.directions()), cut.delay_ms * MS
        )
        self._facts.cuts[cut.id] = CutFact(links=links)

    def _heal(self, cut: Cut) -> None:
        self._world.trace(cut.id, "heal")
        self._world.watch.mark("healed")
        fact = self._facts.cuts[cut.id]
        fact.is_parted = not self._world.has_converged()
        network = self._world.network
        network.heal(cut.id, cut_directions(cut, self._world.directions()), cut.delay_ms * MS)
        fact.connections = network.held.get(cut.id, 0)
        fact.is_lifted = True

    # --- shapes ---

    def _bend(self, shape: Shape) -> None:
        for source, target in shape.links:
            self._world.path(source, target).bend(shape)
        self._facts.troubles[shape.id].amount = self._bent(shape)

    def _unbend(self, shape: Shape) -> None:
        for source, target in shape.links:
            self._world.path(source, target).unbend(shape)
        fact = self._facts.troubles[shape.id]
        fact.amount = self._bent(shape) - fact.amount
        fact.has_fired = fact.amount > 0

    def _bent(self, shape: Shape) -> int:
        """Return how many messages the links of a shape have carried while they were worse."""
        return sum(self._world.path(source, target).bent for source, target in shape.links)

    # --- crashes ---

    def _kill(self, kill: Kill) -> None:
        node = self._world.nodes[kill.node]
        if not node.is_up:
            return
        fact = self._facts.kills[kill.id]
        fact.has_fired = True
        survivors = node.store.survive() if kill.disk == "keep" else []
        fact.unsynced = node.crash()
        fact.unreported = len(survivors)
        for record in survivors:
            self._world.noticed(node, RecordArrived(record))
        if kill.disk == "wipe":
            self._forget(fact, node, node.store.wipe())
        elif kill.disk == "restore_old":
            self._forget(fact, node, node.store.roll_back(kill.rollback))
        elif kill.disk == "bitflip":
            # The real store finds the damage when it opens, and says so; its owner starts empty.
            self._forget(fact, node, node.store.wipe())
        self._world.trace(node.id, f"crash {kill.disk} {fact.unsynced} {fact.rolled_back}")

    def _forget(self, fact: KillFact, node: VirtualNode, lost: list[Record]) -> None:
        """Note which durable records the fault itself took away."""
        fact.rolled_back = len(lost)
        fact.lost = tuple(record.id.hex() for record in lost)
        node.is_restored, node.known_since = True, 0
        self._world.forgot(node, lost)

    def _restart(self, kill: Kill) -> None:
        node = self._world.nodes[kill.node]
        if not node.is_up:
            node.start()
        self._facts.kills[kill.id].has_restarted = node.is_up  # else a bug ended it again

    # --- troubles ---

    def _begin(self, trouble: Trouble) -> None:
        node = self._world.nodes[trouble.node]
        fact = self._facts.troubles[trouble.id]
        fact.has_fired = node.is_up and trouble.kind != "disk_full"  # that is seen at its end
        self._world.trace(node.id, f"begin {trouble.kind}")
        match trouble.kind:
            case "pause":
                node.pause()
            case "slow":
                node.slow_us += trouble.amount
            case kind if kind in AWAY:
                node.stop()
            case "clock_bump":
                node.clock.offset_ms += trouble.amount
                node.rearm()
            case "clock_drift":
                node.clock.drift(trouble.amount, self._world.loop.now_us)
                node.rearm()
            case "disk_full":
                node.store.is_full, fact.amount = True, node.store.failures
            case "drop_unsynced":
                fact.amount = node.crash() if node.is_up else 0
            case _:
                raise AssertionError(f"a plan with trouble {trouble.kind!r}")

    def _end(self, trouble: Trouble) -> None:
        node = self._world.nodes[trouble.node]
        self._world.trace(node.id, f"end {trouble.kind}")
        match trouble.kind:
            case "pause":
                node.resume()
            case "slow":
                node.slow_us -= trouble.amount
            case kind if kind in (*AWAY, "drop_unsynced"):
                if not node.is_up:
                    node.start()
            case "clock_drift":
                node.clock.drift(-trouble.amount, self._world.loop.now_us)
                node.rearm()
            case "disk_full":
                node.store.is_full = False
                fact = self._facts.troubles[trouble.id]
                fact.amount = node.store.failures - fact.amount
                fact.has_fired = fact.amount > 0
            case _:
                pass  # a clock that was set wrong stays wrong
