"""Rights, parties, claims, loans and renewals between two real daemons, by commands."""

import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from node_daemons import Daemon, wait_for

pytestmark = pytest.mark.daemon
Pair = tuple[Daemon, Daemon]


def said(node: Daemon, *words: str) -> Any:
    """Run a command that must succeed, and return its answer."""
    result = node.run(*words, "--json")
    assert result.code == 0, result.err
    return json.loads(result.out)


def arrives(node: Daemon, path: str) -> Callable[[], bool]:
    """Return a question whether a node knows the thing at a path."""

    def look() -> bool:
        return any(item["id"] == path.rpartition("/")[2] for item in node.items(parent))

    parent = f"{path.rpartition('/')[0]}?all=1" if "offers" in path else path.rpartition("/")[0]
    return look


def test_rights_are_given_spent_and_returned(pair: Pair) -> None:
    """Who holds rights sees what it may grant, returns the rest, and nobody gives too much."""
    one, two = pair
    offer = said(one, "offer", "add", "energy.store", "Batteries", "10", "pieces")["id"]
    wait_for(arrives(two, f"/v1/offers/{offer}"), "the offer is there")
    said(two, "offer", "add", "food.dry", "Rice", "1", "kg")  # so that it has a log
    give = ("rights", "give", offer, "Bakery")
    wait_for(lambda: one.run(*give, "4", "pieces", "--for", "2d").code == 0, "rights are given")
    too_many = one.run(*give, "7", "pieces")
    assert (too_many.code, "Only 6 x can be given" in too_many.err) == (1, True)
    assert one.run("rights", "give", offer, "Oak House", "1", "pieces").code == 1
    wait_for(lambda: bool(two.items("/v1/rights?mine=1")), "the rights are there")
    (held,) = two.items("/v1/rights?mine=1")
    assert (held["left"], held["status"], held["holder"]["name"]) == (4, "held", "Bakery")
    assert one.run("rights", "return", held["id"]).code == 4
    assert two.run("rights", "return", held["id"], "5", "pieces").code == 1
    assert two.run("rights", "return", held["id"], "3", "pieces").code == 0

    def where() -> list[int]:
        shown = one.client.get(f"/v1/offers/{offer}")
        return [shown["left"], shown["escrow"], shown["rights"][0]["returned"]]

    wait_for(lambda: where() == [6, 4, 3], "the return is known")
    assert "Bakery" in one.run("rights", "list").out
    assert one.run(*give, "9", "pieces").code == 0  # names the return
    assert where() == [0, 10, 3]


def test_a_loan_is_returned_and_may_be_disputed(pair: Pair) -> None:
    """Something lent in a slot is granted, brought back, had again, disputed, and settled."""
    one, two = pair
    begin = time.strftime("%Y-%m-%dT%H:00", time.localtime(time.time() + 86_400))
    slot = f"{begin}/{begin[:11]}23:59"
    loan = said(one, "offer", "add", "tool.building", "Drill", "1", "pieces", "--lend", slot)["id"]
    need = said(two, "request", "add", "tool.building", "Drill", "1", "pieces", "--people", "2")[
        "id"
    ]

    def grant() -> dict[str, Any]:
        found = [each for each in two.items("/v1/grants") if each["request"] == need]
        return found[0] if found else {}

    wait_for(lambda: grant().get("status") == "accepted", "it is granted")
    assert (grant()["offer"], grant()["slot"]["from_ms"] > 0) == (loan, True)
    words = ("grant", "handed", grant()["id"])
    wait_for(lambda: one.run(*words).code == 0, "it is handed over")
    wait_for(lambda: grant()["status"] == "handed", "that is known")
    assert two.run("grant", "received", grant()["id"]).code == 0
    assert two.run("grant", "returned", grant()["id"]).code == 0
    dispute = ("grant", "dispute", grant()["id"], "damaged", "the chuck is bent")
    wait_for(lambda: one.run("grant", "returned", grant()["id"]).code == 0, "it is back")
    wait_for(lambda: grant()["status"] == "returned", "that is known")
    assert one.run(*dispute).code == 0
    wait_for(lambda: grant()["status"] == "disputed", "that is known")
    assert (grant()["brought"], grant()["returned"]) == (1, 1)
    settle = ("grant", "settle", grant()["id"])
    assert two.run(*settle).code == 1  # it is for whoever disputed it
    assert one.run(*settle).code == 0
    wait_for(lambda: grant()["status"] == "returned", "it is settled")
    assert one.run(*settle).code == 1
    assert "lent" in one.run("offer", "show", loan).out


def test_a_river_is_spoken_for(pair: Pair) -> None:
    """A party asks through a guardian, people say how it fares, and renewals keep its place."""
    one, two = pair
    river = said(one, "party", "add", "The river", "--guardian", "Bakery")["id"]
    wait_for(arrives(two, f"/v1/parties/{river}"), "the party is there")
    water = ("ecology.care", "Hands", "3", "h", "--or", "skill", "--for", river, "--ends", "1d")
    need = said(two, "request", "add", *water)["id"]
    before = two.client.get(f"/v1/requests/{need}")
    assert (before["party"]["name"], before["substitutes"]) == ("The river", ["skill"])
    said(two, "request", "renew", need, "--ends", "9d")
    after = two.client.get(f"/v1/requests/{need}")
    assert after["expires_ms"] > before["expires_ms"] + 86_400_000
    assert after["time_ms"] == before["time_ms"]
    assert two.run("request", "renew", need).code == 2
    plants = ("ecology.plant", "Willows", "40", "pieces", "--renewing")
    offer = said(one, "offer", "add", *plants)["id"]
    said(one, "offer", "renew", offer, "--more", "5", "pieces")
    assert one.client.get(f"/v1/offers/{offer}")["left"] == 45
    wait_for(arrives(two, f"/v1/offers/{offer}"), "the offer is there")
    said(two, "request", "claim", need, offer, "2", "pieces", "--rank", "3")
    assert [each["rank"] for each in two.client.get(f"/v1/requests/{need}")["claims"]] == [3]
    said(one, "party", "observe", river, "water", "640", "--method", "by eye")
    (shown,) = [each for each in one.items("/v1/parties") if each["id"] == river]
    assert (shown["health"]["index"], shown["health"]["water"]) == (None, None)  # one observer
    assert "unknown" in one.run("party", "list").out
    assert two.run("request", "withdraw", need, "--met").code == 0
