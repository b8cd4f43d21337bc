"""What the monitor saw becomes samples, and the first sight of each record."""

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
    """Return the chronicle of three nodes."""
    return Chronicle(["a", "b", "c"])


def test_samples_tell_what_was_held() -> None:
    """A sample has everybody's count, None for who is down, and the union of all logs."""
    seen = chronicle()
    seen.note(snapshot(9.0, a={"a": 1}), {})
    seen.note(snapshot(10.5, a={"a": 2}, b={"a": 1, "b": 1}), {"a": 1})
    (sample,) = seen.samples(10.0)
    assert (sample.t_ms, sample.union, sample.agreeing) == (500, 3, 1)
    assert sample.have == (2, 2, None)
    assert sample.peers == (1, None, None)


def test_the_largest_set_that_agrees_counts() -> None:
    """Agreeing is the size of the largest set of nodes that hold the same."""
    seen = chronicle()
    seen.note(snapshot(1.0, a={"a": 1}, b={"a": 1}, c={"a": 2}), {})
    assert seen.samples(0.0)[0].agreeing == 2


def test_a_record_is_seen_first_once() -> None:
    """A record counts from the first look at which a node held it; later ones change nothing."""
    seen = chronicle()
    seen.note(snapshot(0.0, a={"a": 1}, b={}), {})
    seen.note(snapshot(0.5, a={"a": 2}, b={"a": 1}), {})
    seen.note(snapshot(1.5, a={"a": 2}, b={"a": 2}), {})
    assert seen.seen == {
        ("a", "log", 0): {"a": 0.0, "b": 0.5},
        ("a", "log", 1): {"a": 0.5, "b": 1.5},
    }


def test_a_run_that_never_began_has_no_samples() -> None:
    """Without a snapshot since the beginning there is nothing to draw."""
    seen = chronicle()
    seen.note(snapshot(1.0, a={"a": 1}), {})
    assert seen.samples(2.0) == ()
