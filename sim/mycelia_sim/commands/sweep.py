"""`mycelia sim sweep`: one scenario, many seeds, one verdict over all."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from mycelia_sim.commands.common import (
    budget_s,
    ending,
    out_option,
    output_options,
    say,
    say_json,
    scenario_options,
)

if TYPE_CHECKING:
    from mycelia_sim.sweep.executors import Place
    from mycelia_sim.sweep.folder import Subject

JOBS_MAX: Final = 1_000


class _Jobs(click.ParamType[int | None]):
    """A number of processes, or "auto"."""

    name = "auto|N"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> int | None:
        if value == "auto":
            return None
        try:
            jobs = int(value)
        except ValueError:
            jobs = 0
        if not 1 <= jobs <= JOBS_MAX:
            self.fail(f"'{value}' is neither auto nor a number from 1 to {JOBS_MAX}", param, ctx)
        return jobs


@click.command("sweep")
@click.argument("scenario")
@click.option(
    "--seeds",
    default="0..99",
    show_default=True,
    envvar="SIM_SEEDS",
    metavar="RANGE",
    help="As in 0..999, or 3,7,20..29.",
)
@click.option(
    "--budget",
    metavar="TIME",
    callback=budget_s,
    help="Begin no more seeds after so long, as in 10m.",
)
@click.option(
    "--jobs",
    type=_Jobs(),
    default="auto",
    show_default=True,
    envvar="SIM_JOBS",
    help="Processes at a time; auto takes one for each processor.",
)
@click.option("--dask", metavar="ADDRESS", help="Play on a Dask cluster, as in tcp://host:8786.")
@scenario_options
@out_option
@output_options
@click.option("--worker-module", hidden=True, help="A file that runs instead of the worker.")
def command(
    scenario: str,
    seeds: str,
    budget: float | None,
    jobs: int | None,
    dask: str | None,
    nodes: int | None,
    settings: tuple[str, ...],
    out: Path,
    as_json: bool,
    quiet: bool,
    worker_module: str | None,
) -> None:
    """Play SCENARIO in virtual time with many seeds, and judge each and all together.

    Each seed keeps its own part of the families of faults that the scenario's [swarm] names. Call
    it again with the same scenario and changes, and it goes on where it ended.
    """
    from mycelia_sim.conduct import program
    from mycelia_sim.progress import Progress
    from mycelia_sim.scenario_reader import read
    from mycelia_sim.sweep.batch import ENTRY, Order
    from mycelia_sim.sweep.drive import Drive, stop_on_signals
    from mycelia_sim.sweep.families import families_of
    from mycelia_sim.sweep.folder import Folder
    from mycelia_sim.sweep.report import Sweep, summarize, write_reports
    from mycelia_sim.sweep.seeds import parse_seeds
    from mycelia_sim.sweep.totals import total

    ending(as_json=as_json)
    asked = parse_seeds(seeds)
    changes = [*settings, *([f"nodes.count={nodes}"] if nodes is not None else [])]
    subject = _subject(scenario, changes)
    known = read(subject.document, subject.name)
    entry = ENTRY if worker_module is None else (worker_module,)
    order = Order(subject.document, subject.name, subject.build, entry)
    progress = Progress(is_quiet=quiet)
    with stop_on_signals() as stop, Folder(out, subject) as folder:
        todo = [seed for seed in asked if seed not in folder.lines]
        progress.phase(f"{len(asked) - len(todo)} of {len(asked)} seeds are in {folder.path}")
        drive = Drive(order, todo, folder, budget, stop, progress)
        try:
            with _place(dask, jobs, len(todo)) as place:
                driven = drive.run(place)
        finally:
            progress.end()
        lines = [folder.lines[seed] for seed in asked if seed in folder.lines]
        totals = total(lines, families_of(known), known.sometimes)
        options = _options(settings, nodes, out, dask)
        done = Sweep(subject, folder.path, asked, lines, totals, driven, program(), options)
        text = write_reports(done)
    if as_json:
        say_json(summarize(done))
    else:
        say(text)
    sys.exit(done.exit_code)


def _subject(scenario: str, changes: list[str]) -> Subject:
    """Return what is to be swept, having tried whether it can be drawn at all.

    Raises: ScenarioError.
    """
    from mycelia_sim.planner import draw_plan
    from mycelia_sim.scenario import find
    from mycelia_sim.scenario_reader import document_of, read
    from mycelia_sim.sweep.build import this_build
    from mycelia_sim.sweep.folder import Subject

    path = find(scenario)
    document = document_of(path, changes)
    known = read(document, path.name)
    draw_plan(known, "virtual")
    return Subject(known.name, known.title, scenario, tuple(changes), document, this_build())


def _place(
    address: str | None, jobs: int | None, todo: int
) -> contextlib.AbstractContextManager[Place]:
    from mycelia_sim.sweep import executors

    if address is not None:
        if jobs is not None:
            raise click.UsageError("--jobs is about this machine; with --dask leave it out")
        return executors.dask(address)
    return executors.local(min(jobs or executors.processors(), max(1, todo)))


def _options(
    settings: tuple[str, ...], nodes: int | None, out: Path, dask: str | None
) -> tuple[str, ...]:
    """Return the options with which the same sweep goes on."""
    words = [word for setting in settings for word in ("--set", setting)]
    words += ["--nodes", str(nodes)] if nodes is not None else []
    words += ["--out", str(out)] if out != Path("runs") else []
    return (*words, *(("--dask", dask) if dask is not None else ()))
