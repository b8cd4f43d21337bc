"""`mycelia sim replay`: play exactly what a run played, and say whether the same happened."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mycelia_sim.commands.common import ending, output_options, run_argument, say, say_json
from mycelia_sim.errors import ScenarioError
from mycelia_sim.verdict import EXIT_INTERRUPTED, EXIT_NONDETERMINISM, EXIT_PASS

if TYPE_CHECKING:
    from mycelia_sim.progress import Progress
    from mycelia_sim.replay import Peeked, Point, Replayed
    from mycelia_sim.run_folder import RunFolder
    from mycelia_sim.virtual.trace import Line


def _moment(ctx: click.Context, param: click.Parameter, value: str | None) -> int | None:
    """Read "12.5s" or "t=12.5s" as ms."""
    from mycelia_sim.units import parse_duration

    try:
        return None if value is None else parse_duration(value.removeprefix("t="))
    except ScenarioError as error:
        raise click.BadParameter(str(error), ctx, param) from error


@click.command("replay")
@run_argument
@click.option(
    "--until",
    metavar="TIME",
    callback=_moment,
    help="Stop there, as in t=12.5s; print the lines around.",
)
@click.option("--event", type=click.IntRange(0), help="The same for a line, by its number `seq`.")
@click.option("--node", help="Print lines of this node only; alone: all of them.")
@click.option(
    "--lines", type=click.IntRange(1), default=20, show_default=True, help="Before, after."
)
@output_options
def command(
    run: str,
    out: Path,
    until: int | None,
    event: int | None,
    node: str | None,
    lines: int,
    as_json: bool,
    quiet: bool,
) -> None:
    """Play the exact plan of RUN again: a run's folder, its plan.json, or `latest`.

    In virtual time the same plan gives the same run, line by line: verdict and trace digest are
    compared with those in the folder. If they are the same it ends as the run did; if the digests
    differ it ends with 4 and says where the traces part. On real nodes only verdicts can be
    compared.

    With --until, --event or --node it prints lines of the trace on stdout, as JSON. Times are those
    of the verdict and the panorama: seconds after the beginning of the workload.
    """
    from mycelia_sim.conduct import replay_command
    from mycelia_sim.progress import Progress
    from mycelia_sim.replay import Point, check_point
    from mycelia_sim.run_folder import open_run

    if until is not None and event is not None:
        raise click.UsageError("--until and --event name two moments; choose one.")
    point = Point(until, event, node, lines)
    shows_lines = point.is_moment or node is not None
    if shows_lines and as_json:
        raise click.UsageError("--json prints the result; the lines of a trace are JSON already.")
    end = ending(as_json=as_json)
    found = open_run(run, out)
    end.seed, end.replay = found.plan.seed, replay_command(found.folder)
    progress = Progress(is_quiet=quiet)
    if found.plan.backend != "virtual":
        if shows_lines:
            raise ScenarioError("real nodes leave no trace to look into; read nodes/*.log")
        sys.exit(_play_really(found, out, progress, as_json=as_json))
    check_point(found.plan, point)
    if point.is_moment:
        sys.exit(_peek(found, point, progress))
    sys.exit(_replay(found, point, progress, as_json=as_json))


def _teller(progress: Progress) -> Callable[[int, Line], None]:
    """Return what prints a line of the trace, and not behind a line of progress."""
    from mycelia_sim.virtual.trace import to_text

    def tell(number: int, line: Line) -> None:
        progress.end()
        click.echo(to_text([(number, line)]), nl=False)

    return tell


def _peek(run: RunFolder, point: Point, progress: Progress) -> int:
    """Play up to a moment, print the lines around it; return the exit code."""
    from mycelia_sim.replay import peek

    peeked = peek(run, progress, point, _teller(progress))
    progress.end()
    click.echo(_of_peek(run, peeked), err=True)
    return EXIT_PASS if peeked.divergence is None else EXIT_NONDETERMINISM


def _of_peek(run: RunFolder, peeked: Peeked) -> str:
    began, ended = peeked.began_us / 1e6, peeked.ended_us / 1e6
    how = "the run ended" if peeked.is_whole else "stopped"
    lines = [
        f"{how} at {ended - began:.3f} s; the workload began at t={peeked.began_us} us",
    ]
    if peeked.divergence is not None:
        lines += ["NOT the same run:", *peeked.divergence.words("then", "now")]
    elif peeked.blocks:
        lines.append(f"the same run so far: {peeked.blocks} blocks of the trace are equal")
    elif run.digest is not None:
        lines.append("too short to compare: no block of the trace was full yet")
    return "\n".join(lines)


def _replay(run: RunFolder, point: Point, progress: Progress, *, as_json: bool) -> int:
    """Play in virtual time to the end, compare; return the exit code."""
    from mycelia_sim.commands.common import ending
    from mycelia_sim.replay import replay
    from mycelia_sim.report import Outcome, summarize, write_text

    replayed = replay(run, progress, point, _teller(progress))
    progress.end()
    played = replayed.played
    outcome = Outcome(played.evidence, played.checks, ending().replay)
    code = outcome.exit_code
    if played.evidence.facts.is_interrupted:
        code = EXIT_INTERRUPTED
    elif replayed.is_same is False:
        code = EXIT_NONDETERMINISM
    said = _comparison(run, replayed, outcome.verdict)
    if as_json:
        summary = {**summarize(outcome), **played.measured.to_json(), "exit_code": code}
        say_json({**summary, "same": replayed.is_same, "comparison": said})
        return code
    page = run.folder / "panorama.html"
    text = write_text(outcome, str(run.folder), str(page) if page.exists() else "none")
    text += "\n" + "\n".join(said)
    if point.node is None:
        say(text)
    else:  # stdout is for the lines
        click.echo(text, err=True)
    return code


def _comparison(run: RunFolder, replayed: Replayed, verdict: str) -> list[str]:
    """Say in a few lines whether the same happened."""
    from mycelia_sim.recheck import changes
    from mycelia_sim.versions import versions

    played = replayed.played
    digest = played.world.trace_digest
    if played.evidence.facts.is_interrupted:
        return ["interrupted: not compared"]
    if replayed.is_same is None:
        return [f"nothing to compare with: {run.folder} holds the plan of no ended virtual run"]
    if replayed.is_same:
        if run.is_interrupted:
            return ["the same run as far as that came, which was interrupted"]
        same = f"the same run again: trace digest {digest}"
        if verdict == run.verdict:
            return [f"{same}, verdict {verdict}"]
        said = [f"{same}; but judged otherwise: was {run.verdict}, is {verdict}"]
        return [*said, *changes(run.checks(), played.checks)]
    said = [f"NOT the same run: was {run.digest} ({run.verdict}), is {digest} ({verdict})"]
    if replayed.divergence is not None:
        said += replayed.divergence.words("then", "now")
    return [*said, *_why(run.summary.get("versions") or {}, versions())]


def _why(then: dict[str, str], now: dict[str, str]) -> list[str]:
    """Say what may have made two runs of one plan differ."""
    from mycelia_sim.conduct import program

    changed = [
        f"{name} {then.get(name)} -> {now[name]}"
        for name in ("mycelia", "code", "python", "cryptography")
        if then.get(name) != now[name]
    ]
    if not changed:
        return [
            "the code and the versions are the same: this run can't be repeated, which is a bug"
        ]
    return [
        f"what has changed since: {', '.join(changed)}",
        f"to judge the plan with the code as it is: {program()} sim run --plan PLAN",
    ]


def _play_really(run: RunFolder, out: Path, progress: Progress, *, as_json: bool) -> int:
    """Play on real nodes, compare verdicts; return the exit code."""
    from mycelia_sim.conduct import Settings
    from mycelia_sim.play import begin, play

    finished = play(begin(run.plan, Settings(out)), progress)
    verdict = finished.summary["verdict"]
    real = "time was real: two runs are never the same, so only verdicts are compared"
    if run.verdict is None:
        said = f"{real}; {run.folder} holds none"
    elif verdict == run.verdict:
        said = f"{real}; the same verdict again: {verdict}"
    else:
        said = f"{real}; ANOTHER verdict: was {run.verdict}, is {verdict}"
    if as_json:
        is_same = None if run.verdict is None else verdict == run.verdict
        say_json({**finished.summary, "same": is_same, "comparison": [said]})
    else:
        say(f"{finished.text}\n{said}")
    return finished.exit_code
