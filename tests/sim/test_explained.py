"""Biased nodes in virtual time: whoever audits, at any other node, finds and names them."""

from dataclasses import replace

import pytest

from mycelia_sim.explained import findings
from mycelia_sim.virtual.run import play_virtual
from support.biased import Bias, decided, leaves_out, misweighs, plant
from support.liars import a_plan, attempt


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
    failed = {each.name: each for each in played.checks if each.verdict == "fail"}
    assert failed.keys() - {"fairness"} == {"explained"}, "who is left out may also starve"
    check = failed["explained"]
    assert " of n0 does not recompute" in check.detail
    assert reason in check.detail


def test_a_liar_who_leaves_somebody_out_is_named_everywhere() -> None:
    """Its view is true, its numbers are the policy's: only who should have won is missing."""
    plan = a_plan(attempt("misdecide", at_ms=12_000))
    unmet = replace(plan.posts[0], n=len(plan.posts), at_ms=5_000, category="food.dry", unit="g")
    done = play_virtual(replace(plan, posts=(*plan.posts, unmet)))
    assert not [each for each in done.checks if each.verdict == "fail"]
    (liar,) = done.world.cast.liars.values()
    for holding in done.evidence.holdings:
        (found,) = findings(holding)
        assert found.author == liar.key
        assert len(found.omitted) == 1
        assert found.again is not None
        assert found.again.winner is not None
        assert found.omitted == (found.again.winner.request,)
    (check,) = [each for each in done.checks if each.name == "explained"]
    assert "1 of adversaries do not" in check.detail
