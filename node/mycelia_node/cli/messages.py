"""Commands for messages that only one member can read."""

import sys
from typing import Any

import click

from mycelia_node.cli.render import clean, cut, duration, now, say, say_json, table
from mycelia_node.cli.settings import Group, Settings
from mycelia_node.text import short, unique_size

TEXT_COLUMNS = 60


@click.group(cls=Group)
def message() -> None:
    """Write to one member alone; others see only that you wrote, to whom and about what."""


@message.command("send")
@click.argument("to", metavar="MEMBER")
@click.argument("text", metavar="TEXT")
@click.option("--about", multiple=True, metavar="ID", help="what it is about; may be repeated")
@click.pass_obj
def send(settings: Settings, to: str, text: str, about: tuple[str, ...]) -> None:
    """Send TEXT, or with - what comes on stdin, to MEMBER, a name or a key.

    Addresses, telephone numbers and the like belong here, never into an offer or a request.
    """
    if text == "-":
        text = sys.stdin.read().strip()
    body: dict[str, object] = {"to": to, "text": text, "about": list(about)}
    answer = settings.client.post("/v1/messages", body)
    if settings.as_json:
        say_json(answer)
    else:
        say(answer["id"])


@message.command("list")
@click.pass_obj
def list_messages(settings: Settings) -> None:
    """List messages to and from this node."""
    answer = settings.client.get("/v1/messages")
    items = answer["items"]
    if settings.as_json:
        say_json(answer)
        return
    if not items:
        click.echo("None.", err=True)
        return
    size = unique_size(item["id"] for item in items)
    rows = [
        (
            short(item["id"], size),
            f"{duration(now() - item['time_ms'])} ago",
            cut(clean(item["from"]["name"]), 24),
            cut(clean(item["to"]["name"]), 24),
            cut(clean(words(item)), TEXT_COLUMNS),
        )
        for item in items
    ]
    say(table(("ID", "SENT", "FROM", "TO", "TEXT"), rows))


@message.command("show")
@click.argument("id")
@click.pass_obj
def show(settings: Settings, id: str) -> None:  # noqa: A002
    """Show one message; with --json also the signature that proves who wrote it."""
    from mycelia_node.cli.things import quoted

    answer = settings.client.get(f"/v1/messages/{quoted(id)}")
    if settings.as_json:
        say_json(answer)
        return
    rows = [
        ("id", answer["id"]),
        ("from", f"{answer['from']['name']} ({short(answer['from']['key'])})"),
        ("to", f"{answer['to']['name']} ({short(answer['to']['key'])})"),
        *[("about", each) for each in answer["about"]],
        ("sent", f"{duration(now() - answer['time_ms'])} ago"),
    ]
    head = "\n".join(f"{name:<6}  {clean(value)}" for name, value in rows)
    text = "\n".join(map(clean, words(answer).splitlines()))
    say(f"{head}\n\n{text}")


def words(item: dict[str, Any]) -> str:
    """Return a message's text, or why there is none."""
    if item["state"] == "sealed":
        return f"(sealed: only {item['to']['name']} can read it)"
    if item["state"] == "erased":
        return f"({item['from']['name']} erased it)"
    if item["state"] == "unreadable":
        return "(sealed to a key that this node has no more, or damaged)"
    return str(item["text"])
