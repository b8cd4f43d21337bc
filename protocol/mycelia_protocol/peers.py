"""All sessions of a node: handshakes, greetings, strangers, duplicates. Spec: section 9.3.

    opened -> shaking -> greeting -> ready -> closed
                             \\-> joining -> closed

After the handshake each side says one greeting: a member INTRODUCEs itself with the vouches that
lead to it, so that even somebody whose roster is behind can check it; a newcomer says JOIN. A key
that neither the roster nor its introduction admits gets no further. This machine knows nothing of
what members say to each other afterwards; it hands their frames on.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeAlias, TypeVar

from mycelia_protocol.close_codes import (
    CLOSE_DUPLICATE,
    CLOSE_FORGED,
    CLOSE_FRAME,
    CLOSE_FULL,
    CLOSE_HANDSHAKE,
    CLOSE_RATE,
    CLOSE_SPARE,
    CLOSE_STRANGER,
    CLOSE_TIMEOUT,
)
from mycelia_protocol.errors import RemoteError, SessionError
from mycelia_protocol.events import CloseLink, Notify, Output, SendFrame
from mycelia_protocol.limits import DEGREE_MAX, LINK_AGE_MIN_MS, UNPROVEN_MAX
from mycelia_protocol.messages import Introduce, Join, Message, encode_message
from mycelia_protocol.notices import PeerConnected, PeerLost, PeerMisbehaved
from mycelia_protocol.record import Record
from mycelia_protocol.rng import Rng
from mycelia_protocol.session import Session
from mycelia_protocol.shortcuts import Shortcuts


@dataclass(frozen=True, slots=True)
class PeerReady:
    """A member's session is ready."""

    link: int
    key: bytes
    session: bytes  # its hash
    trip_ms: int | None  # how long the link took there and back in the handshake


@dataclass(frozen=True, slots=True)
class MessageCame:
    """A member said something."""

    link: int
    message: Message


@dataclass(frozen=True, slots=True)
class JoinAsked:
    """A newcomer showed the secret of an invite."""

    link: int
    key: bytes
    secret: bytes


@dataclass(frozen=True, slots=True)
class PeerGone:
    """A ready session ended."""

    link: int
    key: bytes


PLACES_MAX: Final = 1_024  # members of whom it is remembered since when they held a place
Note = TypeVar("Note")
Happening: TypeAlias = PeerReady | MessageCame | JoinAsked | PeerGone
Outcome: TypeAlias = Output | Happening


@dataclass(slots=True)
class Peer:
    """One link and how far it has come."""

    session: Session
    address: str
    is_ready: bool = False
    since_ms: int = 0  # when the member began to hold its place here
    heard_ms: int = 0
    is_joining: bool = False


class Places:
    """Since when members hold links that they opened, however often they open them anew.

    Whoever comes back soon goes on where it was: else nobody would grow old who dials often enough.
    Who had to make room lately makes nobody else do so: else the one would push out the other.
    """

    def __init__(self) -> None:
        self._left: dict[bytes, tuple[int, int]] = {}  # member -> since when, and till when
        self._made_room: dict[bytes, int] = {}

    def left(self, key: bytes, peer: Peer) -> None:
        """Note that the link of a member ended."""
        _remember(self._left, key, (peer.since_ms, peer.heard_ms))

    def since(self, key: bytes, now_ms: int) -> int:
        """Return since when a member that comes now is taken to hold its place."""
        since_ms, left_ms = self._left.get(key, (now_ms, now_ms))
        return since_ms if now_ms - left_ms < LINK_AGE_MIN_MS else now_ms

    def made_room(self, key: bytes, now_ms: int) -> None:
        """Note that a link of a member was closed in favour of another."""
        _remember(self._made_room, key, now_ms)

    def may_ask_for_room(self, key: bytes, now_ms: int) -> bool:
        """Return whether somebody has to make room for a member."""
        made_ms = self._made_room.get(key)
        return made_ms is None or now_ms - made_ms >= LINK_AGE_MIN_MS


def _remember(notes: dict[bytes, Note], key: bytes, note: Note) -> None:
    """Note something of a member as the last of not too many."""
    notes.pop(key, None)
    notes[key] = note
    if len(notes) > PLACES_MAX:
        del notes[next(iter(notes))]


class Peers:
    """Owns one `Session` for each link.

    Args:
        admits: says whether a key, with the chain of vouches it showed, is a member.
        introduction: gives this node's own chain of vouches.
    """

    def __init__(
        self,
        commons: bytes,
        seed: bytes,
        own_key: bytes,
        rng: Rng,
        admits: Callable[[bytes, tuple[Record, ...]], bool],
        introduction: Callable[[], tuple[Record, ...]],
        shortcuts: Shortcuts,
    ) -> None:
        self._commons = commons
        self._seed = seed
        self._own_key = own_key
        self._rng = rng
        self._admits = admits
        self._introduction = introduction
        self._shortcuts = shortcuts
        self._static = own_key if shortcuts.is_plain else rng.randbytes(32)
        self._peers: dict[int, Peer] = {}
        self._places = Places()
        self._encoded: tuple[Message | None, bytes] = (None, b"")  # one push goes to many links
        self._unready: list[int] = []  # links whose deadline runs

    @property
    def due_ms(self) -> int | None:
        """When `timer` should next be called (ms), or None."""
        if not self._unready:
            return None
        deadlines = [self._peers[link].session.deadline_ms for link in self._unready]
        return min((deadline for deadline in deadlines if deadline is not None), default=None)

    def ready_links(self) -> list[int]:
        """Return the links of members, in order."""
        return sorted(link for link, peer in self._peers.items() if peer.is_ready)

    @property
    def ready_count(self) -> int:
        """How many members are linked."""
        return sum(peer.is_ready for peer in self._peers.values())

    @property
    def unproven(self) -> int:
        """How many links there are on which no member has greeted yet."""
        return len(self._unready)

    def key_of(self, link: int) -> bytes | None:
        """Return the key that proved itself on a link."""
        peer = self._peers.get(link)
        return peer.session.peer_key if peer else None

    def opened(self, link: int, outbound: bool, address: str, now_ms: int) -> list[Outcome]:
        """Begin on a fresh link."""
        handshake = self._shortcuts.handshake(
            outbound=outbound,
            commons=self._commons,
            seed=self._seed,
            static=self._static,
            ephemeral=self._rng.randbytes(32),
        )
        session = Session(outbound, handshake, now_ms, self._shortcuts.decode)
        outcomes = [] if outbound else self._make_room()
        self._peers[link] = Peer(session, address)
        self._unready.append(link)
        first = session.begin()
        return outcomes if first is None else [*outcomes, SendFrame(link, first)]

    def received(self, link: int, data: bytes, now_ms: int) -> list[Outcome]:
        """Take one message from a link."""
        peer = self._peers.get(link)
        if peer is None:
            return []  # closed by this side a moment ago
        was_shaking, peer.heard_ms = not peer.session.is_ready, now_ms
        try:
            answers, message = peer.session.receive(data, now_ms)
            outcomes: list[Outcome] = [SendFrame(link, answer) for answer in answers]
            if was_shaking and peer.session.is_ready:
                outcomes.extend(self.send(link, Introduce(self._introduction())))
            if message is not None:
                outcomes.extend(self._heard(link, peer, message, now_ms))
            return outcomes
        except RemoteError as error:
            code = CLOSE_HANDSHAKE if was_shaking else CLOSE_FRAME
            return self.misbehaved(link, error, code)

    def send(self, link: int, message: Message) -> list[Output]:
        """Return what sends a frame; nothing if the link is gone."""
        peer = self._peers.get(link)
        if peer is None:
            return []
        if message is not self._encoded[0]:
            self._encoded = (message, encode_message(message))
        data = peer.session.send_frame(self._encoded[1])
        return [SendFrame(link, data)]

    def close(self, link: int, code: int, reason: str) -> list[Outcome]:
        """Close a link from this side."""
        gone = self.gone(link, reason)
        return [*gone, CloseLink(link, code, reason)]

    def misbehaved(self, link: int, error: RemoteError, code: int = CLOSE_FRAME) -> list[Outcome]:
        """Close a link whose peer broke a rule, and say so."""
        code = {"rate": CLOSE_RATE, "forged": CLOSE_FORGED}.get(error.code, code)
        notice = PeerMisbehaved(link, self.key_of(link), error.code, str(error), "closed the link")
        return [Notify(notice), *self.close(link, code, f"{error.code}: {error}"[:100])]

    def gone(self, link: int, reason: str) -> list[Outcome]:
        """Forget a link that has ended."""
        peer = self._peers.pop(link, None)
        if link in self._unready:
            self._unready.remove(link)
        if peer is None or not peer.is_ready:
            return []
        key = peer.session.peer_key
        assert key is not None
        if not peer.session.outbound:
            self._places.left(key, peer)
        return [PeerGone(link, key), Notify(PeerLost(link, key, reason))]

    def timer(self, now_ms: int) -> list[Outcome]:
        """Close links whose handshake or greeting takes too long."""
        deadlines = [
            (link, self._peers[link].session.deadline_ms) for link in sorted(self._unready)
        ]
        late = [link for link, due_ms in deadlines if due_ms is not None and now_ms >= due_ms]
        return [
            outcome
            for link in late
            for outcome in self.close(link, CLOSE_TIMEOUT, "the handshake took too long")
        ]

    def _make_room(self) -> list[Outcome]:
        """Close the oldest link that somebody opened and proved nothing on, if there are many.

        So who opens links and lets them hang keeps nobody out: an honest handshake is short.
        """
        unproven = [
            link
            for link in self._unready
            if not self._peers[link].session.outbound and not self._peers[link].is_joining
        ]
        if len(unproven) < UNPROVEN_MAX:
            return []
        return self.close(unproven[0], CLOSE_FULL, "full: too many handshakes at once")

    def _heard(self, link: int, peer: Peer, message: Message, now_ms: int) -> list[Outcome]:
        """Take a frame of a session whose handshake is over."""
        key = peer.session.peer_key
        assert key is not None
        if peer.is_ready:
            if isinstance(message, Introduce | Join):
                raise SessionError("a second greeting", requirement="SESS-6")
            return [MessageCame(link, message)]
        match message:
            case Introduce(chain):
                return self._greeted(link, peer, key, chain, now_ms)
            case Join(secret) if not peer.session.outbound and not peer.is_joining:
                peer.is_joining = True
                return [JoinAsked(link, key, secret)]
            case _:
                raise SessionError("the first frame is a greeting", requirement="SESS-6")

    def _greeted(
        self, link: int, peer: Peer, key: bytes, chain: tuple[Record, ...], now_ms: int
    ) -> list[Outcome]:
        """Let a member in, unless there is another link to it or no room."""
        if not self._admits(key, chain):
            return self.close(link, CLOSE_STRANGER, "stranger: no member vouched for this key")
        doubles = [other for other in self.ready_links() if self.key_of(other) == key]
        if any(self._is_better(self._peers[other], peer, key) for other in doubles):
            return self.close(link, CLOSE_DUPLICATE, "duplicate: there is another link")
        outcomes: list[Outcome] = []
        for other in doubles:  # the new one takes its place, so nobody has to make room
            outcomes.extend(self.close(other, CLOSE_DUPLICATE, "duplicate: a newer link"))
        is_full = not doubles and len(self.ready_links()) >= DEGREE_MAX
        if is_full and not peer.session.outbound:
            may_ask = self._places.may_ask_for_room(key, now_ms)
            outcomes = self._evict(key, now_ms) if may_ask else []
            if not outcomes:
                return self.close(link, CLOSE_FULL, "full: try another member")
        peer.is_ready, peer.since_ms = True, self._places.since(key, now_ms)
        peer.session.deadline_ms = None
        self._unready.remove(link)
        notice = PeerConnected(link, key, peer.session.outbound, peer.address)
        ready = PeerReady(link, key, peer.session.hash, peer.session.trip_ms)
        return [*outcomes, ready, Notify(notice)]

    def _evict(self, key: bytes, now_ms: int) -> list[Outcome]:
        """Let a link go that another opened long ago, so that who was away finds a way back in.

        Never one that this node opened: else whoever dials most chose all its neighbours. Who is
        not on the roster goes first, however young its link is, and nobody goes for it: one member
        can write vouches for any number of keys of which nobody else hears.
        """
        inbound = [link for link in self.ready_links() if not self._peers[link].session.outbound]
        strange = [link for link in inbound if not self._is_known(self.key_of(link))]
        old = [
            link
            for link in (inbound if self._is_known(key) else strange)
            if now_ms - self._peers[link].since_ms >= LINK_AGE_MIN_MS
        ]
        if self._is_known(key) and strange:
            old = strange
        if not old:
            return []
        link = old[int(self._rng.random() * len(old))]
        gone = self.key_of(link)
        assert gone is not None
        self._places.made_room(gone, now_ms)
        return self.close(link, CLOSE_SPARE, "spare: it makes room for another")

    def _is_known(self, key: bytes | None) -> bool:
        """Return whether a key is on the roster, whatever it may show."""
        return key is not None and self._admits(key, ())

    def _is_better(self, old: Peer, new: Peer, key: bytes) -> bool:
        """Return whether of two links to one member the old one stays.

        Both sides must choose the same: the link that the smaller key opened. If one side opened
        both, it has lost the old one, so the new one stays.
        """
        if old.session.outbound == new.session.outbound:
            return False
        return old.session.outbound == (self._own_key < key)
