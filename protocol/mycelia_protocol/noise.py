"""Noise_XX_25519_ChaChaPoly_SHA256: two strangers agree on keys and show each other who they are.

    -> e                   the initiator's fresh key
    <- e, ee, s, es        the responder's fresh key, then its static key under encryption
    -> s, se               the initiator's static key under encryption

After the third message both sides `split` into one cipher for each direction. The names are those
of the Noise specification, revision 34, section 5. Private keys are arguments; whoever calls must
give each handshake an ephemeral key that is used nowhere else.

Noise limits a message to 65,535 bytes. That holds for the handshake here. Afterwards a Mycelia
session frame is exactly one AEAD message of up to 1 MiB: the cipher itself allows 256 GiB, and
cutting frames would buy nothing, since WebSocket already delimits them.

Spec: section 9, requirements SESS-1. Source: noiseprotocol.org, revision 34.
"""

import hashlib
import hmac
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from mycelia_protocol.errors import InvalidTransition, LocalError, SessionError

PROTOCOL_NAME: Final = b"Noise_XX_25519_ChaChaPoly_SHA256"  # 32 bytes, so it is its own first hash
DH_SIZE: Final = 32  # bytes of a key and of a shared secret
TAG_SIZE: Final = 16  # bytes that encryption adds
NONCE_MAX: Final = 2**64 - 1  # reserved by Noise: a cipher stops before it gets there
MESSAGE_SIZE_MAX: Final = 65_535  # bytes of one handshake message
STATICS_KEPT: Final = 256  # keys that need not be made anew: a node has one, a world has many

_PATTERN: Final = (("e",), ("e", "ee", "s", "es"), ("s", "se"))


def dh_public(private: bytes) -> bytes:
    """Return the X25519 public key (32 bytes) of a private one (32 bytes), which is a lasting one.

    The last few are remembered: so none that has to be forgotten may be asked for.
    """
    return _lasting_key(private).public_key().public_bytes_raw()


class CipherState:
    """A key with a counter: every message is encrypted under the next nonce.

    Has no size limit of its own; the session checks that a frame is at most 1 MiB.
    """

    def __init__(self, key: bytes, nonce: int = 0) -> None:
        self._cipher = ChaCha20Poly1305(key)
        self._nonce = nonce

    def encrypt(self, plaintext: bytes, associated: bytes = b"") -> bytes:
        """Return `plaintext` encrypted and authenticated together with `associated`.

        Raises:
            LocalError: the nonces are used up; the session must end.
        """
        if self._nonce >= NONCE_MAX:
            raise LocalError("the nonces of this cipher are used up")
        ciphertext = self._cipher.encrypt(self._nonce_bytes(), plaintext, associated)
        self._nonce += 1
        return ciphertext

    def decrypt(self, ciphertext: bytes, associated: bytes = b"") -> bytes:
        """Return what the other side encrypted as its next message.

        The counter moves only if it verifies. A session ends at the first failure all the same.

        Raises:
            SessionError: code "decrypt"; changed, repeated, left out or out of order, or the
                nonces are used up.
        """
        if self._nonce >= NONCE_MAX:
            raise _refused("the nonces of this cipher are used up")
        try:
            plaintext = self._cipher.decrypt(self._nonce_bytes(), ciphertext, associated)
        except InvalidTag:
            raise _refused("a message does not decrypt") from None
        self._nonce += 1
        return plaintext

    def _nonce_bytes(self) -> bytes:
        return bytes(4) + self._nonce.to_bytes(8, "little")


class SymmetricState:
    """The hash of all that was said so far, and the key that follows from it."""

    def __init__(self) -> None:
        self._chaining_key = PROTOCOL_NAME
        self.hash = PROTOCOL_NAME
        self._cipher: CipherState | None = None

    def mix_key(self, secret: bytes) -> None:
        """Make a new key out of the old chain and a shared secret."""
        self._chaining_key, key = _hkdf(self._chaining_key, secret)
        self._cipher = CipherState(key)

    def mix_hash(self, data: bytes) -> None:
        """Add `data` to what was said."""
        self.hash = hashlib.sha256(self.hash + data).digest()

    def encrypt_and_hash(self, plaintext: bytes) -> bytes:
        """Encrypt if there is a key yet, and add what goes over the wire to what was said."""
        cipher = self._cipher
        ciphertext = cipher.encrypt(plaintext, self.hash) if cipher else plaintext
        self.mix_hash(ciphertext)
        return ciphertext

    def decrypt_and_hash(self, ciphertext: bytes) -> bytes:
        """Undo `encrypt_and_hash`.

        Raises:
            SessionError: code "decrypt".
        """
        cipher = self._cipher
        plaintext = cipher.decrypt(ciphertext, self.hash) if cipher else ciphertext
        self.mix_hash(ciphertext)
        return plaintext

    @property
    def overhead(self) -> int:
        """Bytes that encryption adds at this point: none before there is a key."""
        return TAG_SIZE if self._cipher else 0

    def split(self) -> tuple[CipherState, CipherState]:
        """Return the ciphers for initiator to responder, and for responder to initiator."""
        first, second = _hkdf(self._chaining_key, b"")
        return CipherState(first), CipherState(second)


@dataclass(frozen=True, slots=True)
class Transport:
    """What a finished handshake leaves behind.

    Attributes:
        sender: encrypts what this side says.
        receiver: decrypts what the other side says.
        handshake_hash: 32 bytes that only these two know and no other handshake has.
        remote_static: the other side's X25519 key, 32 bytes.
    """

    sender: CipherState
    receiver: CipherState
    handshake_hash: bytes
    remote_static: bytes


class HandshakeState:
    """One side of one handshake. The owner calls `write_message` and `read_message` in turns.

    Args:
        is_initiator: whether this side opened the link and so speaks first.
        static: X25519 private key, 32 bytes.
        ephemeral: X25519 private key, 32 bytes, never used before or after.
        prologue: what both sides must already agree on; another prologue on the other side makes
            the second message fail.
    """

    def __init__(
        self, *, is_initiator: bool, static: bytes, ephemeral: bytes, prologue: bytes = b""
    ) -> None:
        self._is_initiator = is_initiator
        self._private = {"s": _lasting_key(static), "e": _private_key(ephemeral)}
        self._remote: dict[str, bytes] = {}
        self._symmetric = SymmetricState()
        self._symmetric.mix_hash(prologue)
        self._index = 0
        self._is_failed = False

    @property
    def handshake_hash(self) -> bytes:
        """Hash of all that was said so far, 32 bytes; both sides have the same between messages."""
        return self._symmetric.hash

    @property
    def remote_static(self) -> bytes | None:
        """The other side's static key, once it has been read."""
        return self._remote.get("s")

    @property
    def is_finished(self) -> bool:
        """Whether all three messages have passed."""
        return self._index == len(_PATTERN)

    @property
    def is_writing(self) -> bool:
        """Whether it is this side's turn to write."""
        return not self.is_finished and self._is_initiator == (self._index % 2 == 0)

    def write_message(self, payload: bytes = b"") -> bytes:
        """Return the next handshake message, with `payload` in it.

        The payload of the first message is not encrypted; that of the second can be read by an
        active attacker who plays initiator.

        Raises:
            InvalidTransition: it is not this side's turn, or the handshake failed.
            LocalError: the message would be too long.
            SessionError: code "handshake"; the other side's key leads to an all-zero secret.
        """
        self._begin(is_writing=True)
        parts = []
        for token in _PATTERN[self._index]:
            if token == "e":  # noqa: S105  a token of the pattern, not a password
                public = self._private["e"].public_key().public_bytes_raw()
                self._symmetric.mix_hash(public)
                parts.append(public)
            elif token == "s":  # noqa: S105  likewise
                public = self._private["s"].public_key().public_bytes_raw()
                parts.append(self._symmetric.encrypt_and_hash(public))
            else:
                self._mix_dh(token)
        parts.append(self._symmetric.encrypt_and_hash(payload))
        message = b"".join(parts)
        if len(message) > MESSAGE_SIZE_MAX:
            raise LocalError(f"a handshake message has at most {MESSAGE_SIZE_MAX} bytes")
        self._end()
        return message

    def read_message(self, message: bytes) -> bytes:
        """Return the payload of the other side's next handshake message.

        Raises:
            InvalidTransition: it is the other side that should read, or the handshake failed.
            SessionError: code "handshake" for a message of a wrong size or an all-zero secret,
                "decrypt" for one that does not verify. The handshake has failed then, for good.
        """
        self._begin(is_writing=False)
        if len(message) > MESSAGE_SIZE_MAX:
            raise _broken("a handshake message is too long")
        rest = message
        for token in _PATTERN[self._index]:
            if token == "e":  # noqa: S105  a token of the pattern, not a password
                self._remote["e"], rest = _cut(rest, DH_SIZE)
                self._symmetric.mix_hash(self._remote["e"])
            elif token == "s":  # noqa: S105  likewise
                sealed, rest = _cut(rest, DH_SIZE + self._symmetric.overhead)
                self._remote["s"] = self._symmetric.decrypt_and_hash(sealed)
            else:
                self._mix_dh(token)
        payload = self._symmetric.decrypt_and_hash(rest)
        self._end()
        return payload

    def split(self) -> Transport:
        """Return the ciphers of the finished handshake.

        Raises:
            InvalidTransition: it is not finished.
        """
        if not self.is_finished:
            raise InvalidTransition("the handshake is not finished")
        ciphers = self._symmetric.split()
        sender, receiver = ciphers if self._is_initiator else reversed(ciphers)
        return Transport(sender, receiver, self._symmetric.hash, self._remote["s"])

    def _begin(self, *, is_writing: bool) -> None:
        """Check whose turn it is. Until `_end` the handshake counts as failed."""
        if self._is_failed:
            raise InvalidTransition("the handshake has failed")
        if self.is_finished or self.is_writing != is_writing:
            raise InvalidTransition("it is not this side's turn in the handshake")
        self._is_failed = True

    def _end(self) -> None:
        self._index += 1
        self._is_failed = False

    def _mix_dh(self, token: str) -> None:
        """Mix in the secret of "ee", "es" or "se": initiator's key first, then the responder's."""
        first, second = token[0], token[1]
        mine, theirs = (first, second) if self._is_initiator else (second, first)
        try:
            secret = self._private[mine].exchange(
                X25519PublicKey.from_public_bytes(self._remote[theirs])
            )
        except ValueError:  # how the library reports an all-zero result
            secret = bytes(DH_SIZE)
        if secret == bytes(DH_SIZE):
            raise _broken("a key of the other side leads to an all-zero secret")
        self._symmetric.mix_key(secret)


def _hkdf(chaining_key: bytes, material: bytes) -> tuple[bytes, bytes]:
    """Return the two outputs of HKDF as Noise uses it, 32 bytes each."""
    pseudo_random_key = hmac.digest(chaining_key, material, "sha256")
    first = hmac.digest(pseudo_random_key, b"\x01", "sha256")
    return first, hmac.digest(pseudo_random_key, first + b"\x02", "sha256")


def _cut(data: bytes, size: int) -> tuple[bytes, bytes]:
    """Return the first `size` bytes and the others."""
    if len(data) < size:
        raise _broken("a handshake message is cut short")
    return data[:size], data[size:]


def _private_key(private: bytes) -> X25519PrivateKey:
    if len(private) != DH_SIZE:
        raise LocalError(f"a private key has {DH_SIZE} bytes, not {len(private)}")
    return X25519PrivateKey.from_private_bytes(private)


@lru_cache(STATICS_KEPT)
def _lasting_key(private: bytes) -> X25519PrivateKey:
    """Return a static key, the same in all handshakes of a node; never an ephemeral one."""
    return _private_key(private)


def _broken(reason: str) -> SessionError:
    return SessionError(reason, code="handshake", requirement="SESS-1")


def _refused(reason: str) -> SessionError:
    return SessionError(reason, code="decrypt", requirement="SESS-1")
