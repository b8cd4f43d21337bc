"""What was promised twice: while the network was cut, and in the end.

Nobody has the whole picture during a partition, so the two are told apart. What was promised twice
as a partition ended may have come right since: somebody who lost a disk accepts for the same need
again, and what is too much is taken back once both sides know. Twice in the end is a breach.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mycelia_sim.accounts import cut_spans, when_written
from mycelia_sim.escrow import overcommitments, overdrawn

if TYPE_CHECKING:
    from mycelia_sim.evidence import Evidence
    from mycelia_sim.measured import Metric


def double_allocations(evidence: Evidence) -> dict[str, Metric]:
    """Return how many offers, rights and requests honest nodes promised twice, by when."""
    records, liars = evidence.library.records, evidence.liars
    return {
        "overcommitted_in_cut": overcommitted_in_cut(evidence),
        "overcommitted_after": len(overcommitments(records, liars)),
    }


def overcommitted_in_cut(evidence: Evidence) -> int | None:
    """Return how many were promised twice as some partition ended, by all disks together.

    Counts what honest authors had written until then, each thing once. None if nothing was parted.
    """
    parting = [cut for cut in evidence.plan.cuts if cut.groups and cut.mode != "delay"]
    if not parting:
        return None
    when = when_written(evidence.facts, evidence.sightings)
    records = evidence.library.records.items()
    written = {id_: (when(one), one) for id_, one in records if one.author not in evidence.liars}
    twice: set[bytes] = set()
    for _, until_ms in cut_spans(parting):
        known = {id_: one for id_, (at_ms, one) in written.items() if at_ms < until_ms}
        twice.update(entries.thing.id for entries in overdrawn(known, evidence.liars))
    return len(twice)
