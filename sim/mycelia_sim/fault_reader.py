"""Reads the faults of a scenario, strictly: when, what, whom, and what each is called."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial
from hashlib import blake2b
from typing import Any, Final

from mycelia_sim.errors import Gathering, ScenarioError
from mycelia_sim.fault import Effect, Fault, When
from mycelia_sim.grammar.faults import COMMON, FORMS, make
from mycelia_sim.tables import Table
from mycelia_sim.units import UNIT_MS, Distribution

RESERVED: Final = ("link-", "node-clock-")  # ids of what links and clocks are always like
_KEY_SIZE: Final = 8


def read_faults(tables: list[Table]) -> tuple[Fault, ...]:
    """Read all faults, and give each a name and streams of its own.

    Raises: ScenarioError with all that is wrong.
    """
    problems = Gathering()
    faults = [problems.attempt(partial(_fault, table)) for table in tables]
    problems.finish()
    return _distinct(faults, tables)


def _fault(table: Table) -> Fault:
    problems = Gathering()
    raw = table.left()
    common: dict[str, Any] = {
        key.field: problems.attempt(partial(table.take, key)) for key in COMMON
    }
    do = str(common["do"] or "")
    if not do:  # nobody knows which keys it may have
        problems.finish()
    values = problems.attempt(lambda: table.read(FORMS[do].keys))
    problems.finish()
    when = problems.attempt(lambda: _when(table, common["at"], common["every"], common["between"]))
    made = problems.attempt(lambda: _effect(table, do, values))
    problems.finish()
    name, key = common["name"] or _name(do, when), common["name"] or digest(raw)
    if name.startswith(RESERVED):
        raise table.fault("name", "begins as the ids of what is no fault do; choose another")
    lasts, effect = made
    return Fault(do, name, key, when, lasts, effect)


def _effect(table: Table, do: str, values: dict[str, Any]) -> tuple[Distribution | None, Effect]:
    try:
        return make(do, values)
    except ScenarioError as error:
        raise table.error(str(error)) from None


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


def digest(raw: dict[str, Any]) -> str:
    """Return a short hash of what somebody wrote."""
    text = json.dumps(raw, sort_keys=True, default=str)
    return blake2b(text.encode(), digest_size=_KEY_SIZE).hexdigest()
