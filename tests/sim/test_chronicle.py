"""What the monitor saw becomes samples and latencies."""

from mycelia_sim.live.chronicle import Chronicle
from mycelia_sim.live.monitor import Snapshot, View


def snapshot(at_s: float, **held: dict[str, int]) -> Snapshot:
    """Return a look at nodes; `held` maps node -> author -> records in that author's one log."""
    views = {}
    for node, logs in held.items():
        extents = {(author, "log"): count for author, count in logs.items()}
        digest = ",".join(f"{author}{count}" for author, count in sorted(logs.items()))
        views[node] = View(digest, sum(logs.values()), extents)
    return Snapshot(at_s, views)


def chronicle() -> Chronicle:
    """Return the chronicle of three nodes, each of which writes as itself."""
    return Chronicle(["a", "b", "c"], lambda node: node)


def test_samples_tell_what_was_held() -> None:
    """A sample has everybody's count, None for who is down, and the union of all logs."""
    seen = chronicle()
    seen.note(snapshot(9.0, a={"a": 1}), {})
    seen.note(snapshot(10.5, a={"a": 2}, b={"a": 1, "b": 1}), {"a": 1})
    look = seen.look(10.0)
    assert look is not None
    (sample,) = look.samples
    assert (sample.t_ms, sample.union, sample.agreeing) == (500, 3, 1)
    assert sample.have == (2, 2, None)
    assert sample.peers == (1, None, None)
    assert look.resolution_ms == 500


def test_the_largest_set_that_agrees_counts() -> None:
    """Agreeing is the size of the largest set of nodes that hold the same."""
    seen = chronicle()
    seen.note(snapshot(1.0, a={"a": 1}, b={"a": 1}, c={"a": 2}), {})
    look = seen.look(0.0)
    assert look is not None
    assert look.samples[0].agreeing == 2


def test_latency_is_from_the_first_sight_to_each_arrival() -> None:
    """A record that took one look to the one and three to the other has these two latencies."""
    seen = chronicle()
    none: dict[str, int] = {}
    seen.note(snapshot(0.0, a={"a": 1}, b=none, c=none), {})
    seen.note(snapshot(0.5, a={"a": 1}, b={"a": 1}, c=none), {})
    seen.note(snapshot(1.5, a={"a": 1}, b={"a": 1}, c={"a": 1}), {})
    look = seen.look(0.0)
    assert look is not None
    first, second = look.latency
    assert (first.p50_ms, first.p90_ms, first.p99_ms) == (500, 1_500, 1_500)
    assert (second.p50_ms, second.p99_ms) == (None, None)  # nobody wrote then


def test_what_never_arrived_is_not_forgotten() -> None:
    """A record that one node of two never got has no 99th percentile, whatever the other took."""
    seen = chronicle()
    seen.note(snapshot(0.0, a={"a": 1}, b={}, c={}), {})
    seen.note(snapshot(0.5, a={"a": 1}, b={"a": 1}, c={}), {})
    look = seen.look(0.0)
    assert look is not None
    assert (look.latency[0].p50_ms, look.latency[0].p99_ms) == (500, None)


def test_a_run_that_never_began_has_no_look() -> None:
    """Without a snapshot since the beginning there is nothing to draw."""
    seen = chronicle()
    seen.note(snapshot(1.0, a={"a": 1}), {})
    assert seen.look(2.0) is None


def test_older_records_are_not_counted() -> None:
    """What was there before the workload began is no latency of the run."""
    seen = chronicle()
    seen.note(snapshot(1.0, a={"a": 9}, b={}, c={}), {})
    seen.note(snapshot(3.0, a={"a": 9}, b={"a": 9}, c={"a": 9}), {})
    look = seen.look(2.0)
    assert look is not None
    assert all(point.p50_ms is None for point in look.latency)
