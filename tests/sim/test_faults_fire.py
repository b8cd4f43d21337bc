"""Every kind of fault that a scenario may name really does something in virtual time.

A fault's own fact says that it fired; each word has a probe here besides, which looks at what came
of it: at records that crossed a cut, at disks, at clocks, at what the wire lost.
"""

from collections.abc import Callable
from functools import cache
from statistics import mean
from typing import Final

import pytest

from mycelia_sim.backends import ABILITIES, BEHAVIOURS
from mycelia_sim.facts import KillFact
from mycelia_sim.virtual.run import Played, play_virtual
from support.forgetful import old_logs
from support.shaken import (
    AT,
    AT_US,
    ITS_LINKS,
    LONG,
    NODE,
    ONE,
    SIDES,
    UNTIL_US,
    WAY,
    WHEN,
    arrivals_us,
    clock_errors_ms,
    held,
    is_away,
    own_logs,
    play,
    play_trouble,
    side,
    since_us,
    ways_us,
    within,
)

Probe = Callable[[], bool]
PROBES: Final[dict[str, Probe]] = {}


def probe(word: str) -> Callable[[Probe], Probe]:
    """Let a function show that the fault of a word did something."""

    def note(found: Probe) -> Probe:
        PROBES[word] = found
        return found

    return note


def cut(mode: str) -> Played:
    """Play it with the river closed in one of the ways."""
    return play(f'do = "partition", {WHEN}, {SIDES}, mode = "{mode}", delay = "700 ms"')


def nothing_crosses(done: Played) -> bool:
    """Return whether all that was written in the west came to the east after the heal alone."""
    times = [
        since_us(done, journey.arrivals[node])
        for journey in within(done, side(done, "west"))
        for node in side(done, "east")
    ]
    return bool(times) and min(times) >= UNTIL_US and sum(held(done)) > 0


def connections(done: Played) -> int:
    """Return how many connections there ever were."""
    return done.world.network._next_id - 1


@probe("do partition")
@probe("mode drop")
def nothing_crosses_a_closed_river() -> bool:
    return nothing_crosses(cut("drop"))


@probe("mode queue")
def what_waits_comes_on_the_same_connections() -> bool:
    return nothing_crosses(cut("queue")) and connections(cut("queue")) == connections(play())


@probe("mode reset")
def connections_are_reset() -> bool:
    return nothing_crosses(cut("reset")) and connections(cut("reset")) > connections(play())


@probe("mode delay")
def what_crosses_comes_later() -> bool:
    done = cut("delay")
    ways = ways_us(done, within(done, side(done, "west")), side(done, "east"))
    return 700_000 <= min(ways) <= max(ways) < 1_500_000 and sum(held(done)) > 0


@probe("do isolate")
def an_isolated_node_hears_nothing() -> bool:
    return is_away(play(f'do = "isolate", {WHEN}, {ONE}'))


@probe("do clog")
def a_clogged_node_hears_nothing() -> bool:
    return is_away(play(f'do = "clog", {WHEN}, {ITS_LINKS}'))


@probe("do bridge")
def only_the_bridge_hears_both_sides() -> bool:
    done = play(f'do = "bridge", {WHEN}, {SIDES}')
    (found,) = done.world.plan.cuts
    (bridge,) = set(done.world.nodes) - {one for group in found.groups for one in group}
    ways = ways_us(done, within(done), [bridge])
    return sum(held(done)) > 0 and bool(ways) and max(ways) < 500_000


@probe("do swizzle_clog")
def links_stop_and_come_back_in_another_order() -> bool:
    done = play(f'do = "swizzle_clog", {LONG}, select = {{ links = 3 }}')
    cuts = done.world.plan.cuts
    begins = sorted(cuts, key=lambda one: one.at_ms)
    ends = sorted(cuts, key=lambda one: one.until_ms)
    return len(cuts) > 2 and begins != ends and all(held(done))


@probe("do flap")
def links_stop_again_and_again() -> bool:
    links = "select = { links = 2 }"
    done = play(f'do = "flap", {WHEN}, {links}, up = "200 ms", down = "900 ms"')
    return sum(messages > 0 for messages in held(done)) > 2


def worse(quality: str) -> Played:
    """Play it with all links worse."""
    return play(f'do = "degrade", {WHEN}, select = {{ links = 6 }}, {quality}')


def mean_way_us(done: Played) -> float:
    """Return how long records took on the average."""
    return mean(ways_us(done, within(done), done.world.nodes))


def is_slower(done: Played, factor: float) -> bool:
    """Return whether records took so much longer than without the fault."""
    return mean_way_us(done) > factor * mean_way_us(play())


@probe("do degrade")
@probe("link latency")
def records_take_longer() -> bool:
    done = worse('latency = "60 ms"')
    return min(ways_us(done, within(done), done.world.nodes)) > 60_000


@probe("link jitter")
def some_records_take_longer() -> bool:
    return is_slower(worse('jitter = "200 ms"'), 2)


@probe("link loss")
def packets_are_lost() -> bool:
    return worse("loss = 0.3").world.network.traffic.lost > 20


@probe("link duplicate")
def packets_come_twice() -> bool:
    return worse("duplicate = 0.5").world.network.traffic.duplicates > 20


@probe("link reorder")
def packets_wait_for_those_that_were_overtaken() -> bool:
    return is_slower(worse("reorder = 1.0"), 1.5)


@probe("link rate")
def packets_wait_for_their_turn() -> bool:
    return is_slower(worse('rate = "30 kbit"'), 3)


def crash(do: str, more: str = "") -> Played:
    """Play it with the node killed just after it was given something to write."""
    return play(f'do = "{do}", at = "3 s", restart_after = "3 s", {ONE}{more}')


@cache
def crash_in_write(disk: str) -> Played:
    """Play it with the node killed in the very moment in which it is told to write."""
    posts = [post for post in play().world.plan.posts if post.node == NODE]
    at_ms = next(post.at_ms for post in posts if post.at_ms * 1000 > AT_US)
    when = f'at = "{at_ms} ms", restart_after = "1 s"'
    return play(f'do = "crash", {when}, {ONE}, disk = "{disk}"', "workload.before_crash=0")


def the_kill(done: Played) -> KillFact:
    """Return what the only kill did."""
    (fact,) = done.world.facts.kills.values()
    return fact


@probe("do crash")
def a_killed_node_hears_nothing_and_begins_a_new_log() -> bool:
    return is_away(crash("crash")) and own_logs(crash("crash")) == 2


@probe("disk keep")
def a_disk_keeps_what_it_had_and_the_write_under_way() -> bool:
    fact = the_kill(crash_in_write("keep"))
    return fact.unreported > 0 and (fact.unsynced, fact.rolled_back) == (0, 0)


@probe("disk drop_unsynced")
@probe("do drop_unsynced")
def what_was_not_synced_is_lost() -> bool:
    trouble = play_trouble("drop_unsynced").world.facts.troubles["t"]
    return the_kill(crash_in_write("drop_unsynced")).unsynced > 0 and trouble.amount > 0


@probe("disk torn")
def the_last_write_is_lost() -> bool:
    fact = the_kill(crash_in_write("torn"))
    return fact.unsynced > 0 and (fact.unreported, fact.rolled_back) == (0, 0)


@probe("disk bitflip")
def a_damaged_disk_is_given_up() -> bool:
    return the_kill(crash_in_write("bitflip")).rolled_back > 10


@probe("do wipe")
def an_empty_disk_is_filled_by_others() -> bool:
    return min(arrivals_us(crash("wipe"))) > UNTIL_US and the_kill(crash("wipe")).rolled_back > 10


@probe("do restore_old")
def an_old_backup_lacks_the_last_records() -> bool:
    return 7 <= the_kill(crash("restore_old", ", records = 7")).rolled_back < 14


def upset(do: str, more: str = "", when: str = WHEN) -> Played:
    """Play it with something befalling the node."""
    return play(f'do = "{do}", {when}, {ONE}{more}')


@probe("do pause")
def a_paused_node_hears_nothing_and_goes_on() -> bool:
    done = upset("pause")
    return is_away(done) and (own_logs(done), done.world.nodes[NODE].starts) == (1, 1)


@probe("do slow")
def a_slow_node_is_slow() -> bool:
    slow = upset("slow", ', each = "80 ms"')
    ways, usual = (mean(ways_us(done, within(done), [NODE])) for done in (slow, play()))
    return ways > usual + 80_000


@probe("do restart")
def a_restarted_node_writes_on_in_its_log() -> bool:
    done = upset("restart", ', restart_after = "3 s"', AT)
    return is_away(done) and (own_logs(done), done.world.nodes[NODE].starts) == (1, 2)


@probe("do leave")
def a_node_that_left_hears_nothing_and_writes_on_in_its_log() -> bool:
    done = upset("leave")
    return is_away(done) and (own_logs(done), done.world.nodes[NODE].starts) == (1, 2)


@probe("do join")
def a_node_that_joins_late_hears_nothing_before() -> bool:
    return min(arrivals_us(upset("join", when=AT))) > AT_US


@probe("do clock_bump")
def a_clock_that_jumped_is_wrong_from_then_on() -> bool:
    errors = clock_errors_ms(upset("clock_bump", ', by = "-20 s"', AT))
    before = {error // 1000 for at_us, error in errors if at_us < AT_US}
    after = {error // 1000 for at_us, error in errors if at_us > AT_US}
    return (before, after) == ({-1}, {-21})


@probe("do clock_drift")
def a_clock_that_drifts_is_more_and_more_wrong() -> bool:
    errors = [e for at, e in clock_errors_ms(upset("clock_drift", ", ppm = 100_000")) if at > AT_US]
    return max(errors) > 150


@probe("do disk_full")
def a_full_disk_writes_nothing() -> bool:
    return upset("disk_full").world.facts.refused > 0


@probe("do carry")
def what_no_link_carries_comes_by_stick() -> bool:
    often = 'every = "60 / min", for = "500 ms", do = "carry", '
    there, back = (f'from = "side:{one}", to = "side:{other}"' for one, other in (WAY, WAY[::-1]))
    done = play(f"{often}{there} }}, {{ {often}{back}", 'topology.kind="islands"')
    west = set(side(done, "west"))
    crossing = [
        link for link in done.world.plan.links if len({link.dialer, link.listener} & west) == 1
    ]
    return not crossing and len(done.world.couriers.sticks) > 5


def test_a_crash_comes_while_something_is_written() -> None:
    """What people post just before a crash is with the disk then, not on it, as drawn."""
    assert the_kill(crash("crash")).unreported > 0
    assert the_kill(crash("crash", ', disk = "drop_unsynced"')).unsynced > 0


@probe("growth checkpoints")
def old_parts_of_logs_are_let_go_of() -> bool:
    done = play_virtual(old_logs())
    return sum(one.records for one in done.evidence.facts.let_go) > 0


def test_each_word_for_a_fault_has_a_probe() -> None:
    """Nobody can add a kind of fault without showing that it does something."""
    behaviours = {f"behaviour {name}" for name in BEHAVIOURS}  # see test_adversaries.py
    assert set(PROBES) == ABILITIES["virtual"] - behaviours


@pytest.mark.parametrize("word", sorted(PROBES))
def test_a_fault_does_what_it_says(word: str) -> None:
    """What came of it shows that it was there, and the honest nodes stand."""
    assert PROBES[word]()
