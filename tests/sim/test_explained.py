"""Biased nodes in virtual time: whoever audits, at any other node, finds and names them."""

import pytest

from mycelia_sim.explained import findings
from mycelia_sim.virtual.run import play_virtual
from support.biased import Bias, decided, leaves_out, misweighs, plant


@pytest.mark.parametrize(
    ("bias", "reason"), [(leaves_out, "it leaves out request"), (misweighs, "of request")]
)
def test_a_biased_node_is_named_at_every_node(
    bias: Bias, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What n0 decided recomputes on no disk, what n1 decided on all; the check names n0."""
    plant(monkeypatch, bias)
    played = play_virtual(decided())
    keys = {node: bytes.fromhex(key) for node, key in played.evidence.facts.keys.items()}
    for holding in played.evidence.holdings:
        found = list(findings(holding))
        assert {each.author for each in found if not each.recomputes} == {keys["n0"]}
        assert any(each.author == keys["n1"] and each.recomputes for each in found)
    (check,) = [each for each in played.checks if each.verdict == "fail"]
    assert check.name == "explained"
    assert " of n0 does not recompute" in check.detail
    assert reason in check.detail
