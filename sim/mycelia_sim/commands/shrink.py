"""`mycelia sim shrink`: the smallest plan that still fails in the same way, and its story."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mycelia_sim.commands.common import budget_s, ending, output_options, say_json
from mycelia_sim.errors import ScenarioError
from mycelia_sim.verdict import EXIT_INTERRUPTED, EXIT_PASS

if TYPE_CHECKING:
    from mycelia_sim.fingerprint import Fingerprint
    from mycelia_sim.plan import Plan
    from mycelia_sim.progress import Progress
    from mycelia_sim.run_folder import RunFolder
    from mycelia_sim.shrink import Shrunk
    from mycelia_sim.shrunk_files import Written


@click.command("shrink")
@click.argument("run", metavar="RUN")
@click.option("--budget", default="5m", show_default=True, callback=budget_s, help="Time for it.")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    help="Where the files go; `shrunk` in the run's folder if left out.",
)
@click.option("--check", "check_name", help="Which of several failed checks to keep.")
@output_options
def command(
    run: str, budget: float, out: Path | None, check_name: str | None, as_json: bool, quiet: bool
) -> None:
    """Find the smallest plan that still fails as RUN did: a run's folder, a plan, or `latest`.

    Takes away time, faults, adversaries, nodes and posts, then makes what is left shorter and
    milder, and keeps only what fails with the same fingerprint: the same check, in the same way.
    Writes the plan as TOML that runs alone and as JSON, a pytest that is red until the failure is
    mended, and a page that tells what happens. Ctrl-C keeps the best so far.
    """
    from mycelia_sim.conduct import program, replay_command
    from mycelia_sim.play import Failing
    from mycelia_sim.progress import Progress
    from mycelia_sim.run_folder import open_run
    from mycelia_sim.shrink import Shrinker
    from mycelia_sim.shrunk_files import write_shrunk

    end = ending(as_json=as_json)
    found = open_run(run)
    end.seed, end.replay = found.plan.seed, replay_command(found.folder)
    progress = Progress(is_quiet=quiet)
    try:
        plan = _in_virtual_time(found.plan, progress)
        failing = Failing()
        progress.phase("running the plan as it is")
        target = _target(found, check_name, lambda: failing(plan))
        result = Shrinker(failing, target, budget, progress).shrink(plan)
    finally:
        progress.end()
    checks = failing.checks(result.plan)
    files = write_shrunk(out or found.folder / "shrunk", result, checks, program())
    end.replay = f"{program()} sim run {shlex.quote(str(files.toml))}"
    if as_json:
        say_json(_for_programs(result, files, end.replay))
    else:
        click.echo(_text(result, files, end.replay))
    sys.exit(EXIT_INTERRUPTED if result.is_interrupted else EXIT_PASS)


def _in_virtual_time(plan: Plan, progress: Progress) -> Plan:
    """Return the plan as it can be played hundreds of times.

    Raises: ScenarioError when virtual time can't play it.
    """
    from dataclasses import replace

    from mycelia_sim.planner import check_backend

    if plan.backend != "virtual":
        progress.event(f"the run was {plan.backend}; its plan is shrunk in virtual time")
        plan = replace(plan, backend="virtual")
    check_backend(plan)
    return plan


def _target(
    run: RunFolder, check_name: str | None, find_out: Callable[[], list[Fingerprint]]
) -> Fingerprint:
    """Return the failure to keep: the first of the run, or the one of the named check.

    Args:
        find_out: runs the plan, of which nobody knows yet how it fails.

    Raises: ScenarioError when there is none.
    """
    from mycelia_sim.errors import nearest
    from mycelia_sim.fingerprint import fingerprints

    found = find_out() if run.verdict is None else fingerprints(run.checks())
    if not found:
        raise ScenarioError(f"there is nothing to shrink: {run.folder} did not fail")
    for target in found:
        if check_name in (None, target.check):
            return target
    known = nearest(check_name or "", (target.check for target in found))
    raise ScenarioError(f"{check_name} did not fail in {run.folder}{known}")


def _how(result: Shrunk) -> str:
    if result.is_done:
        return "nothing more can go"
    if result.is_interrupted:
        return "interrupted: this is the best so far"
    return "the time was up: a larger --budget may take more away"


def _text(result: Shrunk, files: Written, replay: str) -> str:
    from mycelia_sim.shrink import size_of

    lines = [
        f"before   {size_of(result.before)}",
        f"left     {size_of(result.plan)}",
        f"fails    {result.target}",
        f"tries    {result.tries} runs in {result.seconds:.0f} s; {_how(result)}",
        f"story    {files.story}",
        f"plan     {files.toml}",
        f"test     pytest {files.test}",
        f"seed     {result.plan.seed}",
        f"replay   {replay}",
    ]
    return "\n".join(lines)


def _for_programs(result: Shrunk, files: Written, replay: str) -> dict[str, object]:
    from dataclasses import asdict

    from mycelia_sim.shrink import size_of

    return {
        "fingerprint": asdict(result.target),
        "before": asdict(size_of(result.before)),
        "left": asdict(size_of(result.plan)),
        "tries": result.tries,
        "seconds": round(result.seconds, 1),
        "done": result.is_done,
        "interrupted": result.is_interrupted,
        "files": {name: str(path) for name, path in asdict(files).items()},
        "seed": result.plan.seed,
        "replay": replay,
    }
