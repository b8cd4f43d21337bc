"""What is legal in a scenario and yet of no use: most often a slip of the pen.

Each rule looks at what was written, at the scenario that it means, or at the plan that its own seed
gives, and says in one sentence what will not happen and what to do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from mycelia_sim.backends import KILLS
from mycelia_sim.draws.once import occurrences
from mycelia_sim.fault import Carry, Crash
from mycelia_sim.plan import Cut, Plan
from mycelia_sim.scenario import INVARIANTS, LinkQuality, Scenario
from mycelia_sim.sometimes import GROUPING
from mycelia_sim.units import Distribution

_BOUNDED: Final = ("constant", "uniform", "bimodal")
_WITH_DEGREE: Final = ("random_regular", "islands", "small_world")
_LOSING_DISKS: Final = ("drop_unsynced", "torn", "bitflip")
_ROLLING_BACK: Final = ("wipe", "restore_old", "torn", "bitflip")


@dataclass(frozen=True, slots=True)
class Subject:
    """A scenario that reads and can be drawn.

    Attributes:
        text: the file itself, without what it extends.
        document: as written, with what it extends.
        plan: what its own seed gives.
    """

    text: str
    document: dict[str, Any]
    scenario: Scenario
    plan: Plan


def hints(subject: Subject) -> list[str]:
    """Return what is legal but useless."""
    return [hint for rule in RULES for hint in rule(subject)]


# --- the file ---


def _header(subject: Subject) -> Iterator[str]:
    """Look at the comments that the file begins with."""
    lines = subject.text.splitlines()
    count = next((n for n, line in enumerate(lines) if line[:1] not in ("#", "")), len(lines))
    header = lines[:count]
    if not any(line.startswith("# Hypothesis:") for line in header):
        yield "the file does not begin with '# Hypothesis: ...': say what the run is to show"
    if not any(line.startswith("#:schema ") for line in header):
        yield (
            "no line '#:schema ./scenario.schema.json' above the first key: with it editors "
            "complete and check; `mycelia sim lint --schema` prints the schema"
        )


# --- times ---


def _times(subject: Subject) -> Iterator[str]:
    """Find what may begin after the end of the workload, or lasts beyond it."""
    run = subject.scenario.run
    for fault in subject.scenario.faults:
        # People carry sticks while the nodes settle, too.
        is_trip = isinstance(fault.effect, Carry)
        end_ms = run.duration_ms + (run.converge_within_ms if is_trip else 0)
        end = _seconds(end_ms)
        at, between = fault.when.at, fault.when.between
        if at is not None and at.kind in _BOUNDED and at.most >= end_ms:
            yield f"fault {fault.name}: may begin after the end of the run at {end}: never then"
        if between is not None and between[1] > end_ms:
            yield f"fault {fault.name}: 'between' reaches beyond the end of the run at {end}"
        least = at.least if at is not None else between[0] if between else 0.0
        if fault.lasts is not None and least + fault.lasts.least > end_ms:
            yield f"fault {fault.name}: lasts longer than the run; it ends with it at {end}"
    end_ms, end = run.duration_ms, _seconds(run.duration_ms)
    for n, adversary in enumerate(subject.scenario.adversaries, start=1):
        if adversary.until_ms is not None and adversary.until_ms > end_ms:
            yield f"[[adversary]] {n}: 'until' lies after the end of the run at {end}"
    for n, burst in enumerate(subject.scenario.workload.bursts, start=1):
        if burst.at_ms + burst.for_ms > end_ms:
            yield f"[[workload.burst]] {n}: lasts longer than the run; it ends with it at {end}"
    if subject.scenario.workload.opening_ms > end_ms:
        yield f"workload.opening is longer than the run, which lasts {end}"


def _seconds(ms: float) -> str:
    return f"{ms / 1000:g} s"


# --- keys that mean nothing here ---


def _keys(subject: Subject) -> Iterator[str]:
    """Find keys that have no meaning beside what else is written."""
    scenario, document = subject.scenario, subject.document
    kind = scenario.topology.kind
    written = document.get("topology", {})
    if "degree" in written and kind not in _WITH_DEGREE:
        yield f"topology.degree has no meaning with '{kind}'"
    elif kind == "random_regular" and scenario.topology.degree >= scenario.nodes.count:
        yield "topology.degree is as large as nodes.count: every node is linked to every other"
    if "rewire" in written and kind != "small_world":
        yield f"topology.rewire has no meaning with '{kind}'"
    if "crossings_min" in written and kind != "random_regular":
        yield f"topology.crossings_min has no meaning with '{kind}'"
    if "quiet_for" in document.get("stop", {}) and scenario.stop.when != "quiescent":
        yield "stop.quiet_for has a meaning only with stop.when = 'quiescent'"
    if "in_force" in document.get("workload", {}) and scenario.workload.policy != "commons":
        yield "workload.in_force has a meaning only with workload.policy = 'commons'"
    for fault, raw in zip(scenario.faults, document.get("fault", []), strict=True):
        mode = getattr(fault.effect, "mode", "delay")
        if "delay" in raw and mode != "delay":
            yield f"fault {fault.name}: 'delay' has a meaning only with mode = 'delay'"
    yield from _links(scenario.link)


def _links(link: dict[str, LinkQuality]) -> Iterator[str]:
    """Find what [link.default] says and nobody hears."""
    for quality in ("latency", "jitter", "loss", "duplicate", "reorder", "rate"):
        said = {name for name, one in link.items() if getattr(one, quality) is not None}
        if {"default", "within", "across"} <= said:
            yield (
                f"link.default.{quality} is never used: [link.within] and [link.across] "
                "both say another"
            )


# --- checks ---


def _checks(subject: Subject) -> Iterator[str]:
    """Find what nobody would notice."""
    scenario = subject.scenario
    left_out = [name for name in INVARIANTS if name not in scenario.invariants]
    if left_out:
        yield f"check.invariants leaves out {', '.join(left_out)}: nobody will notice a breach"
    if scenario.swarm is None and "faults_fired" not in scenario.sometimes:
        for name, things in (
            ("partition_fired", _kinds(scenario) & set(GROUPING)),
            ("kills_fired", _kinds(scenario) & set(KILLS)),
            ("forger_tried", {"adversary"} if scenario.adversaries else set[str]()),
        ):
            if things and name not in scenario.sometimes:
                what = " or ".join(sorted(things))
                yield f"check.sometimes lacks {name}: a {what} that does nothing would still pass"


def _never_seen(subject: Subject) -> Iterator[str]:
    """Find what is to be seen and can't be, which makes every run unknown."""
    scenario = subject.scenario
    if "sometimes" not in subject.document.get("check", {}):
        return  # the defaults say nothing of what is not there
    behaviours = {word for one in scenario.adversaries for word in one.behaviours}
    disks = {one.effect.disk for one in scenario.faults if isinstance(one.effect, Crash)}
    needs: dict[str, tuple[bool, str]] = {
        "partition_fired": (bool(_kinds(scenario) & set(GROUPING)), "no partition"),
        "kills_fired": (bool(disks), "no crash"),
        "forger_tried": (bool(behaviours), "no adversary"),
        "both_sides_active": ("partition" in _kinds(scenario), "no partition"),
        "equivocation_seen": ("equivocate" in behaviours, "nobody who equivocates"),
        "bias_seen": ("misdecide" in behaviours, "nobody who misdecides"),
        "overdraft_seen": ("overdraw" in behaviours, "nobody who overdraws"),
        "lapses_seen": (scenario.workload.accept_within_ms is not None, "no accept_within"),
        "disputes_seen": (scenario.workload.dispute > 0, "nobody who disputes"),
        "unsynced_lost": (bool(disks & set(_LOSING_DISKS)), "no crash that loses unsynced data"),
        "rollback_happened": (bool(disks & set(_ROLLING_BACK)), "no disk that comes back older"),
    }
    for name in scenario.sometimes:
        is_possible, lacking = needs.get(name, (True, ""))
        if not is_possible:
            yield f"check.sometimes asks for {name}, but there is {lacking}"


def _kinds(scenario: Scenario) -> set[str]:
    return {fault.do for fault in scenario.faults}


# --- what the seed gives ---


def _drawn(subject: Subject) -> Iterator[str]:
    """Find faults that the scenario's own seed draws never, and cuts that cut nothing."""
    scenario, plan = subject.scenario, subject.plan
    seed = scenario.run.seed
    for fault in scenario.faults:
        if fault.when.every is not None and scenario.swarm is None:  # else it is for many seeds
            times = occurrences(fault, seed, scenario.run.duration_ms)
            if next(times, None) is None:
                yield f"fault {fault.name}: with seed {seed} it never happens; raise its rate"
    for cut in plan.cuts:
        if cut.groups and not _crosses(plan, cut):
            yield f"fault {cut.id}: with seed {seed} no link crosses it, so it cuts nothing"


def _crosses(plan: Plan, cut: Cut) -> bool:
    group_of = {node: n for n, group in enumerate(cut.groups) for node in group}
    ends = ((group_of.get(one.dialer), group_of.get(one.listener)) for one in plan.links)
    return any(None not in pair and pair[0] != pair[1] for pair in ends)


def _nothing(subject: Subject) -> Iterator[str]:
    """Find a scenario in which all goes well, unless it is there to hold the cost to limits."""
    scenario = subject.scenario
    is_calm = not (scenario.faults or scenario.adversaries or scenario.workload.bursts)
    is_calm = is_calm and not subject.plan.shapes and not subject.plan.troubles
    if is_calm and not subject.plan.limits:
        yield "nothing goes wrong in it: there is no fault, no adversary and no bad link"


def _swarm(subject: Subject) -> Iterator[str]:
    """Find families that a seed may lack, of which the scenario has none."""
    scenario = subject.scenario
    if scenario.swarm is None or "families" not in subject.document["swarm"]:
        return
    there = _kinds(scenario) | {word for one in scenario.adversaries for word in one.behaviours}
    there |= {"adversary"} if scenario.adversaries else set()
    there |= {"link"} if any(not shape.is_fault for shape in subject.plan.shapes) else set()
    clocks: tuple[Distribution | None, ...] = (
        scenario.nodes.clock_offset,
        scenario.nodes.clock_drift_ppm,
    )
    there |= {"clock"} if any(clocks) else set()
    absent = [family for family in scenario.swarm.families if family not in there]
    if absent:
        yield f"swarm.families names {', '.join(absent)}, of which the scenario has none"


RULES: Final[tuple[Callable[[Subject], Iterator[str]], ...]] = (
    _header,
    _times,
    _keys,
    _checks,
    _never_seen,
    _drawn,
    _nothing,
    _swarm,
)
