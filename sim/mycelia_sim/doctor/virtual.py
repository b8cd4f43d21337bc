"""Whether runs in virtual time work here: two nodes are run twice, and must do the same."""

from __future__ import annotations

import time
from typing import Final

from mycelia_sim.doctor.finding import Finding, tried
from mycelia_sim.doctor.machine import memory_mib
from mycelia_sim.errors import HarnessError

MEMORY_MIB_MIN: Final = 256
LARGEST_MIB: Final = 8_192  # what `country`, ten thousand nodes, may take
TINY: Final = (
    "nodes.count=2",
    "run.duration=1s",
    "run.converge_within=5s",
    "workload.opening=500ms",
    "fault=[]",
    "adversary=[]",
    "check.sometimes=[]",
    "check.invariants=['no_loss', 'convergence']",
)


def probe() -> list[Finding]:
    """Run two nodes twice, and look at the memory."""
    advice = "this is a bug or a broken installation: `pip install --force-reinstall mycelia`"
    return [tried("two nodes in virtual time", _run_twice, advice), _memory()]


def _run_twice() -> str:
    """Return what came of two runs of one plan.

    Raises: HarnessError when they fail or differ.
    """
    from mycelia_sim.planner import draw_plan
    from mycelia_sim.play import judge
    from mycelia_sim.scenario import find
    from mycelia_sim.scenario_reader import load

    begin_s = time.monotonic()
    plan = draw_plan(load(find("village"), list(TINY)), "virtual")
    first, second = judge(plan), judge(plan)
    if first.verdict != "pass":
        raise HarnessError("; ".join(check.detail for check in first.checks))
    if first.trace_digest != second.trace_digest:
        raise HarnessError("the same plan gave two different runs")
    return f"passed twice, with the same digest, in {time.monotonic() - begin_s:.1f} s"


def _memory() -> Finding:
    free = memory_mib()
    if free is None:
        return Finding("memory", True, "not known here", is_needed=False)
    says = f"{free:,} MiB free"
    if free < MEMORY_MIB_MIN:
        return Finding("memory", False, says, f"free {MEMORY_MIB_MIN} MiB: end other programs")
    if free < LARGEST_MIB:
        says += f"; the largest scenario, `country`, may need {LARGEST_MIB:,}"
    return Finding("memory", True, says)
