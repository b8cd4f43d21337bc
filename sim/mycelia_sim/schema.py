"""The JSON Schema of scenarios, for editors that complete TOML; written from the same grammar.

    mycelia sim lint --schema > sim/mycelia_sim/scenarios/scenario.schema.json

A test holds the shipped file to what this writes. The reader is stricter than any schema can say:
it also knows what contradicts what, and which backend can do what.
"""

from __future__ import annotations

import json
from importlib import resources
from typing import Final

from mycelia_sim.grammar import keys
from mycelia_sim.grammar.faults import COMMON, FORMS
from mycelia_sim.grammar.kinds import Choice, table_schema
from mycelia_sim.grammar.measures import NUMBER_PATTERN, UNITS, Unit
from mycelia_sim.grammar.selectors import SELECTOR_PATTERN, Select
from mycelia_sim.tables import JsonSchema, Key
from mycelia_sim.units import PARAMETERS, UNIT_MS

FILE_NAME: Final = "scenario.schema.json"


def write_schema() -> JsonSchema:
    """Return the schema."""
    top = table_schema((*keys.TOP, keys.EXTENDS))
    properties = {
        **top["properties"],
        "run": table_schema(keys.RUN),
        "nodes": table_schema(keys.NODES),
        "topology": table_schema(keys.TOPOLOGY),
        "link": _closed({name: {"$ref": "#/$defs/link"} for name in keys.LINKS}),
        "workload": _workload(),
        "growth": table_schema(keys.GROWTH),
        "fault": {"type": "array", "items": {"$ref": "#/$defs/fault"}},
        "adversary": {"type": "array", "items": table_schema(keys.ADVERSARY)},
        "swarm": table_schema(keys.SWARM),
        "check": _check(),
        "stop": table_schema(keys.STOP),
    }
    schema: JsonSchema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A scenario of the Mycelia harness",
        **_closed(properties),
        "$defs": _definitions(),
    }
    # What a file extends may say the rest.
    for table in (schema, schema["properties"]["run"]):
        table.pop("required", None)
    return schema


def _closed(properties: JsonSchema) -> JsonSchema:
    return {"type": "object", "properties": properties, "additionalProperties": False}


def _workload() -> JsonSchema:
    schema = table_schema(keys.WORKLOAD)
    schema["properties"]["burst"] = {"type": "array", "items": table_schema(keys.BURST)}
    return schema


def _check() -> JsonSchema:
    schema = table_schema(keys.CHECK)
    limits = {
        metric: {"type": "string", "pattern": rf"^(<=|>=)\s*({unit.pattern})\s*$"}
        for metric, unit in keys.METRICS.items()
    }
    schema["properties"]["limits"] = _closed(limits)
    return schema


def _definitions() -> JsonSchema:
    definitions: JsonSchema = {f"{unit.name}-drawn": _drawn(unit) for unit in UNITS}
    units = "|".join(UNIT_MS)
    rate = rf"{NUMBER_PATTERN}\s*/\s*({units})\s*"
    selector: JsonSchema = {"$ref": "#/$defs/selector"}
    time = next(unit for unit in UNITS if unit.name == "time")
    return {
        **definitions,
        "time": {"type": "string", "pattern": rf"^\s*{time.pattern}$"},
        "rate": {"type": "string", "pattern": rf"^\s*({rate}|poisson\s*\(\s*{rate}\)\s*)$"},
        "selector": {"type": "string", "pattern": SELECTOR_PATTERN},
        "selectors": {"anyOf": [selector, {"type": "array", "items": selector, "minItems": 1}]},
        "selection": Select().whole_schema(),
        "link-selection": Select(of_links=True).whole_schema(),
        "link": table_schema(keys.QUALITIES),
        "fault": {"oneOf": [_fault(do, form.keys) for do, form in FORMS.items()]},
    }


def _drawn(unit: Unit) -> JsonSchema:
    """Return the schema of a plain value or a distribution of such values."""
    calls = []
    for kind, parameters in PARAMETERS.items():
        values = [
            rf"\s*({name}\s*=\s*)?({unit.pattern if has_unit else NUMBER_PATTERN})\s*"
            for name, has_unit in parameters.items()
        ]
        calls.append(rf"{kind}\s*\({','.join(values)}\)")
    text: JsonSchema = {
        "type": "string",
        "pattern": rf"^\s*({unit.pattern}|{'|'.join(calls)})\s*$",
    }
    if not unit.is_bare:
        return text
    return {"anyOf": [{"type": "number", "minimum": unit.low, "maximum": unit.high}, text]}


def _fault(do: str, own: tuple[Key, ...]) -> JsonSchema:
    """Return the schema of one kind of fault."""
    common = [Key(k.name, Choice((do,)), k.says) if k.name == "do" else k for k in COMMON]
    schema = table_schema((*common, *own))
    return {**schema, "oneOf": [{"required": ["at"]}, {"required": ["every"]}]}


def as_text() -> str:
    """Return the schema as it stands in the file."""
    return json.dumps(write_schema(), indent=1, ensure_ascii=False) + "\n"


def shipped_schema() -> str:
    """Return the text of the schema that comes with the harness."""
    folder = resources.files("mycelia_sim") / "scenarios"
    return (folder / FILE_NAME).read_text("utf-8")
