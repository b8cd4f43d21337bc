"""A bundle made from a node's store, and one taken into it. Files are the callers' business.

Both go bit by bit: what is read from the store is written before more is read, and of what comes in
only so much waits for the disk as a link may have there. So a bundle may be larger than memory.
"""

import asyncio
import os
from collections import deque
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Final

from mycelia_node.errors import RequestError
from mycelia_node.heard import Heard, heads_note, note_name, read_note
from mycelia_node.members import find_member
from mycelia_node.names import id_text, name_of
from mycelia_node.node import Node
from mycelia_protocol.bundle import BundleWriter, Label
from mycelia_protocol.bundle_reader import (
    BundleReader,
    ChunkDamaged,
    EvidenceFound,
    FormsFound,
    Found,
    HeightsFound,
    Load,
    RecordsFound,
)
from mycelia_protocol.errors import BundleError
from mycelia_protocol.events import Carried, HeadsCarried
from mycelia_protocol.form_events import ReadForms
from mycelia_protocol.hearing import HEARING_MAX_MS
from mycelia_protocol.limits import BUNDLE_ID_SIZE, PEER_HEADS_MAX
from mycelia_protocol.logs import LogKey
from mycelia_protocol.packing import Packing, heights_of
from mycelia_protocol.state import State
from mycelia_protocol.unpacking import Unpacking, carried_event

Json = dict[str, object]
OFFERS_MAX: Final = 8  # chunks that the engine has been given and has not answered: 2 MB
HEARING_LOOK_MS: Final = 100  # between two looks whether others have been heard
PLACES_MAX: Final = 100  # damaged places that are told one by one


# --- making one ---


@dataclass(slots=True)
class Outgoing:
    """A bundle to be written: what it will say of itself, and its bytes."""

    node: Node
    label: Label
    packing: Packing

    def describe(self) -> Json:
        """Return what is known before the first byte."""
        node, state = self.node, self.node.engine.state
        return {
            **label_view(state, self.label),
            "maker": {"key": id_text("key", node.engine.key), "name": node.config.node.name},
            "name": state.charter.name,
            "records": self.packing.records,
            "left_out": self.packing.left_out,
            "unproven": self.packing.unproven,
        }

    async def blocks(self) -> AsyncIterator[bytes]:
        """Yield the bundle's bytes; the store is read no faster than they are taken.

        Raises:
            RequestError: the store did not give what it holds.
        """
        node, packing = self.node, self.packing
        writer = BundleWriter(node.seed, os.urandom(BUNDLE_ID_SIZE), self.label)
        yield writer.begin(heights_of(node.engine.logs))
        while wanted := packing.next():
            proof = tuple[bytes, ...]()
            if isinstance(wanted, ReadForms):
                records, proof = await asyncio.wrap_future(node.store.fetch_forms(wanted))
            else:
                records = await asyncio.wrap_future(node.store.fetch(wanted, packing.size_max))
            if block := packing.took(writer, records, proof):
                yield block
        if packing.missing:
            raise RequestError(
                f"{packing.missing} records could not be read from {node.home.database}.",
                "Look at the node's log; the disk may be failing.",
                code="store",
                status=500,
            )
        yield writer.end()


async def pack(node: Node, audience: str | None) -> Outgoing:
    """Return a bundle of all that a node holds, or of what somebody lacks.

    Args:
        audience: a member's name or key; what it was heard to hold is left out.

    Raises:
        RequestError: there is no such member, or several.
    """
    state = node.engine.state
    now_ms = node.clock.now_ms()
    if audience is None:
        label = Label(state.commons, node.engine.key, now_ms)
        return Outgoing(node, label, Packing(node.engine.logs, state, {}))
    member = find_member(state, audience)
    if member == node.engine.key:
        raise RequestError("That is this very node.", "Name another member.", code="self")
    heard = await hear(node, member)
    basis_ms = None if heard is None else heard.told_ms
    label = Label(state.commons, node.engine.key, now_ms, member, basis_ms)
    known = {} if heard is None else heard.heads
    return Outgoing(node, label, Packing(node.engine.logs, state, known))


async def hear(node: Node, member: bytes) -> Heard | None:
    """Return what a member told of its store: on a link that is up, or the last time it did."""
    for link, neighbour in node.neighbours.items():
        told = node.engine.replicate.reconcile.told_by(link)
        if neighbour.key == member and told:
            return Heard(node.clock.now_ms(), dict(told))
    return read_note(await asyncio.wrap_future(node.store.load_note(note_name(member))))


# --- taking one in ---


class Incoming:
    """One bundle on its way into a node, in pieces of any size."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._reader = BundleReader(node.engine.state.commons)
        self._unpacking = Unpacking()
        self._waiting: deque[tuple[int, asyncio.Future[Carried]]] = deque()
        self._damage: list[tuple[int, int]] = []
        self._heads: dict[LogKey, int] = {}

    async def take(self, data: bytes) -> None:
        """Take the next bytes; returns once there is room for more.

        Raises:
            RequestError: not for this node, or the disk is full, or the node is stopping.
        """
        try:
            found = self._reader.feed(data)
        except BundleError as error:
            raise explain(error, self._reader.label) from error
        await self._use(found)

    async def finish(self) -> Json:
        """Wait until all is on disk; return what became of it.

        Raises:
            RequestError: as `take`; or it was no bundle at all.
        """
        try:
            found = self._reader.finish()
        except BundleError as error:
            raise explain(error, self._reader.label) from error
        await self._use(found)
        await self._settle(0)
        await self._hear()
        await self._remember()
        return self._report()

    def close(self) -> None:
        """Wait for nothing any more."""
        for _, future in self._waiting:
            future.cancel()

    async def _use(self, found: Sequence[Found]) -> None:
        for one in found:
            match one:
                case RecordsFound() | FormsFound() | EvidenceFound():
                    await self._node.driver.room()
                    await self._settle(OFFERS_MAX - 1)
                    self._offer(one)
                    await asyncio.sleep(0)  # links and timers have their turn
                case HeightsFound(heights):
                    for height in heights:
                        if len(self._heads) < PEER_HEADS_MAX:
                            self._heads[height.author, height.log] = height.next_seq
                case ChunkDamaged(start, end):
                    if len(self._damage) < PLACES_MAX:
                        self._damage.append((start, end))
                case _:
                    pass  # the reader keeps the label

    async def _hear(self) -> None:
        """Wait while others are asked what they know of checkpoints in the bundle.

        Then what waits for that comes in when the bundle is offered again.
        """
        engine, driver = self._node.engine, self._node.driver
        left = round(HEARING_MAX_MS / HEARING_LOOK_MS) + 1
        while self._unpacking.unconfirmed and engine.is_hearing() and left and not driver.is_over:
            left -= 1
            await asyncio.sleep(HEARING_LOOK_MS / 1000)

    def _offer(self, load: Load, before: Carried | None = None) -> None:
        """Give to the engine what was in a chunk.

        Raises:
            RequestError: the node is stopping.
        """
        driver, state = self._node.driver, self._node.engine.state
        if driver.is_over:
            raise RequestError("The node is stopping.", code="stopping", status=503)
        token, future = driver.pending.open_carried()
        self._waiting.append((token, future))
        self._unpacking.offered(token, load, state.member_count, before)
        driver.deliver(carried_event(token, load))

    async def _settle(self, most: int) -> None:
        """Wait until at most so many offers have no answer.

        Raises:
            RequestError: the records could not be written.
        """
        while len(self._waiting) > most:
            token, future = self._waiting.popleft()
            try:
                answer = await future
            except RequestError:
                self._unpacking.failed(token)
                raise
            again = self._unpacking.answered(answer, self._node.engine.state.member_count)
            if again is not None:
                self._offer(again, answer)

    async def _remember(self) -> None:
        """Tell the engine what the maker holds, and keep it, unless it has told more since."""
        label, node = self._reader.label, self._node
        if label is None or not self._heads or not node.engine.state.is_member(label.maker):
            return
        if label.maker == node.engine.key:
            return
        if self._reader.tally.is_whole and self._is_signed():
            node.driver.deliver(HeadsCarried(label.maker, self._heads))
        told_ms = min(label.made_ms, node.clock.now_ms())
        known = read_note(await asyncio.wrap_future(node.store.load_note(note_name(label.maker))))
        if known is None or known.told_ms < told_ms:
            node.store.save_note(*heads_note(label.maker, told_ms, self._heads))

    def _is_signed(self) -> bool:
        tally = self._reader.tally
        return self._reader.is_label_signed and tally.signed == tally.chunks

    def _report(self) -> Json:
        tally, unpacking, state = self._reader.tally, self._unpacking, self._node.engine.state
        return {
            **label_view(state, self._reader.label),
            **tally_view(self._reader, self._damage),
            "new": unpacking.new,
            "known": unpacking.known,
            "strangers": unpacking.strangers,
            "gaps": unpacking.gaps,
            "contested": unpacking.contested,
            "refused": unpacking.refused + tally.refused,
            "unconfirmed": unpacking.unconfirmed,
        }


def explain(error: BundleError, label: Label | None) -> RequestError:
    """Return the error for people."""
    if error.code == "commons" and label is not None:
        return RequestError(
            f"This bundle is of another commons ({id_text('commons', label.commons)}).",
            "Take it to a node of that commons, or name the right --home.",
            code=error.code,
        )
    if error.code == "version":
        return RequestError(
            f"This is {error}, which this program can't read.", "Upgrade mycelia.", code=error.code
        )
    return RequestError(
        "This is no bundle, or nothing in it can be read any more.",
        "Bundles are made with `mycelia carry out` and end in .mycelia.",
        code=error.code,
    )


# --- views ---


def label_view(state: State | None, label: Label | None) -> Json:
    """Return what a bundle says of itself; names as far as the state knows them."""
    if label is None:
        known: Json = {"commons": None, "maker": None, "made_ms": None}
        return {**known, "audience": None, "basis_ms": None}

    def who(key: bytes) -> Json:
        return {"key": id_text("key", key), "name": name_of(state, key) if state else None}

    return {
        "commons": id_text("commons", label.commons),
        "maker": who(label.maker),
        "made_ms": label.made_ms,
        "audience": None if label.audience is None else who(label.audience),
        "basis_ms": label.basis_ms,
    }


def tally_view(reader: BundleReader, damage: Sequence[tuple[int, int]]) -> Json:
    """Return how much of a bundle was there, and what of it can't be used."""
    tally = reader.tally
    return {
        "whole": tally.is_whole,
        "signed": reader.is_label_signed and tally.signed == tally.chunks,
        "records": tally.records,
        "forms": tally.forms,
        "records_made": tally.records_made,
        "chunks": tally.chunks,
        "chunks_made": tally.chunks_made,
        "repeated": tally.repeated,
        "others": tally.others,
        "ignored": tally.ignored,
        "damaged": tally.damaged,
        "lost": tally.lost,
        "damage": [list(place) for place in damage],
    }
