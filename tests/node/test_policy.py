"""Policies and explanations on real daemons, by commands."""

import json
from typing import Any

import pytest

from mycelia_node.config_edit import set_value
from mycelia_node.home import Home
from node_daemons import Daemon, wait_for

pytestmark = pytest.mark.daemon


def said(node: Daemon, *words: str) -> Any:
    """Run a command that must succeed, and return its answer."""
    result = node.run(*words, "--json")
    assert result.code == 0, result.err
    return json.loads(result.out)


def test_the_founder_sets_the_policy_and_everybody_explains_by_it(
    pair: tuple[Daemon, Daemon],
) -> None:
    """A policy is there at both, only its setter's word counts, and `why` gives the numbers."""
    one, two = pair
    assert said(one, "policy", "show")["name"] == "First come, first served"
    assert "There are no decisions here" in one.run("audit").out
    assert len(said(one, "policy", "list")["items"]) == 6
    refused = two.run("policy", "set", "balanced")
    assert (refused.code, "founded this commons" in refused.err) == (4, True)
    wrong = one.run("policy", "set", "balansed")
    assert "balanced" in wrong.err
    said(one, "policy", "set", "balanced")
    wait_for(lambda: said(two, "policy", "show")["name"] == "Balanced", "the policy arrives")
    changed = said(one, "policy", "show")
    changed["document"]["name"] = "Ours"
    path = one.home.parent / "ours.json"
    path.write_text(json.dumps(changed))
    said(one, "policy", "set", str(path))
    wait_for(lambda: said(two, "policy", "show")["epoch"] == 1, "the next epoch arrives")

    offer = said(one, "offer", "add", "food.dry", "Rice", "2", "kg")["id"]
    told = said(one, "why", offer)
    (part,) = told["parts"]
    assert (told["policy"]["name"], part["decision"]["available"]) == ("Ours", 2_000)
    assert part["sentences"] == ["Nothing of 2 kg is given: no request is a candidate."]
    said(two, "request", "add", "food.water", "Water", "2", "L", "--urgency", "now")
    wait_for(lambda: bool(one.items("/v1/requests")), "the request arrives")
    (part,) = said(one, "why", offer)["parts"]
    (candidate,) = part["decision"]["candidates"]
    assert candidate["gates"] == ["category", "unit"]
    assert "Nothing of 2 kg" in one.run("why", offer, "--policy", "nearest").out


def test_what_a_node_decided_is_explained_and_made_again_elsewhere(
    pair: tuple[Daemon, Daemon],
) -> None:
    """With `share.policy = "commons"` grants name a decision, which any member recomputes."""
    one, two = pair
    assert one.stop() == 0
    set_value(Home.at(one.home), "share", "policy", "commons")
    one.start()
    said(one, "offer", "add", "food.meal", "Bread", "9", "pieces")
    said(two, "request", "add", "food.meal", "Bread", "4", "pieces")
    wait_for(lambda: bool(two.items("/v1/grants")), "the grant arrives")
    (promise,) = two.items("/v1/grants")
    told = said(two, "why", promise["id"])
    (part,) = told["parts"]
    assert part["faults"] == []
    assert part["sentences"][0] == "Of 9 x, 4 x are given: Bakery 4 x."
    grant = promise["id"]
    wait_for(lambda: two.items("/v1/grants")[0]["status"] == "accepted", "it is accepted")
    said(two, "grant", "received", grant)
    overridden = cake_by_hand(one, two)
    audited = two.run("audit", "--policy", "lottery")
    assert audited.code == 0
    assert "3 of 3 decisions came out the same." in audited.out
    assert "a person chose" in audited.out
    assert "would stand first in 0 decisions (0 ‰)" in audited.out
    page = two.home.parent / "audit.html"
    found = said(two, "audit", "--html", str(page))
    assert "As the policy says." in page.read_text("utf-8")
    assert "no baseline" in two.run("audit", "--policy", "balansed").err
    ours = two.home.parent / "theirs.json"
    ours.write_text(json.dumps(said(two, "policy", "show")))
    again = said(two, "audit", "--policy", str(ours))
    assert again["replay"]["changed"] == 0
    (item,) = again["items"]
    assert (item["decision"], item["override"]["reason"]) == (overridden, "for the clinic")
    assert (item["override"]["approved"], found["decisions"]["unapproved"]) == (True, 0)
    ours.write_text("{}")
    assert "holds no policy" in two.run("audit", "--policy", str(ours)).err
    no_such = two.run("why", said(two, "request", "list")["items"][0]["id"])
    assert "neither an offer nor a decision" in no_such.err
    assert two.stop() == 0
    again = said(two, "audit")
    assert again | {"as_of_ms": 0} == found | {"as_of_ms": 0}, "it needs no running node"
    assert Home.at(two.home).take_clean() is not None, "and leaves it as it was"
    (fared,) = found["collectives"]
    assert (fared["name"], fared["count"], fared["met_pm"]) == ("Bakery", 3, 333)
    assert found["flow"]["unconfirmed_pm"] == 0


def heads(node: Daemon) -> str:
    """Return the digest of all that a node holds."""
    return str(node.client.get("/v1/heads")["digest"])


def cake_by_hand(one: Daemon, two: Daemon) -> str:
    """Let a person on one node look at who would get an offer, and decide otherwise."""
    cake = said(one, "offer", "add", "food.dry", "Cake", "4", "pieces", "--ask")["id"]
    wish = said(two, "request", "add", "food.dry", "Cake", "4", "pieces")["id"]
    wait_for(lambda: wish in one.run("request", "list", "--json").out, "the request arrives")
    assert "TO DECIDE (1)" in one.run("board").out
    shown = one.run("decide", cake)
    assert shown.out.startswith("4 x, by 'Ours':")
    assert "Bakery" in shown.out
    assert "--yes" in shown.err, "nobody is at a terminal"
    assert "go together" in one.run("decide", cake, "--reason", "so").err
    instead = ("--instead", wish, "2", "pieces", "--reason", "for the clinic")
    own = one.run("consent", cake, wish, "2", "pieces")
    assert "a decision of your own" in own.err
    said(two, "consent", cake, wish, "2", "pieces")
    wait_for(lambda: heads(one) == heads(two), "the consent arrives")
    decided = str(said(one, "decide", cake, *instead, "--approver", "Bakery")["id"])
    agreed = said(one, "decide", cake, "--yes")["id"]
    wait_for(lambda: len(said(two, "grant", "list")["items"]) == 3, "the grants arrive")
    assert said(two, "why", agreed)["parts"][0]["faults"] == []
    why = two.run("why", decided).out
    assert "for the clinic. Bakery is named as approver, and agreed to it" in why
    return decided
