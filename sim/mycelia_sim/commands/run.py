"""`mycelia sim run`: one scenario, one seed, one verdict."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mycelia_sim.commands.common import (
    BACKENDS,
    ending,
    out_option,
    output_options,
    say,
    say_json,
    scenario_options,
)
from mycelia_sim.errors import ScenarioError

if TYPE_CHECKING:
    from mycelia_sim.plan import Plan


class _RunCommand(click.Command):
    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Ask for a scenario, unless a plan is given."""
        rest = super().parse_args(ctx, args)
        if ctx.params.get("scenario") is None and ctx.params.get("plan") is None:
            raise click.UsageError("Missing argument 'SCENARIO'. See `mycelia sim list`.", ctx)
        return rest


@click.command("run", cls=_RunCommand)
@click.argument("scenario", required=False)
@scenario_options
@click.option("--seed", type=int, envvar="SIM_SEED", help="Seed of all draws: --set run.seed=N.")
@click.option("--swarm", is_flag=True, help="Keep only the faults that a sweep keeps for the seed.")
@click.option("--backend", type=click.Choice(BACKENDS), help="Where to run; else the scenario's.")
@click.option("--plan", type=click.Path(path_type=Path), help="Play a plan as it is instead.")
@out_option
@output_options
@click.option("--trace", is_flag=True, help="Virtual: write down all that happens.")
@click.option("--keep-homes", is_flag=True, help="Keep the nodes' folders although all is well.")
@click.option("--node-module", hidden=True, help="Module or file that runs instead of the node.")
def command(
    scenario: str | None,
    nodes: int | None,
    settings: tuple[str, ...],
    seed: int | None,
    swarm: bool,
    backend: str | None,
    plan: Path | None,
    out: Path,
    as_json: bool,
    quiet: bool,
    trace: bool,
    keep_homes: bool,
    node_module: str | None,
) -> None:
    """Run SCENARIO and judge what is left: the name of a shipped one, a .toml file, or a plan."""
    from mycelia_sim.conduct import Settings, program
    from mycelia_sim.live.process import module_command, node_command
    from mycelia_sim.play import begin, play
    from mycelia_sim.progress import Progress

    end = ending(as_json=as_json)
    changes = list(settings)
    changes += [f"nodes.count={nodes}"] if nodes is not None else []
    changes += [f"run.seed={seed}"] if seed is not None else []
    chosen = _plan(scenario, changes, plan, backend, swarm=swarm)
    node = node_command if node_module is None else module_command(node_module)
    begun = begin(chosen, Settings(out, keep_homes, node, trace))
    end.seed, end.replay = chosen.seed, begun.replay
    finished = play(begun, Progress(is_quiet=quiet))
    if as_json:
        say_json(finished.summary)
    else:
        say(finished.text + _next_steps(program()))
    sys.exit(finished.exit_code)


def _plan(
    scenario: str | None,
    changes: list[str],
    plan: Path | None,
    backend: str | None,
    *,
    swarm: bool,
) -> Plan:
    """Return the plan to run.

    Raises: ScenarioError.
    """
    from mycelia_sim.commands.common import with_backend
    from mycelia_sim.plan_file import is_plan, read_plan
    from mycelia_sim.planner import check_backend, draw_plan
    from mycelia_sim.scenario import find
    from mycelia_sim.scenario_reader import load

    if plan is not None and scenario is not None:
        raise ScenarioError("--plan plays a plan as it is; leave SCENARIO out")
    if plan is not None:
        path, has_draws = plan, False
    else:
        assert scenario is not None
        path = Path(scenario) if scenario.endswith(".json") else find(scenario)
        has_draws = not is_plan(path)
    if (changes or swarm) and not has_draws:
        raise ScenarioError(
            f"{path} is a plan, in which all is drawn: nothing can be set in it. Leave out --set, "
            "--nodes, --swarm, --seed and SIM_SEED"
        )
    if has_draws:
        return draw_plan(load(path, changes, backend), backend, swarm=swarm)
    played = with_backend(read_plan(path), backend)
    check_backend(played)
    return played


def _next_steps(name: str) -> str:
    return (
        "\nrun a node yourself:\n"
        f'  {name} --home oak found Riverside --name "Oak House"\n'
        f"  {name} --home oak up\n"
    )
