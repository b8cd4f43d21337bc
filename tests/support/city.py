"""Plans for runs in virtual time: as many nodes, posts and faults as a test asks for."""

from dataclasses import replace

from mycelia_sim.plan import (
    PLAN_SCHEMA,
    Cut,
    Kill,
    Plan,
    PlanLink,
    PlanNode,
    Post,
    Shape,
    Trouble,
)
from mycelia_sim.scenario import INVARIANTS
from mycelia_sim.streams import Stream


def city(
    nodes: int, posts: int, *, seed: int = 1, degree: int = 4, duration_ms: int = 20_000
) -> Plan:
    """Return a plan without faults: a ring with chords, half of it on each side of a river."""
    ids = [f"n{n:02}" for n in range(nodes)]
    stream = Stream(seed, "city")
    return Plan(
        schema=PLAN_SCHEMA,
        scenario="city",
        title="A city for a test",
        seed=seed,
        backend="virtual",
        warmup_ms=20_000,
        duration_ms=duration_ms,
        converge_within_ms=60_000,
        receipts="auto",
        nodes=tuple(
            PlanNode(one, f"Site {one}", "Here", side_of(ids, one), 45.0, -93.2) for one in ids
        ),
        links=_links(ids, degree, stream),
        posts=_posts(ids, posts, duration_ms, stream),
        cuts=(),
        kills=(),
        shapes=(),
        troubles=(),
        attempts=(),
        invariants=INVARIANTS,
        sometimes=(),
    )


def side_of(ids: list[str], node: str) -> str:
    """Return on which side of the river a node is."""
    return "west" if ids.index(node) < len(ids) // 2 else "east"


def _links(ids: list[str], degree: int, stream: Stream) -> tuple[PlanLink, ...]:
    pairs = {(a, b) for a, b in zip(ids, [*ids[1:], ids[0]], strict=True) if a < b}
    pairs.add((ids[0], ids[-1]))
    while len(pairs) < min(len(ids) * degree // 2, len(ids) * (len(ids) - 1) // 2):
        one, other = sorted(stream.sample(ids, 2))
        pairs.add((one, other))
    return tuple(PlanLink(a, b, stream.integer(2, 40)) for a, b in sorted(pairs))


def _posts(ids: list[str], count: int, duration_ms: int, stream: Stream) -> tuple[Post, ...]:
    drawn = []
    for n in range(count):
        kind = "request" if n % 2 else "offer"
        drawn.append(
            Post(
                n=n,
                at_ms=stream.integer(0, duration_ms - 1),
                node=stream.choice(ids),
                kind=kind,
                category="food.meal",
                title="Soup",
                quantity=stream.integer(2, 12),
                unit="1",
                lot=1,
                urgency="now" if kind == "request" else None,
                of=None,
            )
        )
    return tuple(sorted(drawn, key=lambda post: (post.at_ms, post.n)))


def sides(plan: Plan) -> tuple[tuple[str, ...], ...]:
    """Return the ids of the nodes on each side."""
    return tuple(
        tuple(node.id for node in plan.nodes if node.side == side) for side in ("west", "east")
    )


def cut(plan: Plan, at_ms: int, until_ms: int, *, mode: str = "drop", oneway: bool = False) -> Plan:
    """Return the plan with the river closed for a while."""
    name = f"partition-{len(plan.cuts)}"
    fault = Cut(name, at_ms, until_ms, mode, oneway, 700, sides(plan), "partition", ())
    return replace(plan, cuts=(*plan.cuts, fault))


def kill(
    plan: Plan, node: str, at_ms: int, restart_ms: int, disk: str = "keep", rollback: int = 0
) -> Plan:
    """Return the plan with a node killed."""
    fault = Kill(f"kill-{len(plan.kills)}", at_ms, node, restart_ms, disk, rollback)
    return replace(plan, kills=(*plan.kills, fault))


def trouble(plan: Plan, kind: str, node: str, at_ms: int, until_ms: int, amount: int = 0) -> Plan:
    """Return the plan with trouble for a node."""
    fault = Trouble(f"trouble-{len(plan.troubles)}", kind, at_ms, until_ms, node, amount)
    return replace(plan, troubles=(*plan.troubles, fault))


def degrade(
    plan: Plan, at_ms: int, until_ms: int, *, latency_ms: int = 300, loss_ppm: int = 0
) -> Plan:
    """Return the plan with all links slow for a while, in both directions."""
    links = [(link.dialer, link.listener) for link in plan.links]
    links += [(b, a) for a, b in links]
    name = f"degrade-{len(plan.shapes)}"
    shape = Shape(name, at_ms, until_ms, tuple(links), latency_ms, 20, loss_ppm, 0, 0, 0)
    return replace(plan, shapes=(*plan.shapes, shape))
