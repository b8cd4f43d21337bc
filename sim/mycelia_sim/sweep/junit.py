"""A sweep as JUnit XML: a test case for each seed, and one for what all of them together lack."""

from __future__ import annotations

from typing import Final

from mycelia_sim.junit import FILE_NAME, Case, Ending, write_junit
from mycelia_sim.sweep.line import SeedLine
from mycelia_sim.sweep.report import Sweep

ENDINGS: Final[dict[str, Ending | None]] = {
    "pass": None,
    "fail": "failure",
    "nondeterminism": "failure",
    "crash": "error",
    "unknown": "skipped",
}


def write_sweep(sweep: Sweep, text: str) -> None:
    """Write the file; `text` is what people were told.

    Raises: OSError.
    """
    name = f"mycelia.sweep.{sweep.subject.name}"
    cases = [_case(sweep, name, line) for line in sweep.lines]
    doubts = sweep.totals.doubts
    if doubts:
        cases.append(Case(name, "all seeds together", "skipped", message="; ".join(doubts)))
    properties = {
        "scenario": sweep.subject.source,
        "seeds": str(sweep.seeds),
        "changes": " ".join(sweep.subject.changes),
        "verdict": sweep.verdict,
        "code": sweep.subject.build.code,
    }
    path = sweep.folder / FILE_NAME
    time_s = sweep.totals.cpu_s
    write_junit(path, name, cases, properties=properties, time_s=time_s, said=text)


def _case(sweep: Sweep, group: str, line: SeedLine) -> Case:
    ending = ENDINGS[line.verdict]
    if ending is None:
        return Case(group, f"seed {line.seed}", time_s=line.cpu_s)
    said = [f"{one.check}: {one.detail}" for one in line.failing]
    said += [f"{check}: {why}" for check, why in (line.unknown or {}).items()]
    if line.verdict == "nondeterminism" and line.again is not None:
        said.insert(0, f"not repeatable: {', '.join(line.again.differs)} differ")
    message = said[0] if said else line.verdict
    more = "\n".join([*said, f"replay: {sweep.replay(line.seed)}", line.trouble]).rstrip()
    kind = str(line.fingerprint.check) if line.fingerprint else line.verdict
    return Case(group, f"seed {line.seed}", ending, kind, message, more, line.cpu_s)
