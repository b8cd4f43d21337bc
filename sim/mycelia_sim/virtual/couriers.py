"""People who carry bundles between virtual nodes, by the code that makes and reads real files."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from mycelia_protocol.bundle import BundleWriter, Label
from mycelia_protocol.bundle_reader import (
    BundleReader,
    EvidenceFound,
    FormsFound,
    HeightsFound,
    Load,
    RecordsFound,
)
from mycelia_protocol.events import Carried, HeadsCarried
from mycelia_protocol.form_events import ReadForms
from mycelia_protocol.hearing import HEARING_MAX_MS
from mycelia_protocol.limits import BUNDLE_ID_SIZE
from mycelia_protocol.packing import Packing, heights_of
from mycelia_protocol.unpacking import Unpacking, carried_event
from mycelia_sim.backends import CARRY
from mycelia_sim.facts import TroubleFact
from mycelia_sim.plan import Trip
from mycelia_sim.streams import Stream
from mycelia_sim.virtual.loop import MS
from mycelia_sim.virtual.oracle import Stick

if TYPE_CHECKING:
    from mycelia_sim.virtual.faults import Due
    from mycelia_sim.virtual.node import VirtualNode
    from mycelia_sim.virtual.world import World

AGAIN_MS: Final = HEARING_MAX_MS + 1_000  # then all were heard about what nobody confirmed yet
TOKENS: Final = 1 << 32  # from here on tokens are of carried records, not of posts


@dataclass(slots=True)
class Couriers:
    """All who carry in one world.

    Attributes:
        sticks: those that reached a node that ran.
    """

    world: World
    sticks: list[Stick] = field(default_factory=list)
    _offers: dict[int, tuple[Trip, Unpacking]] = field(default_factory=dict)
    _next_token: int = TOKENS

    def schedule(self) -> Iterator[Due]:
        """Yield what is to be done and when, in ms since the workload began."""
        for trip in self.world.plan.trips:
            self.world.facts.troubles[trip.id] = TroubleFact(CARRY, trip.target)
            yield trip.at_ms, self._leave, trip

    def carried(self, node: VirtualNode, answer: Carried) -> None:
        """Take note of what became of records, and offer once more what found no place yet."""
        trip, unpacking = self._offers.pop(answer.token)
        fact = self.world.facts.troubles[trip.id]
        fact.amount += answer.new
        fact.has_fired = fact.amount > 0
        again = unpacking.answered(answer, self._members(node))
        if again is not None:
            self._offer(node, trip, unpacking, again, answer)

    def refused(self, token: int) -> bool:
        """Return whether a refusal is of carried records, and if so forget them."""
        return self._offers.pop(token, None) is not None

    def _leave(self, trip: Trip) -> None:
        """Make a bundle and set out with it, if the node runs."""
        node = self.world.nodes[trip.source]
        if node.engine is None:
            return
        bundle = self._pack(node, trip)
        self.world.trace(node.id, f"carry out {len(bundle)}")
        now_us = self.world.loop.now_us
        way_us = (trip.until_ms - trip.at_ms) * MS
        self.world.loop.after(way_us, self._arrive, trip, bundle, now_us)

    def _pack(self, node: VirtualNode, trip: Trip) -> bytes:
        engine, world = node.engine, self.world
        assert engine is not None
        seed = world.beginning.seeds[node.id]
        made_ms = node.clock.read(world.loop.now_us)
        label = Label(engine.state.commons, engine.key, made_ms)
        bundle_id = Stream(world.plan.seed, f"trip/{trip.id}").bytes(BUNDLE_ID_SIZE)
        writer = BundleWriter(seed, bundle_id, label)
        packing = Packing(engine.logs, engine.state, {})
        parts = [writer.begin(heights_of(engine.logs))]
        while wanted := packing.next():
            proof = tuple[bytes, ...]()
            if isinstance(wanted, ReadForms):
                records, proof = node.store.fetch_forms(wanted)
            else:
                records = node.store.fetch(wanted, packing.size_max)
            parts.append(packing.took(writer, records, proof))
        return b"".join([*parts, writer.end()])

    def _arrive(self, trip: Trip, bundle: bytes, left_us: int) -> None:
        """Take the bundle in, if the node runs."""
        node = self.world.nodes[trip.target]
        if node.engine is None:
            return
        self.sticks.append(Stick(trip.source, left_us, trip.target, self.world.loop.now_us))
        if self._take_in(node, trip, bundle).unconfirmed:
            self.world.loop.after(AGAIN_MS * MS, self._come_again, trip, bundle)

    def _come_again(self, trip: Trip, bundle: bytes) -> None:
        """Take the bundle in once more: meanwhile others were heard about what is in it."""
        node = self.world.nodes[trip.target]
        if node.engine is not None:
            self._take_in(node, trip, bundle)

    def _take_in(self, node: VirtualNode, trip: Trip, bundle: bytes) -> Unpacking:
        """Offer a bundle to a node that runs; return what became of it so far."""
        assert node.engine is not None
        self.world.trace(node.id, f"carry in {len(bundle)}")
        reader, unpacking = BundleReader(node.engine.state.commons), Unpacking()
        heads: dict[tuple[bytes, bytes], int] = {}
        for found in [*reader.feed(bundle), *reader.finish()]:
            if isinstance(found, RecordsFound | FormsFound | EvidenceFound):
                self._offer(node, trip, unpacking, found)
            if isinstance(found, HeightsFound):
                heads.update({(one.author, one.log): one.next_seq for one in found.heights})
        assert reader.tally.is_whole
        assert reader.label is not None
        self.world.gates.carried(node.id, reader.label.maker)
        node.give(HeadsCarried(reader.label.maker, heads))
        return unpacking

    def _offer(
        self,
        node: VirtualNode,
        trip: Trip,
        unpacking: Unpacking,
        load: Load,
        before: Carried | None = None,
    ) -> None:
        token, self._next_token = self._next_token, self._next_token + 1
        self._offers[token] = trip, unpacking
        unpacking.offered(token, load, self._members(node), before)
        if isinstance(load, EvidenceFound):
            self.world.pruning.shown(node, trip.id, load.records)
        node.give(carried_event(token, load))

    def _members(self, node: VirtualNode) -> int:
        return node.engine.state.member_count if node.engine is not None else 0
