"""Commands that let the board out to, and in from, what other people use."""

import json
from pathlib import Path
from typing import Any

import click

from mycelia_node.cli.render import now, say
from mycelia_node.cli.settings import Command, Settings
from mycelia_node.cli.times import moment_text
from mycelia_node.text import count

FORMATS = ("csv", "valueflows", "sheet")


@click.command(cls=Command)
@click.option(
    "--format",
    "form",
    type=click.Choice(FORMATS),
    required=True,
    help="for spreadsheets; JSON-LD for programs; a page of open requests to print",
)
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE")
@click.option("--all", "every", is_flag=True, help="in CSV, also what is used up, over, withdrawn")
@click.pass_obj
def export(settings: Settings, form: str, out: Path | None, every: bool) -> None:
    """Write the board for spreadsheets, for other programs, or for paper.

    Without --out it goes to stdout. ValueFlows holds everything that is known, with grants and
    hand-overs; the others hold what is open.
    """
    if every and form != "csv":
        raise click.UsageError("--all goes with --format csv.")
    text, size = {"csv": _csv, "valueflows": _valueflows, "sheet": _sheet}[form](settings, every)
    if out is None:
        click.echo(text, nl=False)
        return
    out.write_text(text, encoding="utf-8", newline="")
    if settings.as_json:
        say(json.dumps({"file": str(out), "items": size}))
    else:
        say(f"{out}: {count(size, 'item')}.")


def _csv(settings: Settings, every: bool) -> tuple[str, int]:
    from mycelia_node.exchange.board_csv import board_csv

    things = _things(settings, every)
    return board_csv(things), len(things)


def _valueflows(settings: Settings, _: bool) -> tuple[str, int]:
    from mycelia_node.exchange.valueflows import valueflows

    things = _things(settings, every=True)
    grants, parties = (
        settings.client.get(f"/v1/{name}")["items"] for name in ("grants", "parties")
    )
    document = valueflows(things, grants, parties)
    return json.dumps(document, ensure_ascii=False, indent=1) + "\n", len(document["@graph"])


def _sheet(settings: Settings, _: bool) -> tuple[str, int]:
    from mycelia_node.exchange.sheet import sheet

    requests = settings.client.get("/v1/requests")["items"]
    status = settings.client.get("/v1/status")
    for item in requests:
        item["when"] = moment_text(item["needed_by_ms"]) if item["needed_by_ms"] else ""
    page = sheet(requests, status["commons"]["name"], status["node"]["name"], moment_text(now()))
    return page, len(requests)


def _things(settings: Settings, every: bool) -> list[dict[str, Any]]:
    """Return offers, then requests; open ones or all."""
    paths = (f"/v1/{name}?all={int(every)}" for name in ("offers", "requests"))
    return [item for path in paths for item in settings.client.get(path)["items"]]
