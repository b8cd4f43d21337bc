"""Commands about parties: rivers, soils, people without a node, and who speaks for them."""

from typing import Any

import click

from mycelia_node.cli.render import clean, cut, say, say_json, table
from mycelia_node.cli.settings import Group, Settings
from mycelia_node.cli.things import parse_place, quoted
from mycelia_node.text import short, unique_size

INDICATORS = ("soil", "water", "biodiversity", "canopy", "waste")  # spec section 8.10.3


@click.group(cls=Group)
def party() -> None:
    """Living places and people without a node, for whom members speak."""


@party.command("add")
@click.argument("name")
@click.option("--people", is_flag=True, help="people without a node, and no living place")
@click.option("--guardian", "guardians", multiple=True, metavar="MEMBER", help="speaks for it too")
@click.option("--about", default="", help="what or who it is")
@click.option("--members", type=click.IntRange(1), metavar="N", help="how many people it counts as")
@click.option("--place", type=parse_place, metavar="LAT,LON", help="kept to about 1 km")
@click.pass_obj
def add_party(settings: Settings, /, name: str, people: bool, **fields: Any) -> None:
    """Tell of a party called NAME. You and its guardians speak for it."""
    body: dict[str, object] = {"name": name, "form": "people" if people else "ecosystem"}
    body |= {key: value for key, value in fields.items() if value}
    answer = settings.client.post("/v1/parties", body)
    if settings.as_json:
        say_json(answer)
    else:
        say(answer["id"])


@party.command("list")
@click.pass_obj
def list_parties(settings: Settings) -> None:
    """List all parties, and how living places fare."""
    answer = settings.client.get("/v1/parties")
    if settings.as_json:
        say_json(answer)
        return
    items = answer["items"]
    if not items:
        click.echo("None.", err=True)
        return
    size = unique_size(item["id"] for item in items)
    rows = [
        (
            short(item["id"], size),
            cut(clean(item["name"])),
            item["form"],
            _health(item["health"]),
            ", ".join(clean(each["name"]) for each in [item["author"], *item["guardians"]]),
        )
        for item in items
    ]
    say(table(("ID", "NAME", "WHAT", "HEALTH", "SPOKEN FOR BY"), rows))


@party.command("observe")
@click.argument("id")
@click.argument("indicator", type=click.Choice(INDICATORS))
@click.argument("value", type=click.IntRange(0, 1000))
@click.option("--method", default="", help="how you found out")
@click.pass_obj
def observe(settings: Settings, id: str, indicator: str, value: int, method: str) -> None:  # noqa: A002
    """Say how a living place fares: VALUE from 0, the worst, to 1000."""
    body: dict[str, object] = {"indicator": indicator, "value_pm": value}
    if method:
        body["method"] = method
    answer = settings.client.post(f"/v1/parties/{quoted(id)}/observations", body)
    if settings.as_json:
        say_json(answer)
    else:
        say(answer["id"])


def _health(found: dict[str, int | None] | None) -> str:
    """Return a health index; what is not known is said to be unknown."""
    if found is None:
        return "-"
    return "unknown" if found["index"] is None else f"{found['index']} of 1000"
