"""Messages that only their receiver reads, and can show to others. Spec: section 7.19.

The text is signed by its sender together with what it is bound to, padded, and sealed to the
receiver's X25519 key. The signature is inside: nobody else learns more than that somebody wrote to
somebody about something; and the receiver can prove to a third person what was written, since text
and signature can be checked without any key of its own.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from mycelia_protocol.crypto import MESSAGE, SEAL, SIGNATURE_SIZE, domain, sign, verify
from mycelia_protocol.encoding import Value, decode, encode
from mycelia_protocol.errors import EncodingError, LimitExceeded, SealError
from mycelia_protocol.hpke import open_base, seal_base
from mycelia_protocol.limits import SEALED_SIZE_MAX, TEXT_SIZE_MAX

PADDING: Final = 128  # bytes: the length of a text is told no finer than this


@dataclass(frozen=True, slots=True)
class Context:
    """What a message is bound to: moved anywhere else, it does not open.

    Attributes:
        commons: id of the commons.
        sender, receiver: Ed25519 keys of members.
        about: ids of the records that it is about, as the record's references have them.
    """

    commons: bytes
    sender: bytes
    receiver: bytes
    about: tuple[bytes, ...]

    def encode(self) -> bytes:
        """Return the bytes that are bound."""
        return encode([self.commons, self.sender, self.receiver, list(self.about)])


@dataclass(frozen=True, slots=True)
class Opened:
    """What was sealed: the text, and the sender's signature over `signed_bytes`."""

    text: str
    signature: bytes


def signed_bytes(context: Context, text: str) -> bytes:
    """Return what the sender of a message signs. Spec: SEAL-3."""
    return domain(MESSAGE) + context.encode() + text.encode()


def seal(
    context: Context, text: str, seed: bytes, receiver_key: bytes, ephemeral: bytes
) -> dict[str, Value]:
    """Return the content of a `message` record.

    Args:
        seed: the sender's Ed25519 seed.
        receiver_key: the X25519 key in the receiver's profile.
        ephemeral: 32 random bytes that serve this once.

    Raises:
        LimitExceeded: the text is empty or longer than TEXT_SIZE_MAX.
        SealError: the receiver's key can't be used.
    """
    if not 0 < len(text) <= TEXT_SIZE_MAX:
        raise LimitExceeded(f"a message has 1 to {TEXT_SIZE_MAX} characters")
    padding = bytes(-len(text.encode()) % PADDING)
    inner = encode([text, sign(seed, signed_bytes(context, text)), padding])
    info = domain(SEAL) + context.encode()
    enc, sealed = seal_base(receiver_key, ephemeral, info, inner)
    return {"to": context.receiver, "enc": enc, "sealed": sealed}


def unseal(context: Context, enc: bytes, sealed: bytes, private: bytes) -> Opened:
    """Open a message.

    Args:
        private: the receiver's X25519 key.

    Raises:
        SealError: it does not open with this key in this context (SEAL-1, SEAL-2), what is inside
            is not what the spec says (SEAL-4), or the sender did not sign it (SEAL-3).
    """
    if len(sealed) > SEALED_SIZE_MAX:
        raise SealError("a sealed text is too long", requirement="SEAL-1")
    inner = open_base(private, enc, domain(SEAL) + context.encode(), sealed)
    text, signature = _read_inner(inner)
    if not verify(context.sender, signed_bytes(context, text), signature):
        raise SealError("its sender did not sign what is inside", requirement="SEAL-3")
    return Opened(text, signature)


def _read_inner(inner: bytes) -> tuple[str, bytes]:
    try:
        content: Sequence[Value] | Value = decode(inner)
    except EncodingError as error:
        raise SealError("what is inside is not canonical", requirement="SEAL-4") from error
    match content:
        case [str(text), bytes(signature), bytes(padding)] if (
            0 < len(text) <= TEXT_SIZE_MAX and len(signature) == SIGNATURE_SIZE and not any(padding)
        ):
            return text, signature
        case _:
            message = "inside a message are text, signature and zeros"
            raise SealError(message, requirement="SEAL-4")
