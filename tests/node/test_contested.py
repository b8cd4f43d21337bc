"""A log of which two versions are proven: what people are told of it, and what they can't do."""

import random
from pathlib import Path

import pytest

from mycelia_node.keys import load_seed
from mycelia_protocol.charter import Charter
from mycelia_protocol.crypto import public_key
from mycelia_protocol.identity import from_text, to_text
from node_daemons import Daemon, cli, wait_for
from support.luggage import bundle_of
from support.scribe import Scribe

pytestmark = pytest.mark.daemon


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
