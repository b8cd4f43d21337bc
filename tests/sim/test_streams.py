"""Streams: draws by counter, independent of each other and of hash randomisation."""

import os
import subprocess
import sys
from collections import Counter

import pytest

from mycelia_sim.streams import Stream, draw


def test_a_draw_depends_on_seed_name_and_number_alone() -> None:
    """The same three give the same draw; a change of any of them another."""
    first = draw(7, "link/a->b", 3)
    assert first == draw(7, "link/a->b", 3)
    assert len({first, draw(8, "link/a->b", 3), draw(7, "link/a->c", 3), draw(7, "x", 4)}) == 4
    assert draw(7, "link/a->b", 3) == 0x0 or 0 <= first < 1 << 128


def test_streams_do_not_shift_each_other() -> None:
    """Taking draws from one stream leaves the next draw of another as it was."""
    alone = Stream(1, "b").bits()
    other = Stream(1, "a")
    for _ in range(10):
        other.bits()
    assert Stream(1, "b").bits() == alone


def test_draws_do_not_depend_on_the_hash_seed() -> None:
    """Two processes with different PYTHONHASHSEED draw the same plan."""
    program = (
        "from mycelia_sim.scenario import find\n"
        "from mycelia_sim.scenario_reader import load\n"
        "from mycelia_sim.planner import draw_plan\n"
        "print(draw_plan(load(find('village'), [])).to_json())"
    )
    plans = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "PYTHONHASHSEED": seed},
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for seed in ("0", "1")
    }
    assert len(plans) == 1


def test_draws_stay_within_their_bounds() -> None:
    """Integers include both ends, fractions exclude 1, exponentials are positive."""
    stream = Stream(3, "bounds")
    assert {stream.integer(2, 4) for _ in range(200)} == {2, 3, 4}
    assert all(0 <= stream.fraction() < 1 for _ in range(1_000))
    mean = sum(stream.exponential(50) for _ in range(4_000)) / 4_000
    assert 45 < mean < 55
    with pytest.raises(ValueError, match="empty range"):
        stream.integer(2, 1)


def test_samples_are_of_different_items_and_all_orders_occur() -> None:
    """A sample repeats no item, is at most everything, and shuffling reaches every order."""
    stream = Stream(4, "sample")
    assert sorted(stream.sample(range(5), 9)) == [0, 1, 2, 3, 4]
    orders = Counter(tuple(stream.shuffled("abc")) for _ in range(600))
    assert len(orders) == 6
    assert min(orders.values()) > 60


def test_weights_are_kept() -> None:
    """An item of weight 0 never comes, one of threefold weight about three times as often."""
    stream = Stream(5, "weights")
    counts = Counter(stream.weighted("abc", [0, 1, 3]) for _ in range(4_000))
    assert counts["a"] == 0
    assert 2.6 < counts["c"] / counts["b"] < 3.4
