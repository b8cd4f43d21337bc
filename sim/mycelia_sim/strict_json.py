"""Builds frozen dataclasses from plain JSON values, strictly: no key may be unknown or missing.

What may be left out is filled in before that, where a file may be older than the code.

Rows of counts are checked as a whole: samples of ten thousand nodes are millions of numbers.
"""

from __future__ import annotations

import types
from dataclasses import MISSING, asdict, fields, is_dataclass
from typing import Any, Final, TypeVar, Union, get_args, get_origin, get_type_hints

from mycelia_sim.errors import ScenarioError, nearest

T = TypeVar("T")

_COUNTS: Final = tuple[int | None, ...]
_COUNT_TYPES: Final = frozenset({int, type(None)})
_INTEGER_MAX: Final = 2**53 - 1  # what every reader of JSON can hold


def build(kind: type[T], data: object, place: str) -> T:
    """Return the dataclass `kind` built from `data`; `place` names the file in errors.

    Raises: ScenarioError.
    """
    value: T = _object(kind, data, place)
    return value


def filled(kind: Any, data: Any, *, has_null: bool = True) -> Any:
    """Return plain data with the defaults of the dataclass `kind` for the keys that it leaves out.

    Args:
        has_null: whether the format can say null; else what may be None is None if it is left out.
    """
    if isinstance(kind, type) and is_dataclass(kind) and isinstance(data, dict):
        hints = get_type_hints(kind)
        known = {
            field.name: _plain(field.default)
            for field in fields(kind)
            if field.default is not MISSING
            or (not has_null and type(None) in get_args(hints[field.name]))
        }
        return {
            key: filled(hints.get(key), value, has_null=has_null)
            for key, value in {**known, **data}.items()
        }
    if isinstance(data, list) and get_args(kind):
        return [filled(get_args(kind)[0], item, has_null=has_null) for item in data]
    return data


def _plain(default: Any) -> Any:
    """Return a default as plain JSON says it."""
    if is_dataclass(default) and not isinstance(default, type):
        return asdict(default)
    if default is MISSING:
        return None
    return list(default) if isinstance(default, tuple) else default


def _value(kind: Any, data: Any, place: str) -> Any:
    """Build a value of the annotated type."""
    if kind == _COUNTS:
        return _counts(data, place)
    if isinstance(kind, type) and is_dataclass(kind):
        return _object(kind, data, place)
    origin = get_origin(kind)
    if origin in (Union, types.UnionType):
        inner = next(part for part in get_args(kind) if part is not type(None))
        return None if data is None else _value(inner, data, place)
    if origin is list and isinstance(data, list):
        (inner,) = get_args(kind)
        return [_value(inner, item, f"{place}[{n}]") for n, item in enumerate(data)]
    if origin is dict and isinstance(data, dict) and all(type(key) is str for key in data):
        _, inner = get_args(kind)
        return {key: _value(inner, item, f"{place}.{key}") for key, item in data.items()}
    if origin in (list, dict):
        raise ScenarioError(f"{place}: must be {'a list' if origin is list else 'an object'}")
    if origin is tuple:
        return _tuple(get_args(kind), data, place)
    return _scalar(kind, data, place)


def _scalar(kind: Any, data: Any, place: str) -> Any:
    if kind is float and type(data) is int:
        data = float(data)
    if type(data) is not kind:
        raise ScenarioError(f"{place}: must be {kind.__name__}, not {data!r:.60}")
    if kind in (int, float) and not -_INTEGER_MAX <= data <= _INTEGER_MAX:  # refuses NaN too
        raise ScenarioError(f"{place}: {data} is out of range")
    return data


def _tuple(parts: tuple[Any, ...], data: Any, place: str) -> tuple[Any, ...]:
    """Build `tuple[item, ...]` of any length, or a tuple of exactly these parts."""
    if not isinstance(data, list):
        raise ScenarioError(f"{place}: must be a list")
    if parts[-1] is Ellipsis:
        parts = (parts[0],) * len(data)
    if len(parts) != len(data):
        raise ScenarioError(f"{place}: must have {len(parts)} values, not {len(data)}")
    return tuple(
        _value(part, item, f"{place}[{n}]")
        for n, (part, item) in enumerate(zip(parts, data, strict=True))
    )


def _counts(data: Any, place: str) -> tuple[int | None, ...]:
    """Build a row of counts, each None or an integer of at least 0."""
    if not isinstance(data, list):
        raise ScenarioError(f"{place}: must be a list")
    wrong = not _COUNT_TYPES.issuperset(map(type, data))
    if wrong or any(count is not None and not 0 <= count <= _INTEGER_MAX for count in data):
        raise ScenarioError(f"{place}: holds something that is neither null nor a count")
    return tuple(data)


def _object(kind: Any, data: Any, place: str) -> Any:
    if not isinstance(data, dict):
        raise ScenarioError(f"{place}: must be an object")
    hints = get_type_hints(kind)
    names = [field.name for field in fields(kind)]
    for key in sorted(data):
        if key not in names:
            raise ScenarioError(f"{place}: unknown key '{key}'{nearest(key, names)}")
    missing = [name for name in names if name not in data]
    if missing:
        raise ScenarioError(f"{place}: '{missing[0]}' is missing")
    return kind(**{name: _value(hints[name], data[name], f"{place}.{name}") for name in names})
