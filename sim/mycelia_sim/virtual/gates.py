"""Whether nodes spend only once they know what they promised before. Spec: section 6.6.

A node whose disk is not provably the latest may have promised what it does not remember. So it has
to wait until enough members that it met again hold no more of its logs than its own disk does. One
that lost records for sure has to wait so for all of them, before it spends what older logs opened.
Nothing that the node says of its gate is believed, and no frame is read: what counts is who reached
the node since it started, and what lay on their disks then.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mycelia_protocol.limits import GATE_CONFIRMATIONS
from mycelia_protocol.publish import SPENDING_KINDS
from mycelia_protocol.purses import log_of
from mycelia_protocol.record import Record
from mycelia_sim.facts import Ungated

if TYPE_CHECKING:
    from mycelia_sim.virtual.node import VirtualNode
    from mycelia_sim.virtual.world import World


@dataclass(slots=True)
class _Waiting:
    """A node that may not spend yet, or not of what its older logs opened.

    Attributes:
        logs: its logs on any disk when it started.
        held: member -> how much of each of the node's logs lay on its disk when the node started;
            members that held nothing of them left out.
        met: members of whom something reached the node since then.
    """

    logs: frozenset[bytes]
    held: dict[str, dict[bytes, int]]
    met: set[str] = field(default_factory=set)


class Gates:
    """Who has reached the nodes that may not spend yet, and what they could show."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._waiting: dict[str, _Waiting] = {}
        self._doubting: dict[str, _Waiting] = {}  # those that lost records
        self._logs: dict[str, set[bytes]] = defaultdict(set)  # node -> its logs on any disk
        self._keys = world.beginning.keys
        self._names = {key: name for name, key in self._keys.items()}
        self._needed = min(GATE_CONFIRMATIONS, len(self._keys))

    def started(self, node: VirtualNode) -> None:
        """Note that a node begins from its disk; unless it ended in peace, that may be old."""
        self._waiting.pop(node.id, None)
        if node.resumable_log is not None:
            return
        logs = self._logs.get(node.id, set())
        held = {
            other.id: {log: self._count(other, node.id, log) for log in sorted(logs)}
            for other in (self._world.nodes.values() if logs else ())
        }
        self._waiting[node.id] = _Waiting(frozenset(logs), held)
        if node.is_restored and logs:
            self._doubting[node.id] = _Waiting(frozenset(logs), held)

    def met(self, node: str, member: str) -> None:
        """Note that something of a member reached a node."""
        for waiting in (self._waiting.get(node), self._doubting.get(node)):
            if waiting is not None:
                waiting.met.add(member)

    def carried(self, node: str, maker: bytes) -> None:
        """Note that a member's bundle reached a node."""
        self.met(node, self._names[maker])

    def forgot(self, member: VirtualNode) -> None:
        """Note that a fault took records from a member's disk: it can show no more than is left."""
        for node, waiting in (*self._waiting.items(), *self._doubting.items()):
            held = waiting.held.get(member.id, {})
            for log in held:
                held[log] = min(held[log], self._count(member, node, log))

    def stored(self, node: VirtualNode, record: Record, *, is_new: bool) -> None:
        """Look at an honest record that came to lie on a node's disk: was it spent too early?

        Args:
            is_new: whether it was written just now; else it comes back from others.
        """
        if record.author != self._keys[node.id]:
            return
        self._logs[node.id].add(record.log)
        if not is_new or record.kind not in SPENDING_KINDS:
            return
        if node.id in self._waiting and self._has_heard(node, record, self._waiting, self._needed):
            del self._waiting[node.id]
        doubt = self._doubting.get(node.id)
        if doubt is None or node.engine is None:
            return
        opened = log_of(node.engine.state, record.author, record.refs[0])
        others = len(self._world.nodes) - 1
        if opened in doubt.logs and self._has_heard(node, record, self._doubting, others):
            del self._doubting[node.id]

    def _has_heard(
        self, node: VirtualNode, record: Record, waiting: dict[str, _Waiting], needed: int
    ) -> bool:
        """Return whether a node that spends knew enough; if not, note that."""
        one = waiting[node.id]
        heard = sum(self._has_all(node, one.held.get(member, {})) for member in one.met)
        if heard < needed:
            at_ms = self._world.elapsed_ms
            fact = Ungated(node.id, record.id.hex(), record.kind, heard, needed, at_ms)
            self._world.facts.ungated.append(fact)
        return heard >= needed

    def _has_all(self, node: VirtualNode, held: dict[bytes, int]) -> bool:
        """Return whether a node's disk holds as much of its own logs as another did."""
        return all(self._count(node, node.id, log) >= count for log, count in held.items())

    def _count(self, node: VirtualNode, author: str, log: bytes) -> int:
        return node.store.log((self._keys[author], log))
