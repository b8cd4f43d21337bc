"""What people do later about what they posted: it changes nothing else, and it happens."""

from mycelia_sim.plan import Plan, Post
from mycelia_sim.planner import draw_plan
from mycelia_sim.scenario import find
from mycelia_sim.scenario_reader import load


def drawn(*settings: str) -> Plan:
    """Draw the plan of the village, with changes to its workload."""
    return draw_plan(load(find("village"), [f"workload.{each}" for each in settings]))


def of_kind(plan: Plan, kind: str) -> list[Post]:
    """Return the posts of one kind by number."""
    return sorted((post for post in plan.posts if post.kind == kind), key=lambda post: post.n)


def test_what_comes_later_moves_nothing_that_was_posted() -> None:
    """Renewals and disputes come beside the others, of which only the end is new."""
    before, after = drawn(), drawn("renew=1", "dispute=1")
    number = len(before.posts)
    first = sorted(after.posts, key=lambda post: post.n)[:number]
    posted = sorted(before.posts, key=lambda post: post.n)
    assert [(p.n, p.at_ms, p.node, p.kind, p.quantity) for p in first] == [
        (p.n, p.at_ms, p.node, p.kind, p.quantity) for p in posted
    ]
    assert {p.kind for p in after.posts if p.n >= number} == {"renew", "dispute", "withdraw"}


def test_each_renewal_comes_before_the_end_of_what_it_renews() -> None:
    """An offer or a request is renewed by its author while it is on the list, and ends later."""
    plan = drawn("renew=1")
    posts = {post.n: post for post in plan.posts}
    renewals = of_kind(plan, "renew")
    assert renewals
    for renewal in renewals:
        thing = posts[renewal.of or 0]
        assert thing.kind in ("offer", "request")
        assert (thing.until_ms or 0) > renewal.at_ms > thing.at_ms
        assert renewal.node == thing.node
        assert (renewal.until_ms or 0) > (thing.until_ms or 0)


def test_some_disputes_are_settled_by_who_began_them() -> None:
    """A dispute is about the own request, and a withdrawal after it ends some of them."""
    plan = drawn("dispute=1", "withdraw=0", "rate=3 / s")
    posts = {post.n: post for post in plan.posts}
    disputes, settled = of_kind(plan, "dispute"), of_kind(plan, "withdraw")
    assert 0 < len(settled) < len(disputes)
    for post in disputes:
        request = posts[post.of or 0]
        assert (request.kind, request.node) == ("request", post.node)
        assert post.at_ms > request.at_ms
    assert {posts[post.of or 0].kind for post in settled} == {"dispute"}
