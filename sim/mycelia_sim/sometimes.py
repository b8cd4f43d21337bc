"""Checks of the run itself: did it look at what it claims to?

A fault that never fired proves nothing. So these make a run unknown, never failed. A plan that asks
for something to happen sometimes, and in which it never does, wants changing, or more seeds.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Final

from mycelia_sim.accounts import is_lapse
from mycelia_sim.backends import AWAY, CARRY
from mycelia_sim.escrow import overcommitments
from mycelia_sim.evidence import Evidence, known
from mycelia_sim.plan import Kill, Plan
from mycelia_sim.verdict import Check

DISK_WORDS: Final = {
    "keep": "crash",
    "wipe": "wipe",
    "restore_old": "restore_old",
    "torn": "torn",
    "bitflip": "bitflip",
}
GROUPING: Final = ("partition", "isolate", "bridge")  # cuts each of which must have cut something


def partition_fired(evidence: Evidence) -> Check:
    """Check that each partition kept traffic back and parted what the groups knew."""
    problems = []
    cuts = evidence.facts.cuts
    for cut in (cut for cut in evidence.plan.cuts if cut.kind in GROUPING):
        fact = cuts.get(cut.id)
        if fact is None or not fact.is_lifted:
            problems.append(f"{cut.id} did not run to its end")
        elif not fact.links or not fact.bytes + fact.connections:
            problems.append(f"{cut.id} cut no traffic")
        elif fact.is_parted is False and cut.mode != "delay" and not cut.oneway:
            problems.append(f"{cut.id} leaked: all groups knew the same at its end")
    held = sum(fact.bytes for fact in cuts.values())
    connections = sum(fact.connections for fact in cuts.values())
    found = f"{len(cuts)} partitions held back {held} bytes and {connections} connections"
    return known("partition_fired", problems, found if cuts else "no partition was planned")


def kills_fired(evidence: Evidence) -> Check:
    """Check that each kill hit a daemon that was running, unless another fault had it down."""
    facts, plan = evidence.facts.kills, evidence.plan
    missed = [kill for kill in plan.kills if kill.id not in facts or not facts[kill.id].has_fired]
    problems = [f"{kill.id} hit nothing" for kill in missed if not _is_down(plan, kill)]
    if plan.kills and len(missed) == len(plan.kills) and not problems:
        problems = ["every kill hit a node that was down already"]
    found = f"{len(plan.kills) - len(missed)} daemons got SIGKILL while running"
    return known("kills_fired", problems, found if plan.kills else "no kill was planned")


def _is_down(plan: Plan, kill: Kill) -> bool:
    """Return whether another planned fault has a node down when a kill comes."""
    spans = [(o.at_ms, o.restart_ms) for o in plan.kills if o.node == kill.node and o is not kill]
    spans += [
        (trouble.at_ms, trouble.until_ms)
        for trouble in plan.troubles
        if trouble.node == kill.node and trouble.kind in (*AWAY, "drop_unsynced")
    ]
    return any(at_ms <= kill.at_ms <= until_ms for at_ms, until_ms in spans)


def forger_tried(evidence: Evidence) -> Check:
    """Check that each behaviour of the adversary reached a node."""
    planned = {attempt.behaviour for attempt in evidence.plan.attempts}
    delivered = [attempt for attempt in evidence.facts.attempts if attempt.is_delivered]
    missed = planned - {attempt.behaviour for attempt in delivered}
    problems = [f"no attempt of {behaviour} reached a node" for behaviour in sorted(missed)]
    found = f"{len(delivered)} of {len(evidence.plan.attempts)} attempts were delivered"
    return known("forger_tried", problems, found if planned else "no adversary was planned")


def both_sides_active(evidence: Evidence) -> Check:
    """Check that each group of each partition went on posting and granting while it lasted."""
    activities = evidence.accounts.activity
    problems = [
        f"{activity.group}: {activity.posts} posts, {activity.grants} grants in {activity.cut}"
        for activity in activities
        if not activity.posts or not activity.grants
    ]
    found = "; ".join(
        f"{activity.group}: {activity.posts} posts, {activity.grants} grants in {activity.cut}"
        for activity in activities
    )
    return known("both_sides_active", problems, found or "no partition was planned")


def families(evidence: Evidence) -> dict[str, tuple[int, int]]:
    """Return for each family of faults in the plan how many fired, and how many there were."""
    facts = evidence.facts
    counts: dict[str, list[int]] = defaultdict(lambda: [0, 0])

    def count(family: str, has_fired: bool) -> None:
        counts[family][0] += has_fired
        counts[family][1] += 1

    for cut in evidence.plan.cuts:
        fact = facts.cuts.get(cut.id)
        count(cut.kind, fact is not None and bool(fact.bytes + fact.connections))
    for kill in evidence.plan.kills:
        found = facts.kills.get(kill.id)
        count(DISK_WORDS.get(kill.disk, kill.disk), found is not None and found.has_fired)
    named = [("degrade", shape.id) for shape in evidence.plan.shapes]
    named += [(trouble.kind, trouble.id) for trouble in evidence.plan.troubles]
    named += [(CARRY, trip.id) for trip in evidence.plan.trips]
    for family, name in named:
        trouble = facts.troubles.get(name)
        count(family, trouble is not None and trouble.has_fired)
    delivered = {attempt.n for attempt in facts.attempts if attempt.is_delivered}
    for attempt in evidence.plan.attempts:
        count(attempt.behaviour, attempt.n in delivered)
    return {family: (fired, planned) for family, (fired, planned) in sorted(counts.items())}


def faults_fired(evidence: Evidence) -> Check:
    """Check that of each family of faults in the plan at least one did something."""
    counts = families(evidence)
    problems = [f"no {family} did anything" for family, (fired, _) in counts.items() if not fired]
    found = ", ".join(f"{name} {fired}/{planned}" for name, (fired, planned) in counts.items())
    return known("faults_fired", problems, found or "no fault was planned")


def conflicting_grants(evidence: Evidence) -> Check:
    """Look for a request that two providers granted, as happens on two sides of a cut."""
    providers: dict[bytes, set[bytes]] = defaultdict(set)
    for record in evidence.library.records.values():
        if record.kind == "grant" and len(record.refs) > 1:
            providers[record.refs[1]].add(record.author)
    count = sum(len(found) > 1 for found in providers.values())
    return _seen("conflicting_grants", count, "requests that more than one provider granted")


def surplus_grants(evidence: Evidence) -> Check:
    """Look for grants beyond what was asked, which the requester must turn down."""
    records = evidence.library.records
    granted: dict[bytes, int] = defaultdict(int)
    for record in records.values():
        if record.kind == "grant" and len(record.refs) > 1:
            granted[record.refs[1]] += int(record.content.get("quantity", 0))
    count = sum(
        amount > int(records[request].content.get("quantity", 0))
        for request, amount in granted.items()
        if request in records
    )
    return _seen("surplus_grants", count, "requests that were granted more than they asked")


def equivocation_seen(evidence: Evidence) -> Check:
    """Look for a fork that an honest node noticed."""
    forks = evidence.facts.forks or ()
    return _seen(
        "equivocation_seen", len({(f.author, f.log) for f in forks}), "forked logs noticed"
    )


def overdraft_seen(evidence: Evidence) -> Check:
    """Look for an adversary who granted more than it had."""
    records = evidence.library.records
    found = overcommitments(records)
    count = len([last for _, last in found if last.author in evidence.liars])
    return _seen("overdraft_seen", count, "offers of adversaries overdrawn")


def bias_seen(evidence: Evidence) -> Check:
    """Look for a decision of an adversary, all of which leave somebody out: `explained` says so."""
    records = evidence.library.records.values()
    count = sum(r.kind == "decision" and r.author in evidence.liars for r in records)
    return _seen("bias_seen", count, "decisions of adversaries")


def rights_spent(evidence: Evidence) -> Check:
    """Look for a grant by somebody who holds rights to another's offer."""
    records = evidence.library.records
    purses = [records.get(one.refs[0]) for one in records.values() if one.kind == "grant"]
    count = sum(purse is not None and purse.kind == "rights" for purse in purses)
    return _seen("rights_spent", count, "grants from rights to another's offer")


def loans_returned(evidence: Evidence) -> Check:
    """Look for something lent that its owner has again."""
    receipts = [r for r in evidence.library.records.values() if r.kind == "receipt"]
    count = len({r.refs[0] for r in receipts if r.content.get("side") == "returned"})
    return _seen("loans_returned", count, "loans that came back")


def lapses_seen(evidence: Evidence) -> Check:
    """Look for a grant that its granter took back because nobody answered in time."""
    records = evidence.library.records
    count = sum(is_lapse(record, records) for record in records.values())
    return _seen("lapses_seen", count, "grants taken back for want of an answer")


def disputes_seen(evidence: Evidence) -> Check:
    """Look for somebody who says that something went wrong with a grant."""
    count = sum(record.kind == "dispute" for record in evidence.library.records.values())
    return _seen("disputes_seen", count, "disputes")


def unsynced_lost(evidence: Evidence) -> Check:
    """Look for a crash that took records which were not on disk yet."""
    facts = evidence.facts
    lost = sum(kill.unsynced for kill in facts.kills.values())
    lost += sum(fact.amount for fact in facts.troubles.values() if fact.kind == "drop_unsynced")
    return _seen("unsynced_lost", lost, "records lost before they were on disk")


def rollback_happened(evidence: Evidence) -> Check:
    """Look for a disk that lost durable records, so that its node had to be told of its past."""
    count = sum(kill.rolled_back > 0 for kill in evidence.facts.kills.values())
    return _seen("rollback_happened", count, "disks that came back older or empty")


def _seen(name: str, count: int, what: str) -> Check:
    return known(name, [] if count else [f"no {what}"], f"{count} {what}")


def logs_pruned(evidence: Evidence) -> Check:
    """Look for nodes that let go of records and kept their compact forms."""
    facts = [one for one in evidence.facts.let_go if one.records]
    nodes = len({one.node for one in facts})
    what = f"records let go of in {len({one.log for one in facts})} logs by {nodes} nodes"
    return _seen("logs_pruned", sum(one.records for one in facts), what)


def newcomers_formed(evidence: Evidence) -> Check:
    """Look for a node that came new, or with an empty disk, and started from compact forms."""
    plan, facts = evidence.plan, evidence.facts
    news = {trouble.node for trouble in plan.troubles if trouble.kind == "join"}
    news |= {kill.node for kill in plan.kills if kill.disk in ("wipe", "bitflip")}
    if not news:
        return known("newcomers_formed", [], "no newcomer was planned")
    count = len({one.node for one in facts.formed} & news)
    return _seen("newcomers_formed", count, "newcomers started from compact forms")


SOMETIMES: Final[dict[str, Callable[[Evidence], Check]]] = {
    "partition_fired": partition_fired,
    "kills_fired": kills_fired,
    "forger_tried": forger_tried,
    "both_sides_active": both_sides_active,
    "faults_fired": faults_fired,
    "conflicting_grants": conflicting_grants,
    "surplus_grants": surplus_grants,
    "equivocation_seen": equivocation_seen,
    "overdraft_seen": overdraft_seen,
    "bias_seen": bias_seen,
    "rights_spent": rights_spent,
    "loans_returned": loans_returned,
    "lapses_seen": lapses_seen,
    "disputes_seen": disputes_seen,
    "unsynced_lost": unsynced_lost,
    "rollback_happened": rollback_happened,
    "logs_pruned": logs_pruned,
    "newcomers_formed": newcomers_formed,
}

# For those that pass when there was nothing to see: whether there was.
_OCCASIONS: Final[dict[str, Callable[[Evidence], bool]]] = {
    "partition_fired": lambda evidence: any(c.kind in GROUPING for c in evidence.plan.cuts),
    "kills_fired": lambda evidence: bool(evidence.plan.kills),
    "forger_tried": lambda evidence: bool(evidence.plan.attempts),
    "both_sides_active": lambda evidence: bool(evidence.accounts.activity),
    "faults_fired": lambda evidence: bool(families(evidence)),
    "newcomers_formed": lambda evidence: bool(evidence.facts.formed),
}


def seen(evidence: Evidence, checks: Iterable[Check]) -> tuple[str, ...]:
    """Return which were really seen; one that had no occasion passes too, but shows nothing."""
    return tuple(
        check.name
        for check in checks
        if check.name in SOMETIMES
        and check.verdict == "pass"
        and (check.name not in _OCCASIONS or _OCCASIONS[check.name](evidence))
    )
