"""The command that takes offers and requests from a spreadsheet."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from mycelia_node.cli.progress import Progress
from mycelia_node.cli.render import clean, now, say, say_json
from mycelia_node.cli.settings import Command, Settings
from mycelia_node.errors import RequestError
from mycelia_node.exchange.board_table import read_table
from mycelia_node.exchange.intake import Intake, plan
from mycelia_node.exchange.mapping import Mapping, read_mapping
from mycelia_node.exchange.rows import Wanted, read_row
from mycelia_node.text import count

FILE = click.Path(path_type=Path)


@click.command(cls=Command)
@click.argument("table", type=FILE, metavar="FILE.csv")
@click.option("--map", "map_file", type=FILE, metavar="FILE.toml", help="what its columns mean")
@click.option("--dry-run", is_flag=True, help="say what would be written, and what is wrong")
@click.option("--skip-bad", is_flag=True, help="write the good rows although others are bad")
@click.pass_obj
def import_board(
    settings: Settings, table: Path, map_file: Path | None, dry_run: bool, skip_bad: bool
) -> int:
    """Take offers and requests from a spreadsheet, saved as CSV.

    The columns are kind (offer or request), what, category, quantity, unit, place, until, needed
    by, urgency, people, note; many have other usual names. If one row is bad, nothing is written.
    What this node has written already is left out, so a table may be taken in again.
    """
    mapping = read_mapping(_text(map_file)) if map_file else Mapping()
    found = read_table(table.read_bytes(), mapping)
    for header in found.unused:
        click.echo(f"Nothing is taken from the column {clean(header)!r}.", err=True)
    now_ms = now()
    rows = [read_row(row, mapping, now_ms) for row in found.rows]
    paths = ("/v1/offers?all=1", "/v1/requests?all=1")
    things = [item for path in paths for item in settings.client.get(path)["items"]]
    intake = plan(rows, things, now_ms)
    writes = not dry_run and (skip_bad or not intake.problems)
    written = _write(settings, intake.fresh) if writes else []
    _report(settings, intake, written, dry_run)
    return 1 if intake.problems and not (skip_bad and writes) else 0


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise click.ClickException(f"{path} is not UTF-8.") from None


def _write(settings: Settings, fresh: tuple[Wanted, ...]) -> list[dict[str, Any]]:
    """Write things one after the other; each is on disk before the next is sent."""
    written: list[dict[str, Any]] = []
    progress = Progress(settings.as_json)
    client = settings.client
    try:
        for row in fresh:
            try:
                answer = client.post(f"/v1/{row.kind}s", row.body)
            except RequestError as error:
                raise RequestError(
                    f"Line {row.line} was refused: {error.message}",
                    f"{error.action} {count(len(written), 'row')} before it "
                    f"{'is' if len(written) == 1 else 'are'} written; "
                    "take the table in again after that.".strip(),
                    code=error.code,
                    status=error.status,
                ) from error
            written.append({"line": row.line, "id": answer["id"]})
            progress.say(f"{len(written):,} of {len(fresh):,} rows")
    finally:
        progress.end()
    return written


def _report(
    settings: Settings, intake: Intake, written: list[dict[str, Any]], dry_run: bool
) -> None:
    bad_lines = {each.line for each in intake.problems}
    if settings.as_json:
        say_json(
            {
                "dry_run": dry_run,
                "written": written,
                "new": len(intake.fresh),
                "known": list(intake.known),
                "bad": [asdict(each) for each in intake.problems],
            }
        )
        return
    for each in intake.problems:
        where = f"line {each.line}, {each.column}" if each.column else f"line {each.line}"
        click.echo(f"{where}: {clean(each.message)} {clean(each.action)}".strip(), err=not dry_run)
    rest = f"{count(len(intake.known), 'row')} known already, {len(bad_lines)} bad."
    if dry_run:
        say(f"{count(len(intake.fresh), 'row')} to write, {rest}")
    elif written or not bad_lines:
        say(f"{count(len(written), 'row')} written, {rest}")
    else:
        click.echo(
            f"Nothing was written: {rest}\n"
            "Correct the rows and try again, or write the others with --skip-bad.",
            err=True,
        )
