"""All checks of a run: safety, liveness, and whether the run looked at what it claims to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from mycelia_sim import balance, laws, safety
from mycelia_sim.evidence import Evidence, gather
from mycelia_sim.explained import explained
from mycelia_sim.fairness import fairness
from mycelia_sim.measured import Metric, within_limits
from mycelia_sim.pruned import pruned_rightly
from mycelia_sim.sometimes import SOMETIMES
from mycelia_sim.verdict import Check, interrupted

__all__ = ["CHECKERS", "Evidence", "applies", "check_all", "gather", "judge_all"]


def judge_all(evidence: Evidence, metrics: Mapping[str, Metric]) -> list[Check]:
    """Run every checker that the plan names, and hold the metrics to the plan's limits.

    Of a run that did not come to its end only proof of a failure counts.
    """
    checks = check_all(evidence)
    if evidence.plan.limits:
        checks.append(within_limits(evidence.plan.limits, metrics, evidence.facts))
    if evidence.facts.is_cut_short:
        checks = [interrupted(check) for check in checks]
    return checks


def check_all(evidence: Evidence) -> list[Check]:
    """Run every checker that the plan names, in the order of the plan.

    What nobody could see on the run's backend is left out.
    """
    names = [*evidence.plan.invariants, *evidence.plan.sometimes]
    return [CHECKERS[name](evidence) for name in names if applies(name, evidence)]


def applies(name: str, evidence: Evidence) -> bool:
    """Return whether a run could have seen what a checker looks at."""
    return name not in SEEN_IN_VIRTUAL or evidence.sightings is not None


def convergence(evidence: Evidence) -> Check:
    """Check that all nodes agreed within the bound, and hold the same records on disk.

    Of the logs that an adversary forked each node keeps the branch that came first, so these
    records are left out; but nodes that told of their state when they held all must tell the same.
    """
    facts, bound_ms = evidence.facts, evidence.plan.converge_within_ms
    lacking = evidence.library.lacking
    if lacking:
        node, count = max(lacking.items(), key=lambda item: item[1])
        detail = f"{len(lacking)} nodes lack records that others hold; {node} lacks {count}"
        return Check("convergence", "liveness", "fail", detail)
    if facts.settled_ms is None:
        detail = f"the nodes did not agree within {bound_ms / 1000:g} s after the workload"
        return Check("convergence", "liveness", "fail", detail)
    counts = {holding.node: sum(len(c.ids) for c in holding.logs) for holding in evidence.holdings}
    told = {node: digest for node, (digest, count) in facts.told.items() if counts[node] == count}
    if len(set(told.values())) > 1:
        detail = f"{len(told)} nodes that hold the same tell {len(set(told.values()))} states"
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
    lacking = evidence.library.lacking
    late = [
        kill.node
        for _, kill in sorted(kills.items())
        if kill.has_fired and (not kill.has_restarted or kill.node in lacking)
    ]
    if late:
        detail = f"{late[0]} did not come back whole after SIGKILL ({len(late)} of {len(kills)})"
        return Check("recovery", "liveness", "fail", detail)
    back = sum(kill.has_fired for kill in kills.values())
    return Check("recovery", "liveness", "pass", f"{back} killed nodes came back whole")


def no_crash(evidence: Evidence) -> Check:
    """Check that no node ended by itself, and each stopped cleanly when asked."""
    crashed = evidence.facts.crashed
    if crashed:
        detail = f"{len(crashed)} nodes crashed or did not stop cleanly: {', '.join(crashed)}"
        return Check("no_crash", "liveness", "fail", detail)
    detail = "no node ended by itself, all stopped cleanly"
    return Check("no_crash", "liveness", "pass", detail)


SEEN_IN_VIRTUAL: Final = frozenset({"monotone", "gate", "grants_settle", "fairness", "quiescence"})

CHECKERS: Final[dict[str, Callable[[Evidence], Check]]] = {
    "no_loss": safety.no_loss,
    "no_forgery": safety.no_forgery,
    "no_overcommit": safety.no_overcommit,
    "escrow": balance.escrow,
    "conservation": balance.conservation,
    "bodies_intact": safety.bodies_intact,
    "author_sequence": safety.author_sequence,
    "agreement": safety.agreement,
    "explained": explained,
    "well_formed": safety.well_formed,
    "pruned_rightly": pruned_rightly,
    "monotone": laws.monotone,
    "no_resurrection": laws.no_resurrection,
    "equivocation_attributed": laws.equivocation_attributed,
    "gate": laws.gate,
    "bounded": laws.bounded,
    "convergence": convergence,
    "recovery": recovery,
    "grants_settle": laws.grants_settle,
    "fairness": fairness,
    "quiescence": laws.quiescence,
    "no_crash": no_crash,
    **SOMETIMES,
}
