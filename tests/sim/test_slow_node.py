"""A node that is slow, and is then stopped for a while, takes up what came in the order it came."""

from dataclasses import replace

import pytest

from mycelia_sim.plan import Trouble
from mycelia_sim.virtual.run import play_virtual
from support.liars import a_plan


@pytest.mark.parametrize("each_us", [100_000, 400_000])
def test_a_pause_does_not_shuffle_what_waits(each_us: int) -> None:
    """What waited before the pause is handled before what came during it; so frames decrypt.

    However far it is behind, it catches up once its machine is quick again.
    """
    slow = Trouble("slow", "slow", 2_000, 9_000, "n1", each_us)
    pause = Trouble("pause", "pause", 5_000, 8_000, "n1", 0)
    plan = replace(a_plan(nodes=4, duration_ms=12_000, posts_each=12), troubles=(slow, pause))
    assert not [check for check in play_virtual(plan).checks if check.verdict != "pass"]
