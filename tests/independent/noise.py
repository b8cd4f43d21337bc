"""Section 9.2: the Noise handshake with its proofs, and the ciphers after it."""

import hashlib
import hmac

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from independent.keys import is_large, prefix, public, sign, verify
from independent.wire import Refused, decode, encode

# What each message mixes in: keys that are sent, and secrets, initiator's key first.
MESSAGES = ["e", "e ee s es", "s se"]


class Cipher:
    """One direction: a key and the number of the next message."""

    def __init__(self, key: bytes) -> None:
        self.aead = ChaCha20Poly1305(key)
        self.count = 0

    def seal(self, plain: bytes, also: bytes = b"") -> bytes:
        """Encrypt the next message."""
        nonce = bytes(4) + self.count.to_bytes(8, "little")
        self.count += 1
        return self.aead.encrypt(nonce, plain, also)

    def open(self, sealed: bytes, also: bytes = b"") -> bytes:
        """Decrypt the next message."""
        nonce = bytes(4) + self.count.to_bytes(8, "little")
        self.count += 1
        try:
            return self.aead.decrypt(nonce, sealed, also)
        except InvalidTag:
            raise Refused("decrypt") from None


class Peer:
    """One side of a session: handshake first, then frames."""

    def __init__(
        self, opens: bool, commons: bytes, seed: bytes, static: bytes, ephemeral: bytes
    ) -> None:
        self.opens, self.commons, self.seed = opens, commons, seed
        self.mine = {"s": static, "e": ephemeral}
        self.theirs: dict[str, bytes] = {}
        self.chain = b"Noise_XX_25519_ChaChaPoly_SHA256"
        self.hash = hashlib.sha256(self.chain + prefix("prologue") + commons).digest()
        self.key: Cipher | None = None
        self.step = 0
        self.out: Cipher | None = None
        self.into: Cipher | None = None

    def write(self) -> bytes:
        """Return the next handshake message with a proof, or none in the first."""
        payload = self.proof() if self.step else b""
        message = b""
        for token in MESSAGES[self.step].split():
            if len(token) == 2:
                self.agree(token)
                continue
            own = X25519PrivateKey.from_private_bytes(self.mine[token]).public_key()
            raw = own.public_bytes_raw()
            message += self.note(self.sealed(raw) if token == "s" else raw)
        message += self.note(self.sealed(payload))
        self.advance()
        return message

    def read(self, message: bytes) -> bytes:
        """Take the other side's handshake message; return its payload."""
        if len(message) > 1_024:
            raise Refused("handshake", "too long")
        before, rest = self.hash, message
        for token in MESSAGES[self.step].split():
            if len(token) == 2:
                self.agree(token)
                continue
            size = 32 + (16 if self.key else 0)
            piece, rest = rest[:size], rest[size:]
            if len(piece) < size:
                raise Refused("handshake", "cut short")
            self.theirs[token] = self.opened(piece)
            self.note(piece)
        payload = self.opened(rest)
        self.note(rest)
        if self.step:
            self.check(payload, before)
        elif payload:
            raise Refused("handshake", "message 1 has a payload")
        self.advance()
        return payload

    def advance(self) -> None:
        """Count a message; after the last, split."""
        self.step += 1
        if self.step == len(MESSAGES):
            first, second = map(Cipher, expand(self.chain, b""))
            self.out, self.into = (first, second) if self.opens else (second, first)

    def note(self, data: bytes) -> bytes:
        """Mix into the hash what goes over the wire."""
        self.hash = hashlib.sha256(self.hash + data).digest()
        return data

    def sealed(self, plain: bytes) -> bytes:
        """Encrypt if there is a key."""
        return self.key.seal(plain, self.hash) if self.key else plain

    def opened(self, data: bytes) -> bytes:
        """Decrypt if there is a key."""
        return self.key.open(data, self.hash) if self.key else data

    def agree(self, token: str) -> None:
        """Mix in a shared secret."""
        own, other = token if self.opens else token[::-1]  # type: ignore[str-unpack]  # two letters
        private = X25519PrivateKey.from_private_bytes(self.mine[own])
        try:
            secret = private.exchange(X25519PublicKey.from_public_bytes(self.theirs[other]))
        except ValueError:
            raise Refused("handshake", "the secret is zero") from None
        self.chain, key = expand(self.chain, secret)
        self.key = Cipher(key)

    def statement(self, own: bool, static: bytes, before: bytes) -> bytes:
        """Return what a proof signs."""
        role = 1 if own == self.opens else 2
        return prefix("session") + encode([role, self.commons, static, before])

    def proof(self) -> bytes:
        """Return the payload that proves the own key."""
        static = X25519PrivateKey.from_private_bytes(self.mine["s"]).public_key()
        signed = self.statement(True, static.public_bytes_raw(), self.hash)
        return encode([public(self.seed), sign(self.seed, signed), [1], []])

    def check(self, payload: bytes, before: bytes) -> None:
        """Check the other side's proof."""
        match decode(payload, 1_024):
            case [bytes(key), bytes(signature), list(versions), list()]:
                pass
            case _:
                raise Refused("handshake", "the proof's shape")
        if len(key) != 32 or len(signature) != 64:
            raise Refused("handshake", "the proof's sizes")
        if not any(type(version) is int and version == 1 for version in versions):
            raise Refused("version")
        signed = self.statement(False, self.theirs["s"], before)
        if not is_large(key) or not verify(key, signed, signature):
            raise Refused("signature")
        if key == public(self.seed):
            raise Refused("self")


def expand(chain: bytes, material: bytes) -> tuple[bytes, bytes]:
    """HKDF with two outputs."""
    root = hmac.new(chain, material, "sha256").digest()
    first = hmac.new(root, b"\x01", "sha256").digest()
    return first, hmac.new(root, first + b"\x02", "sha256").digest()
