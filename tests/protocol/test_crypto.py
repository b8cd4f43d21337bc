"""Hashing with domains and strict Ed25519, against published vectors and known attacks."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from mycelia_protocol.crypto import (
    FIELD_PRIME,
    GROUP_ORDER,
    digest,
    is_valid_public_key,
    public_key,
    sign,
    sign_id,
    signature_message,
    verify,
    verify_id,
)
from mycelia_protocol.errors import LocalError

EXTERNAL = Path(__file__).parents[1] / "vectors" / "external"
SEED = bytes(range(32))
# The points of order 1, 2, 4 and 8, and the other encodings of the same points: what each
# implementation that refuses them has in a table. Ours are computed.
SMALL_ORDER = [
    "01" + "00" * 31,
    "ec" + "ff" * 30 + "7f",
    "00" * 32,
    "00" * 31 + "80",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
    "01" + "00" * 30 + "80",
    "ec" + "ff" * 31,
    "ee" + "ff" * 30 + "7f",
    "ee" + "ff" * 31,
    "ed" + "ff" * 30 + "7f",
    "ed" + "ff" * 31,
]


def wycheproof() -> list[Any]:
    """Return one parameter for each published case: key, message, signature and verdict."""
    data = json.loads((EXTERNAL / "wycheproof_ed25519_test.json").read_text(encoding="utf-8"))
    cases = [
        pytest.param(
            *(bytes.fromhex(text) for text in (group["publicKey"]["pk"], case["msg"], case["sig"])),
            case["result"] == "valid",
            id=f"{case['tcId']} {case['comment']}",
        )
        for group in data["testGroups"]
        for case in group["tests"]
    ]
    assert len(cases) == data["numberOfTests"] == 151
    return cases


@pytest.mark.parametrize(("public", "message", "signature", "is_valid"), wycheproof())
def test_verdicts_agree_with_wycheproof(
    public: bytes, message: bytes, signature: bytes, is_valid: bool
) -> None:
    """Each of the 151 published signatures gets the published verdict."""
    assert is_valid_public_key(public)
    assert verify(public, message, signature) is is_valid


def test_what_is_signed_verifies_and_nothing_else_does() -> None:
    """A signature holds for its key and message alone, whichever byte of the three is changed."""
    public = public_key(SEED)
    signature = sign(SEED, b"message")
    assert verify(public, b"message", signature)
    for at in range(32):
        assert not verify(_flipped(public, at), b"message", signature)
    for at in range(64):
        assert not verify(public, b"message", _flipped(signature, at))
    assert not verify(public, b"massage", signature)


@pytest.mark.parametrize("text", SMALL_ORDER)
def test_keys_of_small_order_are_refused(text: str) -> None:
    """Such a key is no key of a member, and it verifies nothing: neither R = A nor R = neutral."""
    public = bytes.fromhex(text)
    assert not is_valid_public_key(public)
    neutral = bytes([1]) + bytes(31)
    for message in (bytes([n]) for n in range(64)):
        assert not verify(public, message, public + bytes(32))
        assert not verify(public, message, neutral + bytes(32))


def test_the_library_alone_would_accept_them() -> None:
    """With the neutral point as key, one signature verifies every message: why we are strict."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    neutral = bytes([1]) + bytes(31)
    key = Ed25519PublicKey.from_public_bytes(neutral)
    for message in (b"", b"anything", b"at all"):
        key.verify(neutral + bytes(32), message)


@pytest.mark.parametrize("text", SMALL_ORDER)
def test_a_signature_with_r_of_small_order_is_refused(text: str) -> None:
    """The owner of a key can make such signatures; libraries differ over them, so they are out."""
    r = bytes.fromhex(text)
    public, secret = public_key(SEED), _secret_scalar(SEED)
    k = int.from_bytes(hashlib.sha512(r + public + b"message").digest(), "little")
    signature = r + (k * secret % GROUP_ORDER).to_bytes(32, "little")
    assert not verify(public, b"message", signature)


def test_a_large_s_is_refused() -> None:
    """S + L gives the same point; only the S below L counts, or signatures could be altered."""
    public, signature = public_key(SEED), sign(SEED, b"message")
    s = int.from_bytes(signature[32:], "little")
    assert not verify(public, b"message", signature[:32] + (s + GROUP_ORDER).to_bytes(32, "little"))


@pytest.mark.parametrize("y", range(19))
@pytest.mark.parametrize("sign_bit", [0, 1])
def test_a_y_beyond_the_prime_is_refused(y: int, sign_bit: int) -> None:
    """Each of the 19 values of y that can be written twice is refused in its second form."""
    public = (FIELD_PRIME + y + (sign_bit << 255)).to_bytes(32, "little")
    assert not is_valid_public_key(public)
    assert not verify(public, b"", sign(SEED, b""))


def test_keys_off_the_curve_are_refused() -> None:
    """About half of all y belong to no point; a key with such a y cannot be a member's."""
    verdicts = [is_valid_public_key(y.to_bytes(32, "little")) for y in range(2, 12)]
    # y = 3, 4, 5, 6, 9 and 10 have an x on edwards25519; 2, 7, 8 and 11 have none.
    assert verdicts == [False, True, True, True, True, False, False, True, True, False]


@pytest.mark.parametrize("size", [0, 31, 33, 64])
def test_wrong_sizes_never_raise(size: int) -> None:
    """Verifying says no to anything that has not the size of a key or of a signature."""
    public, signature = public_key(SEED), sign(SEED, b"")
    assert not is_valid_public_key(bytes(size))
    assert not verify(bytes(size), b"", signature)
    assert not verify(public, b"", signature + b"\0")
    assert not verify(public, b"", signature[:size] if size < 64 else b"")


def test_a_seed_of_a_wrong_size_is_our_own_mistake() -> None:
    """Keys come from our own files: a wrong size is a bug, not a peer's fault."""
    for call in (public_key, lambda seed: sign(seed, b"")):
        with pytest.raises(LocalError, match="32 bytes"):
            call(bytes(31))


def test_digests_of_different_purposes_differ() -> None:
    """The hash is SHA-256 over the domain string and the parts, in that order."""
    expected = hashlib.sha256(b"mycelia/1/record\0" + b"ab" + b"c").digest()
    assert digest("record", b"ab", b"c") == expected
    assert digest("recor", b"dab", b"c") != expected
    assert digest("body", b"ab", b"c") != expected


def test_a_record_is_signed_by_its_id() -> None:
    """What is signed is the signature domain and the id, and no other purpose fits."""
    record_id = digest("record", b"header")
    assert signature_message(record_id) == b"mycelia/1/signature\0" + record_id
    signature = sign_id(SEED, record_id)
    assert verify_id(public_key(SEED), record_id, signature)
    assert not verify_id(public_key(SEED), record_id, sign(SEED, record_id))


def _flipped(data: bytes, at: int) -> bytes:
    """Return `data` with one bit of one byte changed."""
    return data[:at] + bytes([data[at] ^ 4]) + data[at + 1 :]


def _secret_scalar(seed: bytes) -> int:
    """Return the number behind a seed: RFC 8032, section 5.1.5."""
    number = int.from_bytes(hashlib.sha512(seed).digest()[:32], "little")
    return number & ((1 << 254) - 8) | (1 << 254)
