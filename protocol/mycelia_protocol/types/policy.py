"""`policy`: a document that says who gets something first, put before the commons. Spec: 7.20.

Which one is in force is a function of the set of records: see `policies.py`.
"""

from dataclasses import dataclass

from mycelia_protocol.limits import POLICY_SIZE_MAX
from mycelia_protocol.record import Record
from mycelia_protocol.schema import Body, Field
from mycelia_protocol.sharing.policy import Policy, read_policy

FIELDS = (Field("document", "bytes", 1, POLICY_SIZE_MAX),)


@dataclass(frozen=True, slots=True)
class Proposed:
    """A policy as its author wrote it down: what it says, and the bytes that its id is of."""

    policy: Policy
    document: bytes


def read(body: Body, record: Record) -> Proposed:
    """Read a checked body.

    Raises:
        EncodingError, SchemaError: the document is no policy (PUT-1).
    """
    document = body.data("document")
    return Proposed(read_policy(document), document)
