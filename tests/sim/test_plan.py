"""The plan: all draws resolved, the same for the same seed, and stable under change."""

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from mycelia_sim.errors import ScenarioError
from mycelia_sim.plan import Plan, build_plan, load_plan
from mycelia_sim.planner import draw_plan
from mycelia_sim.scenario import find
from mycelia_sim.scenario_reader import load
from mycelia_sim.sites import RIVER_LONGITUDE, twin_cities
from mycelia_sim.workload import AMOUNTS
from support.liars import a_plan


def drawn(name: str, *settings: str) -> Plan:
    """Draw the plan of a shipped scenario."""
    return draw_plan(load(find(name), list(settings)))


def test_the_listing_is_read_whole() -> None:
    """The sites lie on both sides, and amounts are known for every category in the listing."""
    sites = twin_cities()
    assert len(sites) > 250
    assert {site.side for site in sites} == {"west", "east"}
    codes = {code for site in sites for code in (*site.gives, *site.needs)}
    assert codes == set(AMOUNTS)
    assert all(amount.most >= 8 for amount in AMOUNTS.values())


def test_the_same_seed_draws_the_same_plan() -> None:
    """Equal seeds, equal plans; another seed, another plan."""
    assert drawn("village") == drawn("village")
    assert drawn("village").posts != drawn("village", "run.seed=2").posts


@pytest.mark.parametrize("seed", range(12))
def test_every_seed_gives_a_usable_plan(seed: int) -> None:
    """Any seed gives a plan whose sides are whole, linked, and have something to share in a cut."""
    plan = drawn("river-split", f"run.seed={seed}")
    side_of = {node.id: node.side for node in plan.nodes}
    assert Counter(side_of.values()) == {"west": 15, "east": 15}
    assert all((n.side == "west") == (n.longitude < RIVER_LONGITUDE) for n in plan.nodes)
    crossings = [link for link in plan.links if side_of[link.dialer] != side_of[link.listener]]
    assert len(crossings) >= 8
    degrees = Counter(node for link in plan.links for node in (link.dialer, link.listener))
    assert min(degrees.values()) >= 4
    assert max(degrees.values()) <= 7
    assert min(Counter(link.dialer for link in plan.links).values()) >= 2
    for side in ("west", "east"):
        assert is_connected(plan, [node for node in side_of if side_of[node] == side])
    (cut,) = plan.cuts
    for group in cut.groups:
        inside = [
            post
            for post in plan.posts
            if post.node in group and cut.at_ms <= post.at_ms < cut.until_ms
        ]
        offers = {(post.category) for post in inside if post.kind == "offer"}
        assert offers & {post.category for post in inside if post.kind == "request"}


def is_connected(plan: Plan, nodes: list[str]) -> bool:
    """Return whether the links among these nodes reach all of them."""
    reached, rest = {nodes[0]}, [nodes[0]]
    while rest:
        node = rest.pop()
        for link in plan.links:
            for a, b in ((link.dialer, link.listener), (link.listener, link.dialer)):
                if a == node and b in nodes and b not in reached:
                    reached.add(b)
                    rest.append(b)
    return reached == set(nodes)


def test_taking_a_fault_out_shifts_nothing_else() -> None:
    """Without its last fault a scenario has the same nodes, links, other faults and posts.

    Only the posts that belong to the fault itself are gone.
    """
    scenario = load(find("river-split"), [])
    whole = draw_plan(scenario)
    less = draw_plan(replace(scenario, faults=scenario.faults[:-1]))
    assert (less.nodes, less.links, less.cuts, less.attempts) == (
        whole.nodes,
        whole.links,
        whole.cuts,
        whole.attempts,
    )
    assert less.kills == whole.kills[: len(less.kills)]
    kept = {(p.at_ms, p.node, p.kind, p.category) for p in whole.posts if p.of is None}
    assert {(p.at_ms, p.node, p.kind, p.category) for p in less.posts if p.of is None} <= kept


def test_posts_are_such_that_a_node_takes_them() -> None:
    """Offers are whole lots, requests have an urgency, withdrawals name an earlier post."""
    plan = drawn("river-split")
    posts = {post.n: post for post in plan.posts}
    assert [post.at_ms for post in plan.posts] == sorted(post.at_ms for post in plan.posts)
    for post in plan.posts:
        assert 0 <= post.at_ms < plan.duration_ms
        if post.kind == "offer":
            assert post.quantity % post.lot == 0
        if post.kind == "request":
            assert post.urgency in ("now", "days", "week", "anytime")
        if post.of is not None:
            assert posts[post.of].at_ms < post.at_ms
            assert posts[post.of].node == post.node


def test_kills_come_while_their_nodes_write() -> None:
    """Each killed node has posts in the moments before, and no node is killed twice."""
    plan = drawn("river-split")
    assert len({kill.node for kill in plan.kills}) == len(plan.kills) == 3
    for kill in plan.kills:
        before = [p for p in plan.posts if p.node == kill.node and 0 <= kill.at_ms - p.at_ms < 200]
        assert len(before) >= 4


def test_the_adversary_never_forges_its_own_target() -> None:
    """Each attempt has a victim other than the node that it is sent to."""
    attempts = drawn("river-split").attempts
    assert {attempt.behaviour for attempt in attempts} == {
        "forge_author",
        "alter_body",
        "break_chain",
    }
    assert all(attempt.target != attempt.victim for attempt in attempts)


def test_a_plan_survives_its_file(tmp_path: Path) -> None:
    """What is written is read back unchanged."""
    plan = drawn("village")
    path = tmp_path / "plan.json"
    path.write_text(plan.to_json(), encoding="utf-8")
    assert load_plan(path) == plan


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"schema": 1}, "not a plan of schema 3"),
        ({"sede": 3}, "unknown key 'sede'; did you mean 'seed'?"),
        ({"seed": "3"}, "must be int"),
        ({"seed": None}, "must be int"),
        ({"nodes": {}}, "must be a list"),
        ({"nodes": [1, 2]}, "must be an object"),
        ({"links": [{"dialer": "n00", "listener": "n99", "latency_ms": 1}]}, "no node 'n99'"),
        ({"kills": [{"id": "k", "at_ms": 1, "node": "n00"}]}, "'restart_ms' is missing"),
    ],
)
def test_a_damaged_plan_is_refused(
    tmp_path: Path, change: dict[str, object], complaint: str
) -> None:
    """A plan that was edited wrongly is named as such, with the place."""
    data = json.loads(drawn("village").to_json())
    path = tmp_path / "plan.json"
    path.write_text(json.dumps({**data, **change}), encoding="utf-8")
    with pytest.raises(ScenarioError) as caught:
        load_plan(path)
    assert complaint in str(caught.value)


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        (["fault.0.groups=[['district:Atlantis'], ['side:east']]"], "selects no node"),
        (["fault.0.groups=[['all'], ['side:east']]"], "groups must not overlap"),
        (["fault.1.select={any=9}"], "9 nodes are to be chosen"),
    ],
)
def test_what_can_not_be_drawn_is_said(settings: list[str], complaint: str) -> None:
    """A scenario that asks for more than there is says what to change."""
    with pytest.raises(ScenarioError) as caught:
        drawn("village", *settings)
    assert complaint in str(caught.value)


def test_a_chosen_backend_alone_must_be_able() -> None:
    """Loss can be had on the switch although the scenario names the relays too, which show none."""
    lossy = ["link.default.loss=0.02"]
    path = find("village")
    plan = draw_plan(load(path, lossy, "switch"), "switch")
    assert plan.backend == "switch"
    assert {shape.loss_ppm for shape in plan.shapes} == {20_000}
    with pytest.raises(
        ScenarioError, match=r"live backend can't do 'link loss'; virtual and switch"
    ):
        load(path, lossy, "live")
    with pytest.raises(ScenarioError, match="live backend can't do 'link loss'"):
        load(path, lossy)
    with pytest.raises(ScenarioError, match="metropolis is not made for the switch backend"):
        draw_plan(load(find("metropolis"), [], "switch"), "switch")


@pytest.mark.parametrize("backend", ["live", "switch"])
@pytest.mark.parametrize("name", ["liars", "flood"])
def test_real_nodes_meet_every_adversary(backend: str, name: str) -> None:
    """The scenarios of adversaries are drawn for real nodes as they stand."""
    path, few = find(name), ["nodes.count=6"]
    plan, model = (draw_plan(load(path, few, one), one) for one in (backend, "virtual"))
    assert plan.attempts == model.attempts
    assert plan.backend == backend


@pytest.mark.parametrize(
    ("backend", "fault", "is_able"),
    [
        ("live", 'do = "pause"\nselect = { any = 1 }\nfor = "1 s"', True),
        ("live", 'do = "isolate"\nselect = { any = 1 }\nfor = "1 s"', True),
        ("live", 'do = "degrade"\nselect = { any = 1 }\nfor = "1 s"\nloss = 0.1', False),
        ("switch", 'do = "degrade"\nselect = { any = 1 }\nfor = "1 s"\nloss = 0.1', True),
        ("switch", 'do = "restart"\nselect = { any = 1 }\nrestart_after = "1 s"', True),
        ("switch", 'do = "clock_bump"\nselect = { any = 1 }\nby = "9 s"', False),
    ],
)
def test_backends_refuse_what_they_can_not_do(
    tmp_path: Path, backend: str, fault: str, is_able: bool
) -> None:
    """A fault is drawn for a backend that can bring it about, and refused by name on another."""
    path = tmp_path / "one.toml"
    head = f'schema = 1\nname = "one"\n[run]\nseed = 1\nduration = "9 s"\nbackend = ["{backend}"]\n'
    path.write_text(f'{head}[nodes]\ncount = 6\n[[fault]]\nat = "1 s"\n{fault}\n', "utf-8")
    if is_able:
        plan = draw_plan(load(path, []))
        assert len(plan.cuts) + len(plan.shapes) + len(plan.troubles) > 0
    else:
        with pytest.raises(ScenarioError, match=f"the {backend} backend can't do"):
            load(path, [])


def test_a_plan_from_before_a_key_was_there_means_what_it_meant() -> None:
    """What has a default may be left out, at every depth; all else may not."""
    plan = a_plan()
    old = json.loads(plan.to_json())
    for key in ("trips", "preposition", "policy", "in_force", "accept_within_ms"):
        del old[key]
    del old["stop"]["max_events"]
    for post in old["posts"]:
        del post["slots"], post["to"], post["until_ms"]
    assert build_plan(old, "old") == plan
    del old["posts"][0]["urgency"]
    with pytest.raises(ScenarioError, match="'urgency' is missing"):
        build_plan(old, "old")
