"""`mycelia audit`: every decision made once more, and how everybody fared."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from mycelia_node.auditing.page import render
from mycelia_node.auditing.reading import audit_home, policy_named
from mycelia_node.auditing.told import lines
from mycelia_node.auditing.view import audit_view, finding_view
from mycelia_node.cli.progress import Progress
from mycelia_node.cli.render import now, say, say_json
from mycelia_node.cli.settings import Command, Settings
from mycelia_node.cli.times import moment_text, parse_moment
from mycelia_protocol.recompute import Finding


@click.command(cls=Command)
@click.option(
    "--policy", metavar="NAME|FILE.json", help="also by this policy: who would gain and who lose"
)
@click.option("--at", metavar="MOMENT", help="figures for this time, such as 2026-08-01T09:00")
@click.option(
    "--html",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    metavar="FILE",
    help="also write a page with everything, which needs no network",
)
@click.option(
    "--findings",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    metavar="FILE",
    help="also write each decision to look at, a line of JSON each, as soon as it is found",
)
@click.pass_context
def audit(
    context: click.Context,
    policy: str | None,
    at: str | None,
    html: Path | None,
    findings: Path | None,
) -> None:
    """Make every decision that is here once more, and say how everybody fared.

    Decisions that come out otherwise are named, with what is wrong; so are those that a person made
    otherwise. It needs no running node, and no node can be started on the same home meanwhile.
    Exits with 1 if a decision came out otherwise.
    """
    settings: Settings = context.obj
    for file in (html, findings):
        if file is not None and not file.absolute().parent.is_dir():
            raise click.UsageError(f"There is no folder {file.absolute().parent} for {file}.")
    other = None if policy is None else policy_named(policy)
    as_of_ms = now() if at is None else parse_moment(at)
    progress = Progress(settings.as_json)
    try:
        with _written(findings) as note:
            view = audit_view(audit_home(settings.home, as_of_ms, other, progress.say, note))
    finally:
        progress.end()
    if html is not None:
        html.write_text(render(view, moment_text(as_of_ms)), encoding="utf-8")
    if settings.as_json:
        say_json(view)
    else:
        for line in lines(view):
            say(line)
    context.exit(1 if view["decisions"]["wrong"] else 0)


@contextmanager
def _written(path: Path | None) -> Iterator[Callable[[Finding], None]]:
    """Give what writes a finding down, if it is wanted."""
    if path is None:
        yield lambda _: None
        return
    with path.open("w", encoding="utf-8") as file:
        yield lambda found: print(json.dumps(finding_view(found)), file=file)
