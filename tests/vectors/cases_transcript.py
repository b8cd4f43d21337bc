"""Vectors of section 10: what nodes tell each other, frame by frame, before encryption.

They are taken from engines that talk with each other. What a node may leave to chance, as when and
whom it asks, another implementation may do otherwise; what each frame must hold, given what its
sender held and was told, it may not.
"""

from typing import Final

from mycelia_protocol import events
from mycelia_protocol.encoding import Value
from mycelia_protocol.events import Output
from mycelia_protocol.messages import Message, decode_message
from mycelia_protocol.record import Record
from mycelia_protocol.shortcuts import Shortcuts
from mycelia_protocol.types import erase
from support.mesh import Mesh, Node
from vectors.suite import Json, Suite, hex_or_none

NOTES = {
    "Equal": "Stores that hold the same: two digests, and no more.",
    "Behind": "What one side lacks is told, asked for, and sent.",
    "Nothing": "Who has no head to tell says so all the same, and has told all.",
    "Apart": "Each side has what the other lacks.",
    "Live": "New records are pushed, and spare the links that bring them twice.",
    "Again": "Who meets again is told what changed since both held the same.",
    "Erased": "Words that are gone at one side are gone for all.",
}
OFFER: Final[dict[str, Value]] = {
    "category": "food.dry",
    "title": "Flour",
    "quantity": 25_000,
    "unit": "g",
    "lot": 500,
}
TALK_MS: Final = 5_000  # until all has been said


class Transcript(Mesh):
    """A mesh that notes what is written, and each frame as it arrives."""

    def __init__(self, seed: int, count: int) -> None:
        self.shortcuts = Shortcuts(decode=self._decode)
        self._steps: list[Json] | None = None
        self._to: tuple[Node, int] | None = None
        self._sessions: dict[int, int] = {}  # link -> number of its session
        self._hashes: list[Json] = []
        super().__init__(seed, count, allocate=False)

    def begin_notes(self) -> dict[str, Json]:
        """Begin to note; return what every node holds now."""
        self._steps = []
        return {
            "charter": self.charter.encode().hex(),
            "nodes": [
                {"key": node.key.hex(), "holds": [_envelope(one) for one in node.disk.records()]}
                for node in self.nodes
            ],
        }

    def end_notes(self) -> dict[str, Json]:
        """Return the sessions, what happened in order, and what all come to."""
        (digest,) = {node.engine.state.digest() for node in self.nodes}
        return {"sessions": self._hashes, "happened": self._steps, "digest": digest.hex()}

    def settle(self) -> None:
        """Deliver what is under way, and keep in mind to whom."""
        while self.queue:
            node, event = self.queue.popleft()
            self._to = None
            if isinstance(event, events.FrameReceived):
                self._to = (node, event.link)
            node.give(event)

    def perform(self, node: Node, output: Output) -> None:
        """Carry out one output; note records that the node itself wrote."""
        if self._steps is not None and isinstance(output, events.StoreRecords):
            self._steps.extend(
                {"by": self.nodes.index(node), "writes": _envelope(one)}
                for one in output.records
                if one.author == node.key
            )
        super().perform(node, output)

    def _decode(self, data: bytes) -> Message:
        """Read a frame, and note it."""
        if self._steps is not None and self._to is not None:
            node, link = self._to
            far, far_link = self.ends[link]
            self._steps.append(
                {
                    "from": self.nodes.index(far),
                    "to": self.nodes.index(node),
                    "session": self._session(node, link, far_link),
                    "frame": data.hex(),
                }
            )
        return decode_message(data)

    def _session(self, node: Node, link: int, far_link: int) -> int:
        """Return the number of a link's session; the first frame on it makes one."""
        if link not in self._sessions:
            self._sessions[link] = self._sessions[far_link] = len(self._hashes)
            session = node.engine.peers._peers[link].session
            self._hashes.append(session.hash.hex())
        return self._sessions[link]


def build() -> Suite:
    """Return the suite."""
    suite = Suite("transcript", NOTES)
    scenes = (
        ("two who hold the same", "REP-13", "Equal", 2, _equal),
        ("one holds five records more", "REP-3 REP-13 REP-14", "Behind", 2, _behind),
        ("both wrote while they were apart", "REP-3 REP-13 REP-14", "Apart", 2, _apart),
        ("news in a triangle", "REP-6 REP-8 REP-9 REP-10", "Live", 3, _live),
        ("two who meet again", "REP-18", "Again", 2, _again),
        ("words that their author erased", "ERASE-4 ERASE-5", "Erased", 2, _erased),
        ("one holds nothing", "REP-3 REP-13 REP-14", "Nothing", 2, _nothing),
    )
    for seed, (comment, req, flag, count, play) in enumerate(scenes):
        mesh = Transcript(seed, count)
        inputs = play(mesh)
        suite.valid(comment, req, inputs, mesh.end_notes(), flag)
    return suite


def _equal(mesh: Transcript) -> dict[str, Json]:
    inputs = mesh.begin_notes()
    _meet(mesh, 0, 1)
    return inputs


def _behind(mesh: Transcript) -> dict[str, Json]:
    for _ in range(5):
        mesh.nodes[0].publish("offer", OFFER)
    return _equal(mesh)


def _nothing(mesh: Transcript) -> dict[str, Json]:
    mesh.nodes[0].publish("offer", OFFER)
    mesh.nodes[1].disk.logs.clear()
    mesh.nodes[1].start(None)
    return _equal(mesh)


def _apart(mesh: Transcript) -> dict[str, Json]:
    for node in mesh.nodes:
        node.publish("offer", OFFER)
    return _equal(mesh)


def _live(mesh: Transcript) -> dict[str, Json]:
    inputs = mesh.begin_notes()
    for one, other in ((0, 1), (1, 2), (0, 2)):
        _meet(mesh, one, other)
    for _ in range(3):
        mesh.nodes[0].publish("offer", OFFER)
        mesh.run(TALK_MS)
    return inputs


def _again(mesh: Transcript) -> dict[str, Json]:
    inputs = mesh.begin_notes()
    link = _meet(mesh, 0, 1)
    mesh.cut(link)
    mesh.settle()
    for node in mesh.nodes:
        node.publish("offer", OFFER)
    _meet(mesh, 0, 1)
    return inputs


def _erased(mesh: Transcript) -> dict[str, Json]:
    writer, other = mesh.nodes
    known = writer.publish("offer", OFFER)
    mesh.cut(_meet(mesh, 0, 1))
    mesh.settle()
    inputs = mesh.begin_notes()
    unknown = writer.publish("offer", OFFER)
    places = [one for one in writer.disk.records() if one.id in (known, unknown)]
    writer.publish("erase", erase.content(places[0].log, [(places[0].seq, places[1].seq)]))
    other.publish("offer", OFFER)
    _meet(mesh, 0, 1)
    return inputs


def _meet(mesh: Transcript, one: int, other: int) -> int:
    """Link two nodes, and let all be said; return the link."""
    link, _ = mesh.connect(mesh.nodes[one], mesh.nodes[other])
    mesh.run(TALK_MS)
    return link


def _envelope(record: Record) -> Json:
    return [hex_or_none(part) for part in record.envelope()]
