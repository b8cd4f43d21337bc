"""Sweeps made up for tests of what is told about them: lines, totals, pages."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mycelia_sim.sweep.build import Build
from mycelia_sim.sweep.drive import Driven
from mycelia_sim.sweep.folder import Subject
from mycelia_sim.sweep.line import Again, Failing, SeedLine
from mycelia_sim.sweep.report import Sweep
from mycelia_sim.sweep.seeds import parse_seeds
from mycelia_sim.sweep.totals import total

FAMILIES = ("crash", "partition")
SOMETIMES = ("partition_fired", "kills_fired")
BUILD = Build("0.1.0", "0123456789abcdef", "CPython 3.11.7", "44.0.0")


def passed(seed: int, cpu_s: float = 0.5) -> SeedLine:
    """Return the line of a seed that passed and saw everything."""
    return SeedLine(
        seed=seed,
        verdict="pass",
        exit_code=0,
        unknown={},
        families={"crash": (1, 1), "partition": (1, 2)},
        seen=SOMETIMES,
        metrics={"latency": {"p50": 3.0 + seed % 7}, "redundancy": 1.5, "heal_excess": None},
        events=1_000 + seed,
        virtual_s=60.0,
        cpu_s=cpu_s,
        trace_digest=f"{seed:032x}",
    )


def failed(
    seed: int,
    check: str = "convergence",
    detail: str = "2 nodes lack records that others hold; n03 lacks 4",
    exit_code: int = 3,
    cpu_s: float = 0.5,
    also: Sequence[Failing] = (),
) -> SeedLine:
    """Return the line of a seed that failed a check."""
    from dataclasses import replace

    from mycelia_sim.fingerprint import kind_of

    failing = Failing(check, kind_of(detail), detail)
    return replace(
        passed(seed, cpu_s), verdict="fail", exit_code=exit_code, failing=(failing, *also)
    )


def unknown(seed: int) -> SeedLine:
    """Return the line of a seed in which nobody could say whether promises were kept."""
    return SeedLine(
        seed, "unknown", 2, unknown={"no_overcommit": "0 grants"}, families={}, cpu_s=0.2
    )


def wavering(seed: int) -> SeedLine:
    """Return the line of a seed whose second run came out otherwise."""
    from dataclasses import replace

    again = Again(77, "ff" * 16, ("trace_digest", "events"))
    return replace(passed(seed), verdict="nondeterminism", exit_code=4, again=again)


def crashed(seed: int) -> SeedLine:
    """Return the line of a seed whose run broke off."""
    failing = Failing("harness", "LocalError in engine.handle", "LocalError: no such timer")
    trouble = "Traceback (most recent call last):\n  ...\nLocalError: no such timer"
    return SeedLine(seed, "crash", 70, (failing,), unknown={}, families={}, trouble=trouble)


def swept(
    lines: Sequence[SeedLine],
    seeds: str = "",
    *,
    driven: Driven | None = None,
    changes: tuple[str, ...] = (),
    title: str = "Five nodes, a short outage, one power cut",
) -> Sweep:
    """Return a sweep of these lines, with all of its seeds played if none are named."""
    subject = Subject("village", title, "village", changes, {"run": {}}, BUILD)
    return Sweep(
        subject=subject,
        folder=Path("runs/village/sweep-0123456789ab"),
        seeds=parse_seeds(seeds or ",".join(str(line.seed) for line in lines)),
        lines=lines,
        totals=total(lines, FAMILIES, SOMETIMES),
        driven=driven or Driven(len(lines), 10.0, is_interrupted=False, is_spent=False),
        program="mycelia",
        options=tuple(word for change in changes for word in ("--set", change)),
    )
