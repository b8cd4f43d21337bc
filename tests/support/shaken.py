"""A small city in virtual time with one fault from 3 s to 6 s, and what there is to see of it."""

from collections.abc import Iterable
from dataclasses import replace
from functools import cache
from typing import Final

from mycelia_sim.plan import Trouble
from mycelia_sim.planner import draw_plan
from mycelia_sim.scenario import find
from mycelia_sim.scenario_reader import load
from mycelia_sim.sometimes import families
from mycelia_sim.virtual.custody import Journey
from mycelia_sim.virtual.node import EPOCH_MS
from mycelia_sim.virtual.run import Played, play_virtual

CALM: Final = (
    'run.backend=["virtual"]',
    "run.duration=7 s",
    "nodes.count=4",
    "nodes.islands=2",
    "topology.degree=3",
    "topology.crossings_min=2",
    "workload.rate=poisson(3 / s)",
    "workload.opening=1 s",
    'link.default.latency="5 ms"',
    "adversary=[]",
    'check.sometimes=["faults_fired"]',
)
AT_US, UNTIL_US = 3_000_000, 6_000_000  # of all that has a beginning and an end
AT: Final = 'at = "3 s"'
LONG: Final = 'at = "1 s", for = "6 s"'
WHEN: Final = f'{AT}, for = "3 s"'
NODE: Final = "n02"
ONE: Final = f'select = "node:{NODE}"'
WAY: Final = ("west", "east")
SIDES: Final = 'groups = [["side:west"], ["side:east"]]'
ITS_LINKS: Final = f'groups = [["node:{NODE}"], ["rest"]]'


@cache
def play(fault: str = "", *changes: str) -> Played:
    """Play a small city with one fault, given as a TOML table without its braces."""
    faults = f"fault=[{{{fault}}}]" if fault else "fault=[]"
    plan = draw_plan(load(find("village"), [*CALM, *changes, faults]), "virtual")
    return judged(play_virtual(plan))


@cache
def play_trouble(kind: str) -> Played:
    """Play it with a trouble of which only plans speak."""
    posts = [post for post in play().world.plan.posts if post.node == NODE]
    at_ms = next(post.at_ms for post in posts if post.at_ms * 1000 > AT_US)
    trouble = Trouble("t", kind, at_ms, at_ms + 500, NODE, 0)
    return judged(play_virtual(replace(play().world.plan, troubles=(trouble,))))


def judged(done: Played) -> Played:
    """Return a run after a look whether all fired, and the honest nodes stand."""
    bad = [check for check in done.checks if check.verdict != "pass"]
    assert not bad, bad
    assert all(fired for fired, _ in families(done.evidence).values())
    return done


def since_us(done: Played, at_us: int) -> int:
    """Return a virtual time as us since the workload began."""
    return at_us - done.world.began_us


def within(done: Played, nodes: Iterable[str] | None = None) -> list[Journey]:
    """Return the journeys of what was written in the first half of the fault, by some or all."""
    names = done.world.nodes if nodes is None else frozenset(nodes)
    return [
        journey
        for journey in done.world.journeys.values()
        if AT_US < since_us(done, journey.born_us) < (AT_US + UNTIL_US) // 2
        and journey.author in names
    ]


def ways_us(done: Played, journeys: Iterable[Journey], targets: Iterable[str]) -> list[int]:
    """Return how long journeys took to some nodes, that of their author left out."""
    return [
        journey.arrivals[target] - journey.born_us
        for journey in journeys
        for target in targets
        if target != journey.author
    ]


def side(done: Played, name: str) -> list[str]:
    """Return the nodes on one side of the river."""
    return [node.id for node in done.world.plan.nodes if node.side == name]


def arrivals_us(done: Played, node: str = NODE) -> list[int]:
    """Return when records of others came to a node, since the workload began."""
    return [
        since_us(done, journey.arrivals[node])
        for journey in done.world.journeys.values()
        if journey.author != node
    ]


def is_away(done: Played) -> bool:
    """Return whether nothing came to the node while it lasted, and much before and after."""
    times = arrivals_us(done)
    during = [at for at in times if AT_US + 20_000 < at < UNTIL_US]
    return not during and min(times) < AT_US and max(times) > UNTIL_US


def own_logs(done: Played) -> int:
    """Return how many logs the node has begun."""
    key = done.world.beginning.keys[NODE]
    return len({copy.log for copy in done.evidence.library.places if copy.author == key})


def clock_errors_ms(done: Played) -> list[tuple[int, int]]:
    """Return (when in us, how wrong its time is in ms) of what the node wrote."""
    world, records = done.world, done.evidence.library.records
    return [
        (
            since_us(done, journey.born_us),
            records[record].time_ms - EPOCH_MS - journey.born_us // 1000,
        )
        for record, journey in world.journeys.items()
        if journey.author == NODE
    ]


def held(done: Played) -> list[int]:
    """Return how many messages each cut kept back."""
    return [fact.connections for fact in done.world.facts.cuts.values()]
