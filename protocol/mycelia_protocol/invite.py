"""What one neighbour hands another so that they can join. Spec: section 9.6.

`mycelia:` + base64url of `[v, commons, inviter, secret, expires_ms, addresses]`. The secret works
once; the inviter's key is pinned by the invite, so that nobody on the way can play the inviter.
"""

import base64
import binascii
from dataclasses import dataclass

from mycelia_protocol.crypto import digest
from mycelia_protocol.encoding import decode, encode
from mycelia_protocol.errors import EncodingError, InviteError
from mycelia_protocol.limits import (
    ADDRESS_SIZE_MAX,
    ADDRESSES_MAX,
    ID_SIZE,
    INT_MAX,
    INVITE_SECRET_SIZE,
    INVITE_SIZE_MAX,
    PROTOCOL_VERSION,
)

SCHEME = "mycelia:"


@dataclass(frozen=True, slots=True)
class Invite:
    """An open door for one newcomer.

    Attributes:
        commons: id of the commons, 32 bytes.
        inviter: Ed25519 key of the member who vouches, 32 bytes.
        secret: 16 random bytes; who shows them is expected.
        expires_ms: end of validity by the inviter's clock, ms since the Unix epoch.
        addresses: where the inviter listens, `host:port` or a `ws://`/`wss://` URL; 1 to 8.
    """

    commons: bytes
    inviter: bytes
    secret: bytes
    expires_ms: int
    addresses: tuple[str, ...]

    def to_text(self) -> str:
        """Return the invite as one word that survives chat, mail and QR codes."""
        data = encode(
            [
                PROTOCOL_VERSION,
                self.commons,
                self.inviter,
                self.secret,
                self.expires_ms,
                list(self.addresses),
            ]
        )
        return SCHEME + base64.urlsafe_b64encode(data).decode().rstrip("=")

    @classmethod
    def from_text(cls, text: str) -> "Invite":
        """Read an invite.

        Raises:
            InviteError: it is cut short, mistyped, or of another version; the message says which.
        """
        text = "".join(text.split())
        if not text.startswith(SCHEME):
            raise InviteError(f"an invite begins with {SCHEME!r}; copy the whole line")
        payload = text.removeprefix(SCHEME)
        try:
            data = base64.b64decode(
                payload + "=" * (-len(payload) % 4), altchars=b"-_", validate=True
            )
            fields = decode(data, size_max=INVITE_SIZE_MAX)
        except (binascii.Error, ValueError, EncodingError) as error:
            raise InviteError("the invite is damaged or cut short; copy the whole line") from error
        return cls(*_checked_fields(fields))


def invite_digest(secret: bytes) -> bytes:
    """Return what is kept of an invite's secret and written into the vouch (32 bytes)."""
    return digest("invite", secret)


def _checked_fields(fields: object) -> tuple[bytes, bytes, bytes, int, tuple[str, ...]]:
    """Check an invite's decoded fields."""
    match fields:
        case [int(version), *_] if version != PROTOCOL_VERSION or isinstance(version, bool):
            raise InviteError(
                f"the invite is of protocol version {version}, this node speaks "
                f"{PROTOCOL_VERSION}; use versions that match",
                code="version",
            )
        case [
            int(),
            bytes(commons),
            bytes(inviter),
            bytes(secret),
            int(expires_ms),
            tuple(addresses),
        ] if not isinstance(expires_ms, bool):
            pass
        case _:
            raise InviteError("this is not a Mycelia invite")
    sizes = (len(commons), len(inviter), len(secret))
    if sizes != (ID_SIZE, ID_SIZE, INVITE_SECRET_SIZE) or not 0 <= expires_ms <= INT_MAX:
        raise InviteError("a field of the invite has the wrong size")
    texts = tuple(address for address in addresses if isinstance(address, str))
    if len(texts) != len(addresses) or not 1 <= len(texts) <= ADDRESSES_MAX:
        raise InviteError(f"an invite holds 1 to {ADDRESSES_MAX} addresses")
    if any(not 1 <= len(text) <= ADDRESS_SIZE_MAX for text in texts):
        raise InviteError("an address in the invite is empty or too long")
    return commons, inviter, secret, expires_ms, texts
