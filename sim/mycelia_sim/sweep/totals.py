"""What the seeds of a sweep come to together, and the exit code that follows."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist, median
from typing import Any, Final

from mycelia_sim.fingerprint import Fingerprint
from mycelia_sim.sweep.line import VERDICTS, SeedLine
from mycelia_sim.verdict import (
    EXIT_HARNESS,
    EXIT_LIVENESS,
    EXIT_NONDETERMINISM,
    EXIT_PASS,
    EXIT_SAFETY,
    EXIT_UNKNOWN,
)

# The first that some seed has is the sweep's: what is unknown never hides what failed.
PRECEDENCE: Final = (
    EXIT_HARNESS,
    EXIT_NONDETERMINISM,
    EXIT_SAFETY,
    EXIT_LIVENESS,
    EXIT_UNKNOWN,
    EXIT_PASS,
)
WORDS: Final = {code: word for word, codes in VERDICTS.items() for code in codes}
_Z95: Final = NormalDist().inv_cdf(0.975)


@dataclass(frozen=True, slots=True)
class Group:
    """The seeds that failed in the same way, the cheapest to play first.

    Attributes:
        also: other ways in which some of them failed besides.
    """

    fingerprint: Fingerprint
    lines: tuple[SeedLine, ...]
    also: tuple[Fingerprint, ...]

    @property
    def example(self) -> SeedLine:
        """Return the line of the cheapest."""
        return self.lines[0]


@dataclass(frozen=True, slots=True)
class Reach:
    """How far a family of faults reached: in how many seeds it was planned, and did something."""

    planned: int
    fired: int


@dataclass(frozen=True, slots=True)
class Totals:
    """All seeds together.

    Attributes:
        counts: verdict -> seeds.
        interval: Wilson's 95 % interval of the pass rate.
        families, sometimes: of the scenario; how many seeds saw each.
        metrics: dotted name -> (median, largest) over the seeds that have it.
        unsure: check -> seeds in which it is unknown, those of what is seen sometimes left out.
        doubts: why the sweep as a whole proves less than it should.
    """

    played: int
    counts: Mapping[str, int]
    interval: tuple[float, float]
    families: Mapping[str, Reach]
    sometimes: Mapping[str, int]
    groups: tuple[Group, ...]
    wavering: tuple[SeedLine, ...]
    unsure: Mapping[str, tuple[int, ...]]
    metrics: Mapping[str, tuple[float, float]]
    twice: int
    cpu_s: float
    events: int
    doubts: tuple[str, ...]
    exit_code: int

    @property
    def verdict(self) -> str:
        """Return pass, fail, unknown, nondeterminism or crash."""
        return WORDS[self.exit_code]

    @property
    def pass_rate(self) -> float | None:
        """Return the share of seeds that passed; unknown is not passed. None without seeds."""
        return self.counts["pass"] / self.played if self.played else None


def total(lines: Sequence[SeedLine], families: Iterable[str], sometimes: Iterable[str]) -> Totals:
    """Add up lines.

    Args:
        families, sometimes: what the scenario promises; what no seed saw makes the sweep unknown.
    """
    found = Counter(line.verdict for line in lines)
    counts = {verdict: found[verdict] for verdict in VERDICTS}
    reach = {family: _reach(family, lines) for family in families}
    seen = {name: sum(name in line.seen for line in lines) for name in sometimes}
    doubts = _doubts(lines, reach, seen)
    codes = {line.exit_code for line in lines} | ({EXIT_UNKNOWN} if doubts else set())
    return Totals(
        played=len(lines),
        counts=counts,
        interval=wilson(counts["pass"], len(lines)),
        families=reach,
        sometimes=seen,
        groups=group(lines),
        wavering=tuple(_cheapest(ln for ln in lines if ln.verdict == "nondeterminism")),
        unsure=_unsure(lines, frozenset(seen)),
        metrics=_metrics(lines),
        twice=sum(line.again is not None for line in lines),
        cpu_s=sum(line.cpu_s for line in lines),
        events=sum(line.events for line in lines),
        doubts=tuple(doubts),
        exit_code=next(code for code in PRECEDENCE if code in codes),
    )


def wilson(passed: int, count: int) -> tuple[float, float]:
    """Return the 95 % interval of a share: of `passed` in `count` tries.

    Unlike the normal approximation it holds near 0 and 1, where pass rates lie.

    Source: Wilson, Probable Inference, the Law of Succession, and Statistical Inference, 1927.
    """
    if not count:
        return 0.0, 1.0
    share, z2 = passed / count, _Z95 * _Z95
    center = (share + z2 / (2 * count)) / (1 + z2 / count)
    half = _Z95 / (1 + z2 / count) * sqrt(share * (1 - share) / count + z2 / (4 * count * count))
    low = 0.0 if passed == 0 else max(0.0, center - half)
    return low, 1.0 if passed == count else min(1.0, center + half)


def group(lines: Iterable[SeedLine]) -> tuple[Group, ...]:
    """Return the failures by the first way in which each seed failed, the most frequent first."""
    alike: dict[Fingerprint, list[SeedLine]] = defaultdict(list)
    for line in lines:
        if line.fingerprint is not None:
            alike[line.fingerprint].append(line)
    groups = []
    for mark, members in alike.items():
        others = {one.fingerprint for line in members for one in line.failing} - {mark}
        groups.append(Group(mark, tuple(_cheapest(members)), tuple(sorted(others))))
    rank = {code: n for n, code in enumerate(PRECEDENCE)}
    groups.sort(key=lambda one: (rank[one.example.exit_code], -len(one.lines), one.fingerprint))
    return tuple(groups)


def _cheapest(lines: Iterable[SeedLine]) -> list[SeedLine]:
    return sorted(lines, key=lambda line: (line.cpu_s, line.seed))


def _reach(family: str, lines: Iterable[SeedLine]) -> Reach:
    counts = [(line.families or {}).get(family, (0, 0)) for line in lines]
    return Reach(sum(planned > 0 for _, planned in counts), sum(fired > 0 for fired, _ in counts))


def _doubts(
    lines: Sequence[SeedLine], reach: Mapping[str, Reach], seen: Mapping[str, int]
) -> list[str]:
    if not lines:
        return ["no seed was played"]
    never = [family for family, found in reach.items() if not found.fired]
    unseen = [name for name, count in seen.items() if not count]
    doubts = [f"in no seed did anything come of: {', '.join(never)}"] if never else []
    return doubts + ([f"seen in no seed: {', '.join(unseen)}"] if unseen else [])


def _unsure(lines: Iterable[SeedLine], sometimes: frozenset[str]) -> dict[str, tuple[int, ...]]:
    found: dict[str, list[int]] = defaultdict(list)
    for line in lines:
        for check in line.unknown or {}:
            if check not in sometimes:
                found[check].append(line.seed)
    return {check: tuple(seeds) for check, seeds in sorted(found.items())}


def _metrics(lines: Iterable[SeedLine]) -> dict[str, tuple[float, float]]:
    values: dict[str, list[float]] = defaultdict(list)
    for line in lines:
        for name, value in (line.metrics or {}).items():
            parts: Mapping[str, Any] = value if isinstance(value, Mapping) else {"": value}
            for part, number in parts.items():
                if number is not None:
                    values[f"{name}.{part}" if part else name].append(number)
    return {name: (median(numbers), max(numbers)) for name, numbers in values.items()}
