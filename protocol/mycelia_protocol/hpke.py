"""HPKE in base mode for one message: sealed to a public key, opened with the private one.

Source: RFC 9180 with DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, ChaCha20-Poly1305; appendix A.2.1 has
vectors. Whoever seals brings the ephemeral key, since nothing here draws one; it must be drawn anew
for each message and forgotten. Associated data is always empty: what a message is bound to goes
into `info`, as section 8.1 of the RFC advises for single messages.
"""

import hmac
from hashlib import sha256
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from mycelia_protocol.errors import SealError

ENC_SIZE: Final = 32  # bytes, of the encapsulated key
TAG_SIZE: Final = 16  # bytes by which a sealed text is longer
_KEM_ID: Final = (0x0020).to_bytes(2, "big")
_KEM_SUITE: Final = b"KEM" + _KEM_ID
_SUITE: Final = b"HPKE" + _KEM_ID + (0x0001).to_bytes(2, "big") + (0x0003).to_bytes(2, "big")
_KEY_SIZE, _NONCE_SIZE = 32, 12


def seal_public_key(private: bytes) -> bytes:
    """Return the X25519 public key (32 bytes) of a private one (32 bytes)."""
    return X25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw()


def seal_base(receiver: bytes, ephemeral: bytes, info: bytes, text: bytes) -> tuple[bytes, bytes]:
    """Return the encapsulated key and the sealed text.

    Args:
        receiver: X25519 public key.
        ephemeral: X25519 private key, 32 random bytes that serve once.

    Raises:
        SealError: the receiver's key is of small order, and all the world could open it.
    """
    secret = _exchange(ephemeral, receiver)
    enc = seal_public_key(ephemeral)
    cipher, nonce = _schedule(secret, enc + receiver, info)
    return enc, cipher.encrypt(nonce, text, b"")


def open_base(private: bytes, enc: bytes, info: bytes, sealed: bytes) -> bytes:
    """Return the text that was sealed to the public key of `private`.

    Raises:
        SealError: sealed to another key or with other `info`, changed, or of a bad shape.
    """
    if len(enc) != ENC_SIZE or len(sealed) < TAG_SIZE:
        raise SealError("a sealed text is too short", requirement="SEAL-1")
    secret = _exchange(private, enc)
    cipher, nonce = _schedule(secret, enc + seal_public_key(private), info)
    try:
        return cipher.decrypt(nonce, sealed, b"")
    except InvalidTag as error:
        message = "this is sealed to another key or for another context, or it was changed"
        raise SealError(message, requirement="SEAL-1") from error


def _exchange(private: bytes, public: bytes) -> bytes:
    try:
        own, other = X25519PrivateKey.from_private_bytes(private), _public(public)
        return own.exchange(other)
    except ValueError as error:
        message = "the X25519 key is of small order, or has not 32 bytes"
        raise SealError(message, requirement="SEAL-2") from error


def _public(data: bytes) -> X25519PublicKey:
    return X25519PublicKey.from_public_bytes(data)


def _schedule(secret: bytes, kem_context: bytes, info: bytes) -> tuple[ChaCha20Poly1305, bytes]:
    """Return cipher and nonce of the first and only message. RFC 9180, sections 4.1 and 5.1."""
    prk = _extract(_KEM_SUITE, b"", b"eae_prk", secret)
    shared = _expand(_KEM_SUITE, prk, b"shared_secret", kem_context, _KEY_SIZE)
    context = b"\0" + _extract(_SUITE, b"", b"psk_id_hash", b"")
    context += _extract(_SUITE, b"", b"info_hash", info)
    prk = _extract(_SUITE, shared, b"secret", b"")
    key = _expand(_SUITE, prk, b"key", context, _KEY_SIZE)
    return ChaCha20Poly1305(key), _expand(_SUITE, prk, b"base_nonce", context, _NONCE_SIZE)


def _extract(suite: bytes, salt: bytes, label: bytes, material: bytes) -> bytes:
    """LabeledExtract of RFC 9180, section 4; an empty salt is a key of zeros to HMAC."""
    return hmac.digest(salt, b"HPKE-v1" + suite + label + material, sha256)


def _expand(suite: bytes, prk: bytes, label: bytes, info: bytes, size: int) -> bytes:
    """LabeledExpand of RFC 9180, section 4, for at most 32 bytes: one block of HKDF."""
    labeled = size.to_bytes(2, "big") + b"HPKE-v1" + suite + label + info
    return hmac.digest(prk, labeled + b"\1", sha256)[:size]
