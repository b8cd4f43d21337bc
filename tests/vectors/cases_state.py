"""Vectors of section 8: sets of records, what follows from them, and their digests.

A reader must come to the same with the records in any order.
"""

from mycelia_protocol.record import Record
from mycelia_protocol.state import State
from mycelia_protocol.types.grant import Grant
from mycelia_protocol.types.offer import Offer
from mycelia_protocol.types.promises import grant_state, offer_state, request_state
from mycelia_protocol.types.request import Request
from vectors.cases_identity import CHARTER
from vectors.scenes import SCENES
from vectors.suite import Json, Suite

NOTES = {
    "Roster": "Who is a member, and whose records wait until they are.",
    "Order": "The order of one author's records over several logs.",
    "Promise": "What has become of grants.",
    "Violation": "A member promised more than there was. The promise is void on every replica.",
    "Ignored": "Records that take no part: malformed, unknown, or not the author's to write.",
}


def build() -> Suite:
    """Return the suite."""
    suite = Suite("state", NOTES)
    for scene in SCENES:
        records = scene.records()
        inputs: dict[str, Json] = {
            "charter": CHARTER.encode().hex(),
            "records": [[_hex(part) for part in record.envelope()] for record in records],
        }
        suite.valid(scene.comment, scene.req, inputs, outcome(records), *scene.flags)
    return suite


def outcome(records: list[Record]) -> dict[str, Json]:
    """Return what follows from a set of records, as the vectors write it."""
    state = State(CHARTER)
    for record in records:
        state.add(record)
    grants: dict[str, Json] = {}
    for grant in sorted(state.every(Grant), key=lambda each: each.id):
        became = grant_state(state, grant.id)
        grants[grant.id.hex()] = [became.status, _text(became.handed), _text(became.received)]
    offers: dict[str, Json] = {}
    for offer in sorted(state.every(Offer), key=lambda each: each.id):
        left = offer_state(state, offer.id)
        overdrawn = sorted(left.overdrawn)
        offers[offer.id.hex()] = [
            str(left.granted),
            str(left.left),
            left.withdrawn,
            [grant_id.hex() for grant_id in overdrawn],
        ]
    requests: dict[str, Json] = {}
    for request in sorted(state.every(Request), key=lambda each: each.id):
        filled = request_state(state, request.id)
        surplus = sorted(filled.surplus)
        requests[request.id.hex()] = [
            str(filled.filled),
            filled.withdrawn,
            [grant_id.hex() for grant_id in surplus],
        ]
    return {
        "roster": [key.hex() for key in state.roster()],
        "grants": grants,
        "offers": offers,
        "requests": requests,
        "digest": state.digest().hex(),
    }


def _text(number: int | None) -> str | None:
    return None if number is None else str(number)


def _hex(part: bytes | None) -> str | None:
    return None if part is None else part.hex()
