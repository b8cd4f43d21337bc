"""What a scenario, or a plan, needs a backend to be able to do, in the words of `backends.py`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from mycelia_sim.backends import CARRY, SHAPES
from mycelia_sim.fault import Carry, Clog, Crash, Degrade, Fault, Partition, Upset

if TYPE_CHECKING:
    from mycelia_sim.plan import Plan
    from mycelia_sim.scenario import Scenario

Needs = dict[str, str]  # what is needed -> where it comes from first

_STATIC: Final = ("jitter", "loss", "duplicate", "reorder", "rate")  # latency is in every link


def scenario_needs(scenario: Scenario) -> Needs:
    """Return what every backend of a scenario has to be able to do."""
    needs: Needs = {}
    for fault in scenario.faults:
        for need in (f"do {fault.do}", *_details(fault)):
            needs.setdefault(need, f"fault {fault.name}")
    for name, quality in scenario.link.items():
        for shape in _STATIC:
            if getattr(quality, shape) is not None:
                needs.setdefault(f"link {shape}", f'[link."{name}"]')
    if scenario.growth.checkpoint_after is not None:
        needs.setdefault("growth checkpoints", "growth.checkpoint_after")
    if scenario.nodes.clock_offset is not None:
        needs.setdefault("do clock_bump", "nodes.clock.offset")
    if scenario.nodes.clock_drift_ppm is not None:
        needs.setdefault("do clock_drift", "nodes.clock.drift_ppm")
    for n, adversary in enumerate(scenario.adversaries, start=1):
        for behaviour in adversary.behaviours:
            needs.setdefault(f"behaviour {behaviour}", f"[[adversary]] {n}")
    return needs


def _details(fault: Fault) -> Iterable[str]:
    match fault.effect:
        case Partition(mode=mode) | Clog(mode=mode):
            yield f"mode {mode}"
        case Degrade() as degrade:
            yield from (f"link {s}" for s in SHAPES if getattr(degrade, s) is not None)
        case Crash(disk=disk) if fault.do == "crash":
            yield f"disk {disk}"
        case Crash() | Upset() | Carry():
            pass


def plan_needs(plan: Plan) -> Needs:
    """Return what a backend has to be able to do to play a plan."""
    needs: Needs = {}
    for cut in plan.cuts:
        needs.setdefault(f"do {cut.kind}", f"cut {cut.id}")
        needs.setdefault(f"mode {cut.mode}", f"cut {cut.id}")
    for kill in plan.kills:
        is_crash = kill.disk not in ("wipe", "restore_old")
        needs.setdefault(f"do {'crash' if is_crash else kill.disk}", f"kill {kill.id}")
        if is_crash:
            needs.setdefault(f"disk {kill.disk}", f"kill {kill.id}")
    for shape in plan.shapes:
        values = {
            "latency": shape.latency_ms,
            "jitter": shape.jitter_ms,
            "loss": shape.loss_ppm,
            "duplicate": shape.duplicate_ppm,
            "reorder": shape.reorder_ppm,
            "rate": shape.rate_bps,
        }
        for name, value in values.items():
            if value:
                needs.setdefault(f"link {name}", f"shape {shape.id}")
    for trouble in plan.troubles:
        needs.setdefault(f"do {trouble.kind}", f"trouble {trouble.id}")
    if plan.checkpoint_after is not None:
        needs.setdefault("growth checkpoints", "checkpoint_after")
    for trip in plan.trips:
        needs.setdefault(f"do {CARRY}", f"trip {trip.id}")
    for attempt in plan.attempts:
        needs.setdefault(f"behaviour {attempt.behaviour}", f"attempt {attempt.n}")
    return needs
