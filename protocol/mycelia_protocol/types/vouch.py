"""`vouch`: a member admits a key to the roster. Spec: section 7.3.

The roster is the founder of the charter and every key that a member of the roster vouched for.
The digest of the invite's secret stands in the vouch, so that the log itself shows that an invite
was used, and a crash between the two can't let it be used again.
"""

from dataclasses import dataclass

from mycelia_protocol.crypto import is_valid_public_key
from mycelia_protocol.encoding import Value
from mycelia_protocol.errors import SchemaError
from mycelia_protocol.limits import ID_SIZE
from mycelia_protocol.record import Record
from mycelia_protocol.schema import Body, Field
from mycelia_protocol.types.base import Facts, Statement

FIELDS = (
    Field("key", "bytes", ID_SIZE, ID_SIZE),
    Field("invite", "bytes", ID_SIZE, ID_SIZE, required=False),
)


@dataclass(frozen=True, slots=True)
class Vouch:
    """A key let in, and the digest of the invite it showed (b"" if none)."""

    key: bytes
    invite: bytes


def content(key: bytes, invite: bytes) -> dict[str, Value]:
    """Return the body that admits a key which showed the invite with this digest."""
    return {"key": key, "invite": invite}


def read(body: Body, record: Record) -> Vouch:
    """Read a checked body.

    Raises:
        SchemaError: the key is not a valid Ed25519 key.
    """
    key = body.data("key")
    if not is_valid_public_key(key):
        raise SchemaError("the vouched key is not a valid Ed25519 key", requirement="VOUCH-1")
    return Vouch(key, body.data("invite") if "invite" in body.fields else b"")


def row(facts: Facts, statement: Statement[object]) -> list[Value]:
    """Return the digest row: who let whom in."""
    vouch = statement.body
    assert isinstance(vouch, Vouch)
    return [statement.id, statement.author, vouch.key]
