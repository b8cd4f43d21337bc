"""Judges a run again from what it left, with the checkers as they are now. Nothing is run.

Where the nodes' homes are still there, their disks are read anew; else what was read from them when
the run ended. Metrics come from the run's summary: they were counted while it went on, and only
another run can count them again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from mycelia_sim.audit import read_home
from mycelia_sim.checkers import judge_all
from mycelia_sim.errors import ScenarioError
from mycelia_sim.evidence import Evidence
from mycelia_sim.evidence_file import FILE_NAME, read_evidence
from mycelia_sim.run_folder import RunFolder
from mycelia_sim.verdict import Check, overall

HOMES: Final = "homes"


@dataclass(frozen=True, slots=True)
class Rechecked:
    """A run that was judged again.

    Attributes:
        source: what was looked at, in words.
        changes: what is judged otherwise than when the run ended, a sentence each.
    """

    evidence: Evidence
    checks: tuple[Check, ...]
    source: str
    changes: tuple[str, ...]

    @property
    def verdict(self) -> str:
        """Return pass, fail or unknown."""
        return overall(self.checks)[0]

    @property
    def exit_code(self) -> int:
        """Return the exit code that tells the verdict."""
        return overall(self.checks)[1]


def recheck(run: RunFolder) -> Rechecked:
    """Judge a run again.

    Raises: ScenarioError when it left no evidence, or none that can be read.
    """
    path = run.folder / FILE_NAME
    if not path.is_file():
        raise ScenarioError(
            f"{run.folder} holds no {FILE_NAME}: the run never ended, or was made before there was "
            f"one; `mycelia sim replay {run.name}` runs it again and judges that"
        )
    homes = run.folder / HOMES
    if homes.is_dir():
        holdings = [read_home(node.id, homes / node.id) for node in run.plan.nodes]
        source = f"the {len(holdings)} disks in {homes}"
    else:
        holdings = None
        source = f"what lay on {len(run.plan.nodes)} disks when the run ended"
    evidence = read_evidence(path, run.plan, holdings)
    checks = tuple(judge_all(evidence, run.summary.get("metrics") or {}))
    return Rechecked(evidence, checks, source, tuple(changes(run.checks(), checks)))


def changes(before: list[Check], after: tuple[Check, ...]) -> list[str]:
    """Return in words where two judgements differ: verdicts, and checks that only one made."""
    was = {check.name: check for check in before}
    now = {check.name: check for check in after}
    found = []
    for name in dict.fromkeys((*was, *now)):
        one, other = was.get(name), now.get(name)
        if one is None:
            found.append(f"{name} was not looked at then")
        elif other is None:
            found.append(f"{name} is not looked at any more")
        elif one.verdict != other.verdict:
            found.append(f"{name} was {one.verdict}, is {other.verdict}: {other.detail}")
    return found
