"""A log of which two versions are proven: what people are told of it, and what they can't do."""

import random
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from mycelia_node.keys import load_seed
from mycelia_protocol.charter import Charter
from mycelia_protocol.crypto import public_key
from mycelia_protocol.identity import from_text, to_text
from node_daemons import Daemon, cli, founder, wait_for
from support.luggage import bundle_of
from support.scribe import Scribe

pytestmark = pytest.mark.daemon


def tells_of_both(node: Daemon) -> bool:
    """Return whether the merge report names a forked log, and what was promised in it."""
    told = node.run("merged", "--since", "1h").out
    return "Two versions: " in told and "promised 2 L of Water to " in told


@pytest.mark.slow
def test_what_each_side_of_a_cut_was_promised_in_a_forked_log_is_named(
    daemon: Callable[[str], Daemon], tmp_path: Path
) -> None:
    """One promises the same to two daemons that can't meet; then both tell their people."""
    one, two, forger = founder(tmp_path / "one"), daemon("two"), daemon("three")
    try:
        assert cli("--home", two.home, "join", one.invite(), "--name", "Bakery").code == 0
        assert cli("--home", forger.home, "join", one.invite(), "--name", "Mill").code == 0
        commons, seed = (
            from_text(one.status()["commons"]["id"], "commons"),
            load_seed(forger.home / "identity.key"),
        )
        charter = Charter("Riverside", public_key(seed), 1, bytes(16))
        ends = [Scribe(seed, charter, random.Random(1)) for _ in range(2)]
        for end in ends:
            end.commons = commons
        water = ends[0].offer(2_000)
        ends[1].log, ends[1].written = ends[0].log, list(ends[0].written)
        asked = from_text(one.request(2_000), "record")
        two.start()
        wait_for(lambda: two.status()["members"] == 3, "the other knows of the third")
        assert one.stop() == 0
        asked_too = from_text(two.request(2_000), "record")
        assert two.stop() == 0
        for node, end, request in ((one, ends[0], asked), (two, ends[1], asked_too)):
            end.write("grant", {"quantity": 2_000}, water.id, request)
            path = tmp_path / f"{node.home.name}.mycelia"
            path.write_bytes(b"".join(bundle_of(end.written, seed)))
            assert cli("--home", node.home, "carry", "in", str(path)).code == 0
        one.start()
        two.start()
        for node in (one, two):
            wait_for(partial(tells_of_both, node), "the fork, and the promise in it, are named")
    finally:
        one.kill()


def test_two_versions_from_a_stick_are_shown_and_count_for_nothing(
    oak: Daemon, tmp_path: Path
) -> None:
    """Somebody worked on with a copied folder: both ends come on one stick, and stay readable."""
    commons = from_text(oak.status()["commons"]["id"], "commons")
    seed = load_seed(oak.home / "identity.key")
    charter = Charter("Riverside", public_key(seed), 1, bytes(16))
    rng = random.Random(1)
    ends = [Scribe(seed, charter, rng) for _ in range(2)]
    for end in ends:
        end.commons = commons
    ends[0].offer(1)
    ends[1].log, ends[1].written = ends[0].log, list(ends[0].written)
    kept, other = (end.offer(2_000) for end in ends)
    for number, end in enumerate(ends):
        path = tmp_path / f"{number}.mycelia"
        path.write_bytes(b"".join(bundle_of(end.written, seed)))
        assert oak.run("carry", "in", str(path)).code == 0
    wait_for(lambda: oak.status()["contested"] == 1, "the fork is proven")
    (log,) = oak.status()["contested_logs"]
    assert (log["seq"], log["log"]) == (2, to_text("log", kept.log))
    told = oak.run("status").out
    assert "wrote two versions of log" in told
    board = oak.run("board").out
    assert "CONTESTED (1)" in board
    assert to_text("record", kept.id)[:12] in board
    shown = oak.run("offer", "show", to_text("record", kept.id))
    assert shown.code == 1
    assert "counts for nothing" in shown.err
    assert "2 L Water" in shown.err
    assert oak.run("offer", "show", to_text("record", other.id)).code == 1
    written = oak.offer("After all that", 500)
    assert any(each["id"] == written for each in oak.items("/v1/offers"))
    assert cli("status", "--home", oak.home, "--json").json["contested"] == 1
