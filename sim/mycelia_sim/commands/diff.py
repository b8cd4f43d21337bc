"""`mycelia sim diff`: what is different between two runs."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mycelia_sim.commands.common import ending, say_json

if TYPE_CHECKING:
    from mycelia_sim.run_diff import Figure, RunDiff
    from mycelia_sim.run_folder import RunFolder


@click.command("diff")
@click.argument("one", metavar="A")
@click.argument("other", metavar="B")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("runs"),
    show_default=True,
    help="Where `latest` is looked for.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def command(one: str, other: str, out: Path, as_json: bool) -> None:
    """Compare the runs A and B: folders, plans, or `latest`.

    Says what differs in their plans, in what came of them, and up to where their traces are equal.
    Values stand as A | B. Ends with 0 whether they differ or not.
    """
    from mycelia_sim.run_diff import diff_runs
    from mycelia_sim.run_folder import open_run

    ending(as_json=as_json)
    runs = open_run(one, out), open_run(other, out)
    found = diff_runs(*runs)
    if as_json:
        figures = [{**asdict(figure), "ratio": figure.ratio} for figure in found.figures]
        names = {"a": str(runs[0].folder), "b": str(runs[1].folder)}
        say_json({**names, **asdict(found), "figures": figures})
    else:
        click.echo(_text(runs, found))


def _text(runs: tuple[RunFolder, RunFolder], found: RunDiff) -> str:
    lines = [
        f"{name}  {run.folder}  {run.verdict or 'no verdict'}"
        for name, run in zip("AB", runs, strict=True)
    ]
    lines += ["", "plan"]
    lines += [f"  {one}" for one in found.plan] or ["  the same to the letter"]
    if all(run.summary for run in runs):
        lines += ["", "checks"]
        lines += [f"  {one}" for one in found.checks] or ["  every check judges alike"]
        lines += ["", "figures", *_table(found.figures)]
        lines += [f"  {found.equal} figures are the same"]
        lines += ["", "software"]
        lines += [f"  {one}" for one in found.versions] or ["  the same"]
    lines += ["", "trace", *_trace(found)]
    return "\n".join(lines)


def _table(figures: tuple[Figure, ...]) -> list[str]:
    """Return the figures that differ, with B as so many times A."""
    if not figures:
        return []
    rows = [("", "A", "B", "B/A")]
    for figure in figures:
        ratio = "" if figure.ratio is None else f"{figure.ratio:.3g}x"
        rows.append((figure.name, _number(figure.one), _number(figure.other), ratio))
    widths = [max(len(row[n]) for row in rows) for n in range(4)]
    return [
        f"  {name:<{widths[0]}}  {a:>{widths[1]}}  {b:>{widths[2]}}  {ratio:>{widths[3]}}".rstrip()
        for name, a, b, ratio in rows
    ]


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:,.6g}"


def _trace(found: RunDiff) -> list[str]:
    if not found.is_compared:
        return ["  not compared: a run without a chain of hashes, as on real nodes, has none"]
    if found.divergence is None:
        return ["  the same, line by line"]
    return [f"  {line}" for line in found.divergence.words("A", "B")]
