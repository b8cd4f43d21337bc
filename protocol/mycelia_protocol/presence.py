"""What a member says of itself now and then: a frame that is signed, passed on, and never stored.

It is a hint and no input of any state: who believes a wrong one sees a wrong list. Spec: 10.7.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from mycelia_protocol.crypto import PRESENCE, domain, sign, verify
from mycelia_protocol.encoding import Value, encode
from mycelia_protocol.errors import SessionError
from mycelia_protocol.limits import (
    FEATURE_SIZE_MAX,
    FEATURES_MAX,
    HEADS_MARK_SIZE,
    ID_SIZE,
    INT_MAX,
    PROTOCOL_VERSION,
    SIGNATURE_SIZE,
)


@dataclass(frozen=True, slots=True)
class Presence:
    """One word of one member.

    Attributes:
        time_ms: when it was said, by its author's clock; larger than all before.
        heads: short digest of all heads in its author's store; equal on stores that hold the same.
        is_resting: it is about to stop, on purpose.
        versions: of the protocol, which its author speaks.
        features: what else it can do.
    """

    author: bytes
    time_ms: int
    heads: bytes
    is_resting: bool
    versions: tuple[int, ...]
    features: tuple[str, ...]
    signature: bytes

    def fields(self) -> list[Value]:
        """Return what stands in its frame."""
        said = _fields(self.author, self.time_ms, self.heads, self.is_resting)
        return [*said, list(self.versions), list(self.features), self.signature]

    def is_signed(self, commons: bytes) -> bool:
        """Return whether its author said it in this commons."""
        message = domain(PRESENCE) + encode([commons, *self.fields()[:-1]])
        return verify(self.author, message, self.signature)


def speak(
    commons: bytes, seed: bytes, author: bytes, time_ms: int, heads: bytes, *, is_resting: bool
) -> Presence:
    """Return what the owner of a seed says, signed."""
    versions, features = (PROTOCOL_VERSION,), ()
    said = _fields(author, time_ms, heads, is_resting)
    message = domain(PRESENCE) + encode([commons, *said, list(versions), list(features)])
    return Presence(author, time_ms, heads, is_resting, versions, features, sign(seed, message))


def _fields(author: bytes, time_ms: int, heads: bytes, is_resting: bool) -> list[Value]:
    return [author, time_ms, heads, is_resting]


def read_presence(fields: Sequence[Value]) -> Presence:
    """Read what stands in a frame.

    Raises:
        SessionError: a field breaks its rule (SESS-5).
    """
    match fields:
        case [
            bytes(author),
            int(time_ms),
            bytes(heads),
            bool(is_resting),
            tuple(versions),
            tuple(features),
            bytes(signature),
        ] if (
            len(author) == ID_SIZE
            and type(time_ms) is int  # True would match int() too
            and 0 <= time_ms <= INT_MAX
            and len(heads) == HEADS_MARK_SIZE
            and 1 <= len(versions) <= FEATURES_MAX
            and len(features) <= FEATURES_MAX
            and len(signature) == SIGNATURE_SIZE
        ):
            numbers = tuple(one for one in versions if type(one) is int and 0 <= one <= INT_MAX)
            names = tuple(
                one for one in features if isinstance(one, str) and len(one) <= FEATURE_SIZE_MAX
            )
            if len(numbers) == len(versions) and len(names) == len(features):
                return Presence(author, time_ms, heads, is_resting, numbers, names, signature)
        case _:
            pass
    raise SessionError("a PRESENCE has other fields", requirement="SESS-5")
