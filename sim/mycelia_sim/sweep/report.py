"""What a sweep leaves besides its lines: summary.json, summary.txt, junit.xml and index.html."""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from mycelia_sim.sweep.drive import Driven
from mycelia_sim.sweep.folder import LINES_NAME, Subject
from mycelia_sim.sweep.line import SeedLine
from mycelia_sim.sweep.seeds import Seeds, of
from mycelia_sim.sweep.totals import Group, Totals
from mycelia_sim.verdict import EXIT_INTERRUPTED

SUMMARY_SCHEMA: Final = 1
SUMMARY_NAME: Final = "summary.json"
TEXT_NAME: Final = "summary.txt"
PAGE_NAME: Final = "index.html"
SEEDS_TOLD_MAX: Final = 12
GROUPS_TOLD_MAX: Final = 20
KEPT_SEEDS: Final = "tests/sim/seeds.toml"


@dataclass(frozen=True, slots=True)
class Sweep:
    """A sweep that is over, or was cut short.

    Attributes:
        seeds: those asked for; everything told is about them alone.
        lines: of those of them that were played, by seed.
        program: how this program was called.
        options: of the command line, besides the scenario and the seeds, for calling it again.
    """

    subject: Subject
    folder: Path
    seeds: Seeds
    lines: Sequence[SeedLine]
    totals: Totals
    driven: Driven
    program: str
    options: tuple[str, ...]

    @property
    def exit_code(self) -> int:
        """Return the exit code of the command."""
        return EXIT_INTERRUPTED if self.driven.is_interrupted else self.totals.exit_code

    @property
    def verdict(self) -> str:
        """Return the verdict; of what was cut short only a failure is one."""
        is_known = not self.driven.is_interrupted or self.totals.verdict != "pass"
        return self.totals.verdict if is_known else "unknown"

    @property
    def left(self) -> int:
        """Return how many of the seeds have not been played."""
        return len(self.seeds) - len(self.lines)

    @property
    def go_on(self) -> str:
        """Return the command line that plays what is left, or more seeds of the same sweep."""
        return shlex.join(["sweep", self.subject.source, "--seeds", str(self.seeds), *self.options])

    def command(self, words: str) -> str:
        """Return a whole command line of `mycelia sim`."""
        return f"{self.program} sim {words}"

    def replay(self, seed: int) -> str:
        """Return the command line that plays one seed again and leaves a run folder."""
        changes = [word for change in self.subject.changes for word in ("--set", change)]
        words = ["run", self.subject.source, "--swarm", "--seed", str(seed)]
        return self.command(shlex.join([*words, "--backend", "virtual", *changes]))

    def keeping(self, line: SeedLine) -> list[str]:
        """Return the lines that keep a seed as a regression test.

        They name the plan.json that its replay leaves, since a scenario may change.
        """
        changes = ", ".join(_toml(change) for change in self.subject.changes)
        why = str(line.fingerprint or line.verdict)
        return [
            "[[seed]]",
            f"scenario = {_toml(self.subject.source)}",
            f"seed = {line.seed}",
            f"plan = {_toml(f'plans/{self.subject.name}-{line.seed}.json')}",
            f"changes = [{changes}]",
            "swarm = true",
            f"why = {_toml(why)}",
        ]


def _toml(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def write_reports(sweep: Sweep) -> str:
    """Write all four and return the text."""
    from mycelia_sim.sweep.junit import write_sweep
    from mycelia_sim.sweep.page import render

    text = write_text(sweep)
    summary = json.dumps(summarize(sweep), indent=1) + "\n"
    (sweep.folder / SUMMARY_NAME).write_text(summary, "utf-8")
    (sweep.folder / TEXT_NAME).write_text(text, "utf-8")
    (sweep.folder / PAGE_NAME).write_text(render(sweep), "utf-8")
    write_sweep(sweep, text)
    return text


def summarize(sweep: Sweep) -> dict[str, Any]:
    """Return summary.json as plain values; keys are only ever added."""
    subject, totals, driven = sweep.subject, sweep.totals, sweep.driven
    low, high = totals.interval
    return {
        "schema": SUMMARY_SCHEMA,
        "kind": "sweep",
        "scenario": subject.name,
        "title": subject.title,
        "source": subject.source,
        "changes": list(subject.changes),
        "seeds": str(sweep.seeds),
        "asked": len(sweep.seeds),
        "played": totals.played,
        "left": sweep.left,
        "verdict": sweep.verdict,
        "exit_code": sweep.exit_code,
        "counts": dict(totals.counts),
        "pass_rate": {"rate": totals.pass_rate, "low": low, "high": high},
        "played_twice": totals.twice,
        "doubts": list(totals.doubts),
        "families": {name: asdict(reach) for name, reach in totals.families.items()},
        "sometimes": dict(totals.sometimes),
        "failures": [_failure(sweep, group) for group in totals.groups],
        "nondeterminism": [
            {"seed": line.seed, **asdict(line.again), "replay": sweep.replay(line.seed)}
            for line in totals.wavering
            if line.again is not None
        ],
        "unknown": {check: list(seeds) for check, seeds in totals.unsure.items()},
        "metrics": {
            name: {"median": middle, "max": most} for name, (middle, most) in totals.metrics.items()
        },
        "cpu_s": round(totals.cpu_s, 3),
        "events": totals.events,
        "this_call": {
            "played": driven.played,
            "wall_s": round(driven.wall_s, 3),
            "seeds_per_s": rate_of(driven),
        },
        "interrupted": driven.is_interrupted,
        "budget_spent": driven.is_spent,
        "versions": asdict(subject.build),
        "go_on": sweep.command(sweep.go_on),
    }


def rate_of(driven: Driven) -> float | None:
    """Return the seeds a second of this call, None if it played none."""
    return round(driven.played / driven.wall_s, 3) if driven.played else None


def _failure(sweep: Sweep, group: Group) -> dict[str, Any]:
    line = group.example
    return {
        "check": group.fingerprint.check,
        "kind": group.fingerprint.kind,
        "exit_code": line.exit_code,
        "count": len(group.lines),
        "seeds": [one.seed for one in group.lines],
        "also": [str(one) for one in group.also],
        "example": {"seed": line.seed, "cpu_s": line.cpu_s, "detail": line.failing[0].detail},
        "replay": sweep.replay(line.seed),
    }


def write_text(sweep: Sweep) -> str:
    """Return the result for people."""
    subject, totals = sweep.subject, sweep.totals
    lines = [
        f"{sweep.verdict.upper()}: {subject.title or subject.name}",
        "",
        f"  {_played(sweep)}",
        f"  {_counts(totals)}",
        f"  {rate_words(totals)}",
        f"  {twice_words(totals)}",
        f"  {speed_words(sweep)}",
        "",
        *_reach_lines(totals),
        *(f"  unknown  {doubt}" for doubt in totals.doubts),
        *(
            f"  unknown  {check} in {len(seeds)} seeds: {listed(seeds)}"
            for check, seeds in totals.unsure.items()
        ),
        *_failure_lines(sweep),
        *([""] if totals.doubts or totals.unsure or totals.groups or totals.wavering else []),
        f"page     {sweep.folder / PAGE_NAME}",
        f"lines    {sweep.folder / LINES_NAME}",
    ]
    if sweep.left:
        lines.append(f"go on    {sweep.command(sweep.go_on)}")
    return "\n".join(lines) + "\n"


def _played(sweep: Sweep) -> str:
    text = f"{sweep.totals.played:,} of {len(sweep.seeds):,} seeds of {sweep.subject.name} played"
    if sweep.driven.is_interrupted:
        return f"{text}; interrupted"
    return f"{text}; the time for more was up" if sweep.driven.is_spent else text


def _counts(totals: Totals) -> str:
    return ", ".join(f"{count:,} {verdict}" for verdict, count in totals.counts.items())


def rate_words(totals: Totals) -> str:
    """Return the pass rate with its interval in words."""
    if totals.pass_rate is None:
        return "no pass rate"
    low, high = totals.interval
    return (
        f"{_percent(totals.pass_rate)} passed; "
        f"the true rate is between {_percent(low)} and {_percent(high)} (Wilson, 95 %)"
    )


def _percent(share: float) -> str:
    return f"{100 * share:.2f}".rstrip("0").rstrip(".") + " %"


def twice_words(totals: Totals) -> str:
    """Return in words what came of playing seeds twice."""
    if not totals.twice:
        return "no seed was played twice"
    differ = len(totals.wavering)
    result = f"{differ} came out otherwise" if differ else "all came out the same"
    return f"{totals.twice:,} played again with another hash seed in another process: {result}"


def speed_words(sweep: Sweep) -> str:
    """Return in words how fast it went and what a seed cost."""
    rate, totals = rate_of(sweep.driven), sweep.totals
    mean_s = totals.cpu_s / totals.played if totals.played else 0.0
    cost = f"{mean_s:.2g} CPU-s a seed"
    if rate is None:
        return f"no seed was left to play; {cost}"
    return f"{rate:.3g} seeds/s over {sweep.driven.wall_s:.0f} s; {cost}"


def _reach_lines(totals: Totals) -> list[str]:
    lines = []
    if totals.families:
        lines.append("  faults that did something, in how many seeds of those that planned them")
        lines += _columns(
            f"{name} {reach.fired}/{reach.planned}" for name, reach in totals.families.items()
        )
    if totals.sometimes:
        lines.append("  seen sometimes, in how many seeds")
        lines += _columns(f"{name} {count}" for name, count in totals.sometimes.items())
    return [*lines, ""] if lines else []


def _columns(cells: Any) -> list[str]:
    cells = list(cells)
    width = max(map(len, cells)) + 3
    per = max(1, 92 // width)
    return [
        "    " + "".join(f"{cell:<{width}}" for cell in cells[n : n + per]).rstrip()
        for n in range(0, len(cells), per)
    ]


def listed(seeds: Sequence[int]) -> str:
    """Return the first of some seeds in words."""
    told = ", ".join(map(str, seeds[:SEEDS_TOLD_MAX]))
    more = len(seeds) - SEEDS_TOLD_MAX
    return f"{told} and {more} more" if more > 0 else told


def ranges(seeds: Sequence[int]) -> str:
    """Return seeds as ranges: "0..4, 9"."""
    return ", ".join(str(of(sorted(seeds))).split(",")) if seeds else ""


def _failure_lines(sweep: Sweep) -> list[str]:
    totals = sweep.totals
    lines: list[str] = []
    for line in totals.wavering:
        assert line.again is not None
        what = ", ".join(line.again.differs)
        lines += ["", f"  NOT REPEATABLE  seed {line.seed} with another hash seed: {what} differ"]
        lines += _what_next(sweep, line)
    for group in totals.groups[:GROUPS_TOLD_MAX]:
        seeds = [one.seed for one in group.lines]
        example = group.example
        lines += ["", f"  {example.verdict.upper()}  {group.fingerprint}"]
        lines += [f"    seeds    {listed(seeds)}"]
        lines += [f"    seed {example.seed}: {example.failing[0].detail}"]
        lines += [f"    also     {other}" for other in group.also]
        lines += [f"    | {said}" for said in example.trouble.splitlines()[-4:]]
        lines += _what_next(sweep, example)
    if len(totals.groups) > GROUPS_TOLD_MAX:
        more = len(totals.groups) - GROUPS_TOLD_MAX
        lines += ["", f"  {more} other ways to fail are in {SUMMARY_NAME} and {PAGE_NAME}"]
    return lines


def _what_next(sweep: Sweep, line: SeedLine) -> list[str]:
    return [
        f"    replay   {sweep.replay(line.seed)}",
        f"    keep     once it is mended, in {KEPT_SEEDS}, with the replay's plan.json:",
        *(f"             {text}" for text in sweep.keeping(line)),
    ]
