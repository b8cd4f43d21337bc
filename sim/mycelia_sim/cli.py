"""The command group `mycelia sim`: lazy commands, and one way for every run to end.

stdout is the result, stderr everything else. Exit codes are those of `verdict.py`. A command is
imported when it is used, since `mycelia --help` loads this file.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from typing import Any, Final

import click

from mycelia_sim.errors import nearest
from mycelia_sim.verdict import EXIT_USAGE

# name -> what it does, in the order in which one needs them
COMMANDS: Final[dict[str, str]] = {
    "run": "run a scenario and judge what is left",
    "sweep": "run a scenario with many seeds in virtual time",
    "list": "list the scenarios that come with Mycelia",
    "report": "write the panorama of a run",
    "replay": "play exactly what a run played, and compare",
    "shrink": "find the smallest plan that still fails in the same way",
    "check": "judge again what a run left",
    "diff": "compare two runs",
    "lint": "find what is wrong with a scenario, or does nothing",
    "doctor": "say which backends work on this machine",
}


class _Group(click.Group):
    """Imports commands when they are used, and gives every error its exit code."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"mycelia_sim.commands.{cmd_name}")
        command = module.command
        assert isinstance(command, click.Command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and not args[0].startswith("-") and args[0] not in COMMANDS:
            ctx.fail(f"No such command '{args[0]}'{nearest(args[0], COMMANDS)}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def make_context(self, *arguments: Any, **keywords: Any) -> click.Context:
        context: click.Context = _with_usage_code(
            lambda: super(_Group, self).make_context(*arguments, **keywords)
        )
        return context

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; whatever goes wrong ends with words and a code, never by accident."""
        try:
            return _with_usage_code(lambda: super(_Group, self).invoke(ctx))
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except (Exception, KeyboardInterrupt) as error:
            from mycelia_sim.commands.common import end_badly

            sys.exit(end_badly(ctx, error))


def _with_usage_code(act: Callable[[], Any]) -> Any:
    """Let wrong words on the command line end with the harness's own code for them."""
    try:
        return act()
    except click.UsageError as error:
        error.exit_code = EXIT_USAGE  # type: ignore[misc]
        raise


@click.group(cls=_Group)
def sim() -> None:
    """Take a city of nodes through an outage and judge what is left.

    \b
    Exit codes, the first that applies:
      70   the harness itself failed      4   a run was not repeatable
       1   a safety check failed          3   a liveness check failed
       2   nothing failed, but something that should have been seen was not
       0   pass
      64 wrong usage, 69 no such backend on this machine, 130 interrupted
    """
