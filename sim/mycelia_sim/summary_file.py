"""Reads summary.json, for those who look at a run afterwards.

Keys are only ever added, so an old summary may lack some. What is there must have the shape in
which it is written: a damaged file is an error that names the place, and never a traceback.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from mycelia_sim.errors import ScenarioError

FILE_NAME: Final = "summary.json"

_ANY: Final = ""  # stands for every key of an object whose keys are names
_STEP: Final = {"count": int, "in_cut": int, "amounts": {_ANY: int}}
_SHAPES: Final[dict[str, Any]] = {
    "acknowledged": int,
    "lost": int,
    "forged_accepted": int,
    "overcommitted": int,
    "checks": [{"name": str, "family": str, "verdict": str, "detail": str}],
    "sides": {_ANY: {_ANY: _STEP}},
    "attempts": list,
    "metrics": dict,
    "versions": dict,
    "timings_s": {_ANY: float},
}
_WORDS: Final = {
    int: "a whole number",
    float: "a number",
    str: "a text",
    list: "a list",
    dict: "an object",
}


def read_summary(path: Path) -> dict[str, Any]:
    """Return what a run's summary.json says.

    Raises: ScenarioError when it can't be read, or what is read elsewhere has another shape.
    """
    try:
        data = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise ScenarioError(f"{path}: cannot be read as a summary: {error}") from error
    if not isinstance(data, dict):
        raise ScenarioError(f"{path}: is no summary")
    for key, shape in _SHAPES.items():
        if key in data:
            _check(data[key], shape, f"{path}: {key}")
    return data


def _check(value: Any, shape: Any, place: str) -> None:
    """Complain of a value that is not in the shape in which it is written.

    Raises: ScenarioError.
    """
    if isinstance(shape, type):
        _check_type(value, shape, place)
    elif isinstance(shape, list):
        _check_type(value, list, place)
        for number, inner in enumerate(value):
            _check(inner, shape[0], f"{place}[{number}]")
    else:
        _check_type(value, dict, place)
        wanted = dict.fromkeys(value, shape[_ANY]) if _ANY in shape else shape
        for name, inner in wanted.items():
            if name not in value:
                raise ScenarioError(f"{place}: '{name}' is missing; the file is damaged")
            _check(value[name], inner, f"{place}.{name}")


def _check_type(value: Any, kind: type, place: str) -> None:
    fits = isinstance(value, (int, float) if kind is float else kind)
    if not fits or isinstance(value, bool):
        words = f"must be {_WORDS[kind]}, not {value!r:.60}"
        raise ScenarioError(f"{place}: {words}; the file is damaged")
