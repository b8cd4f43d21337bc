"""When faults happen: each occurrence of a fault, with streams of its own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from mycelia_sim.draws.choosing import Draws
from mycelia_sim.errors import ScenarioError
from mycelia_sim.fault import Fault
from mycelia_sim.units import Distribution

OCCURRENCES_MAX: Final = 10_000  # of one fault


@dataclass(frozen=True, slots=True)
class Once:
    """One occurrence of a fault, from `at_ms` to `until_ms`; it lies within the workload."""

    id: str
    fault: Fault
    at_ms: int
    until_ms: int
    end_ms: int  # of the workload
    draws: Draws

    def amount(self, distribution: Distribution | None, part: str) -> float:
        """Return one drawn number, 0 if nothing is to be drawn."""
        return 0.0 if distribution is None else distribution.draw(self.draws.stream(part))


def occurrences(fault: Fault, seed: int, end_ms: int) -> Iterator[Once]:
    """Yield when a fault happens.

    Raises: ScenarioError when it happens too often.
    """
    draws = Draws(seed, f"fault/{fault.key}")
    is_once = fault.when.at is not None
    for number, at_ms in enumerate(_times(fault, draws, end_ms), start=1):
        own = Draws(seed, f"fault/{fault.key}/{number}")
        until_ms = end_ms
        if fault.lasts is not None:
            until_ms = at_ms + fault.lasts.draw_ms(own.stream("for"))
        until_ms = max(at_ms + 1, min(until_ms, end_ms))
        name = fault.name if is_once else f"{fault.name}.{number}"
        yield Once(name, fault, at_ms, until_ms, end_ms, own)


def _times(fault: Fault, draws: Draws, end_ms: int) -> Iterator[int]:
    """Yield the times at which a fault begins, all before the end."""
    at, every = fault.when.at, fault.when.every
    if at is not None:
        at_ms = at.draw_ms(draws.stream("at"))
        if at_ms < end_ms:
            yield at_ms
        return
    assert every is not None
    first_ms, last_ms = fault.when.between or (0, end_ms)
    stream = draws.stream("every")
    next_ms = float(first_ms)
    for _ in range(OCCURRENCES_MAX):
        next_ms += every.next_ms(stream)
        if round(next_ms) >= min(last_ms, end_ms):
            return
        yield round(next_ms)
    raise ScenarioError(f"it would happen more than {OCCURRENCES_MAX} times; lower its rate")
