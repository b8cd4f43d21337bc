"""Verdicts: pass, fail or unknown for each check, and what follows for the whole run.

A check is about safety (something that must never happen), about liveness (something that must
happen in time) or about the run itself (did it look at what it claims to?). A run whose fault
never fired proved nothing, so it is unknown, and unknown never hides a failure.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final, Literal

Verdict = Literal["pass", "fail", "unknown"]
Family = Literal["safety", "liveness", "run"]

EXIT_PASS: Final = 0
EXIT_SAFETY: Final = 1
EXIT_UNKNOWN: Final = 2
EXIT_LIVENESS: Final = 3
EXIT_NONDETERMINISM: Final = 4  # the same plan gave two different runs
EXIT_USAGE: Final = 64
EXIT_BACKEND: Final = 69  # this machine can't run what the plan asks for
EXIT_HARNESS: Final = 70
EXIT_INTERRUPTED: Final = 130


@dataclass(frozen=True, slots=True)
class First:
    """The first breach that a checker found, as far as it can be placed.

    Attributes:
        at_ms: when, ms after the beginning of the workload; None if nobody looked.
        node: where, "" if nowhere in particular.
        record: id in hex of the record that it is about, "" if it is about none.
    """

    at_ms: int | None
    node: str = ""
    record: str = ""

    def __str__(self) -> str:
        """Return it in words."""
        words = [] if self.at_ms is None else [f"at {self.at_ms / 1000:.3f} s"]
        words += [f"on {self.node}"] if self.node else []
        words += [f"record {self.record[:16]}"] if self.record else []
        return ", ".join(words)


@dataclass(frozen=True, slots=True)
class Check:
    """What one checker found.

    Attributes:
        detail: says it in words, with an example of a failure.
        first: the first breach; None if there was none, or it can't be placed.
    """

    name: str
    family: Family
    verdict: Verdict
    detail: str
    first: First | None = None


def overall(checks: Iterable[Check]) -> tuple[Verdict, int]:
    """Return the verdict of a run and its exit code; safety before liveness before unknown."""
    checks = list(checks)
    failed = {check.family for check in checks if check.verdict == "fail"}
    if failed - {"liveness"}:
        return "fail", EXIT_SAFETY
    if failed:
        return "fail", EXIT_LIVENESS
    if not checks or any(check.verdict == "unknown" for check in checks):
        return "unknown", EXIT_UNKNOWN
    return "pass", EXIT_PASS


def interrupted(check: Check) -> Check:
    """Return what is left of a check when the run was cut short: only proof of a failure."""
    if check.verdict == "fail" and check.family == "safety" and check.name != "no_loss":
        return check
    return replace(check, verdict="unknown", detail=f"interrupted; {check.detail}")
