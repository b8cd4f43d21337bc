"""Commands about grants: what was promised to you or by you, and what became of it."""

import click

from mycelia_node.cli.render import grants_table, say, say_json
from mycelia_node.cli.settings import Group, Settings
from mycelia_node.cli.things import quoted
from mycelia_node.quantity import parse_quantity
from mycelia_node.text import short

ACTIONS = {
    "accept": ("Accept a grant to a request of yours.", "Accepted"),
    "decline": ("Decline a grant to a request of yours; it goes to others.", "Declined"),
    "withdraw": ("Take back a grant of yours, for good.", "Taken back"),
    "settle": ("Say that what you disputed is settled; else a dispute stands for ever.", "Settled"),
}
RECEIPTS = {
    "handed": ("Say that you handed the goods over.", "Noted as handed over"),
    "received": ("Say that you received the goods.", "Noted as received"),
    "returned": ("Say that what was lent is back, or that you brought it.", "Noted as returned"),
}
MATTERS = ("not-received", "not-as-described", "not-returned", "damaged", "other")


@click.group(cls=Group)
def grant() -> None:
    """Answer grants and confirm hand-overs."""


@grant.command("list")
@click.option("--all", "every", is_flag=True, help="also those between others")
@click.pass_obj
def list_grants(settings: Settings, every: bool) -> None:
    """List what was granted to you or by you."""
    answer = settings.client.get(f"/v1/grants?mine={int(not every)}")
    if settings.as_json:
        say_json(answer)
    elif answer["items"]:
        say(grants_table(answer["items"]))
    else:
        click.echo("None.", err=True)


def _act(settings: Settings, grant_id: str, action: str, body: dict[str, object]) -> None:
    answer = settings.client.post(f"/v1/grants/{quoted(grant_id)}/{action}", body)
    if settings.as_json:
        say_json(answer)
    else:
        said = "Disputed" if action == "dispute" else (ACTIONS | RECEIPTS)[action][1]
        say(f"{said}: {short(grant_id)}")


def _add_action(action: str, text: str) -> None:
    @grant.command(action, help=text)
    @click.argument("id")
    @click.pass_obj
    def act(settings: Settings, id: str) -> None:  # noqa: A002  what it is called on screen
        _act(settings, id, action, {})


def _add_receipt(action: str, text: str) -> None:
    @grant.command(action, help=f"{text} AMOUNT UNIT if it was not what was granted.")
    @click.argument("id")
    @click.argument("amount", required=False)
    @click.argument("unit", required=False)
    @click.pass_obj
    def act(settings: Settings, id: str, amount: str | None, unit: str | None) -> None:  # noqa: A002
        body: dict[str, object] = {}
        if amount is not None:
            if unit is None:
                raise click.UsageError("AMOUNT needs its UNIT.")
            body["quantity"] = parse_quantity(amount, unit)[0]
        _act(settings, id, action, body)


@grant.command("dispute")
@click.argument("id")
@click.argument("matter", type=click.Choice(MATTERS))
@click.argument("text", default="")
@click.pass_obj
def dispute(settings: Settings, id: str, matter: str, text: str) -> None:  # noqa: A002
    """Say that something went wrong with a grant, in a word and in words."""
    _act(settings, id, "dispute", {"matter": matter, **({"text": text} if text else {})})


for _name, (_text, _) in ACTIONS.items():
    _add_action(_name, _text)
for _name, (_text, _) in RECEIPTS.items():
    _add_receipt(_name, _text)
