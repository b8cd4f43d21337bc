"""How fast records spread, from pairs of a record and a node."""

from collections import Counter

from mycelia_node.tally import Tally
from mycelia_sim.live.meter import minus
from mycelia_sim.spread import Pair, Spread, cost_of, heal_excess, series, speed_of
from mycelia_sim.virtual.custody import Journey
from mycelia_sim.virtual.metrics import redundancy_warm
from mycelia_sim.virtual.oracle import NEVER

MS = 1_000


def spread(*pairs: tuple[int, int | None, int]) -> Spread:
    """Return a spread of pairs of (born, at, earliest) in ms."""
    made = [
        Pair(born * MS, None if at is None else at * MS, min(earliest * MS, NEVER))
        for born, at, earliest in pairs
    ]
    return Spread(made, len(made), len(made))


def test_latency_is_from_birth_to_each_arrival_and_stretch_over_the_earliest() -> None:
    """Two pairs that took 10 and 30 ms, and could have taken 5 and 10, have these figures."""
    metrics, counts = speed_of(spread((100, 110, 105), (100, 130, 110)))
    assert metrics["latency"] == {"p50": 10.0, "p90": 30.0, "p99": 30.0, "max": 30.0}
    assert metrics["stretch"] == {"p50": 2.0, "p90": 3.0, "p99": 3.0, "max": 3.0}
    assert (counts["pairs"], counts["pairs_undelivered"], counts["pairs_before_oracle"]) == (
        2,
        0,
        0,
    )


def test_what_came_before_it_could_is_told() -> None:
    """A pair that beat the oracle is counted: the oracle, or a clock, is wrong then."""
    _, counts = speed_of(spread((0, 4, 5), (0, 6, 5)))
    assert counts["pairs_before_oracle"] == 1


def test_a_series_tells_records_by_when_they_were_born() -> None:
    """Each window has the records that were born in it; one in which nobody wrote has none."""
    first, second, third = series(
        spread((0, 500, 10), (0, 1_500, 10), (2_000, 2_020, 2_010)), 0, 2_500
    )
    assert (first.p50_ms, first.p90_ms, first.p99_ms) == (500, 1_500, 1_500)
    assert (second.p50_ms, second.p99_ms) == (None, None)
    assert (third.p50_ms, third.stretch_p50) == (20, 2.0)


def test_what_never_arrived_is_not_forgotten() -> None:
    """A record that one node of two never got has no 99th percentile, whatever the other took."""
    (window,) = series(spread((0, 500, 10), (0, None, 10)), 0, 900)
    assert (window.p50_ms, window.p99_ms) == (500, None)


def test_heal_excess_is_what_came_later_than_it_had_to() -> None:
    """After a heal at 1 s, all was there at 1.5 s and could have been at 1.1 s."""
    pairs = ((500, 1_500, 1_100), (600, 700, 650), (1_200, 9_000, 1_210))
    assert heal_excess(spread(*pairs), 1_000 * MS) == 400.0
    assert heal_excess(spread(*pairs), None) is None
    assert heal_excess(spread((500, None, 1_100)), 1_000 * MS) is None


def test_what_it_cost_is_counted_from_what_nodes_received() -> None:
    """Three nodes that received 10 copies of 4 records had 2 more than the 8 that they needed."""
    tally = Tally(
        Counter(push=10, heads=6, want=1, records=1),
        Counter(push=4_000, heads=600, want=20, records=300),
        Counter(push=8, records=2),
        verifications=12,
    )
    healed = Tally(Counter(heads=2), Counter(heads=200))
    metrics, _ = cost_of(tally, healed, nodes=3, records=4, deliveries=8)
    assert metrics["redundancy"] == 0.25
    assert metrics["control_bytes"] == round(620 / 12, 1)
    assert metrics["bytes_per_difference"] == (400 + 20 + 300) / 2
    assert metrics["verifications_per_record"] == 1.5
    empty, _ = cost_of(Tally(), Tally(), nodes=3, records=0, deliveries=0)
    assert set(empty.values()) == {None}


def test_tallies_are_subtracted_kind_by_kind() -> None:
    """What was counted between two moments has no kind of frame that did not come then."""
    before = Tally(Counter(push=2, join=1), Counter(push=90), Counter(push=3), 5)
    after = Tally(Counter(push=5, join=1), Counter(push=200), Counter(push=9), 11)
    assert minus(after, before) == Tally(Counter(push=3), Counter(push=110), Counter(push=6), 6)


def test_redundancy_is_warm_once_a_record_of_the_author_had_come_everywhere() -> None:
    """Copies of first records, and of what follows before links are spared, are not counted."""
    everywhere = {"a": 0, "b": 40 * MS, "c": 50 * MS}
    journeys = {
        b"first": Journey("a", "offer", 0, everywhere),
        b"soon": Journey("a", "offer", 1_000 * MS, everywhere),
        b"warm": Journey("a", "offer", 3_000 * MS, {"a": 3_000 * MS}),
        b"other": Journey("b", "offer", 3_000 * MS, everywhere),
    }
    copies = {b"first": 6, b"soon": 5, b"warm": 3, b"other": 4}
    assert redundancy_warm(journeys, copies, nodes=3) == 0.5
    assert redundancy_warm({b"first": journeys[b"first"]}, copies, nodes=3) is None
