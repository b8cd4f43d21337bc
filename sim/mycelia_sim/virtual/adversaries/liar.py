"""One adversary: a member's key without an engine, on the same wire as everybody."""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from mycelia_protocol.record import Record
from mycelia_protocol.session import Session
from mycelia_sim.streams import Stream
from mycelia_sim.virtual.adversaries.pen import Pen
from mycelia_sim.virtual.adversaries.talk import LogKey, Manner, Surroundings, Talk
from mycelia_sim.virtual.genesis import Beginning
from mycelia_sim.virtual.loop import Loop
from mycelia_sim.virtual.node import EPOCH_MS
from mycelia_sim.virtual.wire import Endpoint, Network


@dataclass(frozen=True, slots=True)
class Stage:
    """What all adversaries of a world share.

    Attributes:
        nodes: ids of the honest nodes.
        resolve: the node at an address; addresses are node ids.
    """

    seed: int
    loop: Loop
    network: Network
    beginning: Beginning
    nodes: tuple[str, ...]
    resolve: Callable[[str], Endpoint | None]

    @property
    def now_ms(self) -> int:
        """What a right clock shows."""
        return EPOCH_MS + self.loop.now_ms


class Liar:
    """The endpoint of one adversary.

    Attributes:
        library: its own records by log; it serves them to who asks.
        forked: its logs of which it wrote two ends.
        engaged: nodes that attempts of it are busy with; another link would end theirs.
    """

    def __init__(self, node_id: str, stage: Stage) -> None:
        self.id = node_id
        self.stage: Final = stage
        self.key: Final = stage.beginning.keys[node_id]
        self.seed: Final = stage.beginning.seeds[node_id]
        self.library: dict[LogKey, Sequence[Record]] = {}
        self.forked: list[LogKey] = []
        self.engaged: set[str] = set()
        self._secrets = Stream(stage.seed, f"adversary/{node_id}/sessions")
        self._dialled: dict[str, deque[Talk]] = {}
        self._talks: dict[int, Talk] = {}

    # --- what attempts do ---

    def dial(self, target: str, wake: Callable[[], None], manner: Manner) -> Talk:
        """Try to open a link."""
        stage = self.stage
        around = Surroundings(stage.loop, stage.network, self._begin, self.library, wake)
        talk = Talk(target, around, manner)
        self._dialled.setdefault(target, deque()).append(talk)
        stage.network.dial(self, stage.resolve(target), target)
        return talk

    def pen(self, stream: Stream) -> Pen:
        """Begin a log of its own."""
        pen = Pen(
            self.stage.beginning.charter.commons, self.key, self.seed, stream, self.stage.now_ms
        )
        self.library[pen.key] = pen.records
        return pen

    # --- Endpoint ---

    def listens(self) -> bool:
        """Say whether somebody answers here."""
        return True

    def opened(self, link: int, outbound: bool, address: str) -> None:
        """Take note of a new link; who dials an adversary is turned away."""
        waiting = self._dialled.get(address)
        if not outbound or not waiting:
            self.stage.network.close(link, "nobody here")
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
        beginning = self.stage.beginning
        shortcuts = beginning.shortcuts
        handshake = shortcuts.handshake(
            outbound=True,
            commons=beginning.charter.commons,
            seed=self.seed,
            static=self.key if shortcuts.is_plain else self._secrets.bytes(32),
            ephemeral=self._secrets.bytes(32),
        )
        return Session(True, handshake, now_ms, shortcuts.decode)
