"""The command group `mycelia sim`. Exit codes are those of `verdict.py`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, NoReturn

import click

from mycelia_sim.errors import HarnessError, ScenarioError
from mycelia_sim.verdict import EXIT_HARNESS, EXIT_USAGE

# Everything else is imported inside the commands: `mycelia --help` loads this file.


class _UsageCode:
    """Lets wrong words on the command line end with the harness's own code for them."""

    def make_context(self, *arguments: Any, **keywords: Any) -> click.Context:
        try:
            context: click.Context = super().make_context(  # type: ignore[misc]
                *arguments, **keywords
            )
        except click.UsageError as error:
            error.exit_code = EXIT_USAGE  # type: ignore[misc]
            raise
        return context


class _Command(_UsageCode, click.Command):
    pass


class _RunCommand(_Command):
    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Ask for a scenario, unless a plan is given."""
        rest = super().parse_args(ctx, args)
        if ctx.params.get("scenario") is None and ctx.params.get("plan") is None:
            raise click.UsageError("Missing argument 'SCENARIO'. See `mycelia sim list`.", ctx)
        return rest


class _Group(_UsageCode, click.Group):
    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            error.exit_code = EXIT_USAGE  # type: ignore[misc]
            raise


@click.group(cls=_Group)
def sim() -> None:
    """Run many real nodes through an outage and check what is left.

    Exit codes: 0 pass, 1 a safety failure, 2 unknown, 3 a liveness failure, 64 wrong usage,
    70 the harness itself failed, 130 interrupted.
    """


@sim.command("list", cls=_Command)
def list_command() -> None:
    """List the scenarios that come with Mycelia."""
    from mycelia_sim.scenario import shipped
    from mycelia_sim.scenario_reader import load

    for name, path in shipped().items():
        scenario = load(path, [])
        click.echo(f"{name:<14} {scenario.nodes.count:>4} nodes  {scenario.title}")


@sim.command("run", cls=_RunCommand)
@click.argument("scenario", required=False)
@click.option("--nodes", type=int, help="Number of nodes; the same as --set nodes.count=N.")
@click.option("--seed", type=int, help="Seed of all draws; the same as --set run.seed=N.")
@click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="Change one setting.")
@click.option("--plan", type=click.Path(path_type=Path), help="Play a plan.json again instead.")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("runs"),
    show_default=True,
    help="Where the run's folder is made.",
)
@click.option("--quiet", is_flag=True, help="Say nothing before the verdict.")
@click.option("--json", "as_json", is_flag=True, help="Print summary.json instead of the verdict.")
@click.option("--keep-homes", is_flag=True, help="Keep the nodes' folders although all is well.")
@click.option("--node-module", hidden=True, help="Module or file that runs instead of the node.")
def run_command(
    scenario: str | None,
    nodes: int | None,
    seed: int | None,
    settings: tuple[str, ...],
    plan: Path | None,
    out: Path,
    quiet: bool,
    as_json: bool,
    keep_homes: bool,
    node_module: str | None,
) -> None:
    """Run SCENARIO, the name of a shipped one or a .toml file, with real nodes."""
    from mycelia_sim.conduct import Settings, conduct
    from mycelia_sim.live.process import module_command, node_command
    from mycelia_sim.progress import Progress

    changes = list(settings)
    changes += [f"nodes.count={nodes}"] if nodes is not None else []
    changes += [f"run.seed={seed}"] if seed is not None else []
    try:
        chosen = _plan(scenario, changes, plan)
    except ScenarioError as error:
        _fail(str(error), EXIT_USAGE)
    command = node_command if node_module is None else module_command(node_module)
    try:
        finished = conduct(chosen, Settings(out, keep_homes, command), Progress(is_quiet=quiet))
    except HarnessError as error:
        _fail(f"the harness failed: {error}", EXIT_HARNESS)
    except OSError as error:
        _fail(f"the harness failed: {error}; look at the disk and at {out}", EXIT_HARNESS)
    if as_json:
        click.echo(json.dumps(finished.summary, indent=1))
    else:
        click.echo(finished.text + _next_steps())
    sys.exit(finished.exit_code)


def _plan(scenario: str | None, changes: list[str], plan: Path | None) -> Any:
    """Return the plan to run.

    Raises: ScenarioError.
    """
    from mycelia_sim.plan import load_plan
    from mycelia_sim.planner import draw_plan
    from mycelia_sim.scenario import find
    from mycelia_sim.scenario_reader import load

    if plan is not None:
        if scenario is not None or changes:
            raise ScenarioError("--plan plays a plan as it is; leave SCENARIO and changes out")
        return load_plan(plan)
    assert scenario is not None
    return draw_plan(load(find(scenario), changes))


def _next_steps() -> str:
    from mycelia_sim.conduct import program

    name = program()
    return (
        "\nrun a node yourself:\n"
        f'  {name} --home oak found Riverside --name "Oak House"\n'
        f"  {name} --home oak up\n"
    )


def _fail(message: str, code: int) -> NoReturn:
    click.echo(f"Error: {message}", err=True)
    sys.exit(code)
