"""Plays a plan on the backend that it names, and returns the verdict.

`play` leaves a run folder with a report. `judge` leaves nothing: sweeps and shrinking play
thousands of plans and keep the folder of none.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from mycelia_sim.errors import BackendError, SimError
from mycelia_sim.fingerprint import Fingerprint, fingerprints, of_exception
from mycelia_sim.plan import Plan
from mycelia_sim.plan_file import plan_hash
from mycelia_sim.progress import Progress
from mycelia_sim.report import Outcome, summarize
from mycelia_sim.verdict import Check, overall

if TYPE_CHECKING:  # real daemons need much that a process which only judges plans can spare
    from mycelia_sim.conduct import Finished, Settings


@dataclass(frozen=True, slots=True)
class Begun:
    """A run whose folder is made and holds the plan; nothing else has happened yet."""

    plan: Plan
    folder: Path
    settings: Settings

    @property
    def replay(self) -> str:
        """Return the command line that plays the same plan again, and compares."""
        from mycelia_sim.conduct import replay_command

        return replay_command(self.folder)


@dataclass(frozen=True, slots=True)
class Judged:
    """What one plan came to.

    Attributes:
        trace_digest: hash over everything that happened; "" where time is real.
        summary: what summary.json would hold.
        seen: what the plan wants to be seen sometimes, and was.
    """

    checks: tuple[Check, ...]
    trace_digest: str
    summary: dict[str, object]
    seen: tuple[str, ...] = ()

    @property
    def verdict(self) -> str:
        """Return pass, fail or unknown."""
        return overall(self.checks)[0]

    @property
    def exit_code(self) -> int:
        """Return the exit code that tells the verdict."""
        return overall(self.checks)[1]


Judge: TypeAlias = Callable[[Plan], Judged]


def begin(plan: Plan, settings: Settings) -> Begun:
    """Make the run's folder and put the plan into it."""
    from mycelia_sim.conduct import make_folder

    folder = make_folder(plan, settings.out)
    (folder / "plan.json").write_text(plan.to_json(), "utf-8")
    return Begun(plan, folder, settings)


def play(begun: Begun, progress: Progress) -> Finished:
    """Run a plan and write its report.

    Raises: BackendError; HarnessError, and then the folder holds what there is.
    """
    match begun.plan.backend:
        case "live" | "switch":
            from mycelia_sim.conduct import conduct

            return conduct(begun.folder, begun.plan, begun.settings, progress)
        case "virtual":
            from mycelia_sim.virtual.folder import run_virtual

            is_traced = begun.settings.is_traced
            return run_virtual(begun.folder, begun.plan, progress, is_traced=is_traced)
        case other:
            raise BackendError(f"the backend '{other}' is not here; take live, switch or virtual")


def judge(plan: Plan) -> Judged:
    """Run a plan in virtual time and judge it, without writing anything.

    Raises: KeyboardInterrupt when somebody ended the run: half a run judges nothing.
    """
    from mycelia_sim.sometimes import seen
    from mycelia_sim.virtual.run import play_virtual

    played = play_virtual(plan)
    if played.evidence.facts.is_interrupted:
        raise KeyboardInterrupt
    outcome = Outcome(played.evidence, played.checks, "")
    summary = {**summarize(outcome), **played.measured.to_json()}
    were_seen = seen(played.evidence, played.checks)
    return Judged(played.checks, played.world.trace_digest, summary, were_seen)


class Failing:
    """Runs plans in virtual time and tells in which ways they fail; that a run breaks off is one.

    It keeps what the checks of failing plans said, so that the last one need not run again.
    """

    def __init__(self) -> None:
        self._checks: dict[str, tuple[Check, ...]] = {}

    def __call__(self, plan: Plan) -> list[Fingerprint]:
        """Run a plan and return in which ways it failed, none if it did not.

        Raises: KeyboardInterrupt; SimError when the harness can't do its part.
        """
        try:
            checks = judge(plan).checks
        except SimError:
            raise
        except Exception as error:  # of whatever kind: a defect of a node or of the harness
            return [of_exception(error)]
        found = fingerprints(checks)
        if found:
            self._checks[plan_hash(plan)] = checks
        return found

    def checks(self, plan: Plan) -> tuple[Check, ...]:
        """Return the checks of a plan that was run and failed; () where its run broke off."""
        return self._checks.get(plan_hash(plan), ())


def checks_by_name(checks: Sequence[Check]) -> dict[str, Check]:
    """Return the checks by their names."""
    return {check.name: check for check in checks}
