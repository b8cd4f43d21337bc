"""The checker of old logs: records that nodes keep in compact form only, and may.

A record in compact form is held: its id, its place and what follows from it are there, if a sum of
its log proves it. So `no_loss` counts it. What is checked here is that nobody let go of what it had
to keep, that each form is the one of its author's record, and that sums stand behind them all.
When it happened is known in virtual time alone; the disks tell the rest on every backend.
"""

from __future__ import annotations

from collections.abc import Iterator

from mycelia_sim.audit import Held, LogCopy
from mycelia_sim.evidence import SHORT, Breach, Evidence, judged
from mycelia_sim.forms import form_of
from mycelia_sim.verdict import Check, First

KEPT = ("acknowledge", "checkpoint", "vouch")  # kinds that have to be shown with their signatures


def pruned_rightly(evidence: Evidence) -> Check:
    """Check that records are in compact form only where they may be, and that each form is true."""
    facts = evidence.facts
    breaches: list[Breach] = [
        (
            f"{one.node} let go of records that it had to keep: {one.fault}",
            First(one.at_ms, one.node),
        )
        for one in facts.let_go
        if one.fault
    ]
    breaches += [
        (f"{one.node} took forms that nothing proved: {one.fault}", First(one.at_ms, one.node))
        for one in facts.formed
        if one.fault
    ]
    count = 0
    for holding in evidence.holdings:
        for copy in holding.logs:
            compact = [record for record in copy.records if record.is_compact]
            count += len(compact)
            breaches += _wrong_in(evidence, holding.node, copy, compact)
    found = f"{count} records are in compact form, where they may be"
    return judged("pruned_rightly", "safety", breaches, found, is_known=evidence.library.total > 0)


def _wrong_in(
    evidence: Evidence, node: str, copy: LogCopy, compact: list[Held]
) -> Iterator[Breach]:
    """Yield what is wrong with the compact records in one copy of a log."""
    if not compact:
        return
    own = bytes.fromhex(evidence.facts.keys.get(node, ""))
    summed = max(evidence.library.sums.get(copy, ()), default=0)
    for record in compact:
        why = ""
        name = f"{record.kind} {record.id.hex()[:SHORT]}"
        if record.author == own and record.id.hex() not in evidence.taken.get(node, ()):
            why = "which is its own"
        elif record.kind in KEPT:
            why = "which has to be shown signed"
        elif record.form != form_of(evidence.library.records[record.id], evidence.folds.is_read):
            why = "and the form is not that of the record"
        elif record.seq >= summed and (copy.author, copy.log) not in evidence.library.contested:
            why = "and no sum of its log proves it"
        if why:
            text = f"{node} holds no more than the compact form of {name}, {why}"
            yield text, evidence.first(record.id, node)
            return
