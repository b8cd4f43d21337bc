"""Section 7.19: opening a sealed message, by the library's own HPKE."""

from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hpke
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from independent import keys
from independent.wire import Refused, decode, encode

SUITE = hpke.Suite(hpke.KEM.X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.CHACHA20_POLY1305)


def bound(case: dict[str, Any]) -> bytes:
    """Return the context of a case."""
    names = [bytes.fromhex(case[name]) for name in ("commons", "sender", "receiver")]
    return encode([*names, [bytes.fromhex(each) for each in case["about"]]])


def open_message(case: dict[str, Any]) -> dict[str, Any]:
    """Return text and signature of a sealed message.

    Raises:
        Refused: it does not open, or what is inside is not as it should be.
    """
    context = bound(case)
    private = X25519PrivateKey.from_private_bytes(bytes.fromhex(case["private"]))
    both = bytes.fromhex(case["enc"] + case["sealed"])
    try:
        inner = SUITE.decrypt(both, private, info=keys.prefix("seal") + context)
    except (InvalidTag, ValueError):
        raise Refused("seal") from None
    try:
        found = decode(inner)
    except Refused:
        raise Refused("seal") from None
    if not isinstance(found, list) or [type(each) for each in found] != [str, bytes, bytes]:
        raise Refused("seal")
    text, signature, padding = found
    signed = keys.prefix("message") + context + text.encode()
    if not 0 < len(text) <= 2_000 or padding.strip(b"\0"):
        raise Refused("seal")
    if not keys.verify(bytes.fromhex(case["sender"]), signed, signature):
        raise Refused("seal")
    return {"text": text, "signature": signature.hex()}
