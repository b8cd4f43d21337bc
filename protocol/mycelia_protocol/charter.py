"""The founding document of a commons; its hash is the id of the commons. Spec: section 6.1."""

from dataclasses import dataclass

from mycelia_protocol.crypto import digest, is_valid_public_key
from mycelia_protocol.encoding import decode, encode
from mycelia_protocol.errors import RecordError
from mycelia_protocol.limits import (
    ID_SIZE,
    INT_MAX,
    NAME_SIZE_MAX,
    PROTOCOL_VERSION,
    SALT_SIZE,
)

CHARTER_SIZE_MAX = 1_024  # bytes; a name of 80 four-byte characters and the fixed fields fit


@dataclass(frozen=True, slots=True)
class Charter:
    """What the founder wrote down when the commons began.

    Attributes:
        name: the name of the commons, 1 to 80 characters.
        founder: Ed25519 public key (32 bytes) of the first member of the roster.
        created_ms: when, by the founder's clock, ms since the Unix epoch; decides nothing.
        salt: 16 random bytes, so that two commons of one name and founder differ.
    """

    name: str
    founder: bytes
    created_ms: int
    salt: bytes

    def encode(self) -> bytes:
        """Return the charter's bytes, `[v, name, founder, created_ms, salt]`."""
        return encode([PROTOCOL_VERSION, self.name, self.founder, self.created_ms, self.salt])

    @classmethod
    def decode(cls, data: bytes) -> "Charter":
        """Read a charter from bytes.

        Raises:
            EncodingError: the bytes are not canonical.
            RecordError: a field is missing, of another type, or out of bounds.
        """
        match decode(data, size_max=CHARTER_SIZE_MAX):
            case [int(version), str(name), bytes(founder), int(created_ms), bytes(salt)]:
                pass
            case _:
                raise RecordError("a charter is [version, name, founder, created_ms, salt]")
        if version != PROTOCOL_VERSION or isinstance(version, bool):
            raise RecordError(f"charter version {version} is not known here", code="version")
        if not 1 <= len(name) <= NAME_SIZE_MAX:
            raise RecordError(f"a commons' name has 1 to {NAME_SIZE_MAX} characters")
        if len(founder) != ID_SIZE or not is_valid_public_key(founder):
            raise RecordError("the founder's key is not a valid Ed25519 key")
        if not 0 <= created_ms <= INT_MAX or isinstance(created_ms, bool):
            raise RecordError("created_ms is out of range")
        if len(salt) != SALT_SIZE:
            raise RecordError(f"a charter's salt has {SALT_SIZE} bytes")
        return cls(name, founder, created_ms, salt)

    @property
    def commons(self) -> bytes:
        """The id of the commons, 32 bytes."""
        return commons_id(self.encode())


def commons_id(charter: bytes) -> bytes:
    """Return the id of the commons that these charter bytes found (32 bytes)."""
    return digest("commons", charter)
