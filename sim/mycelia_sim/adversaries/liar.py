"""One adversary: a member's key without an engine, on the same wire as everybody."""

from collections import deque
from collections.abc import Callable, Sequence
from typing import Final

from mycelia_protocol.record import Record
from mycelia_protocol.session import Session
from mycelia_sim.adversaries.pen import Pen
from mycelia_sim.adversaries.scene import BARE, Carrier, LogKey, Scene
from mycelia_sim.adversaries.talk import Manner, Surroundings, Talk
from mycelia_sim.streams import Stream


class Liar:
    """One adversary: what it wrote, and its links.

    Args:
        carrier: does what this one asks for.

    Attributes:
        library: its own records by log; it serves them to who asks.
        forked: its logs of which it wrote two ends.
        engaged: nodes that attempts of it are busy with; another link would end theirs.
    """

    def __init__(self, node_id: str, scene: Scene, carrier: Carrier) -> None:
        self.id = node_id
        self.scene: Final = scene
        self.carrier: Final = carrier
        self.key: Final = scene.keys[node_id]
        self.seed: Final = scene.seeds[node_id]
        self.library: dict[LogKey, Sequence[Record]] = {}
        self.forked: list[LogKey] = []
        self.engaged: set[str] = set()
        self._secrets = Stream(scene.seed, f"adversary/{node_id}/sessions")
        self._dialled: dict[str, deque[Talk]] = {}
        self._talks: dict[int, Talk] = {}

    # --- what attempts do ---

    def dial(self, target: str, wake: Callable[[], None], manner: Manner) -> Talk:
        """Try to open a link."""
        introduction = self.scene.introductions.get(self.id, ())
        around = Surroundings(self.carrier, self._begin, introduction, self.library, wake)
        talk = Talk(target, around, manner)
        address = f"{BARE}{target}" if manner == "bare" else target
        self._dialled.setdefault(address, deque()).append(talk)
        self.carrier.dial(self, address)
        return talk

    def pen(self, stream: Stream) -> Pen:
        """Begin a log of its own."""
        commons = self.scene.charter.commons
        pen = Pen(commons, self.key, self.seed, stream, self.carrier.now_ms)
        self.library[pen.key] = pen.records
        return pen

    # --- what the carrier tells ---

    def listens(self) -> bool:
        """Say whether somebody answers here."""
        return True

    def opened(self, link: int, outbound: bool, address: str) -> None:
        """Take note of a new link; who dials an adversary is turned away."""
        waiting = self._dialled.get(address)
        if not outbound or not waiting:
            self.carrier.close(link, "nobody here")
            return
        talk = waiting.popleft()
        self._talks[link] = talk
        talk.opened(link)

    def received(self, link: int, data: bytes) -> None:
        """Take a message."""
        if link in self._talks:
            self._talks[link].received(data)

    def closed(self, link: int, reason: str) -> None:
        """Take note that a link has ended."""
        talk = self._talks.pop(link, None)
        if talk is not None:
            talk.closed(reason)

    def dial_failed(self, address: str, reason: str) -> None:
        """Take note that a dial led to nothing."""
        waiting = self._dialled.get(address)
        if waiting:
            waiting.popleft().closed(reason)

    # --- inside ---

    def _begin(self, now_ms: int) -> Session:
        """Return this side of a fresh session, as `Peers` would make it."""
        shortcuts = self.scene.shortcuts
        handshake = shortcuts.handshake(
            outbound=True,
            commons=self.scene.charter.commons,
            seed=self.seed,
            static=self.key if shortcuts.is_plain else self._secrets.bytes(32),
            ephemeral=self._secrets.bytes(32),
        )
        return Session(True, handshake, now_ms, shortcuts.decode)
