"""The Noise handshake: byte for byte as published, and terminal after any damage."""

import json
from pathlib import Path
from typing import Any

import pytest

from mycelia_protocol.errors import InvalidTransition, LocalError, SessionError
from mycelia_protocol.noise import NONCE_MAX, CipherState, HandshakeState, Transport, dh_public

EXTERNAL = Path(__file__).parents[1] / "vectors" / "external"
# Points of X25519 whose product with any private key is zero, in both forms of each.
ZERO_KEYS = [
    "00" * 32,
    "01" + "00" * 31,
    "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
    "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
    "ec" + "ff" * 30 + "7f",
    "ed" + "ff" * 30 + "7f",
    "ee" + "ff" * 30 + "7f",
]


def pair(
    prologue: bytes = b"", other_prologue: bytes = b""
) -> tuple[HandshakeState, HandshakeState]:
    """Return an initiator and a responder with fixed keys."""
    initiator = HandshakeState(
        is_initiator=True, static=b"\1" * 32, ephemeral=b"\2" * 32, prologue=prologue
    )
    responder = HandshakeState(
        is_initiator=False, static=b"\3" * 32, ephemeral=b"\4" * 32, prologue=other_prologue
    )
    return initiator, responder


def shake_hands(
    initiator: HandshakeState, responder: HandshakeState
) -> tuple[Transport, Transport]:
    """Pass the three messages and return both ends."""
    responder.read_message(initiator.write_message())
    initiator.read_message(responder.write_message())
    responder.read_message(initiator.write_message())
    return initiator.split(), responder.split()


def published() -> list[Any]:
    """Return the published transcripts of the one protocol that we use."""
    path = EXTERNAL / "noise_xx_25519_chachapoly_sha256.json"
    vectors = json.loads(path.read_text(encoding="utf-8"))["vectors"]
    assert vectors
    assert {vector["protocol_name"] for vector in vectors} == {"Noise_XX_25519_ChaChaPoly_SHA256"}
    return list(vectors)


@pytest.mark.parametrize("vector", published())
def test_transcripts_are_those_published(vector: dict[str, Any]) -> None:
    """Handshake, handshake hash and transport messages equal the published ones to the byte."""
    initiator, responder = (
        HandshakeState(
            is_initiator=role == "init",
            static=bytes.fromhex(vector[f"{role}_static"]),
            ephemeral=bytes.fromhex(vector[f"{role}_ephemeral"]),
            prologue=bytes.fromhex(vector[f"{role}_prologue"]),
        )
        for role in ("init", "resp")
    )
    writer, reader = initiator, responder
    for message in vector["messages"][:3]:
        written = writer.write_message(bytes.fromhex(message["payload"]))
        assert written.hex() == message["ciphertext"]
        assert reader.read_message(written).hex() == message["payload"]
        assert writer.handshake_hash == reader.handshake_hash
        writer, reader = reader, writer
    one, other = initiator.split(), responder.split()
    assert one.handshake_hash.hex() == other.handshake_hash.hex() == vector["handshake_hash"]
    sender, receiver = other, one  # the responder's turn is next
    for message in vector["messages"][3:]:
        ciphertext = sender.sender.encrypt(bytes.fromhex(message["payload"]))
        assert ciphertext.hex() == message["ciphertext"]
        assert receiver.receiver.decrypt(ciphertext).hex() == message["payload"]
        sender, receiver = receiver, sender


def test_both_sides_learn_each_others_static_key() -> None:
    """After the handshake each side holds the public key of the other."""
    one, other = shake_hands(*pair())
    assert one.remote_static == dh_public(b"\3" * 32)
    assert other.remote_static == dh_public(b"\1" * 32)


def test_a_frame_of_a_mebibyte_is_one_message() -> None:
    """The ciphers carry a whole session frame at once."""
    one, other = shake_hands(*pair())
    frame = bytes(1_048_576 - 16)
    ciphertext = one.sender.encrypt(frame)
    assert len(ciphertext) == 1_048_576
    assert other.receiver.decrypt(ciphertext) == frame


def test_another_prologue_makes_the_second_message_fail() -> None:
    """Who does not agree on the prologue cannot shake hands."""
    initiator, responder = pair(b"one commons", b"another")
    responder.read_message(initiator.write_message())
    with pytest.raises(SessionError) as caught:
        initiator.read_message(responder.write_message())
    assert caught.value.code == "decrypt"


@pytest.mark.parametrize("index", [0, 1, 2])
def test_any_changed_byte_ends_the_handshake(index: int) -> None:
    """A change anywhere in a message is noticed at once or, in the first, by the next one."""
    size = (32, 96, 64)[index]
    for at in range(size):
        sides = pair()
        for step in range(3):
            writer, reader = sides if step % 2 == 0 else sides[::-1]
            message = bytearray(writer.write_message())
            assert len(message) == (32, 96, 64)[step]
            if step == index:
                message[at] ^= 1
            try:
                reader.read_message(bytes(message))
            except SessionError:
                break
        else:
            pytest.fail(f"byte {at} of message {index} was changed and nobody noticed")
        assert not reader.is_finished
        with pytest.raises(InvalidTransition, match="failed"):
            reader.read_message(bytes(message))
        with pytest.raises(InvalidTransition):
            reader.split()


@pytest.mark.parametrize("index", [0, 1, 2])
def test_any_message_cut_short_ends_the_handshake(index: int) -> None:
    """A message of any smaller size is a SessionError, never another exception."""
    for size in range((32, 96, 64)[index]):
        sides = pair()
        for step in range(index):
            writer, reader = sides if step % 2 == 0 else sides[::-1]
            reader.read_message(writer.write_message())
        writer, reader = sides if index % 2 == 0 else sides[::-1]
        with pytest.raises(SessionError):
            reader.read_message(writer.write_message()[:size])


@pytest.mark.parametrize("text", ZERO_KEYS)
def test_keys_that_lead_to_zero_are_refused(text: str) -> None:
    """With such an ephemeral key the secret would be known to everybody."""
    _, responder = pair()
    responder.read_message(bytes.fromhex(text))
    with pytest.raises(SessionError, match="all-zero") as caught:
        responder.write_message()
    assert caught.value.code == "handshake"
    with pytest.raises(InvalidTransition):
        responder.write_message()


def test_turns_are_kept() -> None:
    """Reading when it is time to write, or the other way round, is our own mistake."""
    initiator, responder = pair()
    with pytest.raises(InvalidTransition, match="turn"):
        initiator.read_message(bytes(32))
    with pytest.raises(InvalidTransition, match="turn"):
        responder.write_message()
    with pytest.raises(InvalidTransition, match="not finished"):
        initiator.split()
    assert initiator.is_writing
    assert not responder.is_writing
    shake_hands(initiator, responder)
    assert initiator.is_finished
    with pytest.raises(InvalidTransition, match="turn"):
        responder.write_message()


def test_messages_come_once_and_in_order() -> None:
    """A repeated, skipped or reordered message does not decrypt."""
    one, other = shake_hands(*pair())
    first, second = one.sender.encrypt(b"first"), one.sender.encrypt(b"second")
    with pytest.raises(SessionError):
        other.receiver.decrypt(second)
    assert other.receiver.decrypt(first) == b"first"
    with pytest.raises(SessionError):
        other.receiver.decrypt(first)
    assert other.receiver.decrypt(second) == b"second"
    with pytest.raises(SessionError):
        one.receiver.decrypt(first)


@pytest.mark.parametrize("size", range(17))
def test_a_short_ciphertext_is_refused(size: int) -> None:
    """Fewer bytes than a tag are no message."""
    with pytest.raises(SessionError) as caught:
        CipherState(bytes(32)).decrypt(bytes(size))
    assert caught.value.code == "decrypt"


def test_a_cipher_stops_before_its_nonces_repeat() -> None:
    """The last nonce is reserved: neither side goes beyond the one before it."""
    last = CipherState(bytes(32), nonce=NONCE_MAX - 1)
    ciphertext = last.encrypt(b"the last")
    with pytest.raises(LocalError, match="used up"):
        last.encrypt(b"one more")
    reader = CipherState(bytes(32), nonce=NONCE_MAX - 1)
    assert reader.decrypt(ciphertext) == b"the last"
    with pytest.raises(SessionError, match="used up"):
        reader.decrypt(ciphertext)


def test_a_handshake_message_has_at_most_65535_bytes() -> None:
    """Noise's own limit holds while shaking hands."""
    initiator, responder = pair()
    with pytest.raises(LocalError, match="65535"):
        initiator.write_message(bytes(65_536 - 32))
    with pytest.raises(SessionError, match="too long"):
        responder.read_message(bytes(65_536))


def test_keys_of_a_wrong_size_are_our_own_mistake() -> None:
    """Private keys have 32 bytes."""
    with pytest.raises(LocalError, match="32 bytes, not 31"):
        HandshakeState(is_initiator=True, static=bytes(31), ephemeral=bytes(32))
