"""Times, rates and distributions as kinds of values. `$ref`s lead to what `schema.py` defines."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

from mycelia_sim.errors import ScenarioError
from mycelia_sim.grammar.kinds import text_of, wrong
from mycelia_sim.tables import JsonSchema
from mycelia_sim.units import (
    Distribution,
    Parse,
    Rate,
    parse_bits,
    parse_distribution,
    parse_duration,
    parse_number,
    parse_offset,
    parse_rate,
    parse_share,
    parse_time,
)


@dataclass(frozen=True, slots=True)
class Duration:
    """A time such as "90 s", in whole ms."""

    low_ms: int = 0

    def read(self, value: Any) -> int:
        """Return the ms."""
        ms = parse_duration(text_of(value))
        if ms < self.low_ms:
            raise ScenarioError(f"'{value}' is too short; it is at least {self.low_ms} ms")
        return ms

    def schema(self) -> JsonSchema:
        """Return the schema."""
        return {"$ref": "#/$defs/time"}


@dataclass(frozen=True, slots=True)
class Window:
    """Two times, the earlier first, in whole ms."""

    def read(self, value: Any) -> tuple[int, int]:
        """Return both in ms."""
        if not isinstance(value, list) or len(value) != 2:
            raise wrong("a list of two times", value)
        first, last = (parse_duration(text_of(one)) for one in value)
        if last <= first:
            raise ScenarioError(f"ends at '{value[1]}', which is not after '{value[0]}'")
        return first, last

    def schema(self) -> JsonSchema:
        """Return the schema."""
        time = {"$ref": "#/$defs/time"}
        return {"type": "array", "items": time, "minItems": 2, "maxItems": 2}


@dataclass(frozen=True, slots=True)
class Often:
    """A rate such as "poisson(2 / s)"."""

    def read(self, value: Any) -> Rate:
        """Return the rate."""
        return parse_rate(text_of(value))

    def schema(self) -> JsonSchema:
        """Return the schema."""
        return {"$ref": "#/$defs/rate"}


@dataclass(frozen=True, slots=True)
class Unit:
    """What a distribution is about.

    Attributes:
        parse: reads one value.
        low, high: bounds of one value.
        is_bare: whether a TOML number may stand for a value.
        pattern: regular expression of one value, for the schema.
    """

    name: str
    parse: Parse
    low: float
    high: float
    is_bare: bool
    pattern: str


NUMBER_PATTERN: Final = r"\d+(\.\d+)?"
_TIMES: Final = rf"({NUMBER_PATTERN}\s*(ms|s|min|h|d)\s*)+"
TIME: Final = Unit("time", parse_time, 0, math.inf, False, _TIMES)
OFFSET: Final = Unit("offset", parse_offset, -math.inf, math.inf, False, rf"-?\s*{_TIMES}")
NUMBER: Final = Unit("number", parse_number, -1e9, 1e9, True, rf"-?{NUMBER_PATTERN}")
COUNT: Final = Unit("count", parse_number, 0, 1e9, True, NUMBER_PATTERN)
SHARE: Final = Unit("share", parse_share, 0, 1, True, rf"{NUMBER_PATTERN}\s*%?")
BITS: Final = Unit("bits", parse_bits, 1, math.inf, False, rf"({NUMBER_PATTERN}\s*[kMG]?bit\s*)+")
UNITS: Final = (TIME, OFFSET, NUMBER, COUNT, SHARE, BITS)


@dataclass(frozen=True, slots=True)
class Drawn:
    """Something that is drawn: a plain value, or a distribution of such values.

    What has no bounds by itself, as a normal distribution, is cut off when it is drawn.
    """

    unit: Unit
    low: float | None = None

    def read(self, value: Any) -> Distribution:
        """Return the distribution."""
        if self.unit.is_bare and type(value) in (int, float):
            drawn = Distribution("constant", (self.unit.parse(repr(value)),))
        elif isinstance(value, str):
            drawn = parse_distribution(value, self.unit.parse)
        elif self.unit.is_bare:
            raise wrong("a number, or a distribution in quotes", value)
        else:
            raise wrong("a text in quotes", value)
        low = self.unit.low if self.low is None else self.low
        is_bounded = drawn.kind in ("constant", "uniform", "bimodal")
        if is_bounded and not (low <= drawn.least and drawn.most <= self.unit.high):
            raise ScenarioError(f"'{value}' is outside {low:g} to {self.unit.high:g}")
        return drawn

    def schema(self) -> JsonSchema:
        """Return the schema."""
        return {"$ref": f"#/$defs/{self.unit.name}-drawn"}
