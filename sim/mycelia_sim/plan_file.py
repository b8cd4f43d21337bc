"""A plan as a file: JSON for programs, TOML for people, and one hash for both.

The TOML is the same plan, one node, link, post and fault a line, with room for comments. It loads
as strictly as the JSON and runs alone, which is what a shrunk plan is for.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterable
from dataclasses import asdict
from hashlib import blake2b
from pathlib import Path
from typing import Any, Final

from mycelia_sim.errors import ScenarioError
from mycelia_sim.plan import Plan, build_plan, load_plan
from mycelia_sim.strict_json import filled

HASH_SIZE: Final = 16


def plan_hash(plan: Plan) -> str:
    """Return a hash of everything in the plan, as hex."""
    return blake2b(plan.to_json().encode(), digest_size=HASH_SIZE).hexdigest()


def is_plan(path: Path) -> bool:
    """Return whether a file holds a plan, as far as one can tell; else it is for a scenario."""
    if path.suffix != ".toml":
        return True
    try:
        data = tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError):
        return False  # whoever reads it as a scenario will say what is wrong
    return isinstance(data.get("nodes"), list)


def read_plan(path: Path) -> Plan:
    """Read a plan in JSON, or in TOML if the file's name ends so.

    Raises: ScenarioError when it is neither, or does not fit together.
    """
    if path.suffix != ".toml":
        return load_plan(path)
    try:
        data = tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ScenarioError(f"{path}: cannot be read as a plan: {error}") from error
    return build_plan(filled(Plan, data, has_null=False), path.name, str(path))


def to_toml(plan: Plan, comment: Iterable[str] = ()) -> str:
    """Return the plan as TOML with comment lines on top."""
    lines = [f"# {line}".rstrip() for line in comment]
    lines += [""] if lines else []
    for key, value in asdict(plan).items():
        if isinstance(value, (list, tuple)) and value and isinstance(value[0], dict):
            lines += [f"{key} = [", *(f"  {_toml(item)}," for item in value), "]"]
        elif value is not None:
            lines.append(f"{key} = {_toml(value)}")
    return "\n".join(lines) + "\n"


def _toml(value: Any) -> str:
    """Return a value in TOML, on one line; a key whose value is None is left out."""
    if isinstance(value, dict):
        pairs = [f"{key} = {_toml(item)}" for key, item in value.items() if item is not None]
        return "{ " + ", ".join(pairs) + " }"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(_toml(item) for item in value) + "]"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return json.dumps(value)
