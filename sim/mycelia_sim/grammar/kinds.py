"""What values in a scenario may look like: each kind reads a TOML value and knows its JSON Schema.

Times and distributions are in `measures.py`, selectors in `selectors.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from mycelia_sim.errors import ScenarioError, nearest
from mycelia_sim.tables import REQUIRED, JsonSchema, Key, Table


def wrong(word: str, value: object) -> ScenarioError:
    """Return the error that a value is not what was asked for."""
    return ScenarioError(f"must be {word}, not {value!r:.80}")


def text_of(value: Any) -> str:
    """Return a value that has to be a text.

    Raises: ScenarioError.
    """
    if not isinstance(value, str):
        raise wrong("a text in quotes", value)
    return value


def choose(value: Any, known: tuple[str, ...]) -> str:
    """Return a text that is one of the known words.

    Raises: ScenarioError.
    """
    word = text_of(value)
    if word not in known:
        raise ScenarioError(f"'{word}' is unknown{nearest(word, known)}")
    return word


@dataclass(frozen=True, slots=True)
class Text:
    """Any text."""

    def read(self, value: Any) -> str:
        """Return the text."""
        return text_of(value)

    def schema(self) -> JsonSchema:
        """Return the schema."""
        return {"type": "string"}


@dataclass(frozen=True, slots=True)
class Name:
    """A text of letters, digits and "-", as it may stand in a file's name."""

    def read(self, value: Any) -> str:
        """Return the name."""
        name = text_of(value)
        if not (name.isascii() and name.replace("-", "").isalnum()):
            raise ScenarioError(f"'{name}' must be letters, digits and '-'")
        return name

    def schema(self) -> JsonSchema:
        """Return the schema."""
        return {"type": "string", "pattern": "^-*[A-Za-z0-9][-A-Za-z0-9]*$"}


@dataclass(frozen=True, slots=True)
class Flag:
    """True or false."""

    def read(self, value: Any) -> bool:
        """Return the flag."""
        if not isinstance(value, bool):
            raise wrong("true or false", value)
        return value

    def schema(self) -> JsonSchema:
        """Return the schema."""
        return {"type": "boolean"}


@dataclass(frozen=True, slots=True)
class Integer:
    """A whole number in [low, high]."""

    low: int
    high: int

    def read(self, value: Any) -> int:
        """Return the number."""
        if type(value) is not int:
            raise wrong("a whole number", value)
        if not self.low <= value <= self.high:
            raise ScenarioError(f"{value} is outside {self.low} to {self.high}")
        return value

    def schema(self) -> JsonSchema:
        """Return the schema."""
        return {"type": "integer", "minimum": self.low, "maximum": self.high}


@dataclass(frozen=True, slots=True)
class Share:
    """A number in [0, 1]."""

    def read(self, value: Any) -> float:
        """Return the share."""
        if type(value) not in (int, float) or not 0 <= value <= 1:
            raise wrong("a number from 0 to 1", value)
        return float(value)

    def schema(self) -> JsonSchema:
        """Return the schema."""
        return {"type": "number", "minimum": 0, "maximum": 1}


@dataclass(frozen=True, slots=True)
class Choice:
    """One of some words."""

    known: tuple[str, ...]

    def read(self, value: Any) -> str:
        """Return the word."""
        return choose(value, self.known)

    def schema(self) -> JsonSchema:
        """Return the schema."""
        return {"enum": list(self.known)}


@dataclass(frozen=True, slots=True)
class Choices:
    """A list of some words, each at most once."""

    known: tuple[str, ...]
    least: int = 0

    def read(self, value: Any) -> tuple[str, ...]:
        """Return the words in the order given."""
        if not isinstance(value, list):
            raise wrong("a list of texts", value)
        words = tuple(choose(word, self.known) for word in value)
        if len(set(words)) < len(words):
            raise ScenarioError("names something twice")
        if len(words) < self.least:
            raise ScenarioError(f"is empty; known here: {', '.join(self.known)}")
        return words

    def schema(self) -> JsonSchema:
        """Return the schema."""
        items = {"enum": list(self.known)}
        return {"type": "array", "items": items, "uniqueItems": True, "minItems": self.least}


@dataclass(frozen=True, slots=True)
class Inner:
    """A table inside a table, with keys of its own."""

    keys: tuple[Key, ...]
    make: Callable[[dict[str, Any]], Any] = dict

    def read(self, value: Any) -> Any:
        """Return what is made of the values by name."""
        if not isinstance(value, dict):
            raise wrong("a table", value)
        return self.make(Table(value, "").read(self.keys))

    def schema(self) -> JsonSchema:
        """Return the schema."""
        return table_schema(self.keys)


def table_schema(keys: tuple[Key, ...]) -> JsonSchema:
    """Return the schema of a table with these keys and no others."""
    properties: JsonSchema = {}
    for key in keys:
        properties[key.name] = {**key.kind.schema(), "description": key.says}
        if isinstance(key.default, (str, bool, int, float, list, dict)):
            properties[key.name]["default"] = key.default
    required = [key.name for key in keys if key.default is REQUIRED]
    schema: JsonSchema = {"type": "object", "properties": properties, "additionalProperties": False}
    return {**schema, "required": required} if required else schema
