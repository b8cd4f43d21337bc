"""`mycelia sim report`: the panorama of a run, drawn again from what its folder holds."""

from __future__ import annotations

from pathlib import Path

import click

from mycelia_sim.commands.common import ending, output_options, run_argument, say_json
from mycelia_sim.errors import ScenarioError
from mycelia_sim.panorama import write_panorama
from mycelia_sim.run_folder import locate


@click.command("report")
@run_argument
@output_options
def command(run: str, out: Path, as_json: bool, quiet: bool) -> None:
    """Draw panorama.html of RUN, a run's folder or `latest`, from its timeline and summary."""
    ending(as_json=as_json)
    folder = locate(run, out)
    if not folder.is_dir():
        raise ScenarioError(f"{folder} is not there: name the folder of a run, or 'latest'")
    page = write_panorama(folder)
    size = page.stat().st_size
    if as_json:
        say_json({"panorama": str(page), "size": size})
    else:
        click.echo(f"panorama {page}" + ("" if quiet else f"  ({size / 1000:,.0f} kB, one file)"))
