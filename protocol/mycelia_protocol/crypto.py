"""Hashing, signing and verifying; nothing here makes a key.

Every hash and every signed message starts with a domain string, `mycelia/1/<purpose>` and a zero
byte, so that bytes made for one purpose can never pass for another.

Signatures are Ed25519 with a strict rule for verifying. RFC 8032 leaves room that libraries use
differently: with a public key of small order, one signature verifies every message, and the
`cryptography` package loads such keys. If two implementations disagree on one signature, their
replicas part for good. Hence, for the public key A and the signature R || S:

1.  A is a point in canonical form: its y coordinate is below the field prime p = 2^255 - 19;
2.  A is none of the eight points whose order divides 8;
3.  the same holds for R;
4.  S is below the group order L;
5.  the equation without cofactor, [S]B = R + [k]A, holds.

Spec: section 5, requirements KEY-1 .. KEY-5.
"""

import hashlib
from functools import cache, lru_cache
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from mycelia_protocol.errors import LocalError

KEY_SIZE: Final = 32  # bytes, of a seed and of a public key
DIGEST_SIZE: Final = 32  # bytes, SHA-256
SIGNATURE_SIZE: Final = 64  # bytes, R || S
KEYS_KEPT: Final = 4096  # of which it is known whether they may be members': each session asks
SEEDS_KEPT: Final = 256  # whose keys need not be worked out anew: a node has one, a world has many

# The purposes in use. A new one needs a line here and in the spec.
COMMONS: Final = "commons"  # id of a commons: its charter bytes
RECORD: Final = "record"  # id of a record: its header bytes
BODY: Final = "body"  # hash of a body: its blind and its facts
WORDS: Final = "words"  # blind of a body: its salt and its words
SIGNATURE: Final = "signature"  # what signs a record: its id
SESSION: Final = "session"  # what proves an identity in a handshake
STATE: Final = "state"  # digest of a derived state
INVITE: Final = "invite"  # digest under which an inviter keeps an invite's secret
POLICY: Final = "policy"  # id of a policy: its bytes
LOG: Final = "log"  # short name of a log in a view: author, log
VIEW: Final = "view"  # digest of a view: the one before, and the heads that changed
ROWS: Final = "rows"  # digest of all rows of a decision
TIE: Final = "tie"  # what decides between equals: policy, offer and request
LEAF: Final = "leaf"  # one leaf of the tree over a log: a compact form
NODE: Final = "node"  # two subtrees of it, the left one and the right one
CHUNK: Final = "chunk"  # check of a bundle's chunk: bundle, number, payload
MESSAGE: Final = "message"  # what the sender of a sealed message signs inside it
SEAL: Final = "seal"  # what a sealed message is bound to
PRESENCE: Final = "presence"  # what signs a member's word about itself
HEADS: Final = "heads"  # short digest of all heads in a store, that all can compare
CARRY: Final = "carry"  # what signs a chunk: its check

FIELD_PRIME: Final = 2**255 - 19
GROUP_ORDER: Final = 2**252 + 27742317777372353535851937790883648493
_CURVE_D: Final = -121665 * pow(121666, -1, FIELD_PRIME) % FIELD_PRIME
_Y_MASK: Final = 2**255 - 1  # the top bit of a point holds the sign of x, the others hold y


def _small_order_ys() -> frozenset[int]:
    """Return the y of all points P with 8P = 0 on -x^2 + y^2 = 1 + d x^2 y^2.

    The neutral point has y = 1, the point of order 2 has y = -1, those of order 4 have y = 0.
    Doubling gives y' = (y^2 + x^2) / (...), so a point of order 8 has x^2 = -y^2; put into the
    curve that is d y^4 + 2 y^2 - 1 = 0, and y^2 = (-1 ± sqrt(1 + d)) / d.
    """
    ys = {0, 1, FIELD_PRIME - 1}
    root = _square_root(1 + _CURVE_D)
    assert root is not None
    for sign in (1, -1):
        y = _square_root((sign * root - 1) * pow(_CURVE_D, -1, FIELD_PRIME))
        if y is not None:
            ys |= {y, FIELD_PRIME - y}
    return frozenset(ys)


def _square_root(square: int) -> int | None:
    """Return a root of `square` modulo the field prime, or None if it has none."""
    root = pow(square, (FIELD_PRIME + 3) // 8, FIELD_PRIME)
    for candidate in (root, root * pow(2, (FIELD_PRIME - 1) // 4, FIELD_PRIME) % FIELD_PRIME):
        if candidate * candidate % FIELD_PRIME == square % FIELD_PRIME:
            return candidate
    return None


_SMALL_ORDER_YS: Final = _small_order_ys()


@cache
def domain(purpose: str) -> bytes:
    """Return the domain string of `purpose`, which comes first in all that is hashed or signed."""
    return b"mycelia/1/%b\0" % purpose.encode("ascii")


def digest(purpose: str, *parts: bytes) -> bytes:
    """Return the SHA-256 of the domain string of `purpose` followed by `parts`.

    The parts are joined without lengths: all but one of them must have a fixed size.

    Spec: section 5.
    """
    return hashlib.sha256(domain(purpose) + b"".join(parts)).digest()


def public_key(seed: bytes) -> bytes:
    """Return the Ed25519 public key (32 bytes) that belongs to a secret `seed` (32 bytes)."""
    return _private_key(seed).public_key().public_bytes_raw()


def sign(seed: bytes, message: bytes) -> bytes:
    """Return the Ed25519 signature (64 bytes) of `message`, which must start with a domain."""
    return _private_key(seed).sign(message)


def verify(public: bytes, message: bytes, signature: bytes) -> bool:
    """Say whether `signature` is a strict Ed25519 signature of `message` by `public`.

    Never raises: bytes of a wrong size or shape are simply no signature.

    Spec: section 5, KEY-1 .. KEY-5.
    """
    if len(public) != KEY_SIZE or len(signature) != SIGNATURE_SIZE:
        return False
    if not _is_strict_point(public) or not _is_strict_point(signature[:32]):
        return False
    if int.from_bytes(signature[32:], "little") >= GROUP_ORDER:
        return False
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


@lru_cache(maxsize=KEYS_KEPT)
def is_valid_public_key(public: bytes) -> bool:
    """Say whether `public` may be the key of a member: on the curve, canonical, of large order.

    Spec: section 5, KEY-1 and KEY-2.
    """
    if len(public) != KEY_SIZE or not _is_strict_point(public):
        return False
    # x^2 = (y^2 - 1) / (d y^2 + 1) must have a root; u/v has one exactly if u*v has.
    y_squared = (int.from_bytes(public, "little") & _Y_MASK) ** 2
    product = (y_squared - 1) * (_CURVE_D * y_squared + 1)
    return pow(product, (FIELD_PRIME - 1) // 2, FIELD_PRIME) == 1


def signature_message(record_id: bytes) -> bytes:
    """Return what is signed for a record: the signature domain and the record's id.

    Spec: section 6.2.
    """
    return domain(SIGNATURE) + record_id


def sign_id(seed: bytes, record_id: bytes) -> bytes:
    """Return the signature of the record with id `record_id` by the owner of `seed`."""
    return sign(seed, signature_message(record_id))


def verify_id(public: bytes, record_id: bytes, signature: bytes) -> bool:
    """Say whether `signature` is by `public` over the record with id `record_id`. Never raises."""
    return verify(public, signature_message(record_id), signature)


def _is_strict_point(data: bytes) -> bool:
    """Say whether 32 bytes hold a canonical y, and not that of a point of small order."""
    y = int.from_bytes(data, "little") & _Y_MASK
    return y < FIELD_PRIME and y not in _SMALL_ORDER_YS


@lru_cache(SEEDS_KEPT)
def _private_key(seed: bytes) -> Ed25519PrivateKey:
    if len(seed) != KEY_SIZE:
        raise LocalError(f"a seed has {KEY_SIZE} bytes, not {len(seed)}")
    return Ed25519PrivateKey.from_private_bytes(seed)


def keyed_digest(key: bytes, data: bytes, size: int) -> bytes:
    """Return BLAKE2b with a key, of so many bytes. Source: RFC 7693."""
    return hashlib.blake2b(data, digest_size=size, key=key).digest()
