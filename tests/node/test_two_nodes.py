"""Two real daemons: what is written on one is seen on the other, and invites work once."""

import json
import re
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from mycelia_protocol.crypto import public_key
from mycelia_protocol.identity import to_text
from mycelia_protocol.invite import Invite
from node_daemons import Daemon, Watch, cli, founder, wait_for

pytestmark = pytest.mark.daemon
Pair = tuple[Daemon, Daemon]


def wait_same(one: Daemon, two: Daemon) -> None:
    """Wait until both nodes hold the same records and derive the same state."""

    def same() -> bool:
        heads = [node.client.get("/v1/heads")["digest"] for node in (one, two)]
        states = [node.status()["state_digest"] for node in (one, two)]
        return len({*heads}) == len({*states}) == 1

    wait_for(same, "both nodes hold the same")


def test_an_offer_is_seen_on_the_other_node(pair: Pair) -> None:
    """An offer made on one node arrives on the other at once, and is told to who watches."""
    one, two = pair
    watch = Watch(two)
    wait_for(lambda: len(two.status()["peers"]) == 1, "the two are connected")
    offer = one.offer("Spring water", 7_000)
    event = watch.wait_for("record", id=offer)
    assert event["kind"] == "offer"
    assert "Spring water" in event["text"]
    (seen,) = [item for item in two.items("/v1/offers") if item["id"] == offer]
    assert seen["author"]["name"] == "Oak House"
    assert (seen["quantity"], seen["unit"], seen["mine"]) == (7_000, "mL", False)
    wait_same(one, two)


def test_a_request_is_granted_accepted_and_handed_over(pair: Pair) -> None:
    """The allocator grants; people on both sides confirm the hand-over; both see it received."""
    one, two = pair
    one.offer("Oat milk", 50_000, "food.milk")
    request = two.request(20_000, "food.milk")
    wait_for(
        lambda: any(g["status"] == "accepted" and g["request"] == request for g in grants(one)),
        "the grant is accepted",
    )
    (grant,) = [g for g in grants(one) if g["request"] == request]
    assert grant["quantity"] == 20_000
    assert one.run("grant", "handed", grant["id"][:16]).code == 0
    wait_for(lambda: status_of(two, grant["id"]) == "handed", "the hand-over is known")
    assert two.run("grant", "received", grant["id"], "19.5", "L").code == 0
    for node in pair:
        wait_for(partial(is_received, node, grant["id"]), "it is received everywhere")
    final = one.client.get(f"/v1/grants/{grant['id']}")
    assert (final["handed"], final["received"], final["needs"]) == (20_000, 19_500, ["dispute"])
    again = one.run("grant", "handed", grant["id"])
    assert (again.code, "does not fit" in again.err) == (1, True)


def is_received(node: Daemon, grant: str) -> bool:
    """Return whether a node knows that a grant was received."""
    return status_of(node, grant) == "received"


def grants(node: Daemon) -> list[dict[str, Any]]:
    """Return all grants that a node knows."""
    return node.items("/v1/grants")


def status_of(node: Daemon, grant: str) -> object:
    """Return what has become of a grant, as far as a node knows."""
    return next((g["status"] for g in grants(node) if g["id"] == grant), None)


def test_only_the_author_withdraws(pair: Pair) -> None:
    """A withdrawal by anybody else is not allowed (exit 4); by the author it closes the offer."""
    one, two = pair
    offer = one.offer("Water to withdraw", 1_000)
    wait_for(lambda: any(o["id"] == offer for o in two.items("/v1/offers")), "the offer arrived")
    refused = two.run("offer", "withdraw", offer)
    assert (refused.code, "another collective's" in refused.err) == (4, True)
    assert one.run("offer", "withdraw", offer, "--reason", "spilt").code == 0
    wait_for(lambda: not any(o["id"] == offer for o in two.items("/v1/offers")), "it is withdrawn")
    (seen,) = [o for o in two.items("/v1/offers?all=1") if o["id"] == offer]
    assert seen["withdrawn"]
    assert one.run("offer", "withdraw", offer).code == 1


def test_status_board_and_watch_for_programs(pair: Pair) -> None:
    """`--json` answers hold what a program needs, on either side of the command's name."""
    one, two = pair
    wait_for(lambda: len(one.status()["peers"]) == 1, "the two are connected")
    status = cli("status", "--home", one.home, "--json").json
    assert status == {**status, "state": "running", "overdrawn": 0, "contested": 0, "forks": 0}
    assert status["commons"]["name"] == "Riverside Commons"
    assert status["node"]["key"] == one.ready["key"]
    assert status["pid"] == one.pid
    assert status["listen"] == one.ready["listen"]
    (peer,) = status["peers"]
    assert peer["key"] == two.ready["key"]
    assert peer["name"] == "Bakery"
    assert peer["direction"] in ("in", "out")
    assert status["members"] == 2
    board = cli("--json", "--home", one.home, "board").json
    keys = {"offers", "requests", "needs_you", "to_decide", "contested", "broken"}
    assert set(board) == keys
    heads = one.client.get("/v1/heads")
    assert heads["records"] == sum(log["seq"] + 1 for log in heads["logs"])


def test_a_used_invite_is_refused(pair: Pair, tmp_path: Path) -> None:
    """An invite works once; the second newcomer is told so and has no commons."""
    one, _ = pair
    invite = one.invite()
    assert cli("--home", tmp_path / "first", "join", invite).code == 0
    second = cli("--home", tmp_path / "second", "join", invite)
    assert (second.code, "used already" in second.err) == (1, True)
    assert not (tmp_path / "second" / "charter.bin").exists()


def test_a_member_may_use_its_invite_again(pair: Pair, tmp_path: Path) -> None:
    """A newcomer whose answer was lost asks again with the same invite and is let in."""
    one, _ = pair
    invite = one.invite()
    home = tmp_path / "home"
    assert cli("--home", home, "join", invite).code == 0
    (home / "charter.bin").unlink()
    (home / "introduction.bin").unlink()
    assert cli("--home", home, "join", invite).code == 0


def broken_invites(one: Daemon) -> dict[str, tuple[str, str]]:
    """Return name -> (invite, what is said about it)."""
    good = Invite.from_text(one.invite())
    stranger = public_key(b"\7" * 32)

    def changed(**fields: object) -> str:
        values = {name: getattr(good, name) for name in Invite.__slots__}
        return Invite(**{**values, **fields}).to_text()

    return {
        "not one": ("hello", "begins with"),
        "cut short": (good.to_text()[:-20], "damaged"),
        "mistyped": (good.to_text().replace("mycelia:l", "mycelia:m"), "damaged"),
        "expired": (changed(expires_ms=1_000), "expired"),
        "unknown secret": (changed(secret=b"0" * 16), "not known"),
        "wrong commons": (changed(commons=b"0" * 32), "Joining failed"),
        "wrong inviter": (changed(inviter=stranger), "somebody else"),
        "nobody there": (changed(addresses=("127.0.0.1:9",)), "can't be reached"),
        "no such host": (changed(addresses=("nowhere.invalid:1",)), "can't be reached"),
        "empty": (" ", "empty"),
    }


def test_bad_invites_are_explained(pair: Pair, tmp_path: Path) -> None:
    """Every way in which an invite can be wrong has its own words and changes nothing."""
    one, _ = pair
    for name, (invite, said) in broken_invites(one).items():
        result = cli("--home", tmp_path / "home", "join", invite)
        assert result.code == 1, name
        assert said in result.err, name
        assert not (tmp_path / "home" / "charter.bin").exists(), name
    assert one.run("join", one.invite()).code == 1
    assert one.status()["state"] == "running"


def test_an_own_invite_is_recognised(tmp_path: Path) -> None:
    """A node that is given its own invite says so."""
    home = tmp_path / "home"
    assert cli("--home", home, "found", "Riverside Commons").code == 0
    key = public_key(bytes.fromhex((home / "identity.key").read_text()))
    (home / "charter.bin").unlink()
    own = Invite(b"0" * 32, key, b"0" * 16, 2**50, ("127.0.0.1:9",)).to_text()
    result = cli("--home", home, "join", own)
    assert (result.code, "this very node" in result.err) == (1, True)


def test_join_through_a_waiting_daemon(pair: Pair, daemon: Callable[[str], Daemon]) -> None:
    """A daemon without a commons waits, joins on request, and has the board right after."""
    one, _ = pair
    offer = one.offer("Well water")
    newcomer = daemon("newcomer").start()
    assert newcomer.status()["state"] == "no commons"
    refused = newcomer.run("board")
    assert (refused.code, "in no commons yet" in refused.err) == (1, True)
    joined = newcomer.run("join", one.invite(), "--name", "Clinic", "--json").json
    assert joined["commons"]["name"] == "Riverside Commons"
    wait_for(
        lambda: any(o["id"] == offer for o in newcomer.items("/v1/offers")), "it has the board"
    )
    wait_for(
        lambda: "Clinic" in [peer["name"] for peer in one.status()["peers"]], "its name is known"
    )
    assert newcomer.run("join", one.invite()).code == 1
    assert reach_of(one, "Clinic") == "connected"
    assert newcomer.stop() == 0
    wait_for(lambda: reach_of(one, "Clinic") == "resting", "it is known that it rests")
    assert re.search(r"Clinic\s+\S+\s+resting\s+\S+ \w+ ago", one.run("members").out)
    assert "1 resting" in one.run("status").out


def reach_of(node: Daemon, name: str) -> object:
    """Return how well a node can reach a member."""
    return next(each["reach"] for each in node.items("/v1/members") if each["name"] == name)


def test_nodes_find_each_other_again(daemon: Callable[[str], Daemon], tmp_path: Path) -> None:
    """When a node is killed and comes back, the link comes back by itself, and nothing is lost."""
    one = founder(tmp_path / "one")
    try:
        two = daemon("two")
        assert cli("--home", two.home, "join", one.invite()).code == 0
        two.start()
        wait_for(lambda: bool(two.status()["peers"]), "they are connected")
        two.kill()
        offers = [one.offer(f"Water {n}") for n in range(20)]
        two.start()
        wait_for(lambda: {o["id"] for o in two.items("/v1/offers")} == set(offers), "it caught up")
        wait_same(one, two)
    finally:
        one.kill()


def test_the_gate_opens_after_a_crash(daemon: Callable[[str], Daemon], tmp_path: Path) -> None:
    """A crashed provider grants nothing until a member has shown what it holds of its logs."""
    one = founder(tmp_path / "one")
    two = daemon("two")
    try:
        assert cli("--home", two.home, "join", one.invite()).code == 0
        one.offer("Water", 5_000)
        one.kill()
        one.start()
        assert one.status()["gate"] == "closed"
        two.start()
        wait_for(lambda: one.status()["gate"] == "open", "the gate opened")
        two.request(5_000)
        wait_for(lambda: one.status()["grants"] == 1, "the request was granted")
    finally:
        one.kill()


def test_a_restart_does_not_open_the_gate(daemon: Callable[[str], Daemon], tmp_path: Path) -> None:
    """A provider that crashed and then was stopped politely must still hear others first."""
    one = founder(tmp_path / "one")
    two = daemon("two")
    try:
        assert cli("--home", two.home, "join", one.invite()).code == 0
        one.kill()
        one.start()
        one.offer("Water", 5_000)
        assert one.status()["gate"] == "closed"
        assert one.stop() == 0
        one.start()
        assert one.status()["gate"] == "closed"
        two.start()
        wait_for(lambda: one.status()["gate"] == "open", "the gate opened")
    finally:
        one.kill()


def test_events_end_with_the_node(daemon: Callable[[str], Daemon], tmp_path: Path) -> None:
    """A watcher's stream ends when the node stops, and every line of it is JSON."""
    one = founder(tmp_path / "one")
    try:
        watch = Watch(one)
        end = time.monotonic() + 20
        while not watch.events:
            assert time.monotonic() < end
            one.offer()
        assert one.stop() == 0
        watch.join()
        assert json.dumps(watch.events)
        assert one.ready["key"] == to_text("key", public_key(bytes.fromhex(key_of(one))))
    finally:
        one.kill()


def key_of(node: Daemon) -> str:
    """Return a node's seed in hex."""
    return (node.home / "identity.key").read_text().strip()
