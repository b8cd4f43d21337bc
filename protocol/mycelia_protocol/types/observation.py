"""`observation`: what somebody saw of a living place. Spec: section 7.17.

refs = [party]. Observations of the last weeks make the place's health (`sharing/health.py`).
"""

from dataclasses import dataclass

from mycelia_protocol.limits import ID_SIZE, TEXT_SIZE_MAX
from mycelia_protocol.record import Record
from mycelia_protocol.schema import Body, Field
from mycelia_protocol.sharing.health import INDICATORS

FIELDS = (
    Field("indicator", "text", choices=INDICATORS),
    Field("value_pm", "int", 0, 1_000),
    Field("method", "text", 0, TEXT_SIZE_MAX, required=False),
    Field("evidence", "bytes", ID_SIZE, ID_SIZE, required=False),
)


@dataclass(frozen=True, slots=True)
class Observation:
    """What was seen, when the record was written.

    Attributes:
        indicator: one of five.
        value_pm: 0 the worst, 1000 the best that is thought possible there.
        method: how it was found out, in words.
        evidence: SHA-256 of a photograph or a protocol that the observer keeps.
    """

    indicator: str
    value_pm: int
    method: str
    evidence: bytes | None


def read(body: Body, record: Record) -> Observation:
    """Read a checked body."""
    return Observation(
        body.text("indicator"),
        body.integer("value_pm"),
        body.text("method"),
        body.optional_data("evidence"),
    )
