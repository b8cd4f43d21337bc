"""How a living place fares, by five indicators. Spec: section 8.10.3, MET-5 to MET-7.

What nobody has looked at lately is unknown, and unknown is never counted as good. One observer
alone says nothing: an indicator is the median of at least two, each with the latest that they saw.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from mycelia_protocol.limits import HEALTH_KNOWN_MIN, HEALTH_OBSERVERS_MIN, HEALTH_WINDOW_MS
from mycelia_protocol.sharing.exact import median

INDICATORS: Final = ("soil", "water", "biodiversity", "canopy", "waste")


@dataclass(frozen=True, slots=True)
class Sighting:
    """What one observer saw of one indicator of a place.

    Attributes:
        indicator: one of `INDICATORS`; others are left aside.
        observer: who looked.
        value_pm: 0 the worst, 1000 the best that is thought possible there.
        time_ms: when.
    """

    indicator: str
    observer: bytes
    value_pm: int
    time_ms: int


@dataclass(frozen=True, slots=True)
class Health:
    """How a place fares.

    Attributes:
        values: for each indicator the median, None if unknown.
        index: half the least of the known ones, half their mean; None if too few are known.
    """

    values: Mapping[str, int | None]
    index: int | None


def health(sightings: Iterable[Sighting], as_of_ms: int) -> Health:
    """Return the health of one place at a time.

    Sightings of more than `HEALTH_WINDOW_MS` before, or later than `as_of_ms`, don't count. Of one
    observer the latest of each indicator counts, of two at the same moment the lower one.
    """
    latest: dict[tuple[str, bytes], tuple[int, int]] = {}
    for each in sightings:
        if 0 <= as_of_ms - each.time_ms <= HEALTH_WINDOW_MS:
            who = (each.indicator, each.observer)
            seen = (each.time_ms, -each.value_pm)
            latest[who] = max(latest.get(who, seen), seen)
    values = {
        indicator: _value([-value for (name, _), (_, value) in latest.items() if name == indicator])
        for indicator in INDICATORS
    }
    known = [value for value in values.values() if value is not None]
    index = None
    if len(known) >= HEALTH_KNOWN_MIN:
        index = (min(known) + sum(known) // len(known)) // 2
    return Health(values, index)


def _value(seen: list[int]) -> int | None:
    return median(seen) if len(seen) >= HEALTH_OBSERVERS_MIN else None
