"""The oracle: never later than what happened, and plain shortest paths where nothing happens."""

import heapq
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mycelia_sim.plan import Plan
from mycelia_sim.virtual.oracle import NEVER, Direction, Life, Oracle
from mycelia_sim.virtual.schedule import oracle_of
from mycelia_sim.virtual.spans import Spans
from mycelia_sim.virtual.world import World
from support import city

SYNC_US = 1_000
NODES = ("a", "b", "c", "d")
Pairs = dict[tuple[str, str], int]

pairs_of_nodes = st.dictionaries(
    st.tuples(st.sampled_from(NODES), st.sampled_from(NODES)).filter(
        lambda pair: pair[0] != pair[1]
    ),
    st.integers(0, 500),
    max_size=12,
)
spans = st.lists(st.tuples(st.integers(0, 200), st.integers(1, 150)), max_size=3).map(
    lambda found: Spans([(start, start + length) for start, length in found])
)


def shortest(pairs: Pairs, source: str) -> dict[str, int]:
    """Return the distances of a plain Dijkstra."""
    best = {source: 0}
    heap = [(0, source)]
    while heap:
        far, node = heapq.heappop(heap)
        for (one, other), latency in pairs.items():
            if one == node and far + latency < best.get(other, NEVER):
                best[other] = far + latency
                heapq.heappush(heap, (best[other], other))
    return best


@given(pairs_of_nodes, st.integers(0, 10_000))
def test_without_faults_it_is_the_shortest_path(pairs: Pairs, born: int) -> None:
    """Every node is reached one sync after the sum of the latencies on the shortest path."""
    ways = {pair: Direction(latency) for pair, latency in pairs.items()}
    found = Oracle(NODES, ways, {}, SYNC_US).arrivals("a", born)
    best = shortest(pairs, "a")
    expected = [born + best[node] + SYNC_US if node in best else NEVER for node in NODES]
    assert found == [born, *expected[1:]]


def crawl(ways: dict[tuple[str, str], Direction], lives: dict[str, Life], born: int) -> list[int]:
    """Return what the oracle should, by trying every moment for every step."""
    end = 2_500  # later than the last span and three hops
    reached: dict[str, int] = dict.fromkeys(NODES, NEVER)
    reached["a"] = born
    for _ in NODES:
        for (u, v), way in ways.items():
            sender, receiver = lives.get(u, Life()), lives.get(v, Life())
            for time in range(reached[u], end) if reached[u] < end else ():
                if time >= reached[v]:
                    break  # what leaves later is there later
                lands = time + way.latency_at(time)
                is_awake = sender.asleep.after(time) == time
                is_open = way.cuts.after(time) == time and way.cuts.after(lands) == lands
                if is_awake and is_open and receiver.down.is_clear(time, lands):
                    reached[v] = min(reached[v], receiver.asleep.after(lands))
    waits = {node: lives.get(node, Life()).mute for node in NODES}
    return [
        born if node == "a" else waits[node].after(at + 10) if at < NEVER else NEVER
        for node, at in reached.items()
    ]


@given(
    st.dictionaries(
        st.sampled_from([("a", "b"), ("b", "c"), ("a", "c"), ("c", "b"), ("c", "d")]),
        st.tuples(st.integers(0, 60), spans, st.integers(0, 80), spans),
    ),
    st.dictionaries(st.sampled_from("bcd"), st.tuples(spans, spans, spans)),
    st.integers(0, 200),
)
@settings(max_examples=100, deadline=None)
def test_with_faults_it_is_what_trying_every_moment_gives(
    drawn: dict[tuple[str, str], tuple[int, Spans, int, Spans]],
    fates: dict[str, tuple[Spans, Spans, Spans]],
    born: int,
) -> None:
    """Cuts, slow times, crashes, full disks: no faster way was overlooked, none made up."""
    ways = {
        pair: Direction(latency, cuts, [(start, end, more) for start, end in slow])
        for pair, (latency, cuts, more, slow) in drawn.items()
    }
    lives = {
        node: Life(down, Spans([*down, *stopped]), Spans([*down, *stopped, *full]))
        for node, (down, stopped, full) in fates.items()
    }
    assert Oracle(NODES, ways, lives, 10).arrivals("a", born) == crawl(ways, lives, born)


def calm(plan: Plan) -> Plan:
    """Leave a plan as it is."""
    return plan


def river(plan: Plan) -> Plan:
    """Close the river twice, once in one direction only, and reset links once."""
    plan = city.cut(plan, 2_000, 9_000)
    plan = city.cut(plan, 11_000, 14_000, oneway=True)
    return city.cut(plan, 15_000, 17_000, mode="reset")


def late(plan: Plan) -> Plan:
    """Delay what goes over the river, and slow all links for a while, with losses."""
    plan = city.cut(plan, 2_000, 6_000, mode="delay")
    plan = city.cut(plan, 5_000, 8_000, mode="queue")
    return city.degrade(plan, 7_000, 15_000, loss_ppm=30_000)


def outages(plan: Plan) -> Plan:
    """Kill, stop and fill nodes, some of them while the river is closed."""
    plan = city.cut(plan, 4_000, 12_000)
    plan = city.kill(plan, "n01", 3_000, 7_000)
    plan = city.kill(plan, "n02", 5_000, 13_000, "wipe")
    plan = city.kill(plan, "n07", 6_000, 9_000, "restore_old", 5)
    plan = city.trouble(plan, "pause", "n03", 2_000, 10_000)
    plan = city.trouble(plan, "leave", "n04", 5_000, 11_000)
    plan = city.trouble(plan, "disk_full", "n05", 3_000, 9_000)
    plan = city.trouble(plan, "slow", "n06", 1_000, 15_000, 20_000)
    return city.trouble(plan, "clock_drift", "n08", 1_000, 15_000, 50_000)


@pytest.mark.parametrize("seed", [1, *(pytest.param(n, marks=pytest.mark.slow) for n in (2, 3))])
@pytest.mark.parametrize("happen", [calm, river, late, outages])
def test_nothing_arrives_before_the_oracle_allows(
    happen: Callable[[Plan], Plan], seed: int
) -> None:
    """Of every record and node, the earliest possible arrival is not after the observed one."""
    plan = happen(city.city(10, 40, seed=seed))
    world = World(plan)
    world.run()
    oracle = oracle_of(world)
    pairs = 0
    for journey in world.journeys.values():
        if journey.arrivals.get(journey.author) != journey.born_us:
            continue  # came back from the wire after its author's disk was emptied
        earliest = oracle.arrivals(journey.author, journey.born_us)
        for node, at_us in zip(world.nodes, earliest, strict=True):
            if node in journey.arrivals:
                assert at_us <= journey.arrivals[node], (journey, node, at_us)
                pairs += 1
    assert pairs > 300
