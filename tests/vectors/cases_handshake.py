"""Vectors of sections 9.2 and 9.4: handshakes with proofs of identity, and encrypted frames."""

from typing import Final

from mycelia_protocol.crypto import domain, public_key, sign
from mycelia_protocol.encoding import Value, encode
from mycelia_protocol.noise import HandshakeState, Transport, dh_public
from vectors.chains import COMMONS
from vectors.suite import SEEDS, Json, Suite, derived

NOTES = {
    "Transcript": "A whole handshake, both sides honest, and frames after it.",
    "Noise": "A message that the Noise handshake refuses.",
    "ZeroKey": "A Diffie-Hellman key that makes the secret zero, known to everybody.",
    "Proof": "The proof of identity does not fit this handshake. Accepting it lets others pose.",
    "Format": "The proof is not what it should look like.",
    "Frame": "An encrypted frame after the handshake was changed, repeated or left out.",
}
ROLES: Final = {"initiator": 1, "responder": 2}
ZERO_KEYS = ["00" * 32, "01" + "00" * 31, "ec" + "ff" * 30 + "7f", "ed" + "ff" * 30 + "7f"]
FRAMES: Final[list[Value]] = [[1, [], True], [6, derived("secret of the invite", 16)], [3, []]]


class Side:
    """One side of a handshake, which may lie in its proof.

    Args:
        role: "initiator" or "responder".
        name: whose identity.
        commons: what it believes in.
    """

    def __init__(self, role: str, name: str, commons: bytes = COMMONS, nonce: str = "") -> None:
        self.role = role
        self.name = name
        self.commons = commons
        self.static = derived(f"static key of {name}")
        self.ephemeral = derived(f"ephemeral key of {name}{nonce}")
        self.noise = HandshakeState(
            is_initiator=self.role == "initiator",
            static=self.static,
            ephemeral=self.ephemeral,
            prologue=domain("prologue") + self.commons,
        )

    def statement(self, **lies: Value) -> bytes:
        """Return what the proof's signature covers, at this point of the handshake."""
        truth: dict[str, Value] = {
            "role": ROLES[self.role],
            "commons": self.commons,
            "static": dh_public(self.static),
            "hash": self.noise.handshake_hash,
        }
        return domain("session") + encode(list({**truth, **lies}.values()))

    def proof(self, **lies: Value) -> bytes:
        """Return the payload of message 2 or 3."""
        seed = SEEDS[self.name]
        return encode([public_key(seed), sign(seed, self.statement(**lies)), [1], []])

    def keys(self) -> dict[str, Json]:
        """Return this side's secrets, for a case."""
        return {
            "seed": SEEDS[self.name].hex(),
            "static": self.static.hex(),
            "ephemeral": self.ephemeral.hex(),
            "commons": self.commons.hex(),
        }


def sides() -> tuple[Side, Side]:
    """Return oak, who opens the link, and mill."""
    return Side("initiator", "oak"), Side("responder", "mill")


def build() -> Suite:
    """Return the suite."""
    suite = Suite("handshake", NOTES)
    _add_transcripts(suite)
    _add_wrong_messages(suite)
    _add_wrong_proofs(suite)
    _add_wrong_frames(suite)
    return suite


def _add_transcripts(suite: Suite) -> None:
    for names, commons in (
        (("oak", "mill"), COMMONS),
        (("elm", "ash"), derived("another commons")),
    ):
        initiator = Side("initiator", names[0], commons)
        responder = Side("responder", names[1], commons)
        messages = list[bytes]()
        statements = list[bytes]()
        payloads = list[bytes]()
        writer, reader = initiator, responder
        for index in range(3):
            payload = writer.proof() if index else b""
            statements.append(writer.statement() if index else b"")
            payloads.append(payload)
            messages.append(writer.noise.write_message(payload))
            assert reader.noise.read_message(messages[-1]) == payload
            writer, reader = reader, writer
        one, other = initiator.noise.split(), responder.noise.split()
        inputs: dict[str, Json] = {
            "op": "transcript",
            "initiator": initiator.keys(),
            "responder": responder.keys(),
        }
        steps: dict[str, Json] = {
            "prologue": (domain("prologue") + commons).hex(),
            "statements": [statement.hex() for statement in statements],
            "payloads": [payload.hex() for payload in payloads],
            "messages": [message.hex() for message in messages],
            "handshake_hash": one.handshake_hash.hex(),
            "frames": [*_frames("initiator", one), *_frames("responder", other)],
        }
        suite.valid(f"{names[0]} opens, {names[1]} answers", "SESS-3", inputs, steps, "Transcript")


def _frames(sender: str, transport: Transport) -> list[Json]:
    """Return three frames that one side sends, in plain and encrypted."""
    frames: list[Json] = []
    for frame in FRAMES:
        plain = encode(frame)
        cipher = transport.sender.encrypt(plain)
        frames.append({"from": sender, "plain": plain.hex(), "cipher": cipher.hex()})
    return frames


def _add_wrong_messages(suite: Suite) -> None:
    oak, mill = sides()
    first = oak.noise.write_message()
    mill.noise.read_message(first)
    second = mill.noise.write_message(mill.proof())
    for text in ZERO_KEYS:
        _refuse(
            suite,
            "key that leads to zero",
            "responder",
            [bytes.fromhex(text)],
            "handshake",
            "ZeroKey",
        )
    wrong: list[tuple[str, str, bytes, str]] = [
        ("31 bytes", "responder", first[:31], "handshake"),
        ("nothing", "responder", b"", "handshake"),
        (
            "message 1 with a payload",
            "responder",
            Side("initiator", "oak").noise.write_message(b"x"),
            "handshake",
        ),
        ("1025 bytes", "responder", first.ljust(1_025, b"\0"), "handshake"),
        ("79 bytes", "initiator", second[:79], "handshake"),
        ("95 bytes", "initiator", second[:95], "decrypt"),
        ("a bit of the key", "initiator", _flipped(second, 0), "decrypt"),
        ("a bit of the static key", "initiator", _flipped(second, 40), "decrypt"),
        ("a bit of the proof", "initiator", _flipped(second, 100), "decrypt"),
        ("a bit of the last tag", "initiator", _flipped(second, -1), "decrypt"),
        ("a byte more", "initiator", second + b"\0", "decrypt"),
    ]
    for comment, reader, message, error in wrong:
        _refuse(suite, comment, reader, [message], error, "Noise")
    oak, mill = sides()
    mill.noise.read_message(first)
    foreign = Side("responder", "mill", derived("another commons"))
    foreign.noise.read_message(first)
    other = foreign.noise.write_message(foreign.proof())
    _refuse(suite, "a responder of another commons", "initiator", [other], "decrypt", "Noise")
    early = mill.noise.write_message(mill.proof())
    oak.noise.write_message()
    oak.noise.read_message(early)
    third = oak.noise.write_message(oak.proof())
    for comment, message in [
        ("a bit of the static key", _flipped(third, 3)),
        ("cut short", third[:-1]),
    ]:
        _refuse(suite, f"message 3: {comment}", "responder", [first, message], "decrypt", "Noise")


def _add_wrong_proofs(suite: Suite) -> None:
    oak, mill = sides()
    good = mill.proof()
    seed, key = SEEDS["mill"], public_key(SEEDS["mill"])
    mill.noise.read_message(oak.noise.write_message())
    signature = sign(seed, mill.statement())
    lies: list[tuple[str, bytes, str, str]] = [
        ("the role of the other side", mill.proof(role=1), "signature", "Proof"),
        ("another commons", mill.proof(commons=derived("another commons")), "signature", "Proof"),
        ("another static key", mill.proof(static=dh_public(bytes(32))), "signature", "Proof"),
        ("the hash of another handshake", good, "signature", "Proof"),
        (
            "a key of others",
            encode([public_key(SEEDS["elm"]), signature, [1], []]),
            "signature",
            "Proof",
        ),
        (
            "a key of small order",
            encode([b"\1" + bytes(31), b"\1" + bytes(63), [1], []]),
            "signature",
            "Proof",
        ),
        ("no version 1", encode([key, signature, [2], []]), "version", "Format"),
        ("no version", encode([key, signature, [], []]), "version", "Format"),
        ("true is no version", encode([key, signature, [True], []]), "version", "Format"),
        ("three fields", encode([key, signature, [1]]), "handshake", "Format"),
        ("a key of 31 bytes", encode([key[:31], signature, [1], []]), "handshake", "Format"),
        ("a signature of 63 bytes", encode([key, signature[:63], [1], []]), "handshake", "Format"),
        (
            "not canonical",
            b"\xdc\0\4" + encode([key, signature, [1], []])[1:],
            "encoding",
            "Format",
        ),
        ("empty", b"", "encoding", "Format"),
    ]
    for comment, payload, error, flag in lies:
        oak, mill = sides()
        mill.noise.read_message(oak.noise.write_message())
        message = mill.noise.write_message(payload)
        _refuse(suite, f"proof with {comment}", "initiator", [message], error, flag)
    own = Side("responder", "oak", nonce=" again")
    oak = Side("initiator", "oak")
    own.noise.read_message(oak.noise.write_message())
    message = own.noise.write_message(own.proof())
    _refuse(
        suite, "the reader's own identity, rightly proved", "initiator", [message], "self", "Proof"
    )
    oak, mill = sides()
    first = oak.noise.write_message()
    mill.noise.read_message(first)
    oak.noise.read_message(mill.noise.write_message(mill.proof()))
    third = oak.noise.write_message(oak.proof(role=2))
    comment = "message 3 with the role of the other side"
    _refuse(suite, comment, "responder", [first, third], "signature", "Proof")


def _add_wrong_frames(suite: Suite) -> None:
    def talk() -> tuple[list[bytes], Transport]:
        oak, mill = sides()
        first = oak.noise.write_message()
        mill.noise.read_message(first)
        oak.noise.read_message(mill.noise.write_message(mill.proof()))
        third = oak.noise.write_message(oak.proof())
        return [first, third], oak.noise.split()

    messages, transport = talk()
    one, two = (transport.sender.encrypt(encode(frame)) for frame in FRAMES[:2])
    stale = transport.sender.encrypt(b"\xcc\x01")
    wrong = [
        ("a bit changed", [_flipped(one, 2)], "decrypt"),
        ("a frame left out", [two], "decrypt"),
        ("a frame twice", [one, one], "decrypt"),
        ("15 bytes", [one[:15]], "decrypt"),
        ("nothing", [b""], "decrypt"),
        ("what is inside is not canonical", [one, two, stale], "encoding"),
    ]
    for comment, frames, error in wrong:
        received = [*messages, *frames]
        _refuse(suite, f"frame: {comment}", "responder", received, error, "Frame")


def _refuse(
    suite: Suite, comment: str, reader: str, received: list[bytes], error: str, flag: str
) -> None:
    """Add a case in which the last of the received messages must be refused."""
    side = sides()[0 if reader == "initiator" else 1]
    req = {"Frame": "SESS-4", "Proof": "SESS-2", "Format": "SESS-2"}.get(flag, "SESS-1")
    inputs: dict[str, Json] = {
        "op": "refuse",
        "reader": reader,
        "keys": side.keys(),
        "received": [message.hex() for message in received],
    }
    suite.invalid(comment, req, inputs, error, flag)


def _flipped(data: bytes, at: int) -> bytes:
    at %= len(data)
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]
