"""Letting go of words between two real daemons, by command."""

import pytest

from mycelia_node.config import parse_config
from mycelia_node.errors import ConfigError
from node_daemons import Daemon, wait_for

pytestmark = pytest.mark.daemon
TITLE = "From the well behind number seven"


def on_disk(node: Daemon) -> bool:
    """Return whether the title is anywhere in a node's files."""
    return any(TITLE.encode() in path.read_bytes() for path in node.home.glob("node.db*"))


def test_words_go_from_every_disk_and_what_counts_stays(pair: tuple[Daemon, Daemon]) -> None:
    """An offer is withdrawn, then erased: no byte of its title is left here or at the other."""
    one, two = pair
    offer, own = one.offer(TITLE, 5_000), two.offer()
    wait_for(lambda: len(two.items("/v1/offers")) == 2, "the offer is there")
    wait_for(lambda: len(one.items("/v1/offers")) == 2, "the other is here")
    still = one.run("erase", offer)
    assert (still.code, "is open" in still.err, "Withdraw it first" in still.err) == (1, True, True)
    assert one.run("erase", own).code == 4
    assert one.run("erase", "mycr1qqqqqqqq").code == 1
    assert one.run("erase").code == 2
    assert one.run("offer", "withdraw", offer, "--json").code == 0
    wait_for(lambda: two.status()["open_offers"] == 1, "the withdrawal is there")
    assert on_disk(one)
    assert on_disk(two)
    before = one.status()["state_digest"]
    done = one.run("erase", offer, "--json")
    assert (done.code, done.json["erased"]) == (0, [offer])
    assert not on_disk(one)
    title = f"/v1/offers/{offer}"
    wait_for(lambda: not two.client.get(title)["title"], "the erasure is there")
    assert not on_disk(two)
    assert two.status()["words"] == {"erased": 1, "missing": 0}
    assert {one.status()["state_digest"], two.status()["state_digest"]} == {before}
    shown = two.client.get(f"/v1/offers/{offer}")
    assert (shown["title"], shown["quantity"], shown["withdrawn"]) == ("", 5_000, True)
    assert "(erased)" in two.run("offer", "show", offer).out
    assert "1 record without words" in two.run("status").out
    again = one.run("erase", offer)
    assert (again.code, "erased already" in again.err) == (1, True)
    none = one.run("erase", done.json["ids"][0])
    assert (none.code, "no words" in none.err) == (1, True)
    two.stop()
    two.start()
    assert two.status()["state_digest"] == before
    assert two.client.get(f"/v1/offers/{offer}")["title"] == ""


def test_a_message_is_gone_for_its_receiver_too(pair: tuple[Daemon, Daemon]) -> None:
    """Its author can take it back at any time; who had it open before has seen it."""
    one, two = pair
    sent = one.run("message", "send", "Bakery", TITLE, "--json").json["id"]
    wait_for(lambda: [m["state"] for m in two.items("/v1/messages")] == ["opened"], "it is read")
    assert two.run("erase", sent).code == 4
    assert one.run("erase", sent).code == 0
    wait_for(lambda: [m["state"] for m in two.items("/v1/messages")] == ["erased"], "it is gone")
    assert "Oak House erased it" in two.run("message", "list").out
    assert two.run("message", "show", sent).code == 0


def test_the_setting_is_read_strictly() -> None:
    """Days from 0, which means never, to a hundred years."""
    assert parse_config("").growth.erase_after_days == 180
    assert parse_config("[growth]\nerase_after_days = 0\n").growth.erase_after_days == 0
    for wrong in ("-1", "36501", "true", '"7"'):
        with pytest.raises(ConfigError, match=r"growth\.erase_after_days is"):
            parse_config(f"[growth]\nerase_after_days = {wrong}\n")
