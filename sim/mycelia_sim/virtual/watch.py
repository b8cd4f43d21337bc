"""Sees every message, every frame that an engine reads, and every turn in a node's life.

It changes nothing: the network and the nodes tell it what they do, and it stands between the
engines and the two shortcuts that they call for each frame and each signature, to count them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from mycelia_node.tally import Tally
from mycelia_protocol.errors import RemoteError
from mycelia_protocol.messages import Heads, Message, Push, Records, Want
from mycelia_protocol.record import Record
from mycelia_protocol.session import TAG_SIZE
from mycelia_protocol.shortcuts import Shortcuts
from mycelia_sim.virtual.loop import Loop
from mycelia_sim.virtual.trace import ID_CHARACTERS, Trace

if TYPE_CHECKING:
    from mycelia_sim.virtual.wire import Way


class Watch:
    """The eye on one world.

    Attributes:
        tally: since the workload began.
        copies: record id -> how often nodes received it since then.
        marks: what the tally was at the last moment of a name.
        lives: node id -> (virtual us, what): start, crash, pause, resume, in order.
        said: how many frames of each name came that were sent since `Network.listen`.
        late, ended: messages that came since then and were sent before; ends of links since then.
        met: called with (target, source) for every message that arrives.
    """

    def __init__(self, loop: Loop, trace: Trace) -> None:
        self.trace: Final = trace
        self.tally = Tally()
        self.copies: Counter[bytes] = Counter()
        self.marks: dict[str, Tally] = {}
        self.lives: dict[str, list[tuple[int, str]]] = {}
        self.said: Counter[str] = Counter()
        self.late = self.ended = 0
        self.met: Callable[[str, str], None] = _ignore
        self._loop = loop
        self._name = self._read = ""  # what the engine found in the message under way

    def begin(self) -> None:
        """Count from here on: the workload begins."""
        self.tally = Tally()
        self.copies.clear()

    def listen(self) -> None:
        """Count anew what is said, comes late and ends."""
        self.said.clear()
        self.late = self.ended = 0

    def mark(self, name: str) -> None:
        """Remember the tally as it is now."""
        tally = self.tally
        self.marks[name] = Tally(
            tally.frames.copy(), tally.bytes.copy(), tally.records.copy(), tally.verifications
        )

    def over(self, shortcuts: Shortcuts) -> Shortcuts:
        """Return the same shortcuts, counted."""
        return replace(
            shortcuts,
            decode=self._counted_decode(shortcuts.decode),
            verify=self._counted_verify(shortcuts.verify),
        )

    # --- messages ---

    def sent(self, way: Way, size: int) -> None:
        """Take note that a message goes out."""
        way.sent += 1
        id_ = f"{way.target_link}.{way.sent}"
        self.trace.add(self._loop.now_us, way.source.id, "send", id_, way.target.id, size)

    def arrives(self, way: Way, data: bytes) -> None:
        """Give a message to its target, and take note of what it is."""
        way.arrived += 1
        self._name = self._read = ""
        self.trace.reserve()
        self.met(way.target.id, way.source.id)
        way.target.received(way.target_link, data)
        self.late += way.arrived <= way.old
        if self._name and way.arrived > way.old:
            self.said[self._name] += 1
        id_ = f"{way.target_link}.{way.arrived}"
        why = self._read or "sealed"
        self.trace.fill(self._loop.now_us, way.target.id, "recv", id_, way.source.id, why)

    def dropped(self, way: Way) -> None:
        """Take note that a message came to nobody."""
        way.arrived += 1
        id_ = f"{way.target_link}.{way.arrived}"
        self.trace.add(self._loop.now_us, way.target.id, "drop", id_, way.source.id, "")

    # --- nodes ---

    def lived(self, node: str, what: str) -> None:
        """Take note of a turn in a node's life, or that its timer fired."""
        if what == "timer":
            self.trace.add(self._loop.now_us, node, "timer", "", "", "")
            return
        self.lives.setdefault(node, []).append((self._loop.now_us, what))
        self.trace.add(self._loop.now_us, node, "life", "", "", what)

    def stored(self, node: str, record: Record) -> None:
        """Take note that a record is on a disk."""
        id_ = record.id.hex()[:ID_CHARACTERS]
        self.trace.add(self._loop.now_us, node, "state", id_, "", record.kind)

    def say(self, node: str, kind: str, id_: str, why: str) -> None:
        """Add a line to the trace."""
        self.trace.add(self._loop.now_us, node, kind, id_, "", why)

    # --- what engines read ---

    def _counted_decode(self, decode: Callable[[bytes], Message]) -> Callable[[bytes], Message]:
        def counted(data: bytes) -> Message:
            try:
                message = decode(data)
            except RemoteError:
                self._read = "unreadable"
                raise
            name, self._read = describe(message)
            self._name = name
            tally = self.tally
            tally.frames[name] += 1
            tally.bytes[name] += len(data) + TAG_SIZE
            if isinstance(message, Push | Records):
                tally.records[name] += len(message.records)
                self.copies.update([record.id for record in message.records])
            return message

        return counted

    def _counted_verify(self, verify: Callable[[Record], bool]) -> Callable[[Record], bool]:
        def counted(record: Record) -> bool:
            self.tally.verifications += 1
            return verify(record)

        return counted


def _ignore(target: str, source: str) -> None:
    """Take what nobody wants to know."""


def describe(message: Message) -> tuple[str, str]:
    """Return a frame's name, and a few words that say what is in it."""
    match message:
        case Push(records):
            return "push", _records("push", records)
        case Records(records):
            return "records", _records("records", records)
        case Heads(entries):
            return "heads", f"heads {len(entries)}"
        case Want(ranges):
            return "want", f"want {len(ranges)}"
        case _:
            name = type(message).__name__.lower()
            return name, name


def _records(name: str, records: tuple[Record, ...]) -> str:
    if not records:
        return f"{name} 0"
    first = records[0].id.hex()[:ID_CHARACTERS]
    return f"{name} {len(records)} {first}"
