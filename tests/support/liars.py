"""A small city in virtual time with adversaries in it, for tests of what honest nodes do."""

from mycelia_sim.plan import PLAN_SCHEMA, Attempt, Cut, Plan, PlanLink, PlanNode, Post
from mycelia_sim.scenario import INVARIANTS
from mycelia_sim.virtual.world import World

LATENCY_MS = 10


def attempt(
    behaviour: str, n: int = 0, *, at_ms: int = 2_000, target: str = "n0", victim: str = "n2"
) -> Attempt:
    """Return one attempt of adversary x00."""
    return Attempt(n, "x00", at_ms, behaviour, target, victim)


def a_plan(
    *attempts: Attempt,
    nodes: int = 5,
    seed: int = 1,
    duration_ms: int = 30_000,
    cuts: tuple[Cut, ...] = (),
    posts_each: int = 3,
) -> Plan:
    """Return a plan for a ring with one chord, in which every node offers and requests."""
    ids = [f"n{number}" for number in range(nodes)]
    pairs = [(one, ids[(at + 1) % nodes]) for at, one in enumerate(ids)]
    if nodes > 3:
        pairs.append((ids[0], ids[nodes // 2]))
    return Plan(
        schema=PLAN_SCHEMA,
        scenario="liars",
        title="",
        seed=seed,
        backend="virtual",
        warmup_ms=10_000,
        duration_ms=duration_ms,
        converge_within_ms=60_000,
        receipts="auto",
        nodes=tuple(PlanNode(one, one, "d", "west", 0.0, 0.0) for one in ids),
        links=tuple(PlanLink(dialer, listener, LATENCY_MS) for dialer, listener in pairs),
        posts=_posts(ids, posts_each, duration_ms),
        cuts=cuts,
        kills=(),
        shapes=(),
        troubles=(),
        attempts=attempts,
        invariants=INVARIANTS,
        sometimes=(),
        presence=True,
    )


def _posts(ids: list[str], each: int, duration_ms: int) -> tuple[Post, ...]:
    posts: list[Post] = []
    for turn in range(each):
        for at, one in enumerate(ids):
            kind = "offer" if (turn + at) % 2 else "request"
            posts.append(
                Post(
                    n=len(posts),
                    at_ms=100 + (turn * len(ids) + at) * (duration_ms - 1_000) // (each * len(ids)),
                    node=one,
                    kind=kind,
                    category="food.meal",
                    title="Soup",
                    quantity=10 if kind == "offer" else 6,
                    unit="1",
                    lot=1,
                    urgency=None if kind == "offer" else "now",
                    of=None,
                )
            )
    return tuple(posts)


def run(plan: Plan) -> World:
    """Run a plan to its end."""
    world = World(plan)
    world.run()
    return world
