"""One encrypted conversation with one peer. Spec: section 9.

    opened -> shaking -> ready -> (failed)

Inside any byte transport that keeps message boundaries (a WebSocket, say) runs
Noise_XX_25519_ChaChaPoly_SHA256 with a prologue that names protocol and commons. The payloads of
messages 2 and 3 prove who speaks:

    [ed25519 key, signature, versions, features]
    signature = Ed25519("mycelia/1/session\\0" || [role, commons, static key, handshake hash])

where the hash is that of the messages before. After that every message is one frame (`messages.py`)
in one AEAD message. A session counts frames of each type and fails when a peer sends more than the
limits allow. An error is terminal: the owner closes the link.
"""

from collections import Counter
from typing import Final

from mycelia_protocol.crypto import SESSION, domain, is_valid_public_key, public_key, sign, verify
from mycelia_protocol.encoding import Value, decode, encode
from mycelia_protocol.errors import InvalidTransition, SessionError, SignatureError
from mycelia_protocol.limits import (
    FRAME_SIZE_MAX,
    HANDSHAKE_SIZE_MAX,
    HANDSHAKE_TIMEOUT_MS,
    ID_SIZE,
    PROTOCOL_VERSION,
    RATE_HEADS_MAX,
    RATE_JOIN_MAX,
    RATE_PUSH_MAX,
    RATE_RECORDS_MAX,
    RATE_WANT_MAX,
    RATE_WINDOW_MS,
    SIGNATURE_SIZE,
)
from mycelia_protocol.messages import (
    Heads,
    Introduce,
    Join,
    Message,
    Push,
    Records,
    Refuse,
    Want,
    Welcome,
    decode_message,
    encode_message,
)
from mycelia_protocol.noise import HandshakeState, Transport, dh_public

INITIATOR: Final = 1
RESPONDER: Final = 2
TAG_SIZE: Final = 16  # bytes that ChaCha20-Poly1305 adds to a frame

RATES: Final[dict[type, int]] = {
    Heads: RATE_HEADS_MAX,
    Want: RATE_WANT_MAX,
    Records: RATE_RECORDS_MAX,
    Push: RATE_PUSH_MAX,
    Introduce: RATE_JOIN_MAX,
    Join: RATE_JOIN_MAX,
    Welcome: RATE_JOIN_MAX,
    Refuse: RATE_JOIN_MAX,
}


def prologue(commons: bytes) -> bytes:
    """Return what both sides must agree on before they speak: protocol and commons."""
    return domain("prologue") + commons


class Session:
    """One side of one session.

    Args:
        outbound: whether this side opened the link.
        commons: id of the commons.
        seed: Ed25519 seed of this node's identity.
        static: X25519 private key of this node, 32 bytes.
        ephemeral: X25519 private key for this session alone, 32 bytes.
    """

    def __init__(
        self,
        *,
        outbound: bool,
        commons: bytes,
        seed: bytes,
        static: bytes,
        ephemeral: bytes,
        now_ms: int,
    ) -> None:
        self.outbound: Final = outbound
        self.deadline_ms: int | None = now_ms + HANDSHAKE_TIMEOUT_MS  # cleared once greeted
        self.peer_key: bytes | None = None
        self._commons = commons
        self._seed = seed
        self._static_public = dh_public(static)
        self._handshake = HandshakeState(
            is_initiator=outbound, static=static, ephemeral=ephemeral, prologue=prologue(commons)
        )
        self._transport: Transport | None = None
        self._is_failed = False
        self._window_ms = now_ms
        self._counts: Counter[type] = Counter()

    @property
    def is_ready(self) -> bool:
        """Whether frames can be sent and received."""
        return self._transport is not None and not self._is_failed

    def begin(self) -> bytes | None:
        """Return the first message, if it is this side that speaks first."""
        return self._handshake.write_message() if self.outbound else None

    def send(self, message: Message) -> bytes:
        """Return the bytes that carry a frame.

        Raises:
            InvalidTransition: the session is not ready.
        """
        if self._transport is None or self._is_failed:
            raise InvalidTransition("a frame before the handshake ended or after the session did")
        return self._transport.sender.encrypt(encode_message(message))

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
        if self._transport is None:
            answers = self._shake(data)
            self._is_failed = False
            return answers, None
        if len(data) > FRAME_SIZE_MAX:
            raise SessionError(f"a frame of {len(data)} bytes", requirement="SESS-4")
        message = decode_message(self._transport.receiver.decrypt(data))
        self._count(type(message), now_ms)
        self._is_failed = False
        return [], message

    def _shake(self, data: bytes) -> list[bytes]:
        """Go one step on with the handshake."""
        if len(data) > HANDSHAKE_SIZE_MAX:
            raise SessionError("a handshake message is too long", code="handshake")
        hash_before = self._handshake.handshake_hash
        payload = self._handshake.read_message(data)
        static = self._handshake.remote_static
        if static is not None:
            self.peer_key = self._checked_proof(payload, static, hash_before)
        elif payload:
            raise SessionError("the first message carries nothing", code="handshake")
        answers: list[bytes] = []
        if self._handshake.is_writing:
            answers.append(self._handshake.write_message(self._proof()))
        if self._handshake.is_finished:
            self._transport = self._handshake.split()
        return answers

    def _proof(self) -> bytes:
        """Return the payload that proves this node's identity."""
        role = INITIATOR if self.outbound else RESPONDER
        statement = self._statement(role, self._static_public, self._handshake.handshake_hash)
        versions: list[Value] = [PROTOCOL_VERSION]
        return encode([public_key(self._seed), sign(self._seed, statement), versions, []])

    def _checked_proof(self, payload: bytes, static: bytes, handshake_hash: bytes) -> bytes:
        """Return the peer's Ed25519 key, if its payload proves it."""
        match decode(payload, size_max=HANDSHAKE_SIZE_MAX):
            case [bytes(key), bytes(signature), tuple(versions), tuple()] if (
                len(key) == ID_SIZE and len(signature) == SIGNATURE_SIZE
            ):
                pass
            case _:
                raise SessionError("a proof of identity is malformed", code="handshake")
        if not any(v == PROTOCOL_VERSION and type(v) is int for v in versions):
            raise SessionError(
                f"the peer speaks versions {list(versions)!r}, this node {PROTOCOL_VERSION}",
                code="version",
            )
        role = RESPONDER if self.outbound else INITIATOR
        statement = self._statement(role, static, handshake_hash)
        if not is_valid_public_key(key) or not verify(key, statement, signature):
            raise SignatureError("the proof of identity does not verify", requirement="SESS-2")
        if key == public_key(self._seed):
            raise SessionError("the peer is this node itself", code="self")
        return key

    def _statement(self, role: int, static: bytes, handshake_hash: bytes) -> bytes:
        return domain(SESSION) + encode([role, self._commons, static, handshake_hash])

    def _count(self, frame: type, now_ms: int) -> None:
        """Count a frame of the peer against its rate."""
        if now_ms - self._window_ms >= RATE_WINDOW_MS or now_ms < self._window_ms:
            self._window_ms = now_ms
            self._counts.clear()
        self._counts[frame] += 1
        if self._counts[frame] > RATES[frame]:
            raise SessionError(f"too many {frame.__name__} frames", code="rate")
