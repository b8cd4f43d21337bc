"""`mycelia decide`: a person sees what the policy gives, and agrees or decides otherwise."""

import sys
from typing import Any

import click

from mycelia_node.cli.render import clean, cut, say, say_json, table
from mycelia_node.cli.settings import Command, Settings
from mycelia_node.cli.things import quoted
from mycelia_node.errors import RequestError
from mycelia_node.quantity import format_quantity, parse_quantity
from mycelia_node.text import short, unique_size

Json = dict[str, Any]


@click.command(cls=Command)
@click.argument("offer")
@click.option("--slot", type=click.IntRange(0), help="which slot of what is lent, from 0")
@click.option("--yes", is_flag=True, help="agree with what the policy gives, without a question")
@click.option(
    "--instead",
    nargs=3,
    metavar="REQUEST AMOUNT UNIT",
    help="give that much to that request instead; needs --reason and --approver",
)
@click.option("--reason", help="why, in words that everybody reads")
@click.option("--approver", metavar="MEMBER", help="who approved it, best by `mycelia consent`")
@click.pass_obj
def decide(
    settings: Settings,
    offer: str,
    slot: int | None,
    yes: bool,
    instead: tuple[str, str, str] | None,
    reason: str | None,
    approver: str | None,
) -> None:
    """Say who gets OFFER: what the policy gives, or another request, with a reason.

    Shows who stands where, and asks. What you decide is a record with all the numbers; deciding
    otherwise is counted by every audit. Offers made with --ask wait for this.
    """
    others = (instead, reason, approver)
    if any(others) and (yes or not all(others)):
        raise click.UsageError("--instead, --reason and --approver go together, without --yes.")
    path = f"/v1/offers/{quoted(offer)}/decide"
    if instead is not None:
        request, amount, unit = instead
        quantity = parse_quantity(amount, unit)[0]
        body: Json = {"request": request, "quantity": quantity}
        body |= {"reason": reason, "approver": approver}
    else:
        shown = settings.client.get(path)
        part = _part(shown, slot)
        grants = [
            {"request": each["request"], "quantity": each["given"]}
            for each in part["decision"]["candidates"]
            if each["given"]
        ]
        if not yes:
            _show(settings, shown, part)
            if settings.as_json or not grants or not _agrees():
                return
        body = {"grants": grants, "purse": part["purse"]}
    if slot is not None:
        body["slot"] = slot
    answer = settings.client.post(path, body)
    if settings.as_json:
        say_json(answer)
    else:
        say(answer["id"])


@click.command(cls=Command)
@click.argument("offer")
@click.argument("request")
@click.argument("amount")
@click.argument("unit")
@click.option("--slot", type=click.IntRange(0), help="which slot of what is lent, from 0")
@click.option("--rights", "purse", metavar="RIGHTS", help="if a holder of rights decides")
@click.pass_obj
def consent(settings: Settings, /, offer: str, request: str, **more: Any) -> None:
    """Agree that REQUEST gets AMOUNT UNIT of OFFER, though the policy gives otherwise.

    Whoever decides on it with --instead and --approver YOU refers to this, once; an override
    without it is counted by every audit as one that nobody else approved.
    """
    body: Json = {"request": request, "quantity": parse_quantity(more["amount"], more["unit"])[0]}
    body |= {name: more[name] for name in ("slot", "purse") if more[name] is not None}
    answer = settings.client.post(f"/v1/offers/{quoted(offer)}/consent", body)
    if settings.as_json:
        say_json(answer)
    else:
        say(answer["id"])


def _part(shown: Json, slot: int | None) -> Json:
    """Return the one part of an offer that is to be decided on."""
    parts = shown["parts"]
    found: list[Json] = [each for each in parts if slot is None or each["slot"] == slot]
    if not found:
        raise RequestError("Nothing of this offer can be granted here.", code="spent")
    slots = [str(each["slot"]) for each in found if each["slot"] is not None]
    if len(found) > 1 and slots:
        raise click.UsageError(f"Name one of its slots: --slot {', '.join(slots)}.")
    return found[0]


def _show(settings: Settings, shown: Json, part: Json) -> None:
    """Show who stands where, and why."""
    if settings.as_json:
        say_json({**shown, "parts": [part]})
        return
    decision, unit = part["decision"], shown["unit"]
    say(f"{format_quantity(decision['available'], unit)}, by {clean(shown['policy']['name'])!r}:")
    candidates = decision["candidates"]
    size = unique_size(each["request"] for each in candidates)
    rows = [
        (
            short(each["request"], size),
            cut(clean(each["who"]["name"])),
            cut(clean(each["who"]["title"])),
            each["who"]["urgency"],
            "-" if each["score"] is None else f"{each['score']:,}",
            format_quantity(each["given"], unit) if each["given"] else "-",
            ", ".join(each["gates"]) or "-",
        )
        for each in candidates
    ]
    if rows:
        say(table(("REQUEST", "WHO", "WHAT", "URGENCY", "SCORE", "GETS", "OUT BECAUSE OF"), rows))
    for sentence in part["sentences"]:
        say(clean(sentence))


def _agrees() -> bool:
    """Ask a person at a terminal; nobody else agrees without --yes."""
    if not sys.stdin.isatty():
        click.echo("Agree with --yes, or decide otherwise with --instead.", err=True)
        return False
    return click.confirm("Grant this?", default=False, err=True)
