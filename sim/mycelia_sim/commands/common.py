"""What the commands of the harness share: options, plans by name, and how they end."""

from __future__ import annotations

import errno
import json
import os
import re
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from mycelia_sim.errors import BackendError, HarnessError, ScenarioError
from mycelia_sim.verdict import EXIT_BACKEND, EXIT_HARNESS, EXIT_INTERRUPTED, EXIT_USAGE

if TYPE_CHECKING:
    from mycelia_sim.plan import Plan

F = TypeVar("F", bound=Callable[..., Any])

BACKENDS: Final = ("virtual", "live", "switch")
_META: Final = "mycelia_sim.ending"
_MINUTES: Final = re.compile(r"(?<=[\d\s])m$")
_NO_ROOM: Final = (errno.ENOSPC, errno.EDQUOT)
_COLORS: Final = {
    "PASS": "green",
    "FAIL": "red",
    "UNKNOWN": "yellow",
    "NONDETERMINISM": "red",
    "CRASH": "red",
}


@dataclass(slots=True)
class Ending:
    """What is said however a command ends.

    Attributes:
        seed: of the run under way, None before one is known.
        replay: the command line that plays it again.
    """

    as_json: bool = False
    seed: int | None = None
    replay: str = ""


def ending(*, as_json: bool = False) -> Ending:
    """Return what the present command's end will say, for the command to fill in."""
    meta = click.get_current_context().meta
    found = meta.setdefault(_META, Ending())
    assert isinstance(found, Ending)
    found.as_json = found.as_json or as_json
    return found


def output_options(function: F) -> F:
    """Add --json and --quiet."""
    as_json = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
    quiet = click.option("--quiet", is_flag=True, help="Say nothing before the result.")
    return as_json(quiet(function))


def scenario_options(function: F) -> F:
    """Add --nodes, --backend and --set, which change a scenario."""
    for option in (
        click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="Change one."),
        click.option("--nodes", type=int, help="Number of nodes: --set nodes.count=N."),
    ):
        function = option(function)
    return function


def out_option(function: F) -> F:
    """Add --out, the folder for run folders."""
    return click.option(
        "--out",
        type=click.Path(path_type=Path, file_okay=False),
        default=Path("runs"),
        show_default=True,
        help="Where the run's folder is made.",
    )(function)


def run_argument(function: F) -> F:
    """Add RUN, and --out for the word `latest`."""
    where = click.option(
        "--out",
        type=click.Path(path_type=Path, file_okay=False),
        default=Path("runs"),
        show_default=True,
        help="Where `latest` is looked for.",
    )
    return click.argument("run", metavar="RUN")(where(function))


def budget_s(ctx: click.Context, param: click.Parameter, value: str | None) -> float | None:
    """Read "10m", "90 s" or "1 h 30 min" as seconds."""
    from mycelia_sim.units import parse_duration

    try:
        return None if value is None else parse_duration(_MINUTES.sub("min", value.strip())) / 1000
    except ScenarioError as error:
        raise click.BadParameter(str(error), ctx, param) from error


def with_backend(plan: Plan, backend: str | None) -> Plan:
    """Return the plan for another backend."""
    return plan if backend is None else replace(plan, backend=backend)


def say(text: str) -> None:
    """Print a result; its first word is coloured on a terminal that takes colours."""
    first, space, rest = text.partition(" ")
    color = _COLORS.get(first.rstrip(":"))
    if color and sys.stdout.isatty() and not os.environ.get("NO_COLOR"):
        first = click.style(first, fg=color, bold=True)
    click.echo(first + space + rest)


def say_json(value: object) -> None:
    """Print a result for programs."""
    click.echo(json.dumps(value, indent=1, ensure_ascii=False))


def end_badly(ctx: click.Context, error: BaseException) -> int:
    """Say why there is no verdict, the seed and how to play it again; return the exit code."""
    end = ctx.meta.get(_META, Ending())
    code, word = _code_of(error)
    if code == EXIT_HARNESS and not isinstance(error, HarnessError | OSError):
        traceback.print_exception(error)
    said = _of_system(error) if isinstance(error, OSError) else str(error)
    message = f"Error: {word}{said}" if said else f"Error: {word.rstrip(': ')}"
    click.echo(message, err=True)
    if end.as_json:
        answer = {"verdict": None, "exit_code": code, "error": message}
        say_json({**answer, "seed": end.seed, "replay": end.replay})
    elif end.seed is not None:
        click.echo(f"NO VERDICT\nseed     {end.seed}\nreplay   {end.replay}")
    return code


def _code_of(error: BaseException) -> tuple[int, str]:
    match error:
        case KeyboardInterrupt():
            return EXIT_INTERRUPTED, "interrupted: "
        case ScenarioError():
            return EXIT_USAGE, ""
        case BackendError():
            return EXIT_BACKEND, ""
        case BrokenPipeError():
            sys.stdout = open(os.devnull, "w")  # noqa: SIM115 - until the process is over
            return EXIT_HARNESS, "nobody reads the result: "
        case HarnessError():
            return EXIT_HARNESS, ""
        case OSError():
            return EXIT_HARNESS, "something could not be read or written: "
        case _:
            return EXIT_HARNESS, "the harness failed: "


def _of_system(error: OSError) -> str:
    """Return what the system complains of, of which file, and what to do if that is known."""
    said = error.strerror or str(error)
    said += f": {error.filename}" if error.filename else ""
    if error.errno in _NO_ROOM:
        said += "; make room there, or choose another folder with --out"
    return said
