"""A run in virtual time that leaves the same folder behind as a live one."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from mycelia_sim.conduct import Finished, leave_unjudged, replay_command, write_report
from mycelia_sim.evidence import Evidence
from mycelia_sim.interrupts import interrupts
from mycelia_sim.plan import Plan
from mycelia_sim.progress import Progress
from mycelia_sim.report import Outcome
from mycelia_sim.run_folder import CHAIN_NAME, TRACE_NAME
from mycelia_sim.virtual.around import around, first_breach_us
from mycelia_sim.virtual.run import Played, play_virtual
from mycelia_sim.virtual.trace import Trace, write_lines


def run_virtual(
    folder: Path, plan: Plan, progress: Progress, *, is_traced: bool = False
) -> Finished:
    """Run a plan, judge it, and write all that a run leaves.

    Args:
        is_traced: write down every line of the trace; else only what was around a failure.

    Raises: Unjudged when somebody interrupts the judging; the folder then holds the evidence.
    """

    def unjudged(evidence: Evidence) -> None:
        _write_trace(folder, trace, evidence)
        raise leave_unjudged(folder, evidence)

    trace = Trace(folder / TRACE_NAME if is_traced else None)
    try:
        with interrupts():
            played = play_virtual(plan, progress, trace, unjudged)
            try:
                return _report(folder, played, trace, progress)
            except KeyboardInterrupt:
                unjudged(played.evidence)
                raise
    finally:
        trace.close()
        progress.end()


def _report(folder: Path, played: Played, trace: Trace, progress: Progress) -> Finished:
    outcome = Outcome(played.evidence, played.checks, replay_command(folder))
    _write_trace(folder, trace, played.evidence)
    look = played.look
    if outcome.verdict == "fail":
        progress.phase("looking at the time around the failure")
        try:
            lines, messages = around(played, first_breach_us(played))
        except KeyboardInterrupt:  # the run is over and judged: the report can do without
            lines, messages = around(played, None)
        look = replace(look, messages=messages)
        if not (folder / TRACE_NAME).exists():
            write_lines(folder / TRACE_NAME, lines)
    return write_report(folder, outcome, played.measured.to_json(), look)


def _write_trace(folder: Path, trace: Trace, evidence: Evidence) -> None:
    """Write the hashes of the trace, and the journal of what users were told, as live runs do."""
    trace.close()
    chain = "".join(f"{n} {t} {digest}\n" for n, t, digest in trace.chain)
    (folder / CHAIN_NAME).write_text(f"{chain}{trace.lines} end {trace.digest}\n", "utf-8")
    lines = [
        {"id": said.record, "node": said.node, "kind": said.kind, "n": said.n, "t_ms": said.at_ms}
        for said in evidence.facts.acknowledged
    ]
    text = "".join(json.dumps(line) + "\n" for line in lines)
    (folder / "acknowledged.jsonl").write_text(text, "utf-8")
