"""Times, rates and distributions as people write them in a scenario: "90 s", "poisson(2 / s)".

Everything is turned into integer milliseconds here, once; the rest of the harness knows no units.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from mycelia_sim.errors import ScenarioError, nearest
from mycelia_sim.streams import Stream

_UNIT_MS: Final = {"ms": 1, "s": 1_000, "min": 60_000, "h": 3_600_000, "d": 86_400_000}
_DURATION: Final = re.compile(r"(\d+(?:\.\d+)?)\s*([a-z]+)")
_CALL: Final = re.compile(r"([a-z_]+)\s*\((.*)\)")


def parse_duration(text: str) -> int:
    """Return the milliseconds of "90 s", "2 min", "1.5 h"; several parts add up ("1 min 30 s").

    Raises: ScenarioError when it is not such a text.
    """
    rest = text.strip()
    total = 0.0
    while rest:
        found = _DURATION.match(rest)
        if found is None:
            raise ScenarioError(f"'{text}' is not a time; write a number and a unit, as in '90 s'")
        number, unit = found.groups()
        if unit not in _UNIT_MS:
            raise ScenarioError(f"'{text}' has the unknown unit '{unit}'{nearest(unit, _UNIT_MS)}")
        total += float(number) * _UNIT_MS[unit]
        rest = rest[found.end() :].lstrip()
    if not text.strip():
        raise ScenarioError("a time is empty; write a number and a unit, as in '90 s'")
    return round(total)


@dataclass(frozen=True, slots=True)
class Distribution:
    """A time that is drawn: constant(a), uniform(a, b) or exponential(mean), all in ms."""

    kind: str
    low_ms: int
    high_ms: int

    def draw_ms(self, stream: Stream) -> int:
        """Return one drawn time in ms (>= 0); takes exactly one draw of the stream."""
        if self.kind == "uniform":
            return stream.integer(self.low_ms, self.high_ms)
        if self.kind == "exponential":
            return round(stream.exponential(self.low_ms))
        stream.bits()
        return self.low_ms


def parse_distribution(text: str) -> Distribution:
    """Read "5 ms", "constant(5 ms)", "uniform(2 ms, 12 ms)" or "exponential(30 s)".

    Raises: ScenarioError when it is none of these.
    """
    found = _CALL.fullmatch(text.strip())
    if found is None:
        value = parse_duration(text)
        return Distribution("constant", value, value)
    kind, inner = found.groups()
    counts = {"constant": 1, "uniform": 2, "exponential": 1}
    if kind not in counts:
        raise ScenarioError(f"'{text}' is an unknown distribution{nearest(kind, counts)}")
    values = [parse_duration(part) for part in inner.split(",")]
    if len(values) != counts[kind]:
        raise ScenarioError(f"'{text}' has {len(values)} values; {kind} takes {counts[kind]}")
    if values[-1] < values[0]:
        raise ScenarioError(f"'{text}' ends below its beginning; write the smaller time first")
    return Distribution(kind, values[0], values[-1])


@dataclass(frozen=True, slots=True)
class Rate:
    """How often something happens: evenly, or as a Poisson process of the same mean."""

    gap_ms: float
    poisson: bool

    def next_ms(self, stream: Stream) -> float:
        """Return the gap to the next event in ms; takes exactly one draw of the stream."""
        if self.poisson:
            return stream.exponential(self.gap_ms)
        stream.bits()
        return self.gap_ms


def parse_rate(text: str) -> Rate:
    """Read "2 / s" or "poisson(30 / min)".

    Raises: ScenarioError when it is neither, or when the rate is 0.
    """
    found = _CALL.fullmatch(text.strip())
    if found is not None and found.group(1) != "poisson":
        known = nearest(found.group(1), ["poisson"])
        raise ScenarioError(f"'{text}' is an unknown kind of rate{known}")
    inner = text if found is None else found.group(2)
    number, slash, unit = inner.partition("/")
    try:
        count = float(number)
    except ValueError:
        count = 0.0
    if not slash or unit.strip() not in _UNIT_MS or not 0 < count <= 10_000:
        raise ScenarioError(f"'{text}' is not a rate; write it as in '2 / s' or 'poisson(2 / s)'")
    return Rate(_UNIT_MS[unit.strip()] / count, found is not None)
