"""`mycelia members`: who is in, and how well each can be reached from here."""

import click

from mycelia_node.cli.render import duration, now, say, say_json, table
from mycelia_node.cli.settings import Command, Settings
from mycelia_node.text import short

REACH = ("connected", "quiet", "unreachable", "resting")  # the best first


def reach_line(reach: dict[str, int]) -> str:
    """Return how many of the other members can be reached how well, for people."""
    told = [f"{reach[word]} {word}" for word in REACH if word in reach]
    return f"of the other members {', '.join(told)}"


@click.command(cls=Command)
@click.pass_obj
def members(settings: Settings) -> None:
    """Show everybody in the commons, and how well each can be reached from here.

    It is what this node has seen and heard; another may see it otherwise.
    """
    answer = settings.client.get("/v1/members")
    if settings.as_json:
        say_json(answer)
        return
    rows = [
        (
            item["name"] or "(no name yet)",
            short(item["key"]),
            "this node" if item["mine"] else item["reach"],
            "neighbour" if item["linked"] else "",
            "" if item["mine"] else seen_text(item["since_ms"]),
        )
        for item in answer["items"]
    ]
    say(table(("MEMBER", "KEY", "REACH", "", "LAST SIGN"), rows))


def seen_text(since_ms: int | None) -> str:
    """Return how long ago there was a sign of somebody."""
    return "none" if since_ms is None else f"{duration(max(0, now() - since_ms))} ago"
