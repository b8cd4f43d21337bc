"""Which seeds a sweep plays, and which of them it plays twice."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from mycelia_sim.errors import ScenarioError
from mycelia_sim.streams import Stream

SEED_MAX: Final = 2**53 - 1  # what every reader of JSON can hold, as in `run.seed`
SEEDS_MAX: Final = 10_000_000  # of one sweep: a line of 1 kB each is 10 GB
TWICE_SHARE: Final = 0.05
HASH_SEED: Final = 0  # PYTHONHASHSEED of every first run
HASH_SEED_MAX: Final = 2**32 - 1
_RANGE: Final = re.compile(r"(\d+)(?:\s*\.\.\s*(\d+))?")


@dataclass(frozen=True, slots=True)
class Seeds:
    """Some seeds, in order; ranges include both ends, and none touches the next."""

    ranges: tuple[tuple[int, int], ...]

    def __iter__(self) -> Iterator[int]:
        for first, last in self.ranges:
            yield from range(first, last + 1)

    def __len__(self) -> int:
        return sum(last - first + 1 for first, last in self.ranges)

    def __str__(self) -> str:
        return ",".join(
            str(first) if first == last else f"{first}..{last}" for first, last in self.ranges
        )


def parse_seeds(text: str) -> Seeds:
    """Return the seeds of "0..999", "7" or "0..9,20..29,77".

    Raises: ScenarioError when it is no such text, or there are too many.
    """
    spans = sorted(_span(part.strip(), text) for part in text.split(","))
    merged: list[tuple[int, int]] = []
    for first, last in spans:
        if merged and first <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(merged[-1][1], last))
        else:
            merged.append((first, last))
    if sum(last - first + 1 for first, last in merged) > SEEDS_MAX:
        raise ScenarioError(f"--seeds {text}: at most {SEEDS_MAX:,} seeds at a time")
    return Seeds(tuple(merged))


def of(seeds: list[int]) -> Seeds:
    """Return these seeds, in order, as ranges; there is at least one."""
    return parse_seeds(",".join(map(str, seeds)))


def _span(part: str, text: str) -> tuple[int, int]:
    found = _RANGE.fullmatch(part)
    if found is None:
        raise ScenarioError(f"--seeds {text}: write seeds as in 0..999, or 1,4,10..19")
    first = int(found[1])
    last = first if found[2] is None else int(found[2])
    if last < first:
        raise ScenarioError(f"--seeds {text}: {part} ends before it begins")
    if last > SEED_MAX:
        raise ScenarioError(f"--seeds {text}: a seed is at most {SEED_MAX}")
    return first, last


def is_played_twice(seed: int) -> bool:
    """Return whether a seed is run a second time, to see that it gives the same run again."""
    return Stream(seed, "sweep/twice").fraction() < TWICE_SHARE


def other_hash_seed(seed: int) -> int:
    """Return the PYTHONHASHSEED of a second run: any but that of the first."""
    return Stream(seed, "sweep/hash").integer(HASH_SEED + 1, HASH_SEED_MAX)
