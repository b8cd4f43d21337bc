"""Reads a scenario file, strictly, into the values of `scenario.py`.

file -> what it extends -> settings of the command line -> tables by the grammar -> Scenario
"""

from __future__ import annotations

import json
import tomllib
from dataclasses import replace
from hashlib import blake2b
from pathlib import Path
from typing import Any, Final

from mycelia_sim import backends
from mycelia_sim.errors import ScenarioError, nearest
from mycelia_sim.fault import Fault, When
from mycelia_sim.grammar import keys
from mycelia_sim.grammar.faults import COMMON, FORMS, make
from mycelia_sim.needs import scenario_needs
from mycelia_sim.plan import Limit, Stop
from mycelia_sim.scenario import (
    Adversary,
    Burst,
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
from mycelia_sim.units import UNIT_MS, Distribution, parse_rate

RATE_DEFAULT: Final = "poisson(2 / s)"
RESERVED: Final = ("link-", "node-clock-")  # ids of what links and clocks are always like
COMPARES: Final = ("<=", ">=")
_KEY_SIZE: Final = 8


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

    Raises: ScenarioError.
    """
    top = Table(document, place)
    head = {key.name: top.take(key) for key in keys.TOP}
    scenario = Scenario(
        name=head["name"],
        title=head["title"],
        run=_run(top.table("run")),
        nodes=_nodes(top.table("nodes")),
        topology=Topology(**top.table("topology").read(keys.TOPOLOGY)),
        link=_links(top.table("link")),
        workload=_workload(top.table("workload")),
        faults=_faults(top.tables("fault")),
        adversaries=_adversaries(top.tables("adversary")),
        swarm=_swarm(top),
        stop=Stop(**top.table("stop").read(keys.STOP)),
        **_check(top.table("check")),
    )
    top.finish()
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
    names = {name: table.table(name) for name in keys.LINKS}
    table.finish()
    return {name: LinkQuality(**inner.read(keys.QUALITIES)) for name, inner in names.items()}


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


def _faults(tables: list[Table]) -> tuple[Fault, ...]:
    faults: list[Fault] = []
    for table in tables:
        raw = table.left()
        common = {key.field: table.take(key) for key in COMMON}
        do = common["do"]
        values = table.read(FORMS[do].keys)
        when = _when(table, common["at"], common["every"], common["between"])
        try:
            lasts, effect = make(do, values)
        except ScenarioError as error:
            raise table.error(str(error)) from None
        name, key = common["name"] or _name(do, when), common["name"] or _digest(raw)
        if name.startswith(RESERVED):
            raise table.fault("name", "begins as the ids of what is no fault do; choose another")
        faults.append(Fault(do, name, key, when, lasts, effect))
    return _distinct(faults, tables)


def _when(table: Table, at: Any, every: Any, between: Any) -> When:
    if (at is None) == (every is None):
        raise table.error("'at' or 'every' is missing" if at is None else "choose at or every")
    if between is not None and every is None:
        raise table.fault("between", "has a meaning only with every")
    return When(at, every, between)


def _distinct(faults: list[Fault], tables: list[Table]) -> tuple[Fault, ...]:
    """Give each fault a name and streams of its own."""
    names: dict[str, int] = {}
    seen: dict[str, int] = {}
    result: list[Fault] = []
    for fault, table in zip(faults, tables, strict=True):
        names[fault.name] = names.get(fault.name, 0) + 1
        seen[fault.key] = seen.get(fault.key, 0) + 1
        if seen[fault.key] > 1 and fault.key == fault.name:
            raise table.fault("name", f"'{fault.name}' is the name of two faults")
        name = fault.name if names[fault.name] == 1 else f"{fault.name}-{names[fault.name]}"
        key = fault.key if seen[fault.key] == 1 else f"{fault.key}-{seen[fault.key]}"
        if any(other.name == name for other in result):
            raise table.fault("name", f"'{name}' is the name of another fault too")
        result.append(replace(fault, name=name, key=key))
    return tuple(result)


def _name(do: str, when: When) -> str:
    """Return what a fault is called whom nobody named: "partition-8s"."""
    word = do.replace("_", "-")
    if when.at is None or when.at.kind != "constant":
        return word
    at_ms = round(when.at.values[0])
    unit = next(unit for unit in ("h", "min", "s", "ms") if not at_ms % UNIT_MS[unit])
    return f"{word}-{at_ms // UNIT_MS[unit]}{unit if at_ms else 's'}"


def _digest(raw: dict[str, Any]) -> str:
    """Return a short hash of what somebody wrote."""
    text = json.dumps(raw, sort_keys=True, default=str)
    return blake2b(text.encode(), digest_size=_KEY_SIZE).hexdigest()


def _adversaries(tables: list[Table]) -> tuple[Adversary, ...]:
    adversaries: list[Adversary] = []
    for table in tables:
        raw = table.left()
        values = table.read(keys.ADVERSARY)
        key = values.pop("name") or _digest(raw)
        if any(other.key == key for other in adversaries):
            raise table.fault("name", "two adversaries are alike; name them, or raise count")
        adversary = Adversary(key=key, **values)
        if adversary.until_ms is not None and adversary.until_ms <= adversary.from_ms:
            raise table.fault("until", "is not after from")
        adversaries.append(adversary)
    return tuple(adversaries)


def _swarm(top: Table) -> Swarm | None:
    is_there = "swarm" in top.left()
    values = top.table("swarm").read(keys.SWARM)
    return Swarm(values["families"] or keys.FAMILIES, values["keep"]) if is_there else None


def _check(table: Table) -> dict[str, Any]:
    inner = table.table("limits")
    limits = tuple(_limit(inner, metric, text) for metric, text in inner.named(keys.METRICS))
    return {"limits": limits, **table.read(keys.CHECK)}


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
    begins = [_least(fault.when) for fault in scenario.faults]
    begins += [adversary.from_ms for adversary in scenario.adversaries]
    begins += [burst.at_ms for burst in scenario.workload.bursts]
    for begin in begins:
        if begin >= duration_ms:
            raise ScenarioError(
                f"{place}: something begins at {begin / 1000:g} s, but the run lasts "
                f"{duration_ms / 1000:g} s; lengthen run.duration"
            )


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
