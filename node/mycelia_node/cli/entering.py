"""Commands about the commons: found, invite, join. The first and last work without a daemon too."""

from typing import Any

import click

from mycelia_node.cli.render import clean, duration, now, say, say_json
from mycelia_node.cli.settings import Command, Settings
from mycelia_node.errors import DaemonError, RequestError
from mycelia_node.home import Home
from mycelia_node.text import short

NAME_OPTION = click.option("--name", metavar="NODE", help="what neighbours see of this node")


@click.command(cls=Command)
@click.argument("name")
@click.option("--name", "node_name", metavar="NODE", help="what neighbours see of this node")
@click.pass_obj
def found(settings: Settings, name: str, node_name: str | None) -> None:
    """Found a commons called NAME and be its first member."""
    body: dict[str, object] = {"name": name}
    if node_name is not None:
        body = {"name": node_name, "commons": name}
    try:
        answer = settings.client.post("/v1/found", body)
        is_running = True
    except DaemonError as error:
        if error.code != "not-running":
            raise
        answer = found_offline(settings.home, name, node_name)
        is_running = False
    entered(settings, answer, "Founded", is_running)


@click.command(cls=Command)
@click.argument("invite")
@click.option("--name", "node_name", metavar="NODE", help="what neighbours see of this node")
@click.pass_obj
def join(settings: Settings, invite: str, node_name: str | None) -> None:
    """Join a commons with the INVITE that a member gave you."""
    body: dict[str, object] = {"invite": invite}
    if node_name is not None:
        body["name"] = node_name
    try:
        answer = settings.client.post("/v1/join", body)
        is_running = True
    except DaemonError as error:
        if error.code != "not-running":
            raise
        answer = join_offline(settings.home, invite, node_name)
        is_running = False
    entered(settings, answer, "Joined", is_running)


@click.command(cls=Command)
@click.option("--days", default=3, show_default=True, help="how long it is valid, 1 to 28")
@click.pass_obj
def invite(settings: Settings, days: int) -> None:
    """Make an invite for one newcomer. It works once."""
    answer = settings.client.post("/v1/invites", {"days": days})
    if settings.as_json:
        say_json(answer)
        return
    say(answer["invite"])
    span = duration(answer["expires_ms"] - now() + 60_000)
    click.echo(
        f"\nValid once, for {span}. Give it to one newcomer on a way that others do not read; "
        f"they run:\n\n  mycelia join {answer['invite']}\n\n"
        f"This node must be reachable for them at {', '.join(answer['addresses'])}.",
        err=True,
    )


def entered(settings: Settings, answer: dict[str, Any], verb: str, is_running: bool) -> None:
    """Say which commons this node is in now."""
    if settings.as_json:
        say_json({**answer, "running": is_running})
        return
    commons, node = answer["commons"], answer["node"]
    say(
        f'{verb} "{clean(commons["name"])}" ({short(commons["id"])}) '
        f"as {clean(node['name'])} ({short(node['key'])})."
    )
    home = "" if settings.home_path is None else f" --home {settings.home_path}"
    following = "status" if is_running else "up"
    click.echo(f"Next: `mycelia{home} {following}`", err=True)


def found_offline(home: Home, name: str, node_name: str | None) -> dict[str, Any]:
    """Found a commons while no daemon runs.

    Raises:
        NodeError: the home is in a commons already, in use, or can't be written.
    """
    from mycelia_node.config import check_name
    from mycelia_node.offline import enter, found_commons

    commons = check_name(name)
    return enter(home, node_name, lambda seed: found_commons(home, seed, commons))


def join_offline(home: Home, invite: str, node_name: str | None) -> dict[str, Any]:
    """Join a commons while no daemon runs; raises as `found_offline`."""
    import asyncio

    from mycelia_node.clock import Clock
    from mycelia_node.joining import join as join_commons
    from mycelia_node.joining import keep
    from mycelia_node.offline import enter
    from mycelia_protocol.charter import Charter

    def use(seed: bytes) -> Charter:
        joined = asyncio.run(join_commons(invite, seed, Clock()))
        keep(home, joined)
        return Charter.decode(joined.charter)

    if not invite.strip():
        raise RequestError("The invite is empty.", "Copy the whole line that begins mycelia:")
    return enter(home, node_name, use)
