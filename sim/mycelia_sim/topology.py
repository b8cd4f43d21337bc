"""Who keeps a link to whom: a random graph of even degree that is connected on each side.

Each side is first strung together in a ring, then the wanted crossings are laid, then the free
places are filled at random over both sides. So a cut along the sides leaves each side whole, and
before it there is more than one way across.
"""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

from mycelia_sim.streams import Stream

Edge = tuple[str, str]


def random_regular(
    sides: list[list[str]], degree: int, crossings_min: int, stream: Stream
) -> list[Edge]:
    """Return edges (smaller id first) in sorted order; degrees are `degree` where it works out.

    A node may end one or two below the degree when no partner is left, or above it where the
    wanted crossings need more places than there are.
    """
    edges: set[Edge] = set()
    for side in sides:
        _ring(stream.shuffled(side), edges)
    for first, second in pairwise(sides):
        _cross(first, second, crossings_min, edges, stream)
    _fill([one for side in sides for one in side], degree, edges, stream)
    return sorted(edges)


def orient(edges: list[Edge]) -> list[Edge]:
    """Return (dialer, listener) for each edge such that everybody dials about as often."""
    ways = list(edges)
    dials = Counter(dialer for dialer, _ in ways)
    turned = True
    while turned:  # each turn makes the counts more even, so this ends
        turned = False
        for n, (dialer, listener) in enumerate(ways):
            if dials[dialer] > dials[listener] + 1:
                ways[n] = (listener, dialer)
                dials[dialer] -= 1
                dials[listener] += 1
                turned = True
    return ways


def _ring(ids: list[str], edges: set[Edge]) -> None:
    for n, one in enumerate(ids):
        following = ids[(n + 1) % len(ids)]
        if following != one:
            edges.add((min(one, following), max(one, following)))


def _cross(
    first: list[str], second: list[str], count: int, edges: set[Edge], stream: Stream
) -> None:
    """Lay `count` links between two sides, spread over as many nodes as there are."""
    wanted = min(count, len(first) * len(second))
    order = stream.shuffled(first), stream.shuffled(second)
    laid = 0
    for turn in range(len(first) * len(second)):
        if laid == wanted:
            return
        shift = turn // len(first)
        a = order[0][turn % len(first)]
        b = order[1][(turn + shift) % len(second)]
        edge = (min(a, b), max(a, b))
        if edge not in edges:
            edges.add(edge)
            laid += 1


def _fill(ids: list[str], degree: int, edges: set[Edge], stream: Stream) -> None:
    """Add random edges between nodes that are still below the degree."""
    degrees = dict.fromkeys(ids, 0)
    for first, second in sorted(edges):
        degrees[first] += 1
        degrees[second] += 1
    while True:
        free = [one for one in ids if degrees[one] < degree]
        pairs = [
            (a, b)
            for n, a in enumerate(free)
            for b in free[n + 1 :]
            if (min(a, b), max(a, b)) not in edges
        ]
        if not pairs:
            return
        # The emptiest nodes first, so that the last ones are not left without a partner.
        least = min(min(degrees[a], degrees[b]) for a, b in pairs)
        pairs = [(a, b) for a, b in pairs if min(degrees[a], degrees[b]) == least]
        a, b = stream.choice(pairs)
        edges.add((min(a, b), max(a, b)))
        degrees[a] += 1
        degrees[b] += 1
