"""`mycelia sim check`: judge a run again from what it left, without running anything."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mycelia_sim.commands.common import ending, output_options, run_argument, say, say_json

if TYPE_CHECKING:
    from mycelia_sim.recheck import Rechecked
    from mycelia_sim.run_folder import RunFolder


@click.command("check")
@run_argument
@output_options
def command(run: str, out: Path, as_json: bool, quiet: bool) -> None:
    """Run the checkers again on what RUN left: a run's folder, its plan.json, or `latest`.

    Nothing is run. The disks are read anew where the nodes' homes were kept, else as they were
    written down when the run ended. Ends with the code of the verdict.
    """
    from mycelia_sim.conduct import replay_command
    from mycelia_sim.progress import Progress
    from mycelia_sim.recheck import recheck
    from mycelia_sim.run_folder import open_run

    end = ending(as_json=as_json)
    found = open_run(run, out)
    end.seed, end.replay = found.plan.seed, replay_command(found.folder)
    progress = Progress(is_quiet=quiet)
    progress.phase("judging again")
    checked = recheck(found)
    progress.end()
    if as_json:
        say_json(
            {
                "verdict": checked.verdict,
                "exit_code": checked.exit_code,
                "checks": [asdict(check) for check in checked.checks],
                "source": checked.source,
                "changes": checked.changes,
                "seed": end.seed,
                "replay": end.replay,
            }
        )
        sys.exit(checked.exit_code)
    say(_text(found, checked) + f"seed     {end.seed}\nreplay   {end.replay}")
    sys.exit(checked.exit_code)


def _text(run: RunFolder, checked: Rechecked) -> str:
    """Return the judgement for people."""
    from mycelia_sim.report import check_lines

    lines = [f"{checked.verdict.upper()}: {run.plan.title or run.plan.scenario}", ""]
    lines += check_lines(checked.checks)
    lines += ["", f"judged   {checked.source}"]
    if run.plan.limits:
        lines.append("limits   are held to the metrics of summary.json, which only a run can count")
    lines += [f"changed  {change}" for change in checked.changes]
    if not run.summary:
        lines.append("changes  nobody knows: the run left no summary.json to compare with")
    elif not checked.changes:
        lines.append("changes  none: every check is as it was when the run ended")
    return "\n".join(lines) + "\n"
