"""The command that lets go of words."""

import click

from mycelia_node.cli.render import say, say_json
from mycelia_node.cli.settings import Command, Settings
from mycelia_node.text import count


@click.command(cls=Command)
@click.argument("ids", metavar="ID...", nargs=-1, required=True)
@click.pass_obj
def erase(settings: Settings, ids: tuple[str, ...]) -> None:
    """Let go of the words of your records: titles, notes, reasons, texts of messages.

    They go from this disk at once and from all others as they hear of it, for good. What counts
    stays: who promised how much of what to whom. Only what is over can be erased; withdraw first
    what is open.
    """
    answer = settings.client.post("/v1/erase", {"ids": list(ids)})
    if settings.as_json:
        say_json(answer)
        return
    say(f"The words of {count(len(answer['erased']), 'record')} are gone, here at once.")
