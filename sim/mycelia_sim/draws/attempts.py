"""What adversaries try, when, on whom and in whose name."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from mycelia_sim.draws.choosing import City, Draws
from mycelia_sim.errors import ScenarioError
from mycelia_sim.plan import Attempt
from mycelia_sim.scenario import Adversary

PAUSE_MS_MIN: Final = 100  # between two attempts of one adversary
ATTEMPTS_MAX: Final = 100_000


def draw_attempts(
    adversaries: Iterable[Adversary],
    city: City,
    seed: int,
    end_ms: int,
    kept: frozenset[str],
) -> tuple[Attempt, ...]:
    """Return all attempts in order of time; behaviours that are not kept are left out.

    Adversaries are numbered x00, x01, ...; each takes its behaviours in turn.

    Raises: ScenarioError when a selector names nobody, or there would be too many.
    """
    found: list[tuple[int, str, str, str, str]] = []
    number = 0
    for adversary in adversaries:
        draws = Draws(seed, f"adversary/{adversary.key}")
        try:
            targets = city.nodes(adversary.select, draws)
        except ScenarioError as error:
            raise ScenarioError(f"adversary {adversary.key}: {error}") from None
        for member in range(adversary.count):
            name = f"x{number:02}"
            number += 1
            stream = draws.stream(str(member))
            at_ms, turn = adversary.from_ms, member
            while at_ms < min(end_ms, adversary.until_ms or end_ms):
                behaviour = adversary.behaviours[turn % len(adversary.behaviours)]
                target = stream.choice(targets)
                victim = stream.choice(city.ids[:-1])
                victim = city.ids[-1] if victim == target else victim
                if behaviour in kept:
                    found.append((at_ms, name, behaviour, target, victim))
                at_ms += max(PAUSE_MS_MIN, adversary.every.draw_ms(stream))
                turn += 1
                if len(found) > ATTEMPTS_MAX:
                    raise ScenarioError(f"adversaries try more than {ATTEMPTS_MAX} times")
    found.sort(key=lambda one: one[:2])
    return tuple(
        Attempt(n, name, at_ms, behaviour, target, victim)
        for n, (at_ms, name, behaviour, target, victim) in enumerate(found)
    )
