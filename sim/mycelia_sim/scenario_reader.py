"""Reads a scenario file, strictly, into the values of `scenario.py`."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from mycelia_sim.errors import ScenarioError, nearest
from mycelia_sim.scenario import (
    BEHAVIOURS,
    FAULTS,
    INVARIANTS,
    MODES,
    NODES_MAX,
    SCHEMA,
    SOMETIMES,
    SOMETIMES_DEFAULT,
    Adversary,
    Crash,
    Fault,
    Nodes,
    Partition,
    Run,
    Scenario,
    Topology,
    Workload,
)
from mycelia_sim.tables import Table, override
from mycelia_sim.units import Distribution, parse_distribution, parse_duration, parse_rate


def load(path: Path, settings: list[str]) -> Scenario:
    """Read a scenario file and put the command line's settings over it.

    Raises: ScenarioError, with the place and the nearest known name.
    """
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ScenarioError(f"{path.name}: cannot be read: {error}") from error
    for setting in settings:
        override(document, setting)
    return read(document, path.name)


def read(document: dict[str, Any], place: str) -> Scenario:
    """Turn a TOML document into a scenario.

    Raises: ScenarioError.
    """
    top = Table(document, place)
    top.integer("schema", None, SCHEMA, SCHEMA)
    scenario = Scenario(
        name=top.text("name"),
        title=top.text("title", ""),
        run=_run(top.table("run")),
        nodes=_nodes(top.table("nodes")),
        topology=_topology(top.table("topology")),
        link=_links(top.table("link")),
        workload=_workload(top.table("workload")),
        faults=tuple(_fault(table) for table in top.tables("fault")),
        adversaries=tuple(_adversary(table) for table in top.tables("adversary")),
        **_check(top.table("check")),
    )
    top.finish()
    if not scenario.name.replace("-", "").isalnum():
        raise top.fault("name", f"'{scenario.name}' must be letters, digits and '-'")
    _check_times(scenario, place)
    return scenario


def _run(table: Table) -> Run:
    run = Run(
        seed=table.integer("seed", 1, 0, 2**53 - 1),
        warmup_ms=table.parsed("warmup", parse_duration, "30 s"),
        duration_ms=table.parsed("duration", parse_duration),
        converge_within_ms=table.parsed("converge_within", parse_duration, "60 s"),
    )
    table.choices("backend", ["live"], ["live"])
    table.finish()
    if run.duration_ms < 1_000:
        raise table.fault("duration", "a run lasts at least 1 s")
    return run


def _nodes(table: Table) -> Nodes:
    count = table.integer("count", 30, 2, NODES_MAX)
    source = table.choice("source", ["twin-cities-2020"], "twin-cities-2020")
    inner = table.table("sides")
    sides = tuple((name, inner.share(name)) for name in ("west", "east") if inner.has(name))
    inner.finish()
    table.finish()
    if sides and abs(sum(share for _, share in sides) - 1) > 1e-9:
        raise table.fault("sides", "the shares must sum to 1")
    return Nodes(count, source, sides or (("west", 0.5), ("east", 0.5)))


def _topology(table: Table) -> Topology:
    topology = Topology(
        kind=table.choice("kind", ["random_regular"], "random_regular"),
        degree=table.integer("degree", 6, 2, 12),
        crossings_min=table.integer("crossings_min", 2, 1, 1_000),
    )
    table.finish()
    return topology


def _links(table: Table) -> dict[str, Distribution]:
    sides = ("west", "east")
    known = ["default", *(f"{a}->{b}" for a in sides for b in sides)]
    links = {"default": Distribution("constant", 0, 0)}
    for name in known:
        if table.has(name):
            inner = table.table(name)
            links[name] = inner.parsed("latency", parse_distribution)
            inner.finish()
    table.finish()
    return links


def _workload(table: Table) -> Workload:
    table.choice("kind", ["offers_and_requests"], "offers_and_requests")
    workload = Workload(
        rate=table.parsed("rate", parse_rate, "poisson(2 / s)"),
        opening_ms=table.parsed("opening", parse_duration, "5 s"),
        urgent=table.share("urgent", 0.3),
        withdraw=table.share("withdraw", 0.03),
        receipts=table.choice("receipts", ["auto", "ask"], "auto"),
    )
    table.finish()
    return workload


def _fault(table: Table) -> Fault:
    kind = table.choice("do", FAULTS)
    at_ms = table.parsed("at", parse_duration)
    if kind == "crash":
        select = table.table("select")
        crash = Crash(
            at_ms,
            any=select.integer("any", 1, 1, NODES_MAX),
            source=_selector(select, "from", select.text("from", "all")),
            restart_after=table.parsed("restart_after", parse_distribution, "5 s"),
        )
        select.finish()
        table.finish()
        return crash
    partition = Partition(
        at_ms,
        for_ms=table.parsed("for", parse_duration),
        groups=table.groups("groups"),
        mode=table.choice("mode", MODES, "drop"),
        oneway=table.flag("oneway", default=False),
        delay_ms=table.parsed("delay", parse_duration, "2 s"),
    )
    table.finish()
    if len(partition.groups) < 2 or not all(partition.groups):
        raise table.fault("groups", "names at least two groups, none empty")
    if partition.oneway and len(partition.groups) != 2:
        raise table.fault("oneway", "cuts the way from the first group to the second: name two")
    for name in (name for group in partition.groups for name in group):
        _selector(table, "groups", name)
    return partition


def _selector(table: Table, key: str, text: str) -> str:
    """Check the form of a selector: all, side:NAME, district:NAME or node:ID."""
    kind, colon, name = text.partition(":")
    if text == "all" or (colon and name and kind in ("side", "district", "node")):
        return text
    forms = ["all", "side:west", "side:east", "district:NAME", "node:ID"]
    raise table.fault(key, f"'{text}' selects nothing{nearest(text, forms)}")


def _adversary(table: Table) -> Adversary:
    adversary = Adversary(
        behaviours=table.choices("behaviour", BEHAVIOURS, list(BEHAVIOURS)),
        from_ms=table.parsed("from", parse_duration, "0 s"),
        every=table.parsed("every", parse_distribution, "3 s"),
    )
    table.finish()
    if adversary.every.high_ms < 100:
        raise table.fault("every", "the pause between two attempts is at least 100 ms")
    return adversary


def _check(table: Table) -> dict[str, tuple[str, ...]]:
    chosen = {
        "invariants": table.choices("invariants", INVARIANTS, list(INVARIANTS)),
        "sometimes": table.choices("sometimes", SOMETIMES, list(SOMETIMES_DEFAULT)),
    }
    table.finish()
    return chosen


def _check_times(scenario: Scenario, place: str) -> None:
    """Refuse faults and adversaries that would begin after the end."""
    begins = [fault.at_ms for fault in scenario.faults]
    begins += [adversary.from_ms for adversary in scenario.adversaries]
    for begin in begins:
        if begin >= scenario.run.duration_ms:
            raise ScenarioError(
                f"{place}: something begins at {begin / 1000:g} s, but the run lasts "
                f"{scenario.run.duration_ms / 1000:g} s; lengthen run.duration"
            )
