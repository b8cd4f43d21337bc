"""Sticks in the harness: drawn, carried by real code on both backends, and judged."""

from dataclasses import replace
from pathlib import Path

import pytest

from mycelia_sim.backends import able
from mycelia_sim.conduct import Settings
from mycelia_sim.live.couriers import parts_of
from mycelia_sim.needs import plan_needs
from mycelia_sim.plan import Kill, Plan
from mycelia_sim.planner import draw_plan
from mycelia_sim.play import begin, checks_by_name, play
from mycelia_sim.progress import Progress
from mycelia_sim.reduce import keep_nodes, shift, truncate
from mycelia_sim.scenario import find
from mycelia_sim.scenario_reader import load
from mycelia_sim.telling import tell
from mycelia_sim.timeline import load_timeline
from mycelia_sim.virtual.oracle import NEVER, Direction, Oracle, Stick
from mycelia_sim.virtual.run import Played, play_virtual

SHORT = ["run.duration=12 s", "run.converge_within=60 s", "run.warmup=20 s"]
PAIR = """
schema = 1
name = "pair"
[run]
warmup = "60 s"
duration = "10 s"
converge_within = "90 s"
[nodes]
count = 4
islands = 2
[topology]
kind = "islands"
[workload]
opening = "2 s"
[[fault]]
every = "20 / min"
for = "1 s"
do = "carry"
from = "island:0"
to = "island:1"
[[fault]]
every = "20 / min"
for = "1 s"
do = "carry"
from = "island:1"
to = "island:0"
"""

GROWN = """
[growth]
checkpoint_after = 4
acknowledge_within = "1 s"
compact_after = "1 s"
compacting = 1
[[fault]]
name = "new-disks"
at = "14 s"
do = "wipe"
select = { any = 2, from = "island:1" }
restart_after = "1 s"
"""


def plan_of(*settings: str, backend: str = "virtual") -> Plan:
    """Draw the shipped scenario with some settings."""
    return draw_plan(load(find("sneakernet"), [*SHORT, *settings]), backend)


def undelivered(played: Played) -> int:
    """Return how many records never came to some node."""
    return int(str(played.measured.counts["pairs_undelivered"]))


def test_trips_join_what_no_link_does() -> None:
    """The districts have no link between them; each trip leads from one to the next, also late."""
    plan = plan_of()
    parts = parts_of(plan)
    assert len(parts) == 3
    assert plan.nodes[0].id in parts[0]
    part = {node: number for number, nodes in enumerate(parts) for node in nodes}
    assert all(part[link.dialer] == part[link.listener] for link in plan.links)
    assert {(part[trip.source], part[trip.target]) for trip in plan.trips} == {
        (0, 1),
        (1, 2),
        (2, 0),
    }
    assert all(trip.at_ms < trip.until_ms for trip in plan.trips)
    assert max(trip.at_ms for trip in plan.trips) > plan.duration_ms
    assert able(plan_needs(plan), len(plan.nodes)) == ("virtual", "live", "switch")


def test_trips_are_told_in_words() -> None:
    """A trip reads as a clause, and one while the nodes settle is no mistake of the scenario."""
    plan = plan_of()
    trip = plan.trips[0]
    told = tell(plan, trip)
    assert told.startswith(f"a stick goes from {trip.source} ({plan.node(trip.source).name}) to ")
    assert told.endswith(f"is there at {trip.until_ms / 1000:g} s")


def test_islands_agree_by_sticks_alone() -> None:
    """With sticks all districts come to the same records; without them none of this happens."""
    played = play_virtual(plan_of())
    checks = checks_by_name(played.checks)
    assert checks["convergence"].verdict == "pass"
    assert checks["faults_fired"].verdict == "pass"
    assert {check.verdict for check in played.checks} == {"pass"}
    counts = played.measured.counts
    assert undelivered(played) == 0
    assert counts["pairs_before_oracle"] == 0
    assert len(played.world.couriers.sticks) > 5
    alone = play_virtual(replace(plan_of(), trips=()))
    assert checks_by_name(alone.checks)["convergence"].verdict == "fail"
    assert undelivered(alone) > 0


def test_a_run_with_sticks_repeats() -> None:
    """The same plan gives the same trace."""
    plan = plan_of("run.duration=6 s", "run.converge_within=20 s")
    assert play_virtual(plan).world.trace_digest == play_virtual(plan).world.trace_digest


def test_the_oracle_knows_sticks() -> None:
    """A record is where a stick came if it was on the disk when it left, and else it never is."""
    ways = {("a", "b"): Direction(5), ("b", "a"): Direction(5)}
    sticks = [Stick("b", 100, "c", 160), Stick("b", 300, "c", 310)]
    oracle = Oracle(["a", "b", "c", "d"], ways, {}, 2, sticks)
    assert oracle.arrivals("a", 0) == [0, 7, 162, NEVER]
    assert oracle.arrivals("a", 93) == [93, 100, 162, NEVER]
    assert oracle.arrivals("a", 94) == [94, 101, 312, NEVER]
    assert oracle.arrivals("b", 300) == [307, 300, 312, NEVER]
    assert oracle.arrivals("b", 301) == [308, 301, NEVER, NEVER]
    assert oracle.arrivals("c", 0) == [NEVER, NEVER, 0, NEVER]


def test_smaller_plans_keep_what_fits() -> None:
    """A smaller plan has the trips between nodes that are left, and none that begins too late."""
    plan = plan_of()
    gone = plan.trips[0].source
    fewer = keep_nodes(plan, [node.id for node in plan.nodes if node.id != gone])
    assert fewer.trips == tuple(t for t in plan.trips if gone not in (t.source, t.target))
    shorter = truncate(plan, 5_000)
    assert shorter.trips == tuple(t for t in plan.trips if t.at_ms < 65_000)
    earlier = shift(plan, plan.trips[0].at_ms)
    assert earlier.trips[0].at_ms == 0
    lengths = [[trip.until_ms - trip.at_ms for trip in one.trips] for one in (plan, earlier)]
    assert lengths[0] == lengths[1]


def test_a_node_that_comes_back_at_the_very_end_came_back() -> None:
    """A kill whose restart falls on the end of the workload counts as one that was mended."""
    plan = plan_of("run.duration=6 s", "run.converge_within=60 s")
    node = plan.nodes[1].id
    kill = Kill("late", 5_500, node, plan.duration_ms, "keep", 0)
    played = play_virtual(replace(plan, kills=(kill,)))
    assert played.world.facts.kills["late"].has_restarted
    assert checks_by_name(played.checks)["recovery"].verdict == "pass"


@pytest.mark.daemon
@pytest.mark.slow
@pytest.mark.timeout(240)
def test_real_nodes_agree_by_sticks_alone(tmp_path: Path) -> None:
    """The same with real daemons and the real command, from the first vouch on."""
    path = tmp_path / "pair.toml"
    path.write_text(PAIR, "utf-8")
    plan = draw_plan(load(path, []), "live")
    assert len(parts_of(plan)) == 2
    finished = play(begin(plan, Settings(out=tmp_path)), Progress(is_quiet=True))
    assert finished.exit_code == 0, finished.text
    assert "carry" in finished.text
    timeline = load_timeline(finished.folder / "timeline.json")
    assert "carry" in {event.kind for event in timeline.events}


def test_a_district_that_lost_its_disks_gets_old_logs_by_stick_alone(tmp_path: Path) -> None:
    """CARRY-13: all who have them let go of them, and no link leads there."""
    path = tmp_path / "grown.toml"
    path.write_text(PAIR + GROWN, encoding="utf-8")
    played = play_virtual(draw_plan(load(path, ["run.duration=16 s"]), "virtual"))
    failed = {check.name: check.detail for check in played.checks if check.verdict != "pass"}
    assert not failed
    wiped = {kill.node for kill in played.evidence.plan.kills}
    assert len(wiped) == 2
    for holding in played.evidence.holdings:
        if holding.node in wiped:
            assert sum(record.is_compact for record in holding.records) > 20
