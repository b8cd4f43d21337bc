"""Commands about what is shared: offer, request, board, categories."""

from dataclasses import asdict
from typing import Any

import click

from mycelia_node.category import read_category, unit_hint, units_text
from mycelia_node.cli.render import (
    grants_table,
    now,
    offers_table,
    requests_table,
    say,
    say_json,
    table,
)
from mycelia_node.cli.settings import Command, Group, Settings
from mycelia_node.cli.thing_text import thing_text
from mycelia_node.cli.times import parse_moment, parse_slot, parse_span
from mycelia_node.quantity import parse_quantity
from mycelia_node.text import short
from mycelia_protocol.sharing.categories import CATEGORIES, GROUPS, find, suggest

URGENCIES = ("now", "days", "week", "anytime")


def parse_place(text: str) -> dict[str, int]:
    """Return LAT,LON as 1e-7 degrees; the node makes it coarse before it signs it."""
    from decimal import Decimal, InvalidOperation

    try:
        lat, lon = (int(Decimal(part) * 10_000_000) for part in text.split(","))
    except (InvalidOperation, ValueError, OverflowError):
        raise click.BadParameter(f"{text!r} is no place; write 44.97,-93.26") from None
    return {"lat_e7": lat, "lon_e7": lon}


def thing_options(function: Any) -> Any:
    """Add what offers and requests have in common."""
    for decorate in (
        click.option("--place", type=parse_place, metavar="LAT,LON", help="kept to about 1 km"),
        click.option("--ends", type=parse_span, metavar="SPAN", help="fades after, such as 14d"),
        click.option("--note", default="", help="anything else people should know"),
        click.option("--new-category", is_flag=True, help="take a category that is not listed"),
        click.argument("unit"),
        click.argument("quantity", metavar="AMOUNT"),
        click.argument("title"),
        click.argument("category"),
    ):
        function = decorate(function)
    return click.pass_obj(function)


def thing_body(
    category: str,
    new_category: bool,
    title: str,
    quantity: str,
    unit: str,
    note: str,
    ends: int | None,
    place: Any,
) -> dict[str, object]:
    """Return the request body of what offers and requests have in common."""
    code = read_category(category, new_category)
    number, base = parse_quantity(quantity, unit)
    for remark in (f"Category: {code}." if code != category else "", unit_hint(code, base)):
        if remark:
            click.echo(remark, err=True)
    body: dict[str, object] = {
        "category": code,
        "title": title,
        "quantity": number,
        "unit": base,
    }
    if note:
        body["note"] = note
    if ends is not None:
        body["expires_ms"] = now() + ends
    if place is not None:
        body["place"] = place
    return body


def thing_fields(fields: dict[str, Any]) -> dict[str, Any]:
    """Return what `thing_body` takes of a command's options."""
    names = ("category", "new_category", "title", "quantity", "unit", "note", "ends", "place")
    return {name: fields[name] for name in names if name in fields}


@click.group(cls=Group)
def offer() -> None:
    """Offer something; list, show and withdraw offers."""


@offer.command("add")
@click.option("--lot", metavar="AMOUNT", help="smallest part that is given, in the same unit")
@click.option("--minimum", metavar="AMOUNT", help="the least that one request should get")
@click.option("--service", is_flag=True, help="it is somebody's time; UNIT is h or min")
@click.option(
    "--lend",
    "slots",
    type=parse_slot,
    multiple=True,
    metavar="FROM/UNTIL",
    help="lend it then, such as 2026-08-01T09:00/12:00; once for each slot",
)
@click.option("--from", "from_ms", type=parse_moment, metavar="TIME", help="to be had from then")
@click.option("--until", "until_ms", type=parse_moment, metavar="TIME", help="to be had until")
@click.option("--carrier", metavar="WORD", help="how it travels, such as cargo-bike")
@click.option("--only", "audience", multiple=True, metavar="MEMBER", help="for them alone")
@click.option("--of", "party", metavar="PARTY", help="a party whose it is, by its id")
@click.option("--renewing", is_flag=True, help="more of it comes again and again")
@click.option("--inexhaustible", is_flag=True, help="giving takes nothing away")
@click.option("--ask", is_flag=True, help="grant nothing by itself: people run `mycelia decide`")
@thing_options
def add_offer(settings: Settings, quantity: str, unit: str, **fields: Any) -> None:
    """Offer AMOUNT UNIT of something, such as: food.water "Drinking water" 200 L

    Something lent is counted in pieces, and AMOUNT is how many there are in each slot.
    """
    body = thing_body(quantity=quantity, unit=unit, **thing_fields(fields))
    for name in ("lot", "minimum"):
        if fields[name] is not None:
            body[name] = parse_quantity(fields[name], unit)[0]
    if fields["slots"]:
        body |= {"terms": "lend", "slots": sorted(fields["slots"])}
    elif fields["service"]:
        body["terms"] = "service"
    flags = ("renewing", "inexhaustible", "ask")
    for name in ("from_ms", "until_ms", "carrier", "audience", *flags):
        if fields[name] or fields[name] == 0:
            body[name] = fields[name]
    if fields["party"] is not None:
        body["on_behalf_of"] = fields["party"]
    _added(settings, settings.client.post("/v1/offers", body))


@click.group(cls=Group)
def request() -> None:
    """Ask for something; list, show and withdraw requests."""


@request.command("add")
@click.option("--urgency", type=click.Choice(URGENCIES), default="anytime", show_default=True)
@click.option("--within", type=parse_span, metavar="SPAN", help="needed by then, such as 36h")
@click.option("--people", type=click.IntRange(1), metavar="N", help="for how many people it is")
@click.option("--for", "party", metavar="PARTY", help="a party that it is for, by its id")
@click.option(
    "--or", "others", multiple=True, metavar="CATEGORY", help="what would do as well; a group too"
)
@thing_options
def add_request(settings: Settings, **fields: Any) -> None:
    """Ask for AMOUNT UNIT of something, such as: food.water "Drinking water" 20 L"""
    body = {**thing_body(**thing_fields(fields)), "urgency": fields["urgency"]}
    if fields["within"] is not None:
        body["needed_by_ms"] = now() + fields["within"]
    if fields["people"] is not None:
        body["people"] = fields["people"]
    if fields["party"] is not None:
        body["on_behalf_of"] = fields["party"]
    if fields["others"]:
        codes = [each if each in GROUPS else read_category(each) for each in fields["others"]]
        body["substitutes"] = list(dict.fromkeys(codes))
    _added(settings, settings.client.post("/v1/requests", body))


def add_common_commands(group: click.Group, path: str) -> None:
    """Give a group its list, show and withdraw."""
    is_offer = path == "/v1/offers"

    @group.command("list")
    @click.option("--mine", is_flag=True, help="only this node's own")
    @click.option("--all", "every", is_flag=True, help="also what is used up, expired, withdrawn")
    @click.pass_obj
    def list_things(settings: Settings, mine: bool, every: bool) -> None:
        """List what is open."""
        answer = settings.client.get(f"{path}?mine={int(mine)}&all={int(every)}")
        if settings.as_json:
            say_json(answer)
        elif answer["items"]:
            say((offers_table if is_offer else requests_table)(answer["items"]))
        else:
            click.echo("None.", err=True)

    @group.command("show")
    @click.argument("id")
    @click.pass_obj
    def show_thing(settings: Settings, id: str) -> None:  # noqa: A002  what it is called on screen
        """Show one, and what was granted."""
        answer = settings.client.get(f"{path}/{quoted(id)}")
        if settings.as_json:
            say_json(answer)
        else:
            say(thing_text(answer))

    @group.command("withdraw")
    @click.argument("id")
    @click.option("--reason", default="", help="why, in words")
    @click.option("--met", is_flag=True, hidden=is_offer, help="somebody else met it")
    @click.pass_obj
    def withdraw_thing(settings: Settings, id: str, reason: str, met: bool) -> None:  # noqa: A002
        """Take back what is left; what was promised already stands."""
        body: dict[str, object] = {"reason": reason} if reason else {}
        if met:
            body["met_elsewhere"] = True
        answer = settings.client.post(f"{path}/{quoted(id)}/withdraw", body)
        if settings.as_json:
            say_json(answer)
        else:
            say(f"Withdrawn {short(id)}.")


add_common_commands(offer, "/v1/offers")
add_common_commands(request, "/v1/requests")


@offer.command("renew")
@click.argument("id")
@click.option("--ends", type=parse_span, metavar="SPAN", help="fades after, from now on")
@click.option("--until", "until_ms", type=parse_moment, metavar="TIME", help="to be had until")
@click.option("--more", nargs=2, metavar="AMOUNT UNIT", help="so much came to it")
@click.pass_obj
def renew_offer(
    settings: Settings,
    id: str,  # noqa: A002
    ends: int | None,
    until_ms: int | None,
    more: tuple[str, str] | None,
) -> None:
    """Let an offer go on, or say that more of it came."""
    body: dict[str, object] = {} if ends is None else {"expires_ms": now() + ends}
    if until_ms is not None:
        body["until_ms"] = until_ms
    if more:
        body["quantity"] = parse_quantity(*more)[0]
    _renew(settings, "/v1/offers", id, body)


@offer.command("recount")
@click.argument("id")
@click.argument("quantity", metavar="AMOUNT")
@click.argument("unit")
@click.pass_obj
def recount_offer(settings: Settings, id: str, quantity: str, unit: str) -> None:  # noqa: A002
    """Withdraw an offer, and offer AMOUNT UNIT of it anew: what you have counted.

    After a backup came back this node may not remember all that it promised. Count what lies on
    the shelf, and leave out what somebody may come for: promises that were made stand.
    """
    body: dict[str, object] = {"quantity": parse_quantity(quantity, unit)[0]}
    _added(settings, settings.client.post(f"/v1/offers/{quoted(id)}/recount", body))


@request.command("renew")
@click.argument("id")
@click.option("--ends", type=parse_span, metavar="SPAN", help="drops off the list after, from now")
@click.option("--within", type=parse_span, metavar="SPAN", help="needed by then, from now on")
@click.pass_obj
def renew_request(settings: Settings, id: str, ends: int | None, within: int | None) -> None:  # noqa: A002
    """Let a request go on; it keeps its place in the queue."""
    body: dict[str, object] = {} if ends is None else {"expires_ms": now() + ends}
    if within is not None:
        body["needed_by_ms"] = now() + within
    _renew(settings, "/v1/requests", id, body)


def _renew(settings: Settings, path: str, thing: str, body: dict[str, object]) -> None:
    if not body:
        raise click.UsageError("Say what changes, such as --ends 14d.")
    _added(settings, settings.client.post(f"{path}/{quoted(thing)}/renew", body))


@request.command("claim")
@click.argument("id")
@click.argument("offer_id", metavar="OFFER")
@click.argument("quantity", metavar="AMOUNT")
@click.argument("unit")
@click.option("--rank", type=click.IntRange(1, 99), default=1, show_default=True, help="1 the best")
@click.option("--slot", type=click.IntRange(0), help="which slot of what is lent, from 0")
@click.pass_obj
def claim(
    settings: Settings,
    /,
    id: str,  # noqa: A002
    offer_id: str,
    quantity: str,
    unit: str,
    **more: Any,
) -> None:
    """Say that OFFER would serve a request of yours, and how much you like it."""
    body: dict[str, object] = {"request": id, "offer": offer_id, "rank": more["rank"]}
    body["quantity"] = parse_quantity(quantity, unit)[0]
    if more["slot"] is not None:
        body["slot"] = more["slot"]
    _added(settings, settings.client.post("/v1/claims", body))


@click.command(cls=Command)
@click.argument("word", required=False)
@click.pass_obj
def categories(settings: Settings, word: str | None) -> None:
    """List the categories, or those that are meant by WORD, the nearest first."""
    found = list(CATEGORIES)
    if word is not None:
        meant = find(word)
        found = [meant] if meant else suggest(word, 5)
        if not found:
            click.echo(f"Nothing is near {word!r}.", err=True)
            return
    if settings.as_json:
        say_json([asdict(each) for each in found])
        return
    rows = [(each.code, each.name, each.example, units_text(each)) for each in found]
    say(table(("CATEGORY", "WHAT", "FOR EXAMPLE", "IN"), rows))


@click.command(cls=Command)
@click.pass_obj
def board(settings: Settings) -> None:
    """Show everything that is open, and what waits for you."""
    answer = settings.client.get("/v1/board")
    if settings.as_json:
        say_json(answer)
        return
    offers, requests, waiting = answer["offers"], answer["requests"], answer["needs_you"]
    parts = [
        f"OFFERS ({len(offers)})\n" + (offers_table(offers) if offers else "none is open"),
        f"REQUESTS ({len(requests)})\n"
        + (requests_table(requests) if requests else "none is open"),
    ]
    if waiting:
        parts.append(f"NEEDS YOU ({len(waiting)})\n{grants_table(waiting)}")
    if broken := answer["broken"]:
        heading = (
            f"BROKEN ({len(broken)}): promised to you, but there was not enough; others may help"
        )
        parts.append(f"{heading}\n{grants_table(broken)}")
    if deciding := answer["to_decide"]:
        heading = f"TO DECIDE ({len(deciding)}): `mycelia decide ID` shows who would get it"
        parts.append(f"{heading}\n{offers_table(deciding)}")
    if answer["contested"]:
        rows = [
            (each["id"], each["name"], f"{each['kind']}: {each['title']}")
            for each in answer["contested"]
        ]
        parts.append(
            f"CONTESTED ({len(rows)}): counts for nothing, its author wrote two versions of a log\n"
            + table(("ID", "BY", "WHAT"), rows)
        )
    say("\n\n".join(parts))


def quoted(text: str) -> str:
    """Return a text as one part of a path."""
    from urllib.parse import quote

    return quote(text, safe="") or "-"


def _added(settings: Settings, answer: dict[str, Any]) -> None:
    if settings.as_json:
        say_json(answer)
    else:
        say(answer["id"])
