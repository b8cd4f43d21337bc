"""Whether nodes let go of records only when they may, and take only proven forms in their place.

The world knows every record that was ever written, so it knows each true form. What a node could
know of who compared what is counted anew from what lies on its disk and from what reached it; the
node's own sums and witnesses are not asked. Spec: sections 10.5 and 10.6.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

from mycelia_protocol.compact import compact
from mycelia_protocol.form_events import Shorten
from mycelia_protocol.form_frames import Evidence
from mycelia_protocol.messages import Message
from mycelia_protocol.record import Record
from mycelia_sim.audit import read_record
from mycelia_sim.facts import Formed, LetGo
from mycelia_sim.folding import Folds
from mycelia_sim.forms import form_of
from mycelia_sim.virtual.loop import MS
from mycelia_sim.vouching import Said, is_confirmed, said_in

if TYPE_CHECKING:
    from mycelia_sim.virtual.node import VirtualNode
    from mycelia_sim.virtual.world import World

LogKey: TypeAlias = tuple[bytes, bytes]

KEPT: Final = ("acknowledge", "checkpoint", "vouch")  # kinds of which nobody may let go
SINCE_US: Final = 60_000 * MS  # a node may act on what it knew so long ago


@dataclass(frozen=True, slots=True)
class _Heard:
    """What a node was told, and when (virtual us)."""

    at_us: int
    said: Said


class Pruning:
    """What every node of a world may let go of and believe; it is asked as things happen."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._folds = Folds(world.beginning.charter.commons)
        self._forms: dict[bytes, bytes] = {}  # id -> its true form
        self._sums: dict[LogKey, dict[int, bytes]] = defaultdict(dict)  # log -> checkpoint by seq
        # node -> by link or stick: what came over it
        self._shown: dict[str, dict[int | str, list[_Heard]]] = defaultdict(dict)
        self._believed: dict[str, set[bytes]] = defaultdict(set)  # node -> confirmed checkpoints
        self._taken: dict[tuple[str, LogKey], Formed] = {}
        self.is_watching: Final = bool(world.plan.compacting)

    def started(self, node: VirtualNode) -> None:
        """Forget what a process was shown that is no more."""
        self._shown.pop(node.id, None)

    def hearing(
        self, node: Callable[[], VirtualNode], decode: Callable[[bytes], Message]
    ) -> Callable[[bytes], Message]:
        """Return the same reader of frames, which also notes what a node is shown by others."""

        def read(data: bytes) -> Message:
            message = decode(data)
            if isinstance(message, Evidence):
                self.shown(node(), node().hearing, message.records)
            return message

        return read

    def shown(self, node: VirtualNode, way: int | str, records: Iterable[Record]) -> None:
        """Note what a node is shown by others, over a link or on a stick."""
        now_us = self._world.loop.now_us
        heard = self._shown[node.id].setdefault(way, [])
        heard += [_Heard(now_us, said) for said in said_in(records) if said is not None]

    def stored(self, node: VirtualNode, record: Record) -> None:
        """Look at a record that came to lie on a disk."""
        if not self.is_watching:
            return
        if record.is_compact:
            self._took(node, record)
            return
        if record.id not in self._forms and record.body is not None:
            held = read_record(record.header, record.signature, record.body)
            self._forms[record.id] = form_of(held, self._folds.is_read)
            if record.kind == "checkpoint":
                self._sums[record.author, record.log][record.seq] = record.id

    def shortens(self, node: VirtualNode, wanted: Shorten) -> None:
        """Look at what a node is about to let go of."""
        if not self.is_watching:
            return
        key = (wanted.author, wanted.log)
        places = {seq for first, last in wanted.places for seq in range(first, last + 1)}
        log = [one for one in node.records() if (one.author, one.log) == key]
        gone = [one for one in log if one.seq in places and not one.is_compact]
        checkpoint = next((one.id for one in log if one.seq == wanted.until), b"")
        fault = self._wrong_in(node, wanted, gone, checkpoint)
        at_ms = self._world.elapsed_ms
        fact = LetGo(node.id, wanted.author.hex(), wanted.log.hex(), len(gone), at_ms, fault)
        self._world.facts.let_go.append(fact)

    # --- inside ---

    def _wrong_in(
        self, node: VirtualNode, wanted: Shorten, gone: list[Record], checkpoint: bytes
    ) -> str:
        """Return why a node may not let go of these records, or ""."""
        key = (wanted.author, wanted.log)
        own = self._world.beginning.keys[node.id]
        told = [said for said in said_in(node.records()) if said is not None]
        named = {each for said in told if said.author == own for each in said.checkpoints}
        if wanted.author == own:
            return "they are its own"
        if any(one.kind in KEPT for one in gone):
            return "some of them have to be shown signed"
        if self._sums[key].get(wanted.until, checkpoint) != checkpoint or not checkpoint:
            return "no checkpoint stands behind them"
        if any(one.seq >= wanted.until for one in gone):
            return "the checkpoint does not cover them"
        if checkpoint not in named:
            return "it never acknowledged their checkpoint"
        is_right = self._is_confirmed(node, checkpoint, wanted.author, is_shown=False)
        return "" if is_right else "too few confirmed their checkpoint"

    def _took(self, node: VirtualNode, record: Record) -> None:
        """Look at what a node took in place of a record that it never had."""
        key = (record.author, record.log)
        fault = ""
        if self._forms.get(record.id) != compact(record):
            fault = f"the form of {record.id.hex()[:16]} is not what its author wrote"
        elif not any(
            self._is_confirmed(node, checkpoint, record.author, is_shown=True)
            for seq, checkpoint in self._sums[key].items()
            if seq > record.seq
        ):
            fault = f"too few confirmed what covers {record.id.hex()[:16]}"
        known = self._taken.get((node.id, key))
        if known is None or (fault and not known.fault):
            at_ms = self._world.elapsed_ms
            fact = Formed(node.id, record.author.hex(), record.log.hex(), at_ms, fault)
            self._taken[node.id, key] = fact
            self._world.facts.formed.append(fact)

    def _is_confirmed(
        self, node: VirtualNode, checkpoint: bytes, author: bytes, *, is_shown: bool
    ) -> bool:
        """Return whether a node could know that enough members found a checkpoint right.

        Args:
            is_shown: whether what others showed it counts, too; else it lets go, for which all
                members count as though they had spoken.
        """
        believed = self._believed[node.id]
        if is_shown and checkpoint in believed:
            return True
        founder = self._world.beginning.charter.founder
        is_right = any(
            is_confirmed(founder, view, checkpoint, author, is_for_good=not is_shown)
            for view in self._views(node, is_shown=is_shown)
        )
        if is_right:
            believed.add(checkpoint)
        return is_right

    def _views(self, node: VirtualNode, *, is_shown: bool) -> Iterator[list[Said]]:
        """Yield what a node knew now, and a little earlier, with what any link showed it."""
        disk = list(self._on_disk(node))
        shown = self._shown[node.id] if is_shown else {}
        links = [[], *shown.values(), [each for heard in shown.values() for each in heard]]
        since_us = self._world.loop.now_us - SINCE_US
        for heard in links:
            known = [*disk, *heard]
            moments = sorted({each.at_us for each in known if each.at_us >= since_us})
            for moment in reversed([since_us, *moments]):
                yield [each.said for each in known if each.at_us <= moment]

    def _on_disk(self, node: VirtualNode) -> Iterable[_Heard]:
        for record in node.records():
            (said,) = said_in([record])
            if said is not None:
                journey = self._world.journeys.get(record.id)
                at_us = 0 if journey is None else journey.arrivals.get(node.id, 0)
                yield _Heard(at_us, said)
