"""Commands about the policy: by what an offer is given away, and why somebody stands first."""

import json
from pathlib import Path
from typing import Any

import click

from mycelia_node.cli.render import clean, say, say_json, table
from mycelia_node.cli.settings import Command, Group, Settings
from mycelia_node.cli.things import quoted
from mycelia_node.errors import RequestError


@click.group(cls=Group)
def policy() -> None:
    """By what offers are given away when more is asked for than there is."""


@policy.command("show")
@click.pass_obj
def show_policy(settings: Settings) -> None:
    """Show the policy in force; with --json its whole document, to change and set."""
    answer = settings.client.get("/v1/policy")
    if settings.as_json:
        say_json(answer)
        return
    say(f"{clean(answer['name'])}, epoch {answer['epoch']}, mode {answer['mode']}")
    say(table(("FACTOR", "WEIGHT"), [(name, str(n)) for name, n in answer["weights"].items()]))
    floors = ", ".join(answer["floors"]) or "none"
    say(f"floors: {floors}; at most {answer['distance_max_m'] / 1000:g} km")


@policy.command("list")
@click.pass_obj
def list_policies(settings: Settings) -> None:
    """List the baselines that every node knows."""
    answer = settings.client.get("/v1/policies")
    if settings.as_json:
        say_json(answer)
        return
    rows = [
        (
            item["baseline"],
            clean(item["name"]),
            item["mode"],
            ", ".join(f"{name} {n}" for name, n in item["weights"].items() if n),
        )
        for item in answer["items"]
    ]
    say(table(("BASELINE", "IN WORDS", "MODE", "WEIGHTS"), rows))


@policy.command("set")
@click.argument("policy", metavar="BASELINE|FILE.json")
@click.pass_obj
def set_policy(settings: Settings, policy: str) -> None:
    """Put a policy in force: a baseline by its name, or a document as `policy show --json` has it.

    The founder of the commons alone can. Epoch and previous policy are filled in.
    """
    body: dict[str, object] = {"baseline": policy}
    path = Path(policy)
    if path.suffix == ".json":
        try:
            told: Any = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise click.UsageError(f"{policy} can't be read: {error}") from error
        if not isinstance(told, dict):
            raise click.UsageError(f"{policy} holds no JSON object.")
        body = {"document": told.get("document", told)}
    answer = settings.client.post("/v1/policy", body)
    if settings.as_json:
        say_json(answer)
    else:
        say(answer["id"])


@click.command(cls=Command)
@click.argument("id")
@click.option("--policy", metavar="BASELINE", help="of an offer: by another policy than in force")
@click.pass_obj
def why(settings: Settings, id: str, policy: str | None) -> None:  # noqa: A002
    """Say who gets an offer, why, and what would change that.

    ID is an offer, of which it says who would get what is left now; or a decision, or a grant that
    follows from one, of which it says how it came about. Every sentence is made of numbers that
    anybody with the same records comes to; --json has them.
    """
    try:
        query = "" if policy is None else f"?policy={quoted(policy)}"
        answer = settings.client.get(f"/v1/offers/{quoted(id)}/why{query}")
    except RequestError as error:
        if policy is not None or error.status != 404:
            raise
        answer = settings.client.get(f"/v1/decisions/{quoted(id)}/why")
    if settings.as_json:
        say_json(answer)
        return
    say(f"By the policy {clean(answer['policy']['name'])!r}:")
    if not answer["parts"]:
        say("Nothing is left to give.")
    for part in answer["parts"]:
        if part["slot"] is not None:
            say(f"Slot {part['slot']}:")
        for sentence in part["sentences"]:
            say(clean(sentence))
        for fault in part.get("faults", []):
            say(f"It does not recompute: {clean(fault)}")
