"""Vectors of section 8: sets of records, what follows from them, and their digests.

A reader must come to the same with the records in any order.
"""

from mycelia_protocol.digest_rows import KINDS_WITH_ROWS
from mycelia_protocol.record import Record
from mycelia_protocol.state import State
from vectors import scenes_after, scenes_escrow, scenes_forks, scenes_promises
from vectors.cases_identity import CHARTER
from vectors.suite import Json, Suite, hex_or_none, plain

NOTES = {
    "Roster": "Who is a member, and whose records wait until they are.",
    "Order": "The order of one author's records over several logs.",
    "Promise": "What has become of grants.",
    "Escrow": "What others may grant of somebody's offer, and what came back.",
    "Violation": "A member promised more than there was. The promise is void on every replica.",
    "Fork": "A log with two ends. Who holds either comes to the same state.",
    "Party": "For whom a request is, and what its author would like best.",
    "Ignored": "Records that take no part: malformed, unknown, or not the author's to write.",
}


def build() -> Suite:
    """Return the suite."""
    suite = Suite("state", NOTES)
    told = (scenes_promises, scenes_escrow, scenes_after, scenes_forks)
    for scene in (scene for part in told for scene in part.SCENES):
        records = scene.records()
        inputs: dict[str, Json] = {
            "charter": CHARTER.encode().hex(),
            "records": [[hex_or_none(part) for part in record.envelope()] for record in records],
        }
        suite.valid(scene.comment, scene.req, inputs, outcome(records), *scene.flags)
    return suite


def outcome(records: list[Record]) -> dict[str, Json]:
    """Return what follows from a set of records, as the vectors write it."""
    state = State(CHARTER)
    for record in records:
        state.add(record)
    return {
        "roster": plain(state.roster()),
        "rows": {name: plain(state.rows(name)) for name in KINDS_WITH_ROWS},
        "digest": state.digest().hex(),
    }
