"""What a run leaves for people and programs: summary.json, verdict.txt and junit.xml.

Amounts in a run are drawn, and both say so: the sites, their places and what they gave and wanted
are of 2020; how much of it is not in the source.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from mycelia_sim import safety
from mycelia_sim.accounts import Tally
from mycelia_sim.checkers import Evidence
from mycelia_sim.escrow import overcommitments
from mycelia_sim.junit import FILE_NAME as JUNIT_NAME
from mycelia_sim.junit import Case, Ending, write_junit
from mycelia_sim.plan import Plan
from mycelia_sim.sometimes import families
from mycelia_sim.verdict import Check, Verdict, overall
from mycelia_sim.versions import versions
from mycelia_sim.wants import wants_by_side

SUMMARY_SCHEMA: Final = 1
NOTE: Final = (
    "Sites, places and categories are of the Twin Cities in October 2020; amounts and times are "
    "drawn from the seed."
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """The judged run."""

    evidence: Evidence
    checks: Sequence[Check]
    replay: str

    @property
    def verdict(self) -> str:
        """Return pass, fail or unknown."""
        return overall(self.checks)[0]

    @property
    def exit_code(self) -> int:
        """Return the exit code that tells the verdict."""
        return overall(self.checks)[1]


def summarize(outcome: Outcome) -> dict[str, object]:
    """Return summary.json as plain values; keys are only ever added."""
    evidence = outcome.evidence
    plan, facts = evidence.plan, evidence.facts
    caught_up_ms = facts.caught_up_ms
    return {
        "schema": SUMMARY_SCHEMA,
        "scenario": plan.scenario,
        "seed": plan.seed,
        "backend": plan.backend,
        "verdict": outcome.verdict,
        "exit_code": outcome.exit_code,
        "nodes": len(plan.nodes),
        "records": len(evidence.library.records),
        "acknowledged": len(facts.acknowledged),
        "lost": len(safety.lost_records(evidence)),
        "forged_accepted": len(safety.forged_records(evidence)),
        "overcommitted": len(overcommitments(evidence.library.records, evidence.liars)),
        "partitions_fired": sum(
            bool(cut.is_lifted and cut.bytes + cut.connections) for cut in facts.cuts.values()
        ),
        "kills_fired": sum(kill.has_fired for kill in facts.kills.values()),
        "converged_after_heal_s": None if caught_up_ms is None else caught_up_ms / 1000,
        "settled_s": None if facts.settled_ms is None else facts.settled_ms / 1000,
        "checks": [asdict(check) for check in outcome.checks],
        "replay": outcome.replay,
        "posts": {
            "planned": len(plan.posts),
            "acknowledged": len(facts.acknowledged),
            "refused": facts.refused,
            "unanswered": facts.unanswered,
            "skipped": facts.skipped,
        },
        "sides": evidence.accounts.to_json(),
        "wants": {side: each.to_json() for side, each in wants_by_side(evidence).items()},
        "grants_across": evidence.accounts.crossings,
        "cuts": {name: asdict(cut) for name, cut in sorted(facts.cuts.items())},
        "kills": {name: asdict(kill) for name, kill in sorted(facts.kills.items())},
        "attempts": [asdict(attempt) for attempt in facts.attempts],
        "families": {name: list(counts) for name, counts in families(evidence).items()},
        "timings_s": facts.timings_s,
        "interrupted": facts.is_interrupted,
        "versions": versions(),
        "note": NOTE,
    }


def write_text(outcome: Outcome, folder: str, panorama: str) -> str:
    """Return the verdict for people; `panorama` is the page's path, or why there is none."""
    plan, facts = outcome.evidence.plan, outcome.evidence.facts
    lines = [
        f"{outcome.verdict.upper()}: {plan.title or plan.scenario}",
        "",
        f"{len(plan.nodes)} {_sort(plan)} nodes for sites in {_districts(outcome)} neighbourhoods; "
        f"{len(facts.acknowledged)} posts acknowledged, {facts.unanswered} broke off, "
        f"{facts.skipped} found their node dark, {facts.refused} refused.",
        "",
        *_table(outcome),
        "",
        *check_lines(outcome.checks),
        "",
        NOTE,
        "",
        f"panorama {panorama}",
        f"report   {folder}",
        f"seed     {plan.seed}",
        f"replay   {outcome.replay}",
    ]
    return "\n".join(lines) + "\n"


ENDINGS: Final[dict[Verdict, Ending | None]] = {
    "pass": None,
    "fail": "failure",
    "unknown": "skipped",
}


def write_cases(folder: Path, outcome: Outcome, text: str) -> None:
    """Write junit.xml, a test case for each check; `text` is what people are told.

    Raises: OSError.
    """
    plan, facts = outcome.evidence.plan, outcome.evidence.facts
    name = f"mycelia.sim.{plan.scenario}"
    cases = []
    for check in outcome.checks:
        more = f"{check.detail}\nreplay: {outcome.replay}" if check.verdict == "fail" else ""
        ending, family = ENDINGS[check.verdict], check.family
        cases.append(Case(f"{name}.{family}", check.name, ending, family, check.detail, more))
    properties = {
        "scenario": plan.scenario,
        "seed": str(plan.seed),
        "backend": plan.backend,
        "verdict": outcome.verdict,
        "replay": outcome.replay,
    }
    time_s = sum(facts.timings_s.values())
    path = folder / JUNIT_NAME
    write_junit(path, name, cases, properties=properties, time_s=time_s, said=text)


def _sort(plan: Plan) -> str:
    """Return what the nodes of a run were: processes, or engines in virtual time."""
    return "virtual" if plan.backend == "virtual" else "real"


def _districts(outcome: Outcome) -> int:
    return len({node.district for node in outcome.evidence.plan.nodes})


def check_lines(checks: Sequence[Check]) -> list[str]:
    """Return checks for people, a line each, in columns."""
    marks = {"pass": "ok", "fail": "FAIL", "unknown": "unknown"}
    width = max((len(check.name) for check in checks), default=0)
    return [f"  {marks[one.verdict]:<7}  {one.name:<{width}}  {one.detail}" for one in checks]


def _table(outcome: Outcome) -> list[str]:
    """Return what was offered, asked, granted, handed over and left unmet on each side."""
    sides = outcome.evidence.accounts.sides
    rows = (
        ("offered", "offers written"),
        ("asked", "requests written"),
        ("granted", "grants promised"),
        ("accepted", "grants accepted"),
        ("lapsed", "grants never answered, taken back"),
        ("handed", "hand-overs confirmed by the giver"),
        ("received", "hand-overs confirmed by the receiver"),
    )
    names = list(sides)
    lines = ["  " + " " * 37 + "".join(f"{name:>22}" for name in names)]
    for step, words in rows:
        cells = "".join(f"{_cell(sides[name][step]):>22}" for name in names)
        lines.append(f"  {words:<37}{cells}")
    across = outcome.evidence.accounts.crossings
    lines.append(f"  {'grants to the other side':<37}{across:>22}")
    wants = wants_by_side(outcome.evidence)
    ends = (
        ("requests promised in full", "full"),
        ("requests promised in part", "part"),
        ("requests left unmet", "unmet"),
        ("requests withdrawn", "withdrawn"),
    )
    for words, name in ends:
        cells = "".join(f"{getattr(wants[side], name):>22}" for side in names)
        lines.append(f"  {words:<37}{cells}")
    lines += [f"  {f'lacking in the end, {side}':<37}{wants[side].amounts()}" for side in names]
    return lines


def _cell(tally: Tally) -> str:
    return f"{tally.count} ({tally.in_cut} in the cut)"
