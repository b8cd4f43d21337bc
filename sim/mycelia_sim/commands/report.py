"""`mycelia sim report`: the panorama of a run, drawn again from what its folder holds."""

from __future__ import annotations

from pathlib import Path

import click

from mycelia_sim.commands.common import ending, output_options, say_json
from mycelia_sim.panorama import write_panorama


@click.command("report")
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
@output_options
def command(folder: Path, as_json: bool, quiet: bool) -> None:
    """Draw panorama.html of the run in FOLDER from its timeline.json and summary.json."""
    ending(as_json=as_json)
    page = write_panorama(folder)
    size = page.stat().st_size
    if as_json:
        say_json({"panorama": str(page), "size": size})
    else:
        click.echo(f"panorama {page}" + ("" if quiet else f"  ({size / 1000:,.0f} kB, one file)"))
