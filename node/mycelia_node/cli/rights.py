"""Commands about rights: let a neighbour grant from an own offer, out of one's sight."""

from typing import Any

import click

from mycelia_node.cli.render import amount, clean, cut, now, say, say_json, table, title_of, until
from mycelia_node.cli.settings import Group, Settings
from mycelia_node.cli.things import quoted
from mycelia_node.cli.times import parse_span
from mycelia_node.quantity import parse_quantity
from mycelia_node.text import short, unique_size


@click.group(cls=Group)
def rights() -> None:
    """Let others grant from your offers while the network is cut; give such rights back."""


@rights.command("give")
@click.argument("offer")
@click.argument("member")
@click.argument("quantity", metavar="AMOUNT")
@click.argument("unit")
@click.option("--for", "span", type=parse_span, metavar="SPAN", help="they return the rest then")
@click.option("--slot", type=click.IntRange(0), help="which slot of what is lent, from 0")
@click.option("--reason", help="why, in words")
@click.pass_obj
def give(
    settings: Settings, /, offer: str, member: str, quantity: str, unit: str, **fields: Any
) -> None:
    """Let MEMBER grant AMOUNT UNIT of OFFER. What you gave, only they can give back."""
    body: dict[str, object] = {"to": member, "quantity": parse_quantity(quantity, unit)[0]}
    if fields["span"] is not None:
        body["until_ms"] = now() + fields["span"]
    body |= {name: fields[name] for name in ("slot", "reason") if fields[name] is not None}
    answer = settings.client.post(f"/v1/offers/{quoted(offer)}/rights", body)
    if settings.as_json:
        say_json(answer)
    else:
        say(answer["id"])


@rights.command("list")
@click.option("--all", "every", is_flag=True, help="also those between others")
@click.pass_obj
def list_rights(settings: Settings, every: bool) -> None:
    """List the rights that you gave or hold."""
    answer = settings.client.get(f"/v1/rights?mine={int(not every)}")
    if settings.as_json:
        say_json(answer)
    elif answer["items"]:
        say(rights_table(answer["items"]))
    else:
        click.echo("None.", err=True)


@rights.command("return")
@click.argument("id")
@click.argument("quantity", metavar="AMOUNT", required=False)
@click.argument("unit", required=False)
@click.pass_obj
def give_back(settings: Settings, id: str, quantity: str | None, unit: str | None) -> None:  # noqa: A002
    """Give back what you did not grant, or AMOUNT UNIT of it."""
    body: dict[str, object] = {}
    if quantity is not None:
        if unit is None:
            raise click.UsageError("AMOUNT needs its UNIT.")
        body["quantity"] = parse_quantity(quantity, unit)[0]
    answer = settings.client.post(f"/v1/rights/{quoted(id)}/return", body)
    if settings.as_json:
        say_json(answer)
    else:
        say(f"Given back: {short(id)}")


def rights_table(items: list[dict[str, Any]]) -> str:
    """Return rights as a table."""
    size = unique_size(item["id"] for item in items)
    rows = [
        (
            short(item["id"], size),
            cut(clean(title_of(item))),
            amount(item, "left"),
            amount(item, "granted"),
            amount(item, "returned"),
            until(item["until_ms"], now()),
            cut(clean(item["issuer"]["name"]), 24),
            cut(clean(item["holder"]["name"]), 24),
            item["status"],
        )
        for item in items
    ]
    header = ("ID", "WHAT", "LEFT", "GRANTED", "RETURNED", "ENDS", "FROM", "HOLDER", "STATUS")
    return table(header, rows)
