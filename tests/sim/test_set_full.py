"""What became of acknowledged records, and what was promised twice: the numbers beside verdicts."""

from dataclasses import replace

from mycelia_sim.audit import Holding, copies
from mycelia_sim.checkers import gather
from mycelia_sim.doubles import double_allocations
from mycelia_sim.facts import Acknowledged
from mycelia_sim.library import Library
from mycelia_sim.set_full import SetFull, set_full
from support.town import PLAN, Town, a_town


def classes(town: Town, *disks: str, seen: dict[str, int] | None = None) -> SetFull:
    """Return the classes of n0's offer, which was saved at 2 s, if it lies on these disks alone."""
    offer = town.ids["n0 offer"]
    holdings = [
        Holding(node, logs=copies(r for r in held if r.id != offer or node in disks))
        for node, held in {**town.held, "n2": town.held["n1"]}.items()
    ]
    said = [Acknowledged(offer.hex(), "n0", "offer", 0, 2_000)]
    return set_full(said, Library(holdings), None if seen is None else lambda record: seen)


def test_a_record_is_in_one_class() -> None:
    """What matters is on which disks it lies, and whether anybody but its author ever had it."""
    town = a_town()
    assert classes(town, "n0", "n1", "n2") == SetFull(stable=1)
    assert classes(town, "n0", "n2") == SetFull(partial=1)
    assert classes(town, "n0") == SetFull(never_read=1)
    assert classes(town, "n0", seen={"n0": 2_000}).never_read == 1
    assert classes(town, "n0", seen={"n0": 2_000, "n1": 2_500}).partial == 1
    assert classes(town, "n1").partial == 1
    assert classes(town) == SetFull(lost=1)


def test_how_late_a_record_was_everywhere_counts_from_the_answer() -> None:
    """It is stale if a disk lacked it more than ten seconds later; unseen arrivals say nothing."""
    town, everywhere = a_town(), ("n0", "n1", "n2")
    soon = classes(town, *everywhere, seen={"n0": 1_990, "n1": 2_100, "n2": 12_000})
    assert soon == SetFull(stable=1, stale=0, after_ms=(10_000,))
    late = classes(town, *everywhere, seen={"n0": 1_990, "n1": 2_100, "n2": 12_001})
    assert (late.stable, late.stale) == (1, 1)
    assert str(late).startswith("1 are stable (1 of them later than 10 s, the last after 10.0 s), ")
    assert late.to_json()["after_max"] == 10_001
    unseen = classes(town, *everywhere, seen={"n0": 1_990, "n1": 2_100})
    assert unseen == SetFull(stable=1, stale=0, after_ms=())
    assert "after_max" not in unseen.to_json()


def test_what_was_promised_twice_is_told_apart_by_when() -> None:
    """Beyond an offer as the partition ended, and put right later; or still in the end."""
    town = a_town()
    oak, offer = town.authors["n0"], town.ids["n0 offer"]
    more = oak.write("grant", {"quantity": 8}, offer, town.ids["n1 request"], at_ms=3_000)
    town.hold()
    evidence = gather(PLAN, town.facts, town.holdings())
    assert double_allocations(evidence) == {"overcommitted_in_cut": 1, "overcommitted_after": 1}
    oak.write("withdraw", {}, more, at_ms=6_000)
    town.hold()
    evidence = gather(PLAN, town.facts, town.holdings())
    assert double_allocations(evidence) == {"overcommitted_in_cut": 1, "overcommitted_after": 0}
    assert "1 were promised twice as partitions ended" in town.check()["no_overcommit"].detail
    whole = gather(replace(PLAN, cuts=()), town.facts, town.holdings())
    assert double_allocations(whole)["overcommitted_in_cut"] is None
