"""Commands about the process: up, down, status, watch."""

import fcntl
import gc
import os
import time
from typing import Any

import click

from mycelia_node.cli.reaching import reach_line
from mycelia_node.cli.render import clean, duration, now, say, say_json, table
from mycelia_node.cli.settings import Command, Settings
from mycelia_node.errors import DaemonError
from mycelia_node.home import Home
from mycelia_node.text import count, short

DOWN_TIMEOUT_S = 20.0


@click.command(cls=Command)
@click.option("--name", metavar="NAME", help="what neighbours see; kept in config.toml")
@click.pass_obj
def up(settings: Settings, name: str | None) -> int:
    """Run this node in the foreground.

    Makes what is missing: the folder, a key, the settings. Ctrl-C or SIGTERM stops it cleanly. A
    node that is in no commons yet waits for `found` or `join` from another terminal.
    """
    gc.disable()  # nothing that a module makes is garbage; to look for some is a tenth of the start
    from mycelia_node.certificates import import_aiohttp

    import_aiohttp()
    from mycelia_node.config import check_name
    from mycelia_node.daemon import run_daemon

    gc.enable()
    checked = check_name(name) if name is not None else None
    return run_daemon(settings.home, checked, settings.as_json)


@click.command(cls=Command)
@click.pass_obj
def down(settings: Settings) -> None:
    """Stop the node politely and wait until it is gone."""
    answer = settings.client.post("/v1/down")
    deadline = time.monotonic() + DOWN_TIMEOUT_S
    while is_locked(settings.home):
        if time.monotonic() > deadline:
            raise DaemonError(
                f"The node (pid {answer['pid']}) is still stopping after {DOWN_TIMEOUT_S:g} s.",
                f"Wait, or end it with `kill {answer['pid']}`.",
                code="slow",
            )
        time.sleep(0.02)
    if settings.as_json:
        say_json({"stopped": answer["pid"]})
    else:
        say(f"The node on {settings.home.path} has stopped.")


def is_locked(home: Home) -> bool:
    """Return whether a process runs on the home."""
    try:
        descriptor = os.open(home.lock, os.O_RDWR)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(descriptor)
    return False


@click.command(cls=Command)
@click.pass_obj
def status(settings: Settings) -> None:
    """Show this node, its commons and its neighbours."""
    answer = settings.client.get("/v1/status")
    if settings.as_json:
        say_json(answer)
    else:
        say(status_text(answer))


def status_text(answer: dict[str, Any]) -> str:
    """Return the status for people."""
    node = answer["node"]
    who = f"{clean(node['name'])} ({short(node['key'])})"
    since = f"running for {duration(answer['uptime_ms'])}"
    if answer["commons"] is None:
        return (
            f"{who} is in no commons yet.\n"
            f"pid {answer['pid']}, {since}, listens on {answer['listen']}\n"
            "Next: `mycelia found NAME` or `mycelia join INVITE`"
        )
    commons = answer["commons"]
    lines = [
        f'{who} in "{clean(commons["name"])}" ({short(commons["id"])})',
        f"pid {answer['pid']}, {since}, listens on {answer['listen']}",
        f"{count(answer['members'], 'member')}, {count(answer['records'], 'record')} "
        f"in {count(answer['logs'], 'log')}",
        f"{count(answer['open_offers'], 'open offer')}, "
        f"{count(answer['open_requests'], 'open request')}, {count(answer['grants'], 'grant')}",
        f"state {short(answer['state_digest'])} (equal on nodes that know the same)",
        store_line(answer),
        traffic_line(answer["traffic"]),
    ]
    if answer["gate"] == "closed":
        lines.append("may not grant yet: it must first hear from members what they hold of its log")
    lines += frozen_lines(answer["frozen"])
    if answer["overdrawn"] or answer["forks"]:
        lines.append(f"broken promises: {answer['overdrawn']} overdrawn, {answer['forks']} forks")
    sums = answer["checkpoints"]
    if sums["written"]:
        lines.append(
            f"{count(sums['written'], 'checkpoint')}, {sums['confirmed']} of them confirmed by "
            "more than half of the others"
        )
    if sums["compact_logs"]:
        logs = count(sums["compact_logs"], "log")
        lines.append(f"{logs} without older records: only what counts of them is kept here")
    if sums["refuted"]:
        lines.append(f"{count(sums['refuted'], 'checkpoint')} that can't be right; see the log")
    if answer["reach"]:
        lines.append(reach_line(answer["reach"]))
    lines += [
        f"contested: {clean(log['name'])} wrote two versions of log {short(log['log'])}; "
        f"from record {log['seq']} on it counts for nothing"
        for log in answer["contested_logs"]
    ]
    lines += [
        f"held back: {clean(author['name'])} wrote more than is taken at once; "
        f"more of it is taken in {duration(max(0, author['until_ms'] - now()))}"
        for author in answer["held_back"]
    ]
    lines += [
        f"fetching: {peer['fetched']:,} of {peer['to_fetch']:,} records from {clean(peer['name'])}"
        for peer in answer["peers"]
        if peer["fetched"] < peer["to_fetch"]
    ]
    if not answer["peers"]:
        return "\n".join([*lines, "no neighbour is connected"])
    rows = [
        (
            peer["name"],
            short(peer["key"]),
            peer["address"] if peer["direction"] == "out" else f"from {peer['address']}",
            duration(now() - peer["since_ms"]),
        )
        for peer in answer["peers"]
    ]
    return "\n".join([*lines, "", table(("NEIGHBOUR", "KEY", "ADDRESS", "SINCE"), rows)])


def frozen_lines(frozen: dict[str, Any] | None) -> list[str]:
    """Return what is frozen, why, and what to do about it, for people."""
    if frozen is None:
        return []
    waiting = names_text([one["name"] for one in frozen["awaited"]])
    until = f"does not remember. First {waiting} must tell all that they hold"
    what = [_frozen_name(one) for one in frozen["offers"]]
    what += [f"rights {short(one['id'])}" for one in frozen["rights"]]
    lines: list[str] = []
    if what:
        lines.append(
            f"frozen: {', '.join(what)}. This node came back without some of its records, and may "
            f"have promised of this what it {until}"
        )
    if frozen["offers"]:
        lines.append(
            "  or count what is there and was promised to nobody: "
            "`mycelia offer recount ID AMOUNT UNIT`"
        )
    if asked := [_frozen_name(one) for one in frozen.get("requests", ())]:
        lines.append(
            f"accepts nothing for {', '.join(asked)}: this node came back without some of its "
            f"records, and may have accepted for this what it {until}"
        )
        lines.append(
            "  or say it yourself: `mycelia grant accept ID`; or withdraw what you asked for, and "
            "ask anew for what you still need"
        )
    return lines


def _frozen_name(thing: dict[str, Any]) -> str:
    return f"{clean(thing['title'])} ({short(thing['id'])})"


def names_text(names: list[str], most: int = 3) -> str:
    """Return some names in a row, and how many more there are."""
    more = [f"{len(names) - most} more"] if len(names) > most else []
    shown = [clean(name) for name in names[:most]] + more
    return " and ".join([", ".join(shown[:-1]), shown[-1]] if shown[1:] else shown)


def store_line(answer: dict[str, Any]) -> str:
    """Return how large the store is, and what of it was let go, for people."""
    words = answer["words"]
    line = f"{answer['store_bytes'] / 2**20:,.1f} MiB on disk"
    if words["erased"]:
        line += f"; {count(words['erased'], 'record')} without words, as their authors wish"
    if words["missing"]:
        line += f"; the words of {count(words['missing'], 'record')} are missing and sought"
    return line


def traffic_line(traffic: dict[str, Any]) -> str:
    """Return what came over the links, for people."""
    frames, size = sum(traffic["frames"].values()), sum(traffic["bytes"].values())
    records = sum(traffic["records"].values())
    return (
        f"since the start {count(frames, 'frame')} came with {count(records, 'record')}, "
        f"{size / 1024:,.0f} KiB; {count(traffic['verifications'], 'signature')} checked"
    )


@click.command(cls=Command)
@click.pass_obj
def watch(settings: Settings) -> None:
    """Print events as they happen, until Ctrl-C or until the node stops."""
    try:
        for event in settings.client.stream("/v1/events"):
            if settings.as_json:
                say_json(event)
            else:
                stamp = time.strftime("%H:%M:%S")
                say(f"{stamp}  {clean(event.get('text', event.get('event')))}")
    except KeyboardInterrupt:
        return
    click.echo("The node has stopped.", err=True)
