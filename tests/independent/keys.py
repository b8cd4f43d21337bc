"""Section 5: hashes with purposes, and signatures under the strict rules.

Points are decoded and multiplied here, in affine coordinates; only the last equation is left to the
library.
"""

import hashlib

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
Point = tuple[int, int]


def prefix(purpose: str) -> bytes:
    """Return what every hashed or signed message begins with."""
    return b"mycelia/1/" + purpose.encode() + b"\x00"


def h(purpose: str, *parts: bytes) -> bytes:
    """Return H(purpose, parts...)."""
    state = hashlib.sha256(prefix(purpose))
    for part in parts:
        state.update(part)
    return state.digest()


def point(data: bytes) -> Point | None:
    """Return the point that 32 bytes encode canonically, or None."""
    if len(data) != 32:
        return None
    packed = int.from_bytes(data, "little")
    sign, y = packed >> 255, packed & (1 << 255) - 1
    if y >= P:
        return None
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * pow(2, (P - 1) // 4, P) % P
    if (x * x - square) % P or (x == 0 and sign):
        return None
    return (x if x % 2 == sign else P - x), y


def add(a: Point, b: Point) -> Point:
    """Return the sum of two points of edwards25519."""
    t = D * a[0] * b[0] * a[1] * b[1] % P
    x = (a[0] * b[1] + b[0] * a[1]) * pow(1 + t, P - 2, P)
    y = (a[1] * b[1] + a[0] * b[0]) * pow(1 - t, P - 2, P)
    return x % P, y % P


def is_large(data: bytes) -> bool:
    """Say whether bytes are a canonical point P with 8P other than the neutral one."""
    found = point(data)
    if found is None:
        return False
    for _ in range(3):
        found = add(found, found)
    return found != (0, 1)


def verify(key: bytes, message: bytes, signature: bytes) -> bool:
    """Say whether a signature is good by KEY-1 to KEY-5."""
    if len(signature) != 64 or not is_large(key) or not is_large(signature[:32]):
        return False
    if int.from_bytes(signature[32:], "little") >= L:
        return False
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, message)
    except InvalidSignature:
        return False
    return True


def sign(seed: bytes, message: bytes) -> bytes:
    """Return a signature."""
    return Ed25519PrivateKey.from_private_bytes(seed).sign(message)


def public(seed: bytes) -> bytes:
    """Return the key of a seed."""
    return Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()
