"""One encrypted conversation with one peer. Spec: section 9.

    opened -> shaking -> ready -> (failed)

Inside any byte transport that keeps message boundaries (a WebSocket, say) the handshake comes
first (`handshake.py`); after that every message is one frame (`messages.py`) in one AEAD message. A
session counts frames of each type and fails when a peer sends more than the limits allow. An error
is terminal: the owner closes the link.
"""

from collections import Counter
from collections.abc import Callable
from typing import Final

from mycelia_protocol.errors import InvalidTransition, SessionError
from mycelia_protocol.form_frames import Evidence, Forms, Query, Seek
from mycelia_protocol.handshake import Handshake
from mycelia_protocol.limits import (
    FRAME_SIZE_MAX,
    HANDSHAKE_TIMEOUT_MS,
    RATE_ANNOUNCE_MAX,
    RATE_DIGEST_MAX,
    RATE_FORMS_MAX,
    RATE_HEADS_MAX,
    RATE_JOIN_MAX,
    RATE_PRESENCE_MAX,
    RATE_PUSH_MAX,
    RATE_PUSHED_RECORDS_MAX,
    RATE_RECORDS_MAX,
    RATE_ROWS_MAX,
    RATE_TREE_MAX,
    RATE_WANT_MAX,
    RATE_WINDOW_MS,
)
from mycelia_protocol.messages import (
    Announce,
    Buckets,
    Changes,
    Digest,
    Graft,
    Heads,
    Introduce,
    Join,
    Message,
    Prune,
    Push,
    Records,
    Refuse,
    Want,
    Welcome,
    decode_message,
    encode_message,
)
from mycelia_protocol.presence import Presence

TAG_SIZE: Final = 16  # bytes that ChaCha20-Poly1305 adds to a frame

RATES: Final[dict[type, int]] = {
    Heads: RATE_HEADS_MAX,
    Digest: RATE_DIGEST_MAX,
    Buckets: RATE_DIGEST_MAX,
    Changes: RATE_HEADS_MAX,
    Want: RATE_WANT_MAX,
    Records: RATE_RECORDS_MAX,
    Push: RATE_PUSH_MAX,
    Introduce: RATE_JOIN_MAX,
    Join: RATE_JOIN_MAX,
    Welcome: RATE_JOIN_MAX,
    Refuse: RATE_JOIN_MAX,
    Announce: RATE_ANNOUNCE_MAX,
    Prune: RATE_TREE_MAX,
    Graft: RATE_TREE_MAX,
    Presence: RATE_PRESENCE_MAX,
    Seek: RATE_FORMS_MAX,
    Forms: RATE_FORMS_MAX,
    Query: RATE_FORMS_MAX,
    Evidence: RATE_FORMS_MAX,
}
PUSHED: Final = "pushed records"
ROWS: Final = "rows"
TELLINGS: Final = "tellings of all"  # each follows a comparison, and costs a look at all told
ITEM_RATES: Final = {
    PUSHED: RATE_PUSHED_RECORDS_MAX,
    ROWS: RATE_ROWS_MAX,
    TELLINGS: RATE_DIGEST_MAX,
}


class Session:
    """One side of one session.

    Args:
        outbound: whether this side opened the link.
        handshake: this side's end of a fresh handshake.
        decode: reads a frame.
    """

    def __init__(
        self,
        outbound: bool,
        handshake: Handshake,
        now_ms: int,
        decode: Callable[[bytes], Message] = decode_message,
    ) -> None:
        self.outbound: Final = outbound
        self.deadline_ms: int | None = now_ms + HANDSHAKE_TIMEOUT_MS  # cleared once greeted
        self._handshake = handshake
        self._decode = decode
        self._is_failed = False
        self.trip_ms: int | None = None  # how long the other side took to answer in the handshake
        self._spoke_ms: int | None = now_ms if outbound else None
        self._window_ms = now_ms
        self._counts: Counter[type] = Counter()
        self._items: Counter[str] = Counter()

    @property
    def peer_key(self) -> bytes | None:
        """The other side's key, once it is proved."""
        return self._handshake.peer_key

    @property
    def hash(self) -> bytes:
        """What only the two ends of this session know, once it is ready: the handshake's hash."""
        return self._handshake.hash

    @property
    def is_ready(self) -> bool:
        """Whether frames can be sent and received."""
        return self._handshake.ciphers is not None and not self._is_failed

    def begin(self) -> bytes | None:
        """Return the first message, if it is this side that speaks first."""
        return self._handshake.begin()

    def send(self, message: Message) -> bytes:
        """Return the bytes that carry a message."""
        return self.send_frame(encode_message(message))

    def send_frame(self, frame: bytes) -> bytes:
        """Return the bytes that carry an encoded message.

        Raises:
            InvalidTransition: the session is not ready.
        """
        ciphers = self._handshake.ciphers
        if ciphers is None or self._is_failed:
            raise InvalidTransition("a frame before the handshake ended or after the session did")
        return ciphers[0].encrypt(frame)

    def receive(self, data: bytes, now_ms: int) -> tuple[list[bytes], Message | None]:
        """Take one message from the transport.

        Returns:
            Messages to send back (of the handshake), and the frame if one came.

        Raises:
            RemoteError: the peer broke a rule; the session is over.
        """
        if self._is_failed:
            raise InvalidTransition("the session has failed")
        self._is_failed = True
        ciphers = self._handshake.ciphers
        if ciphers is None:
            answers = self._handshake.receive(data)
            self._is_failed = False
            if self._spoke_ms is not None and self.trip_ms is None:
                self.trip_ms = now_ms - self._spoke_ms
            self._spoke_ms = now_ms
            return answers, None
        if len(data) > FRAME_SIZE_MAX:
            raise SessionError(f"a frame of {len(data)} bytes", requirement="SESS-4")
        message = self._decode(ciphers[1].decrypt(data))
        self._count(message, now_ms)
        self._is_failed = False
        return [], message

    def _count(self, message: Message, now_ms: int) -> None:
        """Count a frame of the peer, and what is in it, against its rates."""
        frame = type(message)
        if now_ms - self._window_ms >= RATE_WINDOW_MS or now_ms < self._window_ms:
            self._window_ms = now_ms
            self._counts.clear()
            self._items.clear()
        self._counts[frame] += 1
        if self._counts[frame] > RATES[frame]:
            raise SessionError(f"too many {frame.__name__} frames", code="rate")
        for what, count in _items(message):
            self._items[what] += count
            if self._items[what] > ITEM_RATES[what]:
                raise SessionError(f"too many {what}", code="rate")


class Quota:
    """How many frames of a type, or items, this side still sends: half of what the peer allows.

    The windows of two nodes do not begin together; what two of ours hold may fall into one of the
    peer's.
    """

    def __init__(self, what: type | str) -> None:
        rate = ITEM_RATES[what] if isinstance(what, str) else RATES[what]
        self._sent_max = rate // 2
        self._window_ms = 0
        self._sent = 0

    @property
    def is_spent(self) -> bool:
        """Whether no more go out before `renewed_ms`, as far as was looked."""
        return self._sent >= self._sent_max

    @property
    def renewed_ms(self) -> int:
        """When the next window begins."""
        return self._window_ms + RATE_WINDOW_MS

    def renew(self, now_ms: int) -> None:
        """Begin a new window if the old one is over."""
        if now_ms >= self.renewed_ms:
            self._window_ms, self._sent = now_ms, 0

    def take(self, now_ms: int) -> bool:
        """Count one frame if it may go out now; return whether it may."""
        self.renew(now_ms)
        if self.is_spent:
            return False
        self.spend()
        return True

    def spend(self, frames: int = 1) -> None:
        """Count frames that go out."""
        self._sent += frames


def _items(message: Message) -> tuple[tuple[str, int], ...]:
    """Return what else is counted of a frame, and how much of it there is."""
    match message:
        case Push(records):
            return ((PUSHED, len(records)),)
        case Announce(entries):
            return ((ROWS, len(entries)),)
        case Heads(rows, complete) | Changes(rows, complete):
            return (ROWS, len(rows)), (TELLINGS, int(complete))
        case _:
            return ()


def open_session(
    *, outbound: bool, commons: bytes, seed: bytes, static: bytes, ephemeral: bytes, now_ms: int
) -> Session:
    """Return one side of a session on a fresh link; the arguments are those of `Handshake`."""
    handshake = Handshake(
        outbound=outbound, commons=commons, seed=seed, static=static, ephemeral=ephemeral
    )
    return Session(outbound, handshake, now_ms)
