"""Reads a scenario file, strictly, into the values of `scenario.py`.

file -> what it extends -> settings of the command line -> tables by the grammar -> Scenario

All that is wrong is told at once: first with each table by itself, then with what tables say of
each other.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Final

from mycelia_sim import backends
from mycelia_sim.errors import Gathering, ScenarioError, nearest
from mycelia_sim.fault import When
from mycelia_sim.fault_reader import digest, read_faults
from mycelia_sim.grammar import keys
from mycelia_sim.needs import scenario_needs
from mycelia_sim.plan import Limit, Stop
from mycelia_sim.scenario import (
    Adversary,
    Burst,
    Growth,
    LinkQuality,
    Nodes,
    Run,
    Scenario,
    Swarm,
    Topology,
    Workload,
    find,
    shipped,
)
from mycelia_sim.sites import SIDES
from mycelia_sim.tables import Table, merge, override
from mycelia_sim.units import Distribution, parse_rate

RATE_DEFAULT: Final = "poisson(2 / s)"
COMPARES: Final = ("<=", ">=")


def load(path: Path, settings: list[str], backend: str | None = None) -> Scenario:
    """Read a scenario file and what it extends, and put the command line's settings over it.

    Args:
        backend: the one of those that the file names that is to be able to do it all; None: each.

    Raises: ScenarioError, with the place and the nearest known name.
    """
    return read(document_of(path, settings), path.name, backend)


def document_of(path: Path, settings: list[str]) -> dict[str, Any]:
    """Return a scenario as plain values: its file, what that extends, and the settings over it.

    Raises: ScenarioError when a file is no TOML, or a setting leads nowhere.
    """
    document = _document(path, ())
    for setting in settings:
        override(document, setting)
    return document


def _document(path: Path, above: tuple[Path, ...]) -> dict[str, Any]:
    """Return a file's document, put on the one that it extends."""
    resolved = path.resolve()
    if resolved in above:
        names = " -> ".join(file.name for file in (*above, resolved))
        raise ScenarioError(f"{path.name}: extends itself: {names}")
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ScenarioError(f"{path.name}: cannot be read: {error}") from error
    base = document.pop("extends", None)
    if base is None:
        return document
    if not isinstance(base, str):
        raise ScenarioError(f"{path.name}: extends: must be a text in quotes, not {base!r}")
    return merge(_document(_base(path, base), (*above, resolved)), document)


def _base(path: Path, name: str) -> Path:
    """Return the file that a scenario extends: one beside it, or a shipped one by its name."""
    if name.endswith(".toml"):
        beside = path.parent / name
        if beside.is_file():
            return beside
        raise ScenarioError(f"{path.name}: extends: there is no file {beside}")
    try:
        return find(name)
    except ScenarioError as error:
        known = nearest(name, shipped())
        raise ScenarioError(f"{path.name}: extends: no scenario '{name}'{known}") from error


def read(document: dict[str, Any], place: str, backend: str | None = None) -> Scenario:
    """Turn a TOML document into a scenario; `backend` as for `load`.

    Raises: ScenarioError with all that is wrong.
    """
    top = Table(document, place)
    problems = Gathering()
    head = {key.name: problems.attempt(partial(top.take, key)) for key in keys.TOP}
    readers: dict[str, Callable[[], Any]] = {
        "run": lambda: _run(top.table("run")),
        "nodes": lambda: _nodes(top.table("nodes")),
        "topology": lambda: Topology(**top.table("topology").read(keys.TOPOLOGY)),
        "link": lambda: _links(top.table("link")),
        "workload": lambda: _workload(top.table("workload")),
        "growth": lambda: _growth(top.table("growth")),
        "faults": lambda: read_faults(top.tables("fault")),
        "adversaries": lambda: _adversaries(top.tables("adversary")),
        "swarm": lambda: _swarm(top),
        "stop": lambda: Stop(**top.table("stop").read(keys.STOP)),
    }
    parts = {name: problems.attempt(reader) for name, reader in readers.items()}
    check = problems.attempt(lambda: _check(top.table("check")))
    problems.attempt(top.finish)
    problems.finish()
    scenario = Scenario(name=head["name"], title=head["title"], **parts, **check)
    _check_times(scenario, place)
    return _with_backends(scenario, place, backend)


def _run(table: Table) -> Run:
    values = table.read(keys.RUN)
    return Run(**{**values, "backends": values["backends"] or ()})


def _nodes(table: Table) -> Nodes:
    values = table.read(keys.NODES)
    sides, clock = values.pop("sides"), values.pop("clock") or {}
    shares = tuple((side, sides[side]) for side in SIDES if sides and sides[side] is not None)
    if sides and abs(sum(share for _, share in shares) - 1) > 1e-9:
        raise table.fault("sides", "the shares must sum to 1")
    even = tuple((side, 1 / len(SIDES)) for side in SIDES)
    return Nodes(
        sides=shares or even,
        clock_offset=clock.get("offset"),
        clock_drift_ppm=clock.get("drift_ppm"),
        **values,
    )


def _links(table: Table) -> dict[str, LinkQuality]:
    problems = Gathering()
    links: dict[str, LinkQuality] = {}
    for name in keys.LINKS:
        reader = partial(_link, table, name)
        links[name] = problems.attempt(reader)
    problems.attempt(table.finish)
    problems.finish()
    return links


def _link(table: Table, name: str) -> LinkQuality:
    return LinkQuality(**table.table(name).read(keys.QUALITIES))


def _workload(table: Table) -> Workload:
    bursts = tuple(Burst(**inner.read(keys.BURST)) for inner in table.tables("burst"))
    values = table.read(keys.WORKLOAD)
    values.pop("kind")
    if values["rate"] is not None and values["per_node"] is not None:
        raise table.fault("per_node", "stands instead of rate; choose one")
    if values["rate"] is None and values["per_node"] is None:
        values["rate"] = parse_rate(RATE_DEFAULT)
    if not values["active"]:
        raise table.fault("active", "somebody has to write")
    return Workload(bursts=bursts, **values)


def _growth(table: Table) -> Growth:
    growth = Growth(**table.read(keys.GROWTH))
    if growth.compact_after_ms is not None and growth.checkpoint_after is None:
        raise table.fault("compact_after", "nothing is let go of without checkpoint_after")
    return growth


def _adversaries(tables: list[Table]) -> tuple[Adversary, ...]:
    problems = Gathering()
    adversaries = [problems.attempt(partial(_adversary, table)) for table in tables]
    problems.finish()
    seen: set[str] = set()
    for adversary, table in zip(adversaries, tables, strict=True):
        if adversary.key in seen:
            problems.add(
                table.fault("name", "two adversaries are alike; name them, or raise count")
            )
        seen.add(adversary.key)
    problems.finish()
    return tuple(adversaries)


def _adversary(table: Table) -> Adversary:
    raw = table.left()
    values = table.read(keys.ADVERSARY)
    adversary = Adversary(key=values.pop("name") or digest(raw), **values)
    if adversary.until_ms is not None and adversary.until_ms <= adversary.from_ms:
        raise table.fault("until", "is not after from")
    return adversary


def _swarm(top: Table) -> Swarm | None:
    is_there = "swarm" in top.left()
    values = top.table("swarm").read(keys.SWARM)
    return Swarm(values["families"] or keys.FAMILIES, values["keep"]) if is_there else None


def _check(table: Table) -> dict[str, Any]:
    problems = Gathering()
    limits = problems.attempt(lambda: _limits(table.table("limits")))
    rest = problems.attempt(lambda: table.read(keys.CHECK))
    problems.finish()
    return {"limits": limits, **rest}


def _limits(table: Table) -> tuple[Limit, ...]:
    problems = Gathering()
    limits = [
        problems.attempt(partial(_limit, table, metric, text))
        for metric, text in table.named(keys.METRICS)
    ]
    problems.finish()
    return tuple(limits)


def _limit(table: Table, metric: str, text: Any) -> Limit:
    """Read "<= 4" or ">= 2 s"."""
    compare = text[:2] if isinstance(text, str) else ""
    if compare not in COMPARES:
        raise table.fault(metric, f"must be such as '<= 4' or '>= 4', not {text!r}")
    unit = keys.METRICS[metric]
    try:
        return Limit(metric, compare, float(unit.parse(text[2:])))
    except ScenarioError as error:
        raise table.fault(metric, str(error)) from None


def _check_times(scenario: Scenario, place: str) -> None:
    """Refuse what would begin after the end."""
    duration_ms = scenario.run.duration_ms
    begins = [(f"fault {fault.name}", _least(fault.when)) for fault in scenario.faults]
    liars = enumerate(scenario.adversaries, start=1)
    begins += [(f"[[adversary]] {n}", one.from_ms) for n, one in liars]
    begins += [("[[workload.burst]]", burst.at_ms) for burst in scenario.workload.bursts]
    problems = Gathering()
    for what, begin in begins:
        if begin >= duration_ms:
            text = f"{place}: {what}: begins at {begin / 1000:g} s, but the run lasts "
            text += f"{duration_ms / 1000:g} s; lengthen run.duration"
            problems.add(ScenarioError(text))
    problems.finish()


def _least(when: When) -> float:
    at: Distribution | None = when.at
    return at.least if at is not None else when.between[0] if when.between else 0


def _with_backends(scenario: Scenario, place: str, chosen: str | None) -> Scenario:
    """Refuse a backend that can't do what is asked; find those that can if none is named.

    With one that somebody chose, only that one must be able to.
    """
    needs = scenario_needs(scenario)
    count = scenario.nodes.count
    named = scenario.run.backends
    if chosen is not None and chosen in (named or (chosen,)):
        named = (chosen,)
    for backend in named:
        try:
            backends.refuse(backend, needs, count)
        except ScenarioError as error:
            hint = "; take another with --backend, or name it in run.backend"
            raise ScenarioError(f"{place}: {error}{hint}") from None
    able = named or backends.able(needs, count)
    return replace(scenario, run=replace(scenario.run, backends=able))
