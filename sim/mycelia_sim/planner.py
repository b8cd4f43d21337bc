"""Draws a plan from a scenario: which sites, which links, who writes what, what fails when.

Each draw has its own named stream, so that a change of one part leaves the others as they were.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from mycelia_sim import backends
from mycelia_sim.backends import BEHAVIOURS
from mycelia_sim.draws.attempts import draw_attempts
from mycelia_sim.draws.choosing import City
from mycelia_sim.draws.faults import resolve
from mycelia_sim.draws.islands import find_islands
from mycelia_sim.draws.links import LinkDraws
from mycelia_sim.errors import ScenarioError
from mycelia_sim.needs import plan_needs
from mycelia_sim.plan import PLAN_SCHEMA, Plan, PlanNode, Trouble
from mycelia_sim.scenario import Scenario
from mycelia_sim.sites import SIDES, Site, has_match, pick, twin_cities
from mycelia_sim.streams import Stream
from mycelia_sim.units import Distribution
from mycelia_sim.workload import draw_posts

SITE_DRAWS_MAX: Final = 200  # tries to find sites such that each side has something to share


def draw_plan(scenario: Scenario, backend: str | None = None, *, swarm: bool = False) -> Plan:
    """Resolve every draw of a scenario.

    Args:
        backend: what it is to run on; None takes the first that the scenario names.
        swarm: whether the seed keeps only some families of faults, as the scenario's swarm says.

    Raises: ScenarioError when a selector names nothing, or the backend can't do what is asked.
    """
    run, seed = scenario.run, scenario.run.seed
    backend = _backend(scenario, backend)
    dropped = dropped_families(scenario) if swarm else frozenset()
    sites, nodes, islands = _draw_places(scenario)
    draws = LinkDraws(scenario, nodes, islands)
    links = draws.links()
    city = City(nodes, links, islands)
    faults = [fault for fault in scenario.faults if fault.do not in dropped]
    settled_ms = run.duration_ms + run.converge_within_ms
    found = resolve(faults, city, seed, run.duration_ms, settled_ms)
    shapes = [] if "link" in dropped else draws.shapes(links)
    clocks = [] if "clock" in dropped else list(_clocks(scenario, nodes))
    adversaries = () if "adversary" in dropped else scenario.adversaries
    kept = frozenset(BEHAVIOURS) - dropped
    plan = Plan(
        schema=PLAN_SCHEMA,
        scenario=scenario.name,
        title=scenario.title,
        seed=seed,
        backend=backend,
        warmup_ms=run.warmup_ms,
        duration_ms=run.duration_ms,
        converge_within_ms=run.converge_within_ms,
        receipts=scenario.workload.receipts,
        preposition=scenario.workload.preposition,
        presence=scenario.workload.presence,
        policy=scenario.workload.policy,
        in_force=scenario.workload.in_force,
        accept_within_ms=scenario.workload.accept_within_ms,
        checkpoint_after=scenario.growth.checkpoint_after,
        acknowledge_within_ms=scenario.growth.acknowledge_within_ms,
        compact_after_ms=scenario.growth.compact_after_ms,
        compacting=_compacting(scenario, nodes),
        nodes=nodes,
        links=links,
        posts=draw_posts(scenario, sites, city, found.cuts, found.kills),
        cuts=tuple(found.cuts),
        kills=tuple(found.kills),
        shapes=tuple(shapes + found.shapes),
        troubles=tuple(clocks + found.troubles),
        attempts=draw_attempts(adversaries, city, seed, run.duration_ms, kept),
        invariants=scenario.invariants,
        sometimes=scenario.sometimes,
        limits=scenario.limits,
        stop=scenario.stop,
        trips=tuple(found.trips),
    )
    check_backend(plan)
    return plan


def check_backend(plan: Plan) -> None:
    """Refuse a plan that its backend can't play.

    Raises: ScenarioError that names the fault, and the backends that can.
    """
    backends.refuse(plan.backend, plan_needs(plan), len(plan.nodes))


def dropped_families(scenario: Scenario) -> frozenset[str]:
    """Return the families of faults that this scenario's seed goes without in a sweep.

    Many runs that lack some faults find more than many that have a little of all.
    """
    if scenario.swarm is None:
        return frozenset()
    return frozenset(
        family
        for family in scenario.swarm.families
        if Stream(scenario.run.seed, f"swarm/{family}").fraction() >= scenario.swarm.keep
    )


def _backend(scenario: Scenario, backend: str | None) -> str:
    """Return the backend to plan for: the given one if the scenario may run on it."""
    named = scenario.run.backends
    if not named:
        raise ScenarioError(f"{scenario.name}: no backend can do all of this with so many nodes")
    if backend is not None and backend not in named:
        raise ScenarioError(
            f"{scenario.name} is not made for the {backend} backend; it runs on {', '.join(named)}"
        )
    return backend or named[0]


def _draw_places(
    scenario: Scenario,
) -> tuple[dict[str, Site], tuple[PlanNode, ...], list[list[str]]]:
    """Return node id -> site, the nodes, and the ids on each island.

    Each side, and each island, has something to share where it has two nodes and sites allow it.

    Raises: ScenarioError when there are more islands than nodes.
    """
    stream = Stream(scenario.run.seed, "nodes/sites")
    count = scenario.nodes.count
    (first, share), *others = scenario.nodes.sides
    here = min(count, max(1 if share else 0, round(count * share)))
    wanted = {first: here, **{name: count - here for name, _ in others}}
    width = max(2, len(str(count - 1)))
    draws = SITE_DRAWS_MAX if count < len(twin_cities()) else 1  # else all sites are drawn
    for left in range(draws, 0, -1):
        chosen = [site for side in SIDES for site in pick(side, wanted.get(side, 0), stream)]
        sites = {f"n{n:0{width}}": site for n, site in enumerate(chosen)}
        nodes = tuple(
            PlanNode(one, site.name, site.district, site.side, site.latitude, site.longitude)
            for one, site in sites.items()
        )
        islands = find_islands(nodes, scenario.nodes.islands)
        sides = [[node.id for node in nodes if node.side == side] for side in wanted]
        if left == 1 or all(_can_share(sites, ids) for ids in (*sides, *islands)):
            return sites, nodes, islands
    raise AssertionError("the last draw is taken as it is")


def _can_share(sites: dict[str, Site], ids: list[str]) -> bool:
    return len(ids) < 2 or has_match([sites[one] for one in ids])


def _compacting(scenario: Scenario, nodes: tuple[PlanNode, ...]) -> tuple[str, ...]:
    """Return which nodes let go of old parts of logs."""
    growth, seed = scenario.growth, scenario.run.seed
    if growth.compact_after_ms is None:
        return ()
    count = round(growth.compacting * len(nodes))
    chosen = Stream(seed, "growth/compacting").sample([node.id for node in nodes], count)
    return tuple(sorted(chosen))


def _clocks(scenario: Scenario, nodes: tuple[PlanNode, ...]) -> Iterator[Trouble]:
    """Yield how wrong each node's clock is from the beginning of the workload on."""
    run = scenario.run
    until_ms = run.duration_ms + run.converge_within_ms
    kinds: tuple[tuple[str, str, Distribution | None], ...] = (
        ("offset", "clock_bump", scenario.nodes.clock_offset),
        ("drift", "clock_drift", scenario.nodes.clock_drift_ppm),
    )
    for name, kind, distribution in kinds:
        for node in nodes if distribution is not None else ():
            assert distribution is not None
            drawn = distribution.draw(Stream(scenario.run.seed, f"clock/{name}/{node.id}"))
            trouble = f"node-clock-{name}-{node.id}"
            yield Trouble(trouble, kind, 0, until_ms, node.id, round(drawn))
