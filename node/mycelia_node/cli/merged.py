"""`mycelia merged`: what links that came back have brought, in plain words."""

from collections.abc import Iterator
from typing import Any

import click

from mycelia_node.cli.render import (
    clean,
    duration,
    grants_table,
    now,
    requests_table,
    say,
    say_json,
)
from mycelia_node.cli.settings import Command, Settings
from mycelia_node.cli.times import moment_text, parse_span
from mycelia_node.quantity import format_quantity
from mycelia_node.text import count

Json = dict[str, Any]


@click.command(cls=Command)
@click.option("--since", type=parse_span, metavar="SPAN", help="what came in the last 2h, say")
@click.pass_obj
def merged(settings: Settings, since: int | None) -> None:
    """Say what became known since links last came back, by whom, and what it brought about."""
    query = "" if since is None else f"?since_ms={now() - since}"
    answer = settings.client.get(f"/v1/merged{query}")
    if settings.as_json:
        say_json(answer)
        return
    for line in lines(answer):
        say(line)


def lines(answer: Json) -> Iterator[str]:
    """Yield the report for people."""
    if answer["since_ms"] is None:
        yield "No link has come back so far. What came in the last two hours: --since 2h."
        return
    ago = duration(answer["until_ms"] - answer["since_ms"])
    yield f"Since {moment_text(answer['since_ms'])}, {ago} ago:"
    yield from map(_neighbour, answer["neighbours"])
    if not answer["neighbours"]:
        yield "Nothing new came."
    news = [*_contested(answer), *_rights(answer), *_forks(answer), *_unmet(answer)]
    yield ""
    if news:
        yield from news
    else:
        yield "No grant is contested, no lease is over, and no request that came lacks anything."


def _neighbour(told: Json) -> str:
    name, apart_ms = clean(told["name"]), told["apart_ms"]
    came = f"By {name}" if apart_ms is None else f"{name} came back after {duration(apart_ms)}"
    if not told["records"]:
        return f"{came}: nothing new."
    authors = count(len(told["authors"]), "member")
    kinds = ("offer", "request", "grant")
    things = [count(len(told[f"{kind}s"]), kind) for kind in kinds if told[f"{kind}s"]]
    among = f"; among them {', '.join(things)}" if things else ""
    return f"{came}: {count(told['records'], 'record')} of {authors}{among}."


def _contested(answer: Json) -> Iterator[str]:
    if answer["contested"]:
        yield "Contested, so that nobody gets it:"
        yield grants_table(answer["contested"])


def _rights(answer: Json) -> Iterator[str]:
    for back in answer["returned"]:
        rights = back["rights"]
        if rights is not None:
            what = _amount(back["quantity"], rights)
            giver = clean(rights["issuer"]["name"])
            yield f"Came back: {clean(back['holder']['name'])} returned {what} to {giver}."
    for rights in answer["overdue"]:
        what, holder = _amount(rights["left"], rights), clean(rights["holder"]["name"])
        giver, over = clean(rights["issuer"]["name"]), moment_text(rights["until_ms"])
        yield f"Overdue: {holder} has not returned {what} to {giver}; its lease was over at {over}."


def _forks(answer: Json) -> Iterator[str]:
    for fork in answer["forks"]:
        name = clean(fork["name"])
        yield f"Two versions: {name} wrote one log twice; from where they part on, none counts."
    for grant in answer["forked"]:
        giver, taker = clean(grant["provider"]["name"]), grant["requester"]
        to = f" to {clean(taker['name'])}" if taker else ""
        yield f"Contested: {giver} promised {_amount(grant['quantity'], grant)}{to} in one of them."


def _unmet(answer: Json) -> Iterator[str]:
    if answer["unmet"]:
        yield "Unmet, of the requests that came:"
        yield requests_table(answer["unmet"])


def _amount(quantity: int, rights: Json) -> str:
    """Return how much of what, as far as the offer is here."""
    if rights["unit"] is None:
        return "something that is not here yet"
    return f"{format_quantity(quantity, rights['unit'])} of {clean(rights['title'])}"
