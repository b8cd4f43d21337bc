"""What is granted while a city is cut, and what rights that were given ahead are worth."""

from collections import Counter

from mycelia_sim.checkers import gather
from mycelia_sim.planner import draw_plan
from mycelia_sim.reach import granted_in_cut, most
from mycelia_sim.scenario import find
from mycelia_sim.scenario_reader import load
from mycelia_sim.virtual.run import Played, play_virtual
from support.town import PLAN, Town, a_town, thing

SMALL = [
    "run.seed=4",
    "nodes.count=6",
    "topology.crossings_min=2",
    "run.duration=34 s",
    "fault.0.for=16 s",
    "workload.burst.0.rate=3 / s",
    "workload.burst.1.lots=80",
    "workload.burst.2.for=10 s",
    "workload.burst.2.rate=1 / s",
]


def share(town: Town) -> int | None:
    """Return what a hand-made town granted during its cut."""
    return granted_in_cut(gather(PLAN, town.facts, town.holdings()))


def test_the_share_is_what_plain_addition_gives() -> None:
    """Two sides granted what two people asked for; less is accepted, or more is wanted: less."""
    town = a_town()
    assert share(town) == 1_000
    town.authors["n0"].write("request", thing(4, urgency="now"))
    town.hold()
    assert share(town) == 889  # 16 of 18: it has 10 itself, which leaves 10 of n1 for it
    town.authors["n0"].write("request", thing(4, urgency="now"), at_ms=6_000)
    town.hold()
    assert share(town) == 889  # nobody could know of that before the heal
    town.authors["n0"].write("withdraw", {}, town.ids["n0 grant"])
    town.hold()
    assert share(town) == 444


def test_nobody_is_counted_who_lacks_what_it_offers_itself() -> None:
    """What somebody has cannot go to it; all that is possible is what can go to others."""
    mill, oak, elm = b"mill", b"oak", b"elm"
    assert most(Counter({mill: 10}), Counter({mill: 7, oak: 2})) == 2
    assert most(Counter({mill: 10, oak: 1}), Counter({mill: 7, oak: 2})) == 3
    assert most(Counter({mill: 10, oak: 1}), Counter({mill: 7, oak: 2, elm: 20})) == 11
    assert most(Counter(), Counter({mill: 7})) == 0


def test_without_anything_to_share_there_is_no_share() -> None:
    """Where nobody asked for what was offered, the figure is missing, and not zero."""
    town = a_town()
    town.held = {node: [r for r in held if r.kind != "request"] for node, held in town.held.items()}
    assert share(town) is None


def play(*changes: str) -> Played:
    """Play the scenario with a few nodes."""
    return play_virtual(draw_plan(load(find("last-litres"), [*SMALL, *changes]), "virtual"))


def test_rights_given_ahead_reach_the_other_side() -> None:
    """With them seven tenths are granted during the cut; without, less than the scenario asks."""
    ahead, not_ahead = play(), play("workload.preposition=false")
    assert not [check for check in ahead.checks if check.verdict != "pass"]
    share = ahead.measured.metrics["granted_in_cut"]
    assert isinstance(share, int)
    assert share >= 700
    assert [c.name for c in not_ahead.checks if c.verdict == "fail"] == ["within_limits"]
