"""Biased nodes among real daemons: whoever audits, at any other node, finds and names them."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from mycelia_node.config_edit import set_value
from mycelia_node.home import Home
from node_daemons import Daemon, founder, wait_for

pytestmark = [pytest.mark.daemon, pytest.mark.slow]

MUTANTS = Path(__file__).parents[1] / "sim" / "mutants"


def says_of_two(node: Daemon) -> bool:
    """Return whether a node holds both decisions, and all that they rest on."""
    decisions = node.run("audit", "--json").json["decisions"]
    return bool(decisions["count"] == 2 and not decisions["unknown"])


@pytest.mark.parametrize(
    ("mutant", "reason"),
    [("leaves_somebody_out", "left out"), ("misapplies_a_weight", "the score is")],
)
def test_audit_names_a_biased_node_at_every_other(
    mutant: str, reason: str, tmp_path: Path, daemon: Callable[[str], Daemon]
) -> None:
    """Mill decides with a bias, Oak without: both others say so of Mill, and of nobody else."""
    oak = founder(tmp_path / "oak")
    try:
        mill, elm = daemon("mill"), daemon("elm")
        for node, name in ((mill, "Mill"), (elm, "Elm")):
            assert node.run("join", oak.invite(), "--name", name).code == 0
        assert oak.run("policy", "set", "balanced").code == 0
        for node in (oak, mill):
            set_value(Home.at(node.home), "share", "policy", "commons")
        oak.stop()
        oak.start()
        elm.start()
        mill.start(program=MUTANTS / f"{mutant}.py")
        oak.request()
        elm.request()
        wait_for(lambda: len(mill.items("/v1/requests")) == 2, "both requests arrive")
        mill.offer(quantity=30_000)
        elm.request(category="food.dry")
        oak.offer(category="food.dry")
        for node in (oak, elm):
            wait_for(partial(says_of_two, node), "both decisions arrive")
            told = node.run("audit")
            assert told.code == 1
            (named,) = [line for line in told.out.splitlines() if " by Mill: " in line]
            assert reason in named
            assert "1 of 2 decisions came out the same" in told.out
    finally:
        oak.kill()
