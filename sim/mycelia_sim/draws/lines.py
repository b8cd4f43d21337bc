"""Faults of links: what they cut, and what they make worse."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from mycelia_sim.draws.choosing import Bundle, City
from mycelia_sim.draws.once import Once
from mycelia_sim.errors import ScenarioError
from mycelia_sim.fault import Clog, Degrade, Partition
from mycelia_sim.plan import Cut, Shape
from mycelia_sim.units import Distribution

PPM: Final = 1_000_000
_FLAP_MS_MIN: Final = 10  # the shortest time for which a link works or does not

Span = tuple[int, int]


def partition(once: Once, effect: Partition, city: City) -> Cut:
    """Return the cut between groups; who bridges them is in no group.

    Raises: ScenarioError when there are not two groups with nodes.
    """
    groups = city.groups(effect.groups, once.draws)
    if effect.bridge is not None:
        bridge = set(city.nodes(effect.bridge, once.draws))
        groups = tuple(tuple(one for one in group if one not in bridge) for group in groups)
        if not all(groups):
            raise ScenarioError("a group has no nodes but the bridge")
    return Cut(
        id=once.id,
        at_ms=once.at_ms,
        until_ms=once.until_ms,
        mode=effect.mode,
        oneway=effect.oneway,
        delay_ms=effect.delay_ms,
        groups=groups,
        kind=once.fault.do,
        links=(),
    )


def clogs(once: Once, effect: Clog, city: City) -> Iterator[Cut]:
    """Yield the cuts of a fault that holds links: isolate, clog, swizzle_clog, flap.

    Raises: ScenarioError when there are no such links.
    """
    do = once.fault.do
    bundles = city.bundles(effect.lines, effect.oneway, once.draws)
    if do == "clog":
        bundles = [_together(bundles)]
    for number, bundle in enumerate(bundles, start=1):
        name = once.id if len(bundles) == 1 else f"{once.id}.{number}"
        if do == "flap":
            for turn, span in enumerate(_flapping(once, effect, number), start=1):
                yield _hold(once, effect, bundle, f"{name}.{turn}", span)
        elif do == "swizzle_clog":
            yield _hold(once, effect, bundle, name, _swizzled(once, number))
        else:
            yield _hold(once, effect, bundle, name, (once.at_ms, once.until_ms))


def _together(bundles: Iterable[Bundle]) -> Bundle:
    """Return all directions of some bundles, each once."""
    return tuple(dict.fromkeys(way for bundle in bundles for way in bundle))


def _hold(once: Once, effect: Clog, bundle: Bundle, name: str, span: Span) -> Cut:
    """Return a cut of some directions; `oneway` is about groups, and there are none."""
    return Cut(
        id=name,
        at_ms=span[0],
        until_ms=span[1],
        mode=effect.mode,
        oneway=False,
        delay_ms=effect.delay_ms,
        groups=(),
        kind=once.fault.do,
        links=bundle,
    )


def _swizzled(once: Once, number: int) -> Span:
    """Return when one bundle stops and goes on: they stop one by one, and go on in another order.

    All stop within the first half and go on within the second.
    """
    stream = once.draws.stream(f"swizzle/{number}")
    half_ms = (once.until_ms - once.at_ms) // 2
    at_ms = once.at_ms + stream.integer(0, max(0, half_ms - 1))
    return at_ms, max(at_ms + 1, once.until_ms - stream.integer(0, half_ms))


def _flapping(once: Once, effect: Clog, number: int) -> Iterator[Span]:
    """Yield when one bundle does not work: down first, then up and down in turn."""
    assert effect.up is not None
    assert effect.down is not None
    stream = once.draws.stream(f"flap/{number}")
    at_ms = once.at_ms
    while at_ms < once.until_ms:
        until_ms = at_ms + max(_FLAP_MS_MIN, effect.down.draw_ms(stream))
        yield at_ms, min(until_ms, once.until_ms)
        at_ms = until_ms + max(_FLAP_MS_MIN, effect.up.draw_ms(stream))


def degrade(once: Once, effect: Degrade, city: City) -> Shape:
    """Return how much worse the links of a fault are.

    Raises: ScenarioError when there are no such links.
    """
    bundles = city.bundles(effect.lines, effect.oneway, once.draws)

    def whole(distribution: Distribution | None, part: str) -> int:
        return max(0, round(once.amount(distribution, part)))

    def ppm(distribution: Distribution | None, part: str) -> int:
        return share_ppm(once.amount(distribution, part))

    return Shape(
        id=once.id,
        at_ms=once.at_ms,
        until_ms=once.until_ms,
        links=_together(bundles),
        latency_ms=whole(effect.latency, "latency"),
        jitter_ms=whole(effect.jitter, "jitter"),
        loss_ppm=ppm(effect.loss, "loss"),
        duplicate_ppm=ppm(effect.duplicate, "duplicate"),
        reorder_ppm=ppm(effect.reorder, "reorder"),
        rate_bps=0 if effect.rate is None else max(1, whole(effect.rate, "rate")),
    )


def share_ppm(share: float) -> int:
    """Return a share, cut off at 0 and 1, as parts in a million."""
    return round(min(max(share, 0.0), 1.0) * PPM)
