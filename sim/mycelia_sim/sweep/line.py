"""What one seed came to: one line of `seeds.ndjson`."""

from __future__ import annotations

import json
import traceback
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Final

from mycelia_sim import fingerprint
from mycelia_sim.errors import ScenarioError
from mycelia_sim.fingerprint import Fingerprint
from mycelia_sim.play import Judged
from mycelia_sim.scenario import SOMETIMES
from mycelia_sim.verdict import (
    EXIT_HARNESS,
    EXIT_LIVENESS,
    EXIT_NONDETERMINISM,
    EXIT_PASS,
    EXIT_SAFETY,
    EXIT_UNKNOWN,
    overall,
)

DETAIL_MAX: Final = 300  # characters of one complaint
TRACEBACK_MAX: Final = 4_000  # characters, from the end

VERDICTS: Final = {  # word -> exit codes that may go with it
    "pass": (EXIT_PASS,),
    "fail": (EXIT_SAFETY, EXIT_LIVENESS),
    "unknown": (EXIT_UNKNOWN,),
    "nondeterminism": (EXIT_NONDETERMINISM,),
    "crash": (EXIT_HARNESS,),
}


@dataclass(frozen=True, slots=True)
class Failing:
    """One way in which a seed failed: its fingerprint, and the complaint itself."""

    check: str
    kind: str
    detail: str

    @property
    def fingerprint(self) -> Fingerprint:
        """Return what makes it the same as another seed's."""
        return Fingerprint(self.check, self.kind)


@dataclass(frozen=True, slots=True)
class Again:
    """The second run of a seed, in another process with another PYTHONHASHSEED.

    Attributes:
        differs: what was not the same as in the first run; nothing should be.
    """

    hash_seed: int
    trace_digest: str
    differs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SeedLine:
    """What one seed came to.

    Attributes:
        verdict: pass, fail or unknown as its checks say, but for those of what must be seen
            sometimes; nondeterminism; or crash, when the run itself broke off.
        failing: safety first, liveness last.
        unknown: check -> why nothing can be said.
        families: family of faults -> how many of them fired, how many were planned.
        seen: what must be seen sometimes, and was.
        cpu_s: CPU seconds for drawing, running and judging.
        again: None for the seeds that were played once.
        trouble: of a crash, the end of its traceback or what is known instead.
    """

    seed: int
    verdict: str
    exit_code: int
    failing: tuple[Failing, ...] = ()
    unknown: Mapping[str, str] | None = None
    families: Mapping[str, tuple[int, int]] | None = None
    seen: tuple[str, ...] = ()
    metrics: Mapping[str, Any] | None = None
    events: int = 0
    virtual_s: float = 0.0
    cpu_s: float = 0.0
    trace_digest: str = ""
    again: Again | None = None
    trouble: str = ""

    def to_json(self) -> str:
        """Return the line, without its line feed."""
        return json.dumps(asdict(self))

    @property
    def fingerprint(self) -> Fingerprint | None:
        """Return what it is grouped under: the first way in which it failed."""
        return self.failing[0].fingerprint if self.failing else None


def line_of(seed: int, judged: Judged, cpu_s: float) -> SeedLine:
    """Return the line of a seed that was judged."""
    own = [check for check in judged.checks if check.name not in SOMETIMES]
    failed = [check for check in judged.checks if check.verdict == "fail"]
    details = {check.name: check.detail[:DETAIL_MAX] for check in failed}
    failing = [
        Failing(one.check, one.kind, details[one.check])
        for one in fingerprint.fingerprints(judged.checks)
    ]
    verdict, exit_code = overall(own)
    families = judged.summary["families"]
    assert isinstance(families, dict)
    summary: dict[str, Any] = judged.summary
    return SeedLine(
        seed=seed,
        verdict=verdict,
        exit_code=exit_code,
        failing=tuple(failing),
        unknown={
            check.name: check.detail[:DETAIL_MAX]
            for check in judged.checks
            if check.verdict == "unknown"
        },
        families={name: (counts[0], counts[1]) for name, counts in families.items()},
        seen=judged.seen,
        metrics=summary["metrics"],
        events=summary["events"],
        virtual_s=round(summary["virtual_s"], 3),
        cpu_s=round(cpu_s, 3),
        trace_digest=judged.trace_digest,
    )


def undrawn(seed: int, error: ScenarioError) -> SeedLine:
    """Return the line of a seed for which the scenario gives no plan: it proves nothing."""
    return SeedLine(seed, "unknown", EXIT_UNKNOWN, unknown={"plan": str(error)[:DETAIL_MAX]})


def crashed(seed: int, error: BaseException, cpu_s: float) -> SeedLine:
    """Return the line of a seed whose run an exception ended."""
    mark = fingerprint.of_exception(error)
    text = "".join(traceback.format_exception(error))[-TRACEBACK_MAX:]
    failing = Failing(mark.check, mark.kind, f"{type(error).__name__}: {error}"[:DETAIL_MAX])
    return SeedLine(seed, "crash", EXIT_HARNESS, (failing,), trouble=text, cpu_s=round(cpu_s, 3))


def died(seed: int, how: str, said: str) -> SeedLine:
    """Return the line of a seed whose process ended under it.

    Args:
        how: in words, as in "got SIGKILL".
        said: the end of what the process wrote on stderr.
    """
    failing = Failing(fingerprint.CRASH, f"the process {how}", f"the process {how}")
    return SeedLine(seed, "crash", EXIT_HARNESS, (failing,), trouble=said[-TRACEBACK_MAX:])


def compared(first: SeedLine, second: SeedLine, hash_seed: int) -> SeedLine:
    """Return the line of a seed that was played twice; its runs must be alike but for the cost."""
    differs = tuple(
        field.name
        for field in fields(SeedLine)
        if field.name not in ("cpu_s", "again", "trouble")
        and getattr(first, field.name) != getattr(second, field.name)
    )
    again = Again(hash_seed, second.trace_digest, differs)
    if not differs:
        return replace(first, again=again)
    return replace(first, again=again, verdict="nondeterminism", exit_code=EXIT_NONDETERMINISM)


def read_line(text: str | bytes) -> SeedLine:
    """Read a line.

    Raises: ScenarioError when it is none.
    """
    try:
        data = json.loads(text)
        line = SeedLine(
            **{
                **data,
                "failing": tuple(Failing(**one) for one in data["failing"]),
                "families": {name: (a, b) for name, (a, b) in (data["families"] or {}).items()},
                "seen": tuple(data["seen"]),
                "again": data["again"] and _again(data["again"]),
            }
        )
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise ScenarioError(f"is not the line of a seed ({error})") from None
    if type(line.seed) is not int or line.exit_code not in VERDICTS.get(line.verdict, ()):
        raise ScenarioError("is not the line of a seed: its verdict and exit code do not fit")
    return line


def _again(data: dict[str, Any]) -> Again:
    return Again(**{**data, "differs": tuple(data["differs"])})
