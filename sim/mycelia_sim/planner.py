"""Draws a plan from a scenario: which sites, which links, who writes what, what fails when.

Each draw has its own named stream, so that a change of one part leaves the others as they were.
"""

from __future__ import annotations

from typing import Final

from mycelia_sim.errors import ScenarioError, nearest
from mycelia_sim.plan import PLAN_SCHEMA, Attempt, Cut, Kill, Plan, PlanLink, PlanNode
from mycelia_sim.scenario import Crash, Partition, Scenario
from mycelia_sim.sites import Site, has_match, twin_cities
from mycelia_sim.streams import Stream
from mycelia_sim.topology import orient, random_regular
from mycelia_sim.workload import draw_posts

SITE_DRAWS_MAX: Final = 200  # tries to find sites such that each side has something to share


def draw_plan(scenario: Scenario) -> Plan:
    """Resolve every draw of a scenario.

    Raises: ScenarioError when a selector names nothing or there are too few sites.
    """
    seed = scenario.run.seed
    sites = _draw_sites(scenario)
    nodes = tuple(
        PlanNode(node_id, site.name, site.district, site.side, site.latitude, site.longitude)
        for node_id, site in sites.items()
    )
    cuts, kills = _draw_faults(scenario, nodes)
    return Plan(
        schema=PLAN_SCHEMA,
        scenario=scenario.name,
        title=scenario.title,
        seed=seed,
        backend="live",
        warmup_ms=scenario.run.warmup_ms,
        duration_ms=scenario.run.duration_ms,
        converge_within_ms=scenario.run.converge_within_ms,
        receipts=scenario.workload.receipts,
        nodes=nodes,
        links=_draw_links(scenario, nodes),
        posts=draw_posts(seed, sites, scenario.workload, scenario.run.duration_ms, cuts, kills),
        cuts=tuple(cuts),
        kills=tuple(kills),
        shapes=(),
        troubles=(),
        attempts=_draw_attempts(scenario, nodes),
        invariants=scenario.invariants,
        sometimes=scenario.sometimes,
    )


def _draw_sites(scenario: Scenario) -> dict[str, Site]:
    """Return node id -> site; each side gets its share and, where it has two nodes, a match."""
    stream = Stream(scenario.run.seed, "nodes/sites")
    count = scenario.nodes.count
    (first, share), *others = scenario.nodes.sides
    here = min(count, max(1 if share else 0, round(count * share)))
    wanted = {first: here, **{name: count - here for name, _ in others}}
    chosen: list[Site] = []
    for side in sorted(wanted, reverse=True):  # west, then east
        pool = [site for site in twin_cities() if site.side == side]
        if len(pool) < wanted[side]:
            raise ScenarioError(
                f"nodes.count: the listing has {len(pool)} sites on the {side} side, "
                f"{wanted[side]} are wanted; lower nodes.count or change nodes.sides"
            )
        picked = stream.sample(pool, wanted[side])
        for _ in range(SITE_DRAWS_MAX):
            if has_match(picked) or wanted[side] < 2:
                break
            picked = stream.sample(pool, wanted[side])
        chosen += picked
    width = max(2, len(str(count - 1)))
    return {f"n{n:0{width}}": site for n, site in enumerate(chosen)}


def _draw_links(scenario: Scenario, nodes: tuple[PlanNode, ...]) -> tuple[PlanLink, ...]:
    seed = scenario.run.seed
    sides = [
        ids
        for side in ("west", "east")
        if (ids := [node.id for node in nodes if node.side == side])
    ]
    topology = scenario.topology
    edges = random_regular(
        sides, topology.degree, topology.crossings_min, Stream(seed, "topology/edges")
    )
    side_of = {node.id: node.side for node in nodes}
    links = []
    for dialer, listener in orient(edges):
        way = f"{side_of[dialer]}->{side_of[listener]}"
        latency = scenario.link.get(way, scenario.link["default"])
        drawn_ms = latency.draw_ms(Stream(seed, f"link/{dialer}->{listener}"))
        links.append(PlanLink(dialer, listener, drawn_ms))
    return tuple(links)


def _select(selector: str, nodes: tuple[PlanNode, ...]) -> list[str]:
    """Return the ids that a selector names.

    Raises: ScenarioError when there are none.
    """
    kind, _, name = selector.partition(":")
    fields = {"side": "side", "district": "district", "node": "id"}
    if selector == "all":
        return [node.id for node in nodes]
    values = {getattr(node, fields[kind]) for node in nodes}
    if name not in values:
        raise ScenarioError(f"'{selector}' selects no node of this run{nearest(name, values)}")
    return [node.id for node in nodes if getattr(node, fields[kind]) == name]


def _draw_faults(scenario: Scenario, nodes: tuple[PlanNode, ...]) -> tuple[list[Cut], list[Kill]]:
    cuts: list[Cut] = []
    kills: list[Kill] = []
    for n, fault in enumerate(scenario.faults, start=1):
        match fault:
            case Partition():
                cuts.append(_cut(f"partition-{n}", fault, scenario, nodes))
            case Crash():
                kills += _kills(n, fault, scenario, nodes, {kill.node for kill in kills})
    return cuts, kills


def _cut(fault_id: str, fault: Partition, scenario: Scenario, nodes: tuple[PlanNode, ...]) -> Cut:
    groups = tuple(
        tuple(sorted({node for selector in group for node in _select(selector, nodes)}))
        for group in fault.groups
    )
    named = [node for group in groups for node in group]
    if len(named) != len(set(named)):
        raise ScenarioError(f"{fault_id}: a node stands in two groups; groups must not overlap")
    until_ms = min(fault.at_ms + fault.for_ms, scenario.run.duration_ms)
    return Cut(
        id=fault_id,
        at_ms=fault.at_ms,
        until_ms=until_ms,
        mode=fault.mode,
        oneway=fault.oneway,
        delay_ms=fault.delay_ms,
        groups=groups,
        kind="partition",
        links=(),
    )


def _kills(
    n: int, fault: Crash, scenario: Scenario, nodes: tuple[PlanNode, ...], used: set[str]
) -> list[Kill]:
    """Draw whom a crash hits; nodes that another crash of the run hits come last."""
    stream = Stream(scenario.run.seed, f"fault/{n}/select")
    times = Stream(scenario.run.seed, f"fault/{n}/restart")
    order = stream.shuffled(_select(fault.source, nodes))
    order = [one for one in order if one not in used]
    if len(order) < fault.any:
        raise ScenarioError(
            f"fault {n}: {fault.any} nodes are to crash, but '{fault.source}' has "
            f"{len(order)} that no other crash hits"
        )
    return [
        Kill(
            id=f"kill-{n}-{one}",
            at_ms=fault.at_ms,
            node=one,
            restart_ms=fault.at_ms + fault.restart_after.draw_ms(times),
            disk="keep",
            rollback=0,
        )
        for one in order[: fault.any]
    ]


def _draw_attempts(scenario: Scenario, nodes: tuple[PlanNode, ...]) -> tuple[Attempt, ...]:
    attempts: list[Attempt] = []
    ids = [node.id for node in nodes]
    for k, adversary in enumerate(scenario.adversaries):
        stream = Stream(scenario.run.seed, f"adversary/{k}")
        at_ms = adversary.from_ms
        turn = 0
        while at_ms < scenario.run.duration_ms:
            behaviour = adversary.behaviours[turn % len(adversary.behaviours)]
            target, victim = stream.sample(ids, 2)
            attempts.append(Attempt(len(attempts), f"x{k:02}", at_ms, behaviour, target, victim))
            at_ms += max(100, adversary.every.draw_ms(stream))
            turn += 1
    return tuple(sorted(attempts, key=lambda attempt: (attempt.at_ms, attempt.n)))
