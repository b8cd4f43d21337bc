"""Sealed messages: the published vectors of HPKE, our own, and that nothing else opens."""

from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from hypothesis import given
from hypothesis import strategies as st

from mycelia_protocol.crypto import SEAL, domain, public_key, sign
from mycelia_protocol.errors import LimitExceeded, SealError
from mycelia_protocol.hpke import open_base, seal_base, seal_public_key
from mycelia_protocol.limits import SEALED_SIZE_MAX
from mycelia_protocol.sealing import PADDING, Context, seal, signed_bytes, unseal
from vectors.reading import Case, cases, judge

# RFC 9180, appendix A.2.1: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, ChaCha20Poly1305, base mode.
RFC = {
    "info": "4f6465206f6e2061204772656369616e2055726e",
    "ephemeral": "f4ec9b33b792c372c1d2c2063507b684ef925b8c75a42dbcbf57d63ccd381600",
    "receiver": "4310ee97d88cc1f088a5576c77ab0cf5c3ac797f3d95139c6c84b5429c59662a",
    "private": "8057991eef8f1f1af18f4a9491d16a1ce333f695d4db8e38da75975c4478e0fb",
    "enc": "1afa08d3dec047a643885163f1180476fa7ddb54c6a8029ea33f95796bf2ac4a",
    "text": "4265617574792069732074727574682c20747275746820626561757479",
}
# The RFC's key and nonce of that case, with which its texts are sealed under associated data.
RFC_KEY = "ad2744de8e17f4ebba575b3f5f5a8fa1f69c2a07f6e7500bc60ca6e3e3ec1c91"
RFC_NONCE = "5c4d98150661b848853b547f"
RFC_AAD = "436f756e742d30"
RFC_SEALED = (
    "1c5250d8034ec2b784ba2cfd69dbdb8af406cfe3ff938e131f0def8c8b60b4db21993c62ce81883d2dd1b51a28"
)
SEED, OTHER = b"\1" * 32, b"\2" * 32
CONTEXT = Context(b"\3" * 32, public_key(SEED), public_key(OTHER), (b"\4" * 32,))


def test_the_key_schedule_is_that_of_the_rfc() -> None:
    """What we seal opens with the key and nonce that the RFC prints, and those seal its text."""
    info, text = bytes.fromhex(RFC["info"]), bytes.fromhex(RFC["text"])
    cipher, nonce = ChaCha20Poly1305(bytes.fromhex(RFC_KEY)), bytes.fromhex(RFC_NONCE)
    assert cipher.encrypt(nonce, text, bytes.fromhex(RFC_AAD)).hex() == RFC_SEALED
    receiver, ephemeral = bytes.fromhex(RFC["receiver"]), bytes.fromhex(RFC["ephemeral"])
    enc, sealed = seal_base(receiver, ephemeral, info, text)
    assert enc.hex() == RFC["enc"]
    assert cipher.decrypt(nonce, sealed, b"") == text
    assert open_base(bytes.fromhex(RFC["private"]), enc, info, sealed) == text
    assert seal_public_key(bytes.fromhex(RFC["private"])) == receiver


@given(st.binary(max_size=40), st.binary(max_size=300))
def test_another_implementation_agrees(info: bytes, text: bytes) -> None:
    """What `cryptography`'s own HPKE seals we open, and it opens what we seal."""
    hpke = pytest.importorskip("cryptography.hazmat.primitives.hpke")
    suite = hpke.Suite(hpke.KEM.X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.CHACHA20_POLY1305)
    private = X25519PrivateKey.from_private_bytes(OTHER)
    both: bytes = suite.encrypt(text, private.public_key(), info=info)
    assert open_base(OTHER, both[:32], info, both[32:]) == text
    enc, sealed = seal_base(seal_public_key(OTHER), b"\7" * 32, info, text)
    assert suite.decrypt(enc + sealed, private, info=info) == text


@given(st.text(min_size=1, max_size=300))
def test_messages_open_and_tell_little_of_their_length(text: str) -> None:
    """Any text comes back, fits the limit, and its size is a step of the padding and not finer."""
    if any("\ud800" <= letter <= "\udfff" for letter in text):
        return
    content = seal(CONTEXT, text, SEED, seal_public_key(OTHER), b"\5" * 32)
    enc, sealed = content["enc"], content["sealed"]
    assert isinstance(enc, bytes)
    assert isinstance(sealed, bytes)
    opened = unseal(CONTEXT, enc, sealed, OTHER)
    assert opened.text == text
    frame = 16 + 66 + 1  # the tag; the signature and the array with their heads
    heads = len(sealed) - frame - -(-len(text.encode()) // PADDING) * PADDING
    assert 3 <= heads <= 5


def test_the_longest_text_fits() -> None:
    """The longest text is sealed within the limit; one letter more is refused."""
    content = seal(CONTEXT, "\N{MUSHROOM}" * 2_000, SEED, seal_public_key(OTHER), b"\5" * 32)
    sealed = content["sealed"]
    assert isinstance(sealed, bytes)
    assert len(sealed) <= SEALED_SIZE_MAX
    for text in ("", "a" * 2_001):
        with pytest.raises(LimitExceeded):
            seal(CONTEXT, text, SEED, seal_public_key(OTHER), b"\5" * 32)


def test_nothing_is_sealed_to_a_key_that_all_can_open() -> None:
    """A receiver's key of small order, or of a wrong size, is refused."""
    for key in (bytes(32), b"\1" + bytes(31), bytes(31)):
        with pytest.raises(SealError, match="small order"):
            seal(CONTEXT, "secret", SEED, key, b"\5" * 32)


@cases("message")
def test_message(case: Case) -> None:
    """Messages are sealed and opened as the vectors say."""
    judge(case, {"seal": write, "open": read}[case["in"]["op"]])


def context_of(inputs: Case) -> Context:
    """Return what a case is bound to."""
    commons, sender, receiver = (
        bytes.fromhex(inputs[name]) for name in ("commons", "sender", "receiver")
    )
    return Context(commons, sender, receiver, tuple(map(bytes.fromhex, inputs["about"])))


def write(inputs: Case) -> Any:
    """Seal a text."""
    context = context_of(inputs)
    seed, key, ephemeral = (
        bytes.fromhex(inputs[name]) for name in ("seed", "receiver_key", "ephemeral")
    )
    content = seal(context, inputs["text"], seed, key, ephemeral)
    enc, sealed = content["enc"], content["sealed"]
    assert isinstance(enc, bytes)
    assert isinstance(sealed, bytes)
    signed = signed_bytes(context, inputs["text"])
    return {
        "context": context.encode().hex(),
        "info": (domain(SEAL) + context.encode()).hex(),
        "signature": sign(seed, signed).hex(),
        "enc": enc.hex(),
        "sealed": sealed.hex(),
    }


def read(inputs: Case) -> Any:
    """Open a sealed text."""
    enc, sealed, private = (bytes.fromhex(inputs[name]) for name in ("enc", "sealed", "private"))
    opened = unseal(context_of(inputs), enc, sealed, private)
    return {"text": opened.text, "signature": opened.signature.hex()}
