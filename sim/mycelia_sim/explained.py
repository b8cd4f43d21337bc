"""The check of decisions: each recomputes from every disk, and whose does not is named.

It is about `recompute`, the code by which any member audits, and uses it: from what lies on a disk,
and nothing else. Disks that hold the same are looked at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from mycelia_protocol.archive import Archive
from mycelia_protocol.charter import Charter
from mycelia_protocol.errors import MyceliaError
from mycelia_protocol.recompute import Finding, Known, Recomputing
from mycelia_protocol.record import Record
from mycelia_sim.audit import Holding, LogCopy
from mycelia_sim.evidence import SHORT, Breach, Evidence, judged
from mycelia_sim.folding import Folds
from mycelia_sim.verdict import Check


def explained(evidence: Evidence) -> Check:
    """Check that every decision of an honest node recomputes on every disk, and none of a liar.

    What rests on a record that is gone can't be made once more. So disks with compact logs are not
    looked at one by one, but as if somebody held all that all of them have.

    Adversaries decide with a bias alone. Where not all of a view is there nothing can be said. That
    happens to disks that lack records or hold some in compact form, where faults took some from
    all disks, and with logs that have two ends; else it is a breach.
    """
    breaches, made, done, biased = list[Breach](), set[bytes](), set[bytes](), set[bytes]()
    known = Known()
    was_robbed = bool(evidence.library.contested) or any(evidence.taken.values())
    for holding in _looked_at(evidence):
        may_lack = was_robbed or holding.node in evidence.library.lacking
        may_lack = may_lack or any(record.is_compact for record in holding.records)
        for finding in findings(holding, evidence.folds, known):
            if finding.author in evidence.liars:
                biased.add(finding.decision)
                if finding.recomputes:
                    text = f"{holding.node}: {named(evidence, finding)} recomputes, with its bias"
                    breaches.append((text, evidence.first(finding.decision)))
                continue
            made.add(finding.decision)
            if finding.recomputes:
                done.add(finding.decision)
            elif not finding.missing or not may_lack or finding.faults:
                text = f"{holding.node}: {told(evidence, finding)}"
                breaches.append((text, evidence.first(finding.decision)))
    found = f"{len(made)} decisions recompute"
    open_ = made - done if not breaches else set()
    found += f", but for {len(open_)} of which not all is here" if open_ else ""
    found += f"; {len(biased)} of adversaries do not" if biased else ""
    is_known = len(made) > len(open_) or evidence.plan.policy == "fifo"
    return judged("explained", "safety", breaches, found, is_known=is_known)


def _looked_at(evidence: Evidence) -> list[Holding]:
    """Return one of each kind of disks without compact logs, and all others put together."""
    disks = [alike[0] for alike in evidence.library.alike]
    gone = [disk for disk in disks if any(record.is_compact for record in disk.records)]
    others = [disk for disk in disks if disk not in gone]
    return [*others, _together(evidence, gone)] if gone else others


def _together(evidence: Evidence, disks: list[Holding]) -> Holding:
    """Return a disk with the longest copy of each log, each record as whole as anybody has it."""
    longest: dict[tuple[bytes, bytes], LogCopy] = {}
    for copy in (copy for disk in disks for copy in disk.logs):
        known = longest.setdefault((copy.author, copy.log), copy)
        if len(known.ids) < len(copy.ids):
            longest[copy.author, copy.log] = copy
    whole = evidence.library.records
    first = disks[0]
    faults = [fault for disk in disks for fault in disk.faults]
    logs = tuple(
        replace(copy, records=tuple(whole[id_] for id_ in copy.ids))
        for _, copy in sorted(longest.items())
    )
    return Holding("all together", first.founder, first.charter, logs, faults)


def findings(
    holding: Holding, folds: Folds | None = None, known: Known | None = None
) -> Iterator[Finding]:
    """Make all decisions on one disk once more.

    A disk that can't be read through is left out: `no_loss` and `bodies_intact` tell of it.

    Args:
        folds: reads records; one for many disks reads each once.
        known: what was found on other disks; see `Recomputing`.
    """
    folds = folds or Folds(holding.commons)
    logs: dict[tuple[bytes, bytes], list[Record]] = {}
    deciding: list[tuple[bytes, bytes]] = []
    for copy in holding.logs:
        key = (copy.author, copy.log)
        if any(record.kind == "decision" for record in copy.records):
            deciding.append(key)
    if not deciding or holding.faults:
        return
    try:
        for copy in holding.logs:
            logs[copy.author, copy.log] = [folds.parse(each) for each in copy.records]
        charter = Charter.decode(holding.charter)
        archive = Archive.of(logs, folds.read)
        yield from Recomputing(charter, archive, sorted(deciding), known=known).findings()
    except MyceliaError:
        return


def told(evidence: Evidence, finding: Finding) -> str:
    """Say whose decision does not recompute, and what is wrong with it."""
    reasons = [
        *(f"it leaves out request {request.hex()[:SHORT]}" for request in finding.omitted),
        *finding.faults,
        *(f"it rests on what nobody holds: {what}" for what in finding.missing),
    ]
    return f"{named(evidence, finding)} does not recompute: {reasons[0]}"


def named(evidence: Evidence, finding: Finding) -> str:
    """Name a decision, and whose it is."""
    who = evidence.node_of.get(finding.author, finding.author.hex()[:SHORT])
    return f"decision {finding.decision.hex()[:SHORT]} of {who}"
