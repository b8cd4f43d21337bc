"""`mycelia sim list`: the scenarios that come with Mycelia."""

from __future__ import annotations

import click

from mycelia_sim.commands.common import say_json


@click.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print the list as JSON.")
def command(as_json: bool) -> None:
    """List the scenarios that come with Mycelia."""
    from mycelia_sim.scenario import shipped
    from mycelia_sim.scenario_reader import load

    scenarios = {name: load(path, []) for name, path in shipped().items()}
    if as_json:
        say_json(
            [
                {"name": name, "nodes": scenario.nodes.count, "title": scenario.title}
                for name, scenario in scenarios.items()
            ]
        )
        return
    for name, scenario in scenarios.items():
        click.echo(f"{name:<18} {scenario.nodes.count:>6} nodes  {scenario.title}")
