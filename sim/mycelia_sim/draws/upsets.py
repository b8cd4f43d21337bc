"""Faults of nodes: crashes, what becomes of disks and clocks, who leaves and comes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Final, TypeVar

from mycelia_sim.backends import AWAY
from mycelia_sim.draws.choosing import City
from mycelia_sim.draws.once import Once
from mycelia_sim.fault import Crash, Upset
from mycelia_sim.plan import Kill, Trouble

US: Final = 1_000  # microseconds in a millisecond
DOWN: Final = ("pause", *AWAY, "drop_unsynced")  # troubles in which a node does nothing

D = TypeVar("D", Kill, Trouble)


def kills(once: Once, effect: Crash, city: City) -> Iterator[Kill]:
    """Yield a kill for each node that a crash hits.

    Raises: ScenarioError when there are too few nodes.
    """
    for node in city.nodes(effect.select, once.draws):
        after_ms = effect.restart_after.draw_ms(once.draws.stream(f"restart/{node}"))
        rollback = 0
        if effect.records is not None:
            rollback = max(1, round(once.amount(effect.records, f"records/{node}")))
        yield Kill(
            id=f"{once.id}-{node}",
            at_ms=once.at_ms,
            node=node,
            restart_ms=max(once.at_ms + 1, min(once.at_ms + after_ms, once.end_ms)),
            disk=effect.disk,
            rollback=rollback,
        )


def troubles(once: Once, effect: Upset, city: City) -> Iterator[Trouble]:
    """Yield a trouble for each node that a fault befalls.

    Raises: ScenarioError when there are too few nodes.
    """
    do = once.fault.do
    scale = US if do == "slow" else 1
    for node in city.nodes(effect.select, once.draws):
        at_ms, until_ms = once.at_ms, once.until_ms
        if do == "join":  # not there from the beginning, and there from then on
            at_ms, until_ms = 0, max(1, once.at_ms)
        elif once.fault.lasts is not None:
            lasts_ms = once.fault.lasts.draw_ms(once.draws.stream(f"for/{node}"))
            until_ms = max(at_ms + 1, min(at_ms + lasts_ms, once.end_ms))
        yield Trouble(
            id=f"{once.id}-{node}",
            kind=do,
            at_ms=at_ms,
            until_ms=until_ms,
            node=node,
            amount=round(once.amount(effect.amount, f"amount/{node}") * scale),
        )


def without_overlaps(
    all_kills: list[Kill], all_troubles: list[Trouble]
) -> tuple[list[Kill], list[Trouble]]:
    """Return kills and troubles such that nothing befalls a node while the same still lasts.

    Whoever is down can't be killed: what begins later is left out. It is left out even if what it
    meets is itself left out, so that taking a fault away never takes another one with it.
    """
    spans: dict[tuple[str, str], list[tuple[int, int, str]]] = defaultdict(list)
    everything: list[Kill | Trouble] = [*all_kills, *all_troubles]
    for one in everything:
        if _family(one):
            spans[one.node, _family(one)].append((one.at_ms, _end_ms(one), one.id))
    met: set[str] = set()
    for group in spans.values():
        latest_ms = -1
        for at_ms, end_ms, name in sorted(group):
            if at_ms <= latest_ms:
                met.add(name)
            latest_ms = max(latest_ms, end_ms)
    return _without(all_kills, met), _without(all_troubles, met)


def _without(items: Iterable[D], ids: set[str]) -> list[D]:
    return [item for item in items if item.id not in ids]


def _family(one: Kill | Trouble) -> str:
    """Return what can't happen twice at once; clocks may be set wrong as often as one likes."""
    if isinstance(one, Kill) or one.kind in DOWN:
        return "down"
    return "" if one.kind.startswith("clock") else one.kind


def _end_ms(one: Kill | Trouble) -> int:
    return one.restart_ms if isinstance(one, Kill) else one.until_ms
