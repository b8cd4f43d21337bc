"""A strict reader of TOML tables: keys are asked for by name; what is left over is an error.

All that is wrong with a table is told at once. Each error names the file, the dotted place and the
nearest known key, so that a typo in a scenario can never mean "silently use the default". What keys
there are is data, in `grammar/`: the JSON Schema that editors use is written from the same data.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import partial
from typing import Any, Final, Protocol

from mycelia_sim.errors import Gathering, ScenarioError, nearest

JsonSchema = dict[str, Any]


class Kind(Protocol):
    """What a value may look like."""

    def read(self, value: Any) -> Any:
        """Turn a TOML value into what the harness works with.

        Raises: ScenarioError that says what is wrong, not where.
        """
        ...

    def schema(self) -> JsonSchema:
        """Return the JSON Schema of the TOML value."""
        ...


class _Required:
    """Stands where a key has no default."""

    def __repr__(self) -> str:
        return "REQUIRED"


REQUIRED: Final = _Required()


@dataclass(frozen=True, slots=True)
class Key:
    """One key of a table.

    Attributes:
        says: one clause for people, shown by editors.
        default: as it would stand in the file; None reads as None.
        into: name of the value where it is not the key's own name.
    """

    name: str
    kind: Kind
    says: str
    default: Any = REQUIRED
    into: str = ""

    @property
    def field(self) -> str:
        """Name of the value that is read."""
        return self.into or self.name


class Table:
    """One table of a TOML document, read key by key; `finish` complains of what nobody read."""

    def __init__(self, data: Mapping[str, Any], place: str) -> None:
        self._rest = dict(data)
        self._known: list[str] = []
        self.place = place

    def error(self, message: str) -> ScenarioError:
        """Return the error that something is wrong here."""
        return ScenarioError(f"{self.place}: {message}" if self.place else message)

    def fault(self, key: str, message: str) -> ScenarioError:
        """Return the error that `key` of this table is wrong."""
        return self.error(f"{key}: {message}")

    def take(self, key: Key) -> Any:
        """Return the value of one key, or its default.

        Raises: ScenarioError when it is missing or can't be read.
        """
        self._known.append(key.name)
        value = self._rest.pop(key.name, key.default)
        if value is REQUIRED:
            close = get_close_matches(key.name, self._rest, n=1)
            meant = f"; is '{close[0]}' meant?" if close else ""
            for name in close:  # the one typo is told once
                del self._rest[name]
            raise self.error(f"'{key.name}' is missing{meant}")
        if value is None:
            return None
        try:
            return key.kind.read(value)
        except ScenarioError as error:
            problems = Gathering()
            for part in error.parts:
                problems.add(self.fault(key.name, str(part)))
            problems.finish()
            raise

    def read(self, keys: Iterable[Key]) -> dict[str, Any]:
        """Return the values of all keys by field name, and complain of any further key.

        Raises: ScenarioError with all that is wrong.
        """
        problems = Gathering()
        values = {}
        for key in keys:
            values[key.field] = problems.attempt(partial(self.take, key))
        problems.attempt(self.finish)
        problems.finish()
        return values

    def table(self, key: str) -> Table:
        """Return a table inside this one; an absent one reads as empty."""
        self._known.append(key)
        value = self._rest.pop(key, {})
        if not isinstance(value, dict):
            raise self.fault(key, f"must be a table, not {value!r}")
        return Table(value, f"{self.place}: [{key}]")

    def tables(self, key: str) -> list[Table]:
        """Return an array of tables, [] when absent."""
        self._known.append(key)
        values = self._rest.pop(key, [])
        if not isinstance(values, list):
            raise self.fault(key, f"must be an array of tables, not {values!r}")
        for value in values:
            if not isinstance(value, dict):
                raise self.fault(key, f"must hold tables, not {value!r}")
        return [Table(v, f"{self.place}: [[{key}]] {n + 1}") for n, v in enumerate(values)]

    def named(self, known: Iterable[str]) -> list[tuple[str, Any]]:
        """Take all keys at once, for tables whose keys are names; in the order of `known`.

        Raises: ScenarioError when there is a name that is not known.
        """
        names = list(known)
        self._known.extend(names)
        taken = [(name, self._rest.pop(name)) for name in names if name in self._rest]
        self.finish()
        return taken

    def left(self) -> dict[str, Any]:
        """Return what nobody has asked for yet."""
        return dict(self._rest)

    def finish(self) -> None:
        """Complain of all keys that nobody asked for.

        Raises: ScenarioError.
        """
        problems = Gathering()
        for key in sorted(self._rest):
            problems.add(self.error(f"unknown key '{key}'{nearest(key, self._known)}"))
        problems.finish()


def merge(base: dict[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Return `base` with `over` put on it: tables are merged, all else is replaced, arrays too."""
    merged = dict(base)
    for key, value in over.items():
        below = merged.get(key)
        both = isinstance(below, dict) and isinstance(value, dict)
        merged[key] = merge(below, value) if both else value  # type: ignore[arg-type]
    return merged


def override(document: dict[str, Any], setting: str) -> None:
    """Put one `dotted.key=value` of the command line into the document.

    The value is read as TOML and, where that fails, as a plain text: `--set run.duration=90s`.
    Arrays of tables are addressed by number from 0: `--set fault.0.for="10 s"`.

    Raises: ScenarioError when there is no "=" or the path runs through something else.
    """
    path, equals, text = setting.partition("=")
    keys = path.strip().split(".")
    if not equals or not all(keys):
        raise ScenarioError(f"--set {setting}: write it as key=value, as in run.seed=7")
    place: Any = document
    for key in keys[:-1]:
        place = _step(place, key, setting)
    last = keys[-1]
    if isinstance(place, list) and last.isdecimal() and int(last) < len(place):
        place[int(last)] = _toml_value(text)
    elif isinstance(place, dict):
        place[last] = _toml_value(text)
    else:
        raise ScenarioError(f"--set {setting}: there is no such place in the scenario")


def _step(place: Any, key: str, setting: str) -> Any:
    """Go one level down, making tables on the way."""
    if isinstance(place, dict):
        return place.setdefault(key, {})
    if isinstance(place, list) and key.isdecimal() and int(key) < len(place):
        return place[int(key)]
    raise ScenarioError(f"--set {setting}: '{key}' leads nowhere in the scenario")


def _toml_value(text: str) -> Any:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text.strip()
