"""Follows what nodes told of their disks and of each other, and looks whether it stays true."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mycelia_protocol.notices import ForkSeen, Notice, PeerMisbehaved
from mycelia_protocol.record import Record
from mycelia_sim.facts import Blame, ForkFact, Vanished
from mycelia_sim.virtual.loop import MS

if TYPE_CHECKING:
    from mycelia_sim.virtual.node import VirtualNode
    from mycelia_sim.virtual.world import World


@dataclass(slots=True)
class Journey:
    """When a record became durable at its author, and when it reached each node (virtual us)."""

    author: str
    kind: str
    born_us: int
    arrivals: dict[str, int]


class Custody:
    """The journeys of all records by honest authors, and what came of them.

    Attributes:
        journeys: record id -> its journey, of every record that is on some disk.
        gone: journeys of records that faults took from every disk that had them.
        prints: node -> a number that is equal for equal sets of records on its disk.
    """

    def __init__(self, world: World) -> None:
        self.journeys: dict[bytes, Journey] = {}
        self.gone: dict[bytes, Journey] = {}
        self.prints: dict[str, int] = dict.fromkeys(world.nodes, 0)
        self._world = world
        self._facts = world.facts
        self._facts.forks, self._facts.blames = [], []
        self._kept: Counter[str] = Counter()  # node -> journeys that have come there
        self._accused: set[tuple[str, str]] = set()
        self._node_of_key = {key: node for node, key in world.beginning.keys.items()}

    def stored(self, node: str, record: Record) -> bool:
        """Take note that a record by an honest author is on a disk; return whether it is new."""
        now_us = self._world.loop.now_us
        journey = self.journeys.get(record.id)
        is_new = journey is None and record.id not in self.gone
        if journey is None:
            author = self._node_of_key.get(record.author, "")
            journey = Journey(author, record.kind, now_us, {})
            self.journeys[record.id] = journey
        if node not in journey.arrivals:
            journey.arrivals[node] = now_us
            self._kept[node] += 1
            self.prints[node] ^= int.from_bytes(record.id[:8])
        return is_new

    def forgot(self, node: str, lost: Iterable[Record]) -> None:
        """Take note that a fault took durable records from a disk."""
        for record in lost:
            journey = self.journeys.get(record.id)
            if journey is None or journey.arrivals.pop(node, None) is None:
                continue
            self._kept[node] -= 1
            self.prints[node] ^= int.from_bytes(record.id[:8])
            if not journey.arrivals:
                self.gone[record.id] = self.journeys.pop(record.id)

    def look(self, node: VirtualNode) -> None:
        """Find out whether everything that came to a disk is still there."""
        if self._world.liars_logs.honest_records(node.store) >= self._kept[node.id]:
            return
        there = {record.id for record in node.records()}
        for record, journey in self.journeys.items():
            since_us = journey.arrivals.get(node.id)
            if since_us is not None and record not in there:
                at_ms = self._world.elapsed_ms
                fact = Vanished(node.id, record.hex(), self._ms(since_us), at_ms)
                self._facts.vanished.append(fact)

    def noticed(self, node: str, notice: Notice) -> None:
        """Take note of forks, and of who was held responsible for what; once a key and code."""
        forks, blames = self._facts.forks, self._facts.blames
        assert forks is not None
        assert blames is not None
        at_ms = self._world.elapsed_ms
        match notice:
            case ForkSeen(author, log, seq):
                forks.append(ForkFact(node, author.hex(), log.hex(), seq, at_ms))
            case PeerMisbehaved(_, key, code, reason) if key is not None and any(key):
                if (key.hex(), code) not in self._accused:
                    self._accused.add((key.hex(), code))
                    blames.append(Blame(node, key.hex(), code, reason, at_ms))
            case _:
                pass

    def _ms(self, at_us: int) -> int:
        return (at_us - self._world.began_us) // MS
