"""A strict reader of TOML tables: keys are asked for by name; what is left over is an error.

The error names the file, the dotted place and the nearest known key, so that a typo in a scenario
can never mean "silently use the default".
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterable
from difflib import get_close_matches
from typing import Any, TypeVar

from mycelia_sim.errors import ScenarioError, nearest

T = TypeVar("T")


class Table:
    """One table of a TOML document, read key by key; `finish` complains of what nobody read."""

    def __init__(self, data: dict[str, Any], place: str) -> None:
        self._rest = dict(data)
        self._known: list[str] = []
        self.place = place

    def fault(self, key: str, message: str) -> ScenarioError:
        """Return the error that `key` of this table is wrong."""
        return ScenarioError(f"{self.place}: {key}: {message}")

    def _take(self, key: str, kind: type[T], word: str, default: T | None) -> T:
        self._known.append(key)
        if key not in self._rest:
            if default is None:
                raise ScenarioError(f"{self.place}: '{key}' is missing{self._mistyped(key)}")
            return default
        value = self._rest.pop(key)
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise self.fault(key, f"must be {word}, not {value!r}")
        return value

    def _mistyped(self, key: str) -> str:
        close = get_close_matches(key, self._rest, n=1)
        return f"; is '{close[0]}' meant?" if close else ""

    def has(self, key: str) -> bool:
        """Return whether the document gives this key, and count it as known."""
        self._known.append(key)
        return key in self._rest

    def text(self, key: str, default: str | None = None) -> str:
        """Return a string."""
        return self._take(key, str, "a text in quotes", default)

    def flag(self, key: str, default: bool | None = None) -> bool:
        """Return true or false."""
        return self._take(key, bool, "true or false", default)

    def integer(self, key: str, default: int | None, low: int, high: int) -> int:
        """Return an integer in [low, high]."""
        value = self._take(key, int, "a whole number", default)
        if not low <= value <= high:
            raise self.fault(key, f"{value} is outside {low} to {high}")
        return value

    def share(self, key: str, default: float | None = None) -> float:
        """Return a number in [0, 1]."""
        value = self._take(key, (int, float), "a number from 0 to 1", default)  # type: ignore[arg-type]
        if isinstance(value, bool) or not 0 <= value <= 1:
            raise self.fault(key, f"must be a number from 0 to 1, not {value!r}")
        return float(value)

    def choice(self, key: str, known: Iterable[str], default: str | None = None) -> str:
        """Return one of the words in `known`."""
        value = self.text(key, default)
        names = list(known)
        if value not in names:
            raise self.fault(key, f"'{value}' is unknown{nearest(value, names)}")
        return value

    def texts(self, key: str, default: list[str] | None = None) -> tuple[str, ...]:
        """Return a list of strings."""
        values = self._take(key, list, "a list of texts", default)
        for value in values:
            if not isinstance(value, str):
                raise self.fault(key, f"must hold texts, not {value!r}")
        return tuple(values)

    def choices(self, key: str, known: Iterable[str], default: list[str]) -> tuple[str, ...]:
        """Return a list of words, each one of `known`."""
        names = list(known)
        values = self.texts(key, default)
        for value in values:
            if value not in names:
                raise self.fault(key, f"'{value}' is unknown{nearest(value, names)}")
        return values

    def parsed(self, key: str, parse: Callable[[str], T], default: str | None = None) -> T:
        """Return what `parse` makes of a string; its complaint gets the place in front."""
        value = self.text(key, default)
        try:
            return parse(value)
        except ScenarioError as error:
            raise self.fault(key, str(error)) from None

    def groups(self, key: str) -> tuple[tuple[str, ...], ...]:
        """Return a list of lists of selector texts."""
        result: list[tuple[str, ...]] = []
        for group in self._take(key, list, "a list of lists of texts", None):
            if not isinstance(group, list) or not all(isinstance(name, str) for name in group):
                raise self.fault(key, f"must hold lists of texts, not {group!r}")
            result.append(tuple(group))
        return tuple(result)

    def table(self, key: str) -> Table:
        """Return a table inside this one; an absent one reads as empty."""
        return Table(self._take(key, dict, "a table", {}), f"{self.place}: [{key}]")

    def tables(self, key: str) -> list[Table]:
        """Return an array of tables, [] when absent."""
        values = self._take(key, list, "an array of tables", [])
        for value in values:
            if not isinstance(value, dict):
                raise self.fault(key, f"must hold tables, not {value!r}")
        return [Table(v, f"{self.place}: [[{key}]] {n + 1}") for n, v in enumerate(values)]

    def items(self) -> list[tuple[str, Any]]:
        """Take all keys at once, for tables whose keys are names; sorted."""
        taken = sorted(self._rest.items())
        self._known.extend(key for key, _ in taken)
        self._rest.clear()
        return taken

    def finish(self) -> None:
        """Complain of the first key that nobody asked for.

        Raises: ScenarioError.
        """
        for key in sorted(self._rest):
            raise ScenarioError(f"{self.place}: unknown key '{key}'{nearest(key, self._known)}")


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
