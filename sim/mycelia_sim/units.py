"""Times, shares, rates and distributions as people write them in a scenario: "90 s", "2 / min".

Everything is turned into plain numbers in base units here, once: milliseconds, parts of one, bits a
second. The rest of the harness knows no units.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from statistics import NormalDist
from typing import Final

from mycelia_sim.errors import ScenarioError, nearest
from mycelia_sim.streams import Stream

Parse = Callable[[str], float]

UNIT_MS: Final = {"ms": 1, "s": 1_000, "min": 60_000, "h": 3_600_000, "d": 86_400_000}
UNIT_BITS: Final = {"bit": 1, "kbit": 1_000, "Mbit": 1_000_000, "Gbit": 1_000_000_000}
TIME_MS_MAX: Final = 400 * UNIT_MS["d"]  # above any run, and safe to add up in an integer
BITS_MAX: Final = 10**12
NUMBER_MAX: Final = 1e12
_PART: Final = re.compile(r"(\d+(?:\.\d+)?)\s*([A-Za-z]+)")
_CALL: Final = re.compile(r"([a-z_]+)\s*\((.*)\)")
_NORMAL: Final = NormalDist()
_P99: Final = _NORMAL.inv_cdf(0.99)  # standard deviations from the median to the 99th percentile

# Distribution -> its parameters in order; True: in the unit of what is drawn, False: a bare number.
PARAMETERS: Final[dict[str, dict[str, bool]]] = {
    "constant": {"value": True},
    "uniform": {"low": True, "high": True},
    "normal": {"mean": True, "sd": True},
    "exponential": {"mean": True},
    "lognormal": {"median": True, "p99": True},
    "pareto": {"low": True, "alpha": False},
    "bimodal": {"usual": True, "rare": True, "share": False},
}


def parse_time(text: str) -> float:
    """Return the milliseconds of "90 s", "0.5 ms", "1.5 h"; parts add up ("1 min 30 s").

    Raises: ScenarioError when it is not such a text.
    """
    total = _sum(text, UNIT_MS, "time", "90 s")
    if total > TIME_MS_MAX:
        raise ScenarioError(f"'{text}' is longer than 400 d")
    return total


def parse_duration(text: str) -> int:
    """Return a time in whole milliseconds.

    Raises: ScenarioError.
    """
    return round(parse_time(text))


def parse_offset(text: str) -> float:
    """Return the milliseconds of a time that may be negative: "-2 s".

    Raises: ScenarioError.
    """
    rest = text.strip()
    return -parse_time(rest[1:]) if rest.startswith("-") else parse_time(rest)


def parse_number(text: str) -> float:
    """Return a number, which may be negative: "-20", "1.5".

    Raises: ScenarioError.
    """
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number) or abs(number) > NUMBER_MAX:
        raise ScenarioError(f"'{text.strip()}' is not a number")
    return number


def parse_share(text: str) -> float:
    """Return the part of one in "0.02" or "2 %".

    Raises: ScenarioError when it is not in [0, 1].
    """
    rest = text.strip()
    share = parse_number(rest[:-1]) / 100 if rest.endswith("%") else parse_number(rest)
    if not 0 <= share <= 1:
        raise ScenarioError(f"'{rest}' is not a share; write it as in '0.02' or '2 %'")
    return share


def parse_bits(text: str) -> int:
    """Return the bits a second of "10 Mbit" or "256 kbit".

    Raises: ScenarioError.
    """
    bits = _sum(text, UNIT_BITS, "rate of a line", "10 Mbit")
    if bits > BITS_MAX:
        raise ScenarioError(f"'{text}' is more than 1000 Gbit")
    return round(bits)


def _sum(text: str, units: dict[str, int], what: str, example: str) -> float:
    """Add up numbers with units."""
    rest = text.strip()
    if not rest:
        raise ScenarioError(f"a {what} is empty; write a number and a unit, as in '{example}'")
    total = 0.0
    while rest:
        found = _PART.match(rest)
        if found is None:
            raise ScenarioError(
                f"'{text}' is not a {what}; write a number and a unit, as in '{example}'"
            )
        number, unit = found.groups()
        if unit not in units:
            raise ScenarioError(f"'{text}' has the unknown unit '{unit}'{nearest(unit, units)}")
        total += float(number) * units[unit]
        rest = rest[found.end() :].lstrip()
    return total


@dataclass(frozen=True, slots=True)
class Distribution:
    """Something that is drawn, in its base unit.

    Attributes:
        kind: constant(value), uniform(low, high), normal(mean, sd), exponential(mean),
            lognormal(median, p99), pareto(low, alpha) or bimodal(usual, rare, share).
        values: the parameters, in that order.
    """

    kind: str
    values: tuple[float, ...]

    def draw(self, stream: Stream) -> float:
        """Return one value; takes exactly one draw of the stream, whatever the kind."""
        u = (stream.fraction() * (1 << 53) + 0.5) / (1 << 53)  # in (0, 1)
        return self._at(u)

    def draw_ms(self, stream: Stream) -> int:
        """Return one drawn time in whole ms, at least 0; takes exactly one draw."""
        return min(TIME_MS_MAX, max(0, round(self.draw(stream))))

    @property
    def least(self) -> float:
        """The lower bound of what is drawn; -inf if there is none."""
        match self.kind:
            case "normal":
                return -math.inf
            case "exponential" | "lognormal":
                return 0.0
            case "bimodal":
                return min(self.values[:2])
            case _:
                return self.values[0]

    @property
    def most(self) -> float:
        """The upper bound of what is drawn; inf if there is none."""
        if self.kind in ("constant", "uniform"):
            return self.values[-1]
        return max(self.values[:2]) if self.kind == "bimodal" else math.inf

    def _at(self, u: float) -> float:
        """Return the value below which a part `u` of all draws lie (for bimodal: of either)."""
        match self.kind, self.values:
            case "uniform", (low, high):
                return low + u * (high - low)
            case "normal", (mean, sd):
                return mean + sd * _NORMAL.inv_cdf(u)
            case "exponential", (mean,):
                return -mean * math.log(1 - u)
            case "lognormal", (median, p99):
                return float(median * (p99 / median) ** (_NORMAL.inv_cdf(u) / _P99))
            case "pareto", (low, alpha):
                return float(low / (1 - u) ** (1 / alpha))
            case "bimodal", (usual, rare, share):
                return rare if u < share else usual
            case _:
                return self.values[0]


def parse_distribution(text: str, parse: Parse = parse_time) -> Distribution:
    """Read "5 ms", "uniform(2 ms, 12 ms)", "lognormal(median=40 ms, p99=180 ms)" and so on.

    Args:
        parse: reads what is drawn.

    Raises: ScenarioError when it is none of the known distributions.
    """
    found = _CALL.fullmatch(text.strip())
    if found is None:
        return Distribution("constant", (parse(text),))
    kind, inner = found.groups()
    if kind not in PARAMETERS:
        raise ScenarioError(f"'{text}' is an unknown distribution{nearest(kind, PARAMETERS)}")
    parameters = PARAMETERS[kind]
    parts = [part.strip() for part in inner.split(",")]
    if len(parts) != len(parameters):
        names = ", ".join(parameters)
        raise ScenarioError(f"'{text}' has {len(parts)} values; {kind} takes {names}")
    values = []
    for part, (name, has_unit) in zip(parts, parameters.items(), strict=True):
        given, equals, value = part.partition("=")
        if equals and given.strip() != name:
            raise ScenarioError(f"'{text}': '{given.strip()}' stands where {kind} takes {name}")
        values.append((parse if has_unit else parse_number)(value if equals else part))
    distribution = Distribution(kind, tuple(values))
    _check(distribution, text)
    return distribution


def _check(distribution: Distribution, text: str) -> None:
    """Refuse parameters that make no distribution."""
    match distribution.kind, distribution.values:
        case "uniform", (low, high) if high < low:
            raise ScenarioError(f"'{text}' ends below its beginning; write the smaller one first")
        case "normal", (_, sd) if sd < 0:
            raise ScenarioError(f"'{text}' has a standard deviation below 0")
        case "exponential", (mean,) if mean < 0:
            raise ScenarioError(f"'{text}' has a mean below 0")
        case "lognormal", (median, p99) if not 0 < median <= p99:
            raise ScenarioError(f"'{text}' takes a median above 0 and a p99 not below it")
        case "pareto", (low, alpha) if low <= 0 or alpha <= 0:
            raise ScenarioError(f"'{text}' takes a low end and an alpha above 0")
        case "bimodal", (_, _, share) if not 0 <= share <= 1:
            raise ScenarioError(f"'{text}' takes a share from 0 to 1")
        case _:
            pass


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
    if not slash or unit.strip() not in UNIT_MS or not 0 < count <= 10_000:
        raise ScenarioError(f"'{text}' is not a rate; write it as in '2 / s' or 'poisson(2 / s)'")
    return Rate(UNIT_MS[unit.strip()] / count, found is not None)
