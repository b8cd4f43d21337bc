"""All checks of a run: safety, liveness, and whether the run looked at what it claims to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from mycelia_sim import safety
from mycelia_sim.accounts import Accounts
from mycelia_sim.audit import Holding, Verifier
from mycelia_sim.facts import Facts
from mycelia_sim.plan import Plan
from mycelia_sim.verdict import Check, Verdict


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything that a checker may look at."""

    plan: Plan
    facts: Facts
    holdings: Sequence[Holding]
    accounts: Accounts
    verifier: Verifier


def check_all(evidence: Evidence) -> list[Check]:
    """Run every checker that the plan names, in the order of the plan."""
    names = [*evidence.plan.invariants, *evidence.plan.sometimes]
    return [CHECKERS[name](evidence) for name in names]


def missing_records(holdings: Sequence[Holding]) -> dict[str, int]:
    """Return how many records that some node holds each node lacks; nodes with none left out."""
    union = {record for holding in holdings for record in holding.ids()}
    counts = {holding.node: len(union - holding.ids()) for holding in holdings}
    return {node: count for node, count in counts.items() if count}


def convergence(evidence: Evidence) -> Check:
    """Check that all nodes agreed within the bound, and hold the same records on disk."""
    facts, bound_ms = evidence.facts, evidence.plan.converge_within_ms
    lacking = missing_records(evidence.holdings)
    if lacking:
        node, count = max(lacking.items(), key=lambda item: item[1])
        detail = f"{len(lacking)} nodes lack records that others hold; {node} lacks {count}"
        return Check("convergence", "liveness", "fail", detail)
    if facts.settled_ms is None:
        detail = f"the nodes did not agree within {bound_ms / 1000:g} s after the workload"
        return Check("convergence", "liveness", "fail", detail)
    detail = f"all nodes agreed {facts.settled_ms / 1000:.1f} s after the workload ended"
    if facts.caught_up_ms is not None:
        detail += f", and had caught up {facts.caught_up_ms / 1000:.1f} s after the heal"
    return Check("convergence", "liveness", "pass", detail)


def recovery(evidence: Evidence) -> Check:
    """Check that every killed node came back and holds everything that the others hold."""
    kills = evidence.facts.kills
    if not kills:
        return Check("recovery", "liveness", "pass", "no node was to be killed")
    lacking = missing_records(evidence.holdings)
    late = [
        kill.node
        for _, kill in sorted(kills.items())
        if kill.has_fired and (not kill.has_restarted or kill.node in lacking)
    ]
    if late:
        detail = f"{late[0]} did not come back whole after SIGKILL ({len(late)} of {len(kills)})"
        return Check("recovery", "liveness", "fail", detail)
    return Check("recovery", "liveness", "pass", f"{len(kills)} killed nodes came back whole")


def no_crash(evidence: Evidence) -> Check:
    """Check that no daemon ended by itself, and each stopped cleanly when asked."""
    crashed = evidence.facts.crashed
    if crashed:
        detail = f"{len(crashed)} daemons crashed or did not stop cleanly: {', '.join(crashed)}"
        return Check("no_crash", "liveness", "fail", detail)
    detail = "no daemon ended by itself, all stopped cleanly"
    return Check("no_crash", "liveness", "pass", detail)


def partition_fired(evidence: Evidence) -> Check:
    """Check that each partition kept traffic back and parted what the groups knew."""
    problems = []
    cuts = evidence.facts.cuts
    for cut in evidence.plan.cuts:
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
    return _known("partition_fired", problems, found if cuts else "no partition was planned")


def kills_fired(evidence: Evidence) -> Check:
    """Check that each kill hit a daemon that was running."""
    facts = evidence.facts.kills
    missed = [
        f"{kill.id} hit nothing"
        for kill in evidence.plan.kills
        if kill.id not in facts or not facts[kill.id].has_fired
    ]
    found = f"{len(facts)} daemons got SIGKILL while running"
    return _known("kills_fired", missed, found if facts else "no kill was planned")


def forger_tried(evidence: Evidence) -> Check:
    """Check that each behaviour of the adversary reached a node."""
    planned = {attempt.behaviour for attempt in evidence.plan.attempts}
    delivered = [attempt for attempt in evidence.facts.attempts if attempt.is_delivered]
    missed = planned - {attempt.behaviour for attempt in delivered}
    problems = [f"no attempt of {behaviour} reached a node" for behaviour in sorted(missed)]
    found = f"{len(delivered)} of {len(evidence.plan.attempts)} attempts were delivered"
    return _known("forger_tried", problems, found if planned else "no adversary was planned")


def both_sides_active(evidence: Evidence) -> Check:
    """Check that each group of each cut went on posting and granting while it lasted."""
    problems = [
        f"{activity.group}: {activity.posts} posts, {activity.grants} grants in {activity.cut}"
        for activity in evidence.accounts.activity
        if not activity.posts or not activity.grants
    ]
    found = "; ".join(
        f"{activity.group}: {activity.posts} posts, {activity.grants} grants in {activity.cut}"
        for activity in evidence.accounts.activity
    )
    return _known("both_sides_active", problems, found or "no partition was planned")


def _known(name: str, problems: Sequence[str], found: str) -> Check:
    """Return a check of the run itself: what did not happen makes it unknown, never failed."""
    verdict: Verdict = "unknown" if problems else "pass"
    return Check(name, "run", verdict, "; ".join(problems) or found)


CHECKERS: dict[str, Callable[[Evidence], Check]] = {
    "no_loss": lambda e: safety.no_loss(e.facts, e.holdings),
    "no_forgery": lambda e: safety.no_forgery(e.facts, e.holdings, e.verifier),
    "no_overcommit": lambda e: safety.no_overcommit(e.holdings),
    "bodies_intact": lambda e: safety.bodies_intact(e.holdings),
    "author_sequence": lambda e: safety.author_sequence(e.holdings),
    "agreement": lambda e: safety.agreement(e.facts, e.holdings),
    "convergence": convergence,
    "recovery": recovery,
    "no_crash": no_crash,
    "partition_fired": partition_fired,
    "kills_fired": kills_fired,
    "forger_tried": forger_tried,
    "both_sides_active": both_sides_active,
}
