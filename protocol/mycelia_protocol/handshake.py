"""Who is at the other end: a Noise handshake whose payloads prove Ed25519 identities. Spec: 9.2.

    opened -> shaking -> done

The prologue of Noise_XX_25519_ChaChaPoly_SHA256 names protocol and commons; the payloads of
messages 2 and 3 are

    [ed25519 key, signature, versions, features]
    signature = Ed25519("mycelia/1/session\\0" || [role, commons, static key, handshake hash])

where the hash is that of the messages before.
"""

from typing import Final, Protocol

from mycelia_protocol.crypto import SESSION, domain, is_valid_public_key, public_key, sign, verify
from mycelia_protocol.encoding import Value, decode, encode
from mycelia_protocol.errors import SessionError, SignatureError
from mycelia_protocol.limits import (
    HANDSHAKE_SIZE_MAX,
    ID_SIZE,
    PROTOCOL_VERSION,
    SIGNATURE_SIZE,
)
from mycelia_protocol.noise import HandshakeState, dh_public

INITIATOR: Final = 1
RESPONDER: Final = 2


class Cipher(Protocol):
    """One direction of a session's encryption."""

    def encrypt(self, plaintext: bytes, /) -> bytes:
        """Return the next message, encrypted."""
        ...

    def decrypt(self, ciphertext: bytes, /) -> bytes:
        """Return what the next message holds; raises SessionError if it does not decrypt."""
        ...


class Handshake:
    """One side of one handshake.

    Args:
        outbound: whether this side opened the link.
        commons: id of the commons.
        seed: Ed25519 seed of this node's identity.
        static: X25519 private key of this node, 32 bytes.
        ephemeral: X25519 private key for this session alone, 32 bytes.

    Attributes:
        peer_key: the other side's Ed25519 key, once it is proved.
        ciphers: what encrypts and what decrypts, once the handshake is done.
        hash: 32 bytes that no other handshake has, once it is done; empty before.
    """

    def __init__(
        self, *, outbound: bool, commons: bytes, seed: bytes, static: bytes, ephemeral: bytes
    ) -> None:
        self.peer_key: bytes | None = None
        self.ciphers: tuple[Cipher, Cipher] | None = None
        self.hash = b""
        self._outbound = outbound
        self._commons = commons
        self._seed = seed
        self._static_public = dh_public(static)
        self._noise = HandshakeState(
            is_initiator=outbound, static=static, ephemeral=ephemeral, prologue=prologue(commons)
        )

    def begin(self) -> bytes | None:
        """Return the first message, if it is this side that speaks first."""
        return self._noise.write_message() if self._outbound else None

    def receive(self, data: bytes) -> list[bytes]:
        """Take the other side's next message and return what answers it.

        Raises:
            RemoteError: the other side broke a rule; the handshake is over.
        """
        if len(data) > HANDSHAKE_SIZE_MAX:
            raise SessionError("a handshake message is too long", code="handshake")
        hash_before = self._noise.handshake_hash
        payload = self._noise.read_message(data)
        static = self._noise.remote_static
        if static is not None:
            self.peer_key = self._checked_proof(payload, static, hash_before)
        elif payload:
            raise SessionError("the first message carries nothing", code="handshake")
        answers: list[bytes] = []
        if self._noise.is_writing:
            answers.append(self._noise.write_message(self._proof()))
        if self._noise.is_finished:
            transport = self._noise.split()
            self.ciphers = (transport.sender, transport.receiver)
            self.hash = transport.handshake_hash
        return answers

    def _proof(self) -> bytes:
        """Return the payload that proves this node's identity."""
        role = INITIATOR if self._outbound else RESPONDER
        statement = self._statement(role, self._static_public, self._noise.handshake_hash)
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
        role = RESPONDER if self._outbound else INITIATOR
        statement = self._statement(role, static, handshake_hash)
        if not is_valid_public_key(key) or not verify(key, statement, signature):
            raise SignatureError("the proof of identity does not verify", requirement="SESS-2")
        if key == public_key(self._seed):
            raise SessionError("the peer is this node itself", code="self")
        return key

    def _statement(self, role: int, static: bytes, handshake_hash: bytes) -> bytes:
        return domain(SESSION) + encode([role, self._commons, static, handshake_hash])


def prologue(commons: bytes) -> bytes:
    """Return what both sides must agree on before they speak: protocol and commons."""
    return domain("prologue") + commons
