"""Vectors of section 5: hashes with domains, keys, and strict Ed25519."""

import hashlib

from mycelia_protocol.crypto import (
    FIELD_PRIME,
    GROUP_ORDER,
    digest,
    domain,
    sign_id,
    signature_message,
    verify_id,
)
from vectors.suite import KEYS, SEEDS, Json, Suite, derived

NOTES = {
    "Hash": "SHA-256 over a domain string and the parts.",
    "Key": "Whether 32 bytes may be the key of a member.",
    "SmallOrder": "A point whose order divides 8. With such a key one signature fits all messages.",
    "NonCanonical": "A y beyond the field prime: one point, two encodings.",
    "OffCurve": "No point has this y.",
    "Malleable": "S + L in place of S: the same equation, other bytes.",
    "Shape": "A wrong number of bytes.",
    "Forged": "Something was changed after signing, or signed for another purpose.",
}
RECORD_ID = digest("record", b"header of the examples")
SMALL_ORDER = [
    ("order 1", "01" + "00" * 31),
    ("order 1, sign bit set", "01" + "00" * 30 + "80"),
    ("order 2", "ec" + "ff" * 30 + "7f"),
    ("order 2, sign bit set", "ec" + "ff" * 31),
    ("order 4", "00" * 32),
    ("order 4, the other", "00" * 31 + "80"),
    ("order 8", "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"),
    ("order 8, the second", "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85"),
    ("order 8, the third", "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"),
    ("order 8, the fourth", "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa"),
    ("order 4, y = p", "ed" + "ff" * 30 + "7f"),
    ("order 4, y = p, sign bit set", "ed" + "ff" * 31),
    ("order 1, y = p + 1", "ee" + "ff" * 30 + "7f"),
    ("order 1, y = p + 1, sign bit set", "ee" + "ff" * 31),
]


def build() -> Suite:
    """Return the suite."""
    suite = Suite("signature", NOTES)
    _add_hashes(suite)
    _add_keys(suite)
    _add_signatures(suite)
    _add_crafted(suite)
    _add_forged(suite)
    return suite


def _add_hashes(suite: Suite) -> None:
    purposes = ("record", "body", "commons", "state", "invite")
    for purpose, parts in [
        *((purpose, (b"one part",)) for purpose in purposes),
        ("record", (b"one", b" part")),
        ("record", ()),
    ]:
        inputs: dict[str, Json] = {
            "op": "hash",
            "purpose": purpose,
            "parts": [part.hex() for part in parts],
        }
        preimage = domain(purpose) + b"".join(parts)
        steps: dict[str, Json] = {
            "preimage": preimage.hex(),
            "hash": digest(purpose, *parts).hex(),
        }
        suite.valid(f"hash for {purpose}", "", inputs, steps, "Hash")


def _add_keys(suite: Suite) -> None:
    for name, key in KEYS.items():
        suite.valid(f"the key of {name}", "KEY-1", _key(key), {}, "Key")
    suite.valid("y = 3", "KEY-1", _key(bytes([3]) + bytes(31)), {}, "Key")
    for comment, text in SMALL_ORDER:
        suite.invalid(comment, "KEY-2", _key(bytes.fromhex(text)), "key", "Key", "SmallOrder")
    for y in (3, 18):
        key = (FIELD_PRIME + y).to_bytes(32, "little")
        suite.invalid(f"y = p + {y}", "KEY-1", _key(key), "key", "Key", "NonCanonical")
    for y in (2, 7):
        off = y.to_bytes(32, "little")
        suite.invalid(f"y = {y} has no x", "KEY-1", _key(off), "key", "Key", "OffCurve")
    for size in (0, 31, 33):
        suite.invalid(f"{size} bytes", "KEY-1", _key(bytes(size)), "key", "Key", "Shape")


def _add_signatures(suite: Suite) -> None:
    for name, seed in SEEDS.items():
        record_id = digest("record", name.encode())
        signature = sign_id(seed, record_id)
        steps: dict[str, Json] = {
            "seed": seed.hex(),
            "message": signature_message(record_id).hex(),
        }
        inputs = _verify(KEYS[name], record_id, signature)
        suite.valid(f"{name} signs a record", "KEY-5", inputs, steps)


def _add_crafted(suite: Suite) -> None:
    """Add signatures that a lenient verifier accepts."""
    neutral = bytes([1]) + bytes(31)
    for comment, text in SMALL_ORDER:
        public = bytes.fromhex(text)
        inputs = _verify(public, _id_that_fits(public), neutral + bytes(32))
        comment = f"key of {comment}; R neutral, S = 0 fits without knowing any secret"
        suite.invalid(comment, "KEY-2", inputs, "signature", "SmallOrder")
    public, seed = KEYS["mill"], SEEDS["mill"]
    for comment, text in SMALL_ORDER[:10]:
        r = bytes.fromhex(text)
        signature = r + _scalar(r, public, seed)
        comment = f"R of {comment}; the equation with cofactor holds"
        inputs = _verify(public, RECORD_ID, signature)
        suite.invalid(comment, "KEY-3", inputs, "signature", "SmallOrder")
    signature = sign_id(seed, RECORD_ID)
    s = int.from_bytes(signature[32:], "little")
    for factor in (1, 2, 8):
        larger = signature[:32] + (s + factor * GROUP_ORDER).to_bytes(32, "little")
        inputs = _verify(public, RECORD_ID, larger)
        suite.invalid(f"S + {factor} L", "KEY-4", inputs, "signature", "Malleable")


def _add_forged(suite: Suite) -> None:
    public, signature = KEYS["mill"], sign_id(SEEDS["mill"], RECORD_ID)
    other = digest("record", b"header of another record")
    wrong = [
        ("another record", public, other, signature, "Forged"),
        ("another key", KEYS["oak"], RECORD_ID, signature, "Forged"),
        ("a bit of R", public, RECORD_ID, _flipped(signature, 5), "Forged"),
        ("a bit of S", public, RECORD_ID, _flipped(signature, 40), "Forged"),
        ("all zero", public, RECORD_ID, bytes(64), "Forged"),
        ("R negated", public, RECORD_ID, _flipped(signature, 31, 0x80), "Forged"),
        ("the key negated", _flipped(public, 31, 0x80), RECORD_ID, signature, "Forged"),
        ("63 bytes", public, RECORD_ID, signature[:63], "Shape"),
        ("65 bytes", public, RECORD_ID, signature + b"\0", "Shape"),
        ("nothing", public, RECORD_ID, b"", "Shape"),
    ]
    for comment, key, record_id, bad, flag in wrong:
        suite.invalid(comment, "KEY-5", _verify(key, record_id, bad), "signature", flag)
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    private = Ed25519PrivateKey.from_private_bytes(SEEDS["mill"])
    for comment, message in [
        ("the id was signed without the domain", RECORD_ID),
        ("signed for another purpose", domain("session") + RECORD_ID),
    ]:
        inputs = _verify(public, RECORD_ID, private.sign(message))
        suite.invalid(comment, "KEY-5", inputs, "signature", "Forged")


def _id_that_fits(public: bytes) -> bytes:
    """Return a record id for which a lenient verifier accepts R neutral and S = 0 under `public`.

    With k divisible by 8 the point [k]A is neutral whatever point of small order A is.
    """
    r = bytes([1]) + bytes(31)
    for count in range(1_000):
        record_id = derived(f"id {count} that fits a key of small order")
        if _challenge(r, public, record_id) % 8 == 0:
            assert not verify_id(public, record_id, r + bytes(32))
            return record_id
    raise AssertionError("one in eight fits")


def _challenge(r: bytes, public: bytes, record_id: bytes) -> int:
    """Return k of RFC 8032, section 5.1.7."""
    data = hashlib.sha512(r + public + signature_message(record_id)).digest()
    return int.from_bytes(data, "little") % GROUP_ORDER


def _scalar(r: bytes, public: bytes, seed: bytes) -> bytes:
    """Return S for an R whose discrete logarithm is zero but for a point of small order."""
    number = int.from_bytes(hashlib.sha512(seed).digest()[:32], "little")
    secret = number & ((1 << 254) - 8) | (1 << 254)
    return (_challenge(r, public, RECORD_ID) * secret % GROUP_ORDER).to_bytes(32, "little")


def _flipped(data: bytes, at: int, bits: int = 1) -> bytes:
    return data[:at] + bytes([data[at] ^ bits]) + data[at + 1 :]


def _key(key: bytes) -> dict[str, Json]:
    return {"op": "key", "key": key.hex()}


def _verify(public: bytes, record_id: bytes, signature: bytes) -> dict[str, Json]:
    return {
        "op": "verify",
        "public": public.hex(),
        "record": record_id.hex(),
        "signature": signature.hex(),
    }
