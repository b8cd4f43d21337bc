"""`mycelia sim lint`: all that is wrong with a scenario, and what does less than it seems."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mycelia_sim.commands.common import ending, say_json
from mycelia_sim.verdict import EXIT_USAGE

if TYPE_CHECKING:
    from mycelia_sim.lint import Linted


class _LintCommand(click.Command):
    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Ask for a file, unless the schema is wanted."""
        rest = super().parse_args(ctx, args)
        if not ctx.params.get("files") and not ctx.params.get("schema"):
            raise click.UsageError("Missing argument 'FILE...'. See `mycelia sim list`.", ctx)
        return rest


@click.command("lint", cls=_LintCommand)
@click.argument("files", nargs=-1, metavar="FILE...")
@click.option("--schema", is_flag=True, help="Print the JSON Schema of scenarios instead.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def command(files: tuple[str, ...], schema: bool, as_json: bool) -> None:
    """Read each FILE strictly: a scenario's file, the name of a shipped one, or a plan.

    Problems keep a scenario from running; hints name what is legal but of no use. Ends with 64 if
    there is a problem, else with 0. An editor completes and checks scenarios if the schema lies
    beside them:

    \b
      mycelia sim lint --schema > scenario.schema.json
    """
    from mycelia_sim.schema import as_text

    ending(as_json=as_json)
    if schema:
        if files:
            raise click.UsageError("--schema stands alone: it prints the schema of all scenarios.")
        click.echo(as_text(), nl=False)
        return
    results = [_lint(name) for name in files]
    has_problems = any(result.problems for result in results)
    if as_json:
        say_json(
            [
                {"file": str(one.path), "problems": one.problems, "hints": one.hints}
                for one in results
            ]
        )
    else:
        for result in results:
            _say(result)
    sys.exit(EXIT_USAGE if has_problems else 0)


def _lint(name: str) -> Linted:
    """Read what somebody named."""
    from mycelia_sim.errors import ScenarioError
    from mycelia_sim.lint import Linted, lint
    from mycelia_sim.scenario import find

    try:
        return lint(Path(name) if name.endswith(".json") else find(name))
    except ScenarioError as error:
        return Linted(Path(name), (str(error),))


def _say(result: Linted) -> None:
    """Print a file's problems and hints, a line each."""
    for problem in result.problems:
        click.echo(f"problem  {problem}")
    for hint in result.hints:
        click.echo(f"hint     {result.path.name}: {hint}")
    if not result.problems:
        count = len(result.hints)
        rest = f", {count} hint{'s' if count > 1 else ''}" if count else ""
        click.echo(f"ok       {result.path}{rest}")
