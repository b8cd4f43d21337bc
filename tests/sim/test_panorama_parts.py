"""The parts of the panorama that decide something: health, places, curves, words."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mycelia_node.page.markup import text
from mycelia_sim.panorama.beds import grow
from mycelia_sim.panorama.curves import plots
from mycelia_sim.panorama.health import (
    DROWSY,
    RESTING,
    SEED,
    STATES,
    THRIVING,
    WILTED,
    conditions,
    judge,
)
from mycelia_sim.panorama.layout import ASPECT, CLEARANCE, place, spread
from mycelia_sim.panorama.moments import moments
from mycelia_sim.panorama.words import clock, some, span, with_names
from mycelia_sim.sites import RIVER_LONGITUDE
from mycelia_sim.timeline import Fault, Node, Sample, Timeline
from support.outage import country, outage

RUN = outage()


def test_an_outage_wilts_the_garden_and_the_heal_revives_it() -> None:
    """All thrive before the cut, most suffer at its end, all thrive again in the end."""
    judged = conditions(RUN)
    at = {sample.t_ms: n for n, sample in enumerate(RUN.samples)}
    assert judged.tally(at[7_500])[THRIVING] == 30
    assert judged.tally(at[33_500])[THRIVING] == 0
    assert judged.tally(len(RUN.samples) - 1)[THRIVING] == 30


@pytest.mark.parametrize(
    ("have", "peers", "low", "high"),
    [
        (None, None, 0, 0),  # down
        (300, 6, 1000, 1000),
        (300, None, 1000, 1000),  # nobody asked for links
        (300, 3, 1000, 1000),  # half of the links are enough
        (300, 1, 300, 400),
        (300, 0, 1, 200),  # hears nobody
        (298, 6, 1000, 1000),  # some records are always under way
        (280, 6, 700, 900),
        (200, 6, 1, 200),
    ],
)
def test_the_worst_answer_decides(have: int | None, peers: int | None, low: int, high: int) -> None:
    """A node is as well as the worst of: is it up, has it links, how far is it behind."""
    assert low <= judge(have, peers, union=300, fresh=200, usual=6) <= high


@given(st.integers(0, 500), st.integers(0, 500), st.integers(0, 12), st.integers(0, 500))
def test_health_never_rises_with_what_is_missing(
    have: int, more: int, peers: int, fresh: int
) -> None:
    """Who holds more is at least as well, and health stays within 0 and 1000."""
    union = have + more
    health = [judge(held, peers, union, fresh, 12) for held in (have, union)]
    assert 0 <= health[0] <= health[1] <= 1000


def lone(have: list[int | None], faults: tuple[Fault, ...] = ()) -> Timeline:
    """Return a run of one node."""
    samples = tuple(
        Sample(1_000 * n, max(9, held or 0), (held,), (None,), 1) for n, held in enumerate(have)
    )
    node = Node("a", "A", "Here", "all", 0.0, 0.0)
    return replace(
        RUN, nodes=(node,), links=(), faults=faults, events=(), latency=(), samples=samples
    )


def test_left_is_not_failed() -> None:
    """Who left on purpose rests, who lost power has wilted, who never came is a seed."""
    left = Fault("f", "leave", 2_000, 4_000, (), ("a",), (), "leaves")
    dark = replace(left, kind="crash")
    for fault, state in ((left, RESTING), (dark, WILTED)):
        judged = conditions(lone([None, 9, None, None, 9], (fault,)))
        assert [row[0] for row in judged.states] == [SEED, THRIVING, state, state, THRIVING]


PLACES = st.lists(
    st.tuples(st.floats(44.6, 45.3), st.floats(-93.8, -92.6)), min_size=1, max_size=60
)


@settings(max_examples=30, deadline=None)
@given(PLACES)
def test_everybody_keeps_their_bank(places: list[tuple[float, float]]) -> None:
    """Plants stay in the picture, and west of the river whoever lives west of it."""
    nodes = [Node(str(n), "", "", "", lat, lon) for n, (lat, lon) in enumerate(places)]
    points, river = place(nodes)
    is_west = [node.lon < RIVER_LONGITUDE for node in nodes]
    for (u, v), west in zip(spread(points, is_west, river), is_west, strict=True):
        assert -0.1 <= u <= 1.1
        assert 0 <= v <= 1
        if river is not None:
            off = u - river.at(v)
            assert off <= -CLEARANCE + 1e-9 if west else off >= CLEARANCE - 1e-9


def test_plants_get_room() -> None:
    """In a city of 30 no two plants stand on each other, although sites share coordinates."""
    plants = grow(RUN).plants
    gaps = [
        (((a.u - b.u) * ASPECT) ** 2 + (a.v - b.v) ** 2) ** 0.5
        for n, a in enumerate(plants)
        for b in plants[:n]
    ]
    assert min(gaps) > 0.09


def test_places_keep_their_order() -> None:
    """The map is stretched, never shuffled: rough places keep the order of longitudes."""
    points, _ = place(RUN.nodes)
    by_lon = sorted(range(30), key=lambda n: RUN.nodes[n].lon)
    places = [points[n][0] for n in by_lon]
    assert places == sorted(places)


def test_a_run_from_nowhere_is_laid_out() -> None:
    """Nodes without coordinates stand on a spiral, and there is no river."""
    nodes = [Node(str(n), "", "", "all", 0.0, 0.0) for n in range(40)]
    points, river = place(nodes)
    assert river is None
    assert len({(round(u, 3), round(v, 3)) for u, v in points}) == 40


def test_no_bed_lies_on_both_sides_of_a_cut() -> None:
    """A bed can wilt as one: its nodes are all in one group of the partition."""
    run = country(900, samples=20)
    garden = grow(run)
    west = set(run.faults[0].groups[0])
    assert garden.is_grouped
    for plant in garden.plants:
        assert len({run.nodes[n].id in west for n in plant.members}) == 1
    for link in garden.links:
        ends = [garden.plants[n].side for n in (link.one, link.other)]
        assert bool(link.cuts) == (ends[0] != ends[1])


def test_long_curves_keep_their_peaks() -> None:
    """A curve is thinned for the page, and its worst moment stays in it."""
    samples = tuple(
        replace(RUN.samples[0], t_ms=n * 10, union=90 + 400 * (n == 4_321)) for n in range(6_000)
    )
    run = replace(RUN, samples=samples)
    divergence = plots(run)[1]
    values = [value for _, value in divergence.series[0].points if value is not None]
    assert len(values) < 400
    assert max(values) == 30 * 400


def test_the_moments_are_told_in_order() -> None:
    """The still pictures go from the beginning over the darkest moment to the end."""
    judged = conditions(RUN)
    found = moments(RUN, judged)
    assert [moment.name for moment in found] == [
        "the beginning",
        "before the outage",
        "the darkest moment",
        "the links are back",
        "the end",
    ]
    assert [moment.sample for moment in found] == sorted(moment.sample for moment in found)


@pytest.mark.parametrize(
    ("t_ms", "length_ms", "said"),
    [
        (0, 60_000, "0:00"),
        (61_400, 90_000, "1:01"),
        (5_000_000, 86_400_000, "1:23 h"),
    ],
)
def test_times_of_the_run(t_ms: int, length_ms: int, said: str) -> None:
    """Short runs count minutes and seconds, long ones hours and minutes."""
    assert clock(t_ms, length_ms) == said


@pytest.mark.parametrize(
    ("length_ms", "said"),
    [
        (640, "640 ms"),
        (1_000, "1 s"),
        (2_140, "2.1 s"),
        (26_000, "26 s"),
        (90_000, "1.5 min"),
        (3_600_000, "1 h"),
        (90_000_000, "25 h"),
    ],
)
def test_lengths_of_time(length_ms: int, said: str) -> None:
    """A length of time has the unit in which it is a small number."""
    assert span(length_ms) == said


def test_small_words() -> None:
    """Counts agree with their nouns, ids get names, markup is escaped."""
    assert [some(n, "node") for n in (0, 1, 2_000)] == ["no node", "1 node", "2,000 nodes"]
    assert with_names("n00 and n0 differ", RUN) == f"n00 ({RUN.nodes[0].name}) and n0 differ"
    assert text('<"&') == "&lt;&quot;&amp;"
    assert len(STATES) == 5
    assert STATES[DROWSY] == "drowsy"
