"""`mycelia sim doctor`: which backends work on this machine, and what to do about the others."""

from __future__ import annotations

import sys
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from mycelia_sim.commands.common import ending, output_options, say_json
from mycelia_sim.verdict import EXIT_BACKEND, EXIT_PASS

if TYPE_CHECKING:
    from mycelia_sim.doctor.diagnosis import Diagnosis
    from mycelia_sim.doctor.finding import Finding


@click.command("doctor")
@output_options
def command(as_json: bool, quiet: bool) -> None:
    """Find out which backends work here, by doing what a run does.

    Nothing is changed: what is made is made in processes and namespaces that end with it. Ends
    with 0 if a backend works, else with 69.
    """
    from mycelia_sim.doctor.diagnosis import diagnose
    from mycelia_sim.doctor.machine import describe
    from mycelia_sim.progress import Progress
    from mycelia_sim.versions import versions

    ending(as_json=as_json)
    progress = Progress(is_quiet=quiet)
    found = diagnose(progress.phase)
    progress.end()
    works = [one.backend for one in found if one.works]
    code = EXIT_PASS if works else EXIT_BACKEND
    if as_json:
        backends = {
            one.backend: {"works": one.works, "findings": [asdict(f) for f in one.findings]}
            for one in found
        }
        say_json({"works": works, "backends": backends, "versions": versions(), "exit_code": code})
    else:
        software = ", ".join(f"{name} {value}" for name, value in versions().items())
        click.echo(f"{software}\n{describe()}\n\n{_text(found)}\n\n{_ending(works)}")
    sys.exit(code)


def _text(found: list[Diagnosis]) -> str:
    lines = []
    for one in found:
        lines.append(f"{one.backend:<8} {'ok' if one.works else 'no'}")
        for finding in one.findings:
            lines += _lines(finding)
    return "\n".join(lines)


def _lines(finding: Finding) -> list[str]:
    mark = "ok" if finding.is_ok else "no" if finding.is_needed else "--"
    lines = [f"  {mark}  {finding.name:<26} {finding.says}"]
    if not finding.is_ok and finding.advice:
        lines.append(f"      {'':<26} do: {finding.advice}")
    return lines


def _ending(works: list[str]) -> str:
    from mycelia_sim.conduct import program

    if not works:
        return "no backend works here; begin with the first line above that says no"
    return f"next: {program()} sim run village --backend {works[0]}"
