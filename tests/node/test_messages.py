"""Messages between real nodes: their receiver reads them, and nobody else."""

import io
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from mycelia_protocol.crypto import verify
from mycelia_protocol.identity import from_text
from mycelia_protocol.sealing import Context, signed_bytes
from node_daemons import Daemon, Watch, cli, wait_for

pytestmark = pytest.mark.daemon
TEXT = "Elm Street 5,\nring twice"


def seen(daemon: Daemon, message: str) -> bool:
    """Return whether a message has arrived."""
    return message in [item["id"] for item in daemon.items("/v1/messages")]


def test_a_message_is_read_by_its_receiver_alone(pair: tuple[Daemon, Daemon]) -> None:
    """It opens at its receiver, who can show it by its signature; its sender can't read it."""
    one, two = pair
    watch = Watch(one)
    offer = one.offer()
    wait_for(lambda: offer in [item["id"] for item in two.items("/v1/offers")], "the offer is here")
    sent = two.run("message", "send", "Oak House", TEXT, "--about", offer)
    assert sent.code == 0
    message = sent.out.strip()
    wait_for(lambda: seen(one, message), "the message has arrived")
    event = watch.wait_for("record", kind="message", id=message)
    assert event["text"] == "Bakery writes a sealed message to Oak House"
    found = one.client.get(f"/v1/messages/{message}")
    assert (found["state"], found["text"], found["about"]) == ("opened", TEXT, [offer])
    own = two.client.get(f"/v1/messages/{message}")
    assert (own["state"], own["text"], own["signature"]) == ("sealed", None, None)
    sender, receiver = (from_text(found[side]["key"], "key") for side in ("from", "to"))
    commons = from_text(one.status()["commons"]["id"], "commons")
    context = Context(commons, sender, receiver, (from_text(offer, "record"),))
    assert verify(sender, signed_bytes(context, TEXT), bytes.fromhex(found["signature"]))
    shown = one.run("message", "show", message).out
    assert "Elm Street 5,\nring twice" in shown
    assert "only Oak House can read it" in two.run("message", "list").out
    for home in (one.home, two.home):
        data = b"".join(path.read_bytes() for path in home.glob("node.db*"))
        assert b"Elm Street" not in data


def test_text_comes_from_stdin(
    pair: tuple[Daemon, Daemon], monkeypatch: pytest.MonkeyPatch
) -> None:
    """`-` reads the text, so that it stands in no history of commands."""
    one, two = pair
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"over the wire\n")))
    sent = one.run("message", "send", "Bakery", "-")
    assert sent.code == 0
    wait_for(lambda: seen(two, sent.out.strip()), "the message has arrived")
    assert "over the wire" in two.run("message", "list").out


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["send", "Nobody", "x"], 1, "No member"),
        (["send", "Bakery", ""], 1, "1 to 2000"),
        (["send", "Bakery", "x" * 2_001], 1, "in parts"),
        (["send", "Bakery", "x", "--about", "mycr1qqqqqqqq"], 1, "no record"),
        (["send", "Bakery"], 2, "Missing argument"),
        (["show", "mycr1qqqqqqqq"], 1, "no record"),
    ],
)
def test_wrong_use_is_explained(
    pair: tuple[Daemon, Daemon], words: list[str], code: int, said: str
) -> None:
    """What can't be sent or shown is refused in words."""
    result = pair[0].run("message", *words)
    assert (result.code, said in result.err) == (code, True)


def test_a_lost_key_is_replaced_and_told(tmp_path: Path, daemon: Callable[[str], Daemon]) -> None:
    """The key is private; if it is gone, a new one is told, and what came before stays shut."""
    home = tmp_path / "elm"
    assert cli("--home", home, "found", "Riverside", "--name", "Elm").code == 0
    elm = daemon("elm").start()
    assert stat.S_IMODE((home / "seal.key").stat().st_mode) == 0o600
    old = elm.run("message", "send", "Elm", "a note to myself").out.strip()
    assert elm.client.get(f"/v1/messages/{old}")["text"] == "a note to myself"
    elm.stop()
    (home / "seal.key").unlink()
    elm.start()
    assert elm.client.get(f"/v1/messages/{old}")["state"] == "unreadable"
    new = elm.run("message", "send", "Elm", "once more").out.strip()
    assert elm.client.get(f"/v1/messages/{new}")["text"] == "once more"
