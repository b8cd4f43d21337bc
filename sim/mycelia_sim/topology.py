"""Who keeps a link to whom, for each kind of topology; every way of laying is linear in the links.

Nodes come in cells: the islands of each side. For all kinds but the star, a cell is connected by
links inside it, so that a cut along islands or sides leaves each of them whole. `random_regular`
strings each cell together in a ring, lays the wanted crossings between cells that follow each
other, and fills the free places at random over all cells. `islands` is the same for each cell by
itself, with no link between them.
"""

from __future__ import annotations

import math
from collections import Counter
from itertools import combinations, pairwise
from typing import Final

from mycelia_sim.errors import ScenarioError
from mycelia_sim.streams import Stream

Edge = tuple[str, str]

COMPLETE_MAX: Final = 300  # nodes of which everybody can keep a link to everybody
_ROUNDS_MAX: Final = 24  # of pairing free places; each pairs most of what is left
_SWITCHES_MAX: Final = 64  # tries to make room for one pair that does not fit


def lay(
    kind: str,
    cells: list[list[str]],
    degree: int,
    crossings_min: int,
    rewire: float,
    stream: Stream,
) -> list[Edge]:
    """Return edges (smaller id first) in sorted order.

    Raises: ScenarioError when `complete` is asked for too many nodes.
    """
    ids = [one for cell in cells for one in cell]
    edges: set[Edge] = set()
    match kind:
        case "line":
            edges = {_edge(a, b) for a, b in pairwise(ids)}
        case "ring":
            _ring(ids, edges)
        case "grid":
            edges = _grid(ids)
        case "star":
            edges = {_edge(ids[0], leaf) for leaf in ids[1:]}
        case "complete":
            if len(ids) > COMPLETE_MAX:
                raise ScenarioError(
                    f"topology.kind: complete is for up to {COMPLETE_MAX} nodes, not {len(ids)}"
                )
            edges = {_edge(a, b) for a, b in combinations(ids, 2)}
        case "islands":
            for cell in cells:
                edges.update(random_regular([cell], degree, 0, stream))
        case "small_world":
            edges = _small_world(ids, degree, rewire, stream)
        case _:
            return random_regular(cells, degree, crossings_min, stream)
    return sorted(edges)


def random_regular(
    cells: list[list[str]], degree: int, crossings_min: int, stream: Stream
) -> list[Edge]:
    """Return edges (smaller id first) in sorted order; degrees are `degree` where it works out.

    A node may end one or two below the degree when no partner is left, or above it where the
    wanted crossings need more places than there are.
    """
    edges: set[Edge] = set()
    for cell in cells:
        _ring(stream.shuffled(cell), edges)
    for first, second in pairwise(cells):
        _cross(first, second, crossings_min, edges, stream)
    _fill([one for cell in cells for one in cell], degree, edges, stream)
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


def _edge(a: str, b: str) -> Edge:
    return (a, b) if a < b else (b, a)


def _ring(ids: list[str], edges: set[Edge]) -> None:
    for n, one in enumerate(ids):
        following = ids[(n + 1) % len(ids)]
        if following != one:
            edges.add(_edge(one, following))


def _grid(ids: list[str]) -> set[Edge]:
    """Lay a grid about as wide as high; rows run to and fro, so that who follows is next."""
    width = max(1, math.isqrt(len(ids)))
    edges = {_edge(a, b) for a, b in pairwise(ids)}
    for n in range(len(ids) - width):
        row, column = divmod(n, width)
        below = (row + 1) * width + (width - 1 - column)
        if below < len(ids):
            edges.add(_edge(ids[n], ids[below]))
    return edges


def _small_world(ids: list[str], degree: int, rewire: float, stream: Stream) -> set[Edge]:
    """Lay a ring with links to the neighbours' neighbours too, some of which lead anywhere."""
    edges: set[Edge] = set()
    _ring(ids, edges)
    for distance in range(2, max(1, degree // 2) + 1):
        for n, one in enumerate(ids):
            other = ids[(n + distance) % len(ids)]
            if stream.fraction() < rewire:
                other = stream.choice(ids)
            if other != one:
                edges.add(_edge(one, other))
    return edges


def _cross(
    first: list[str], second: list[str], count: int, edges: set[Edge], stream: Stream
) -> None:
    """Lay `count` links between two cells, spread over as many nodes as there are."""
    wanted = min(count, len(first) * len(second))
    order = stream.shuffled(first), stream.shuffled(second)
    laid = 0
    for turn in range(len(first) * len(second)):
        if laid == wanted:
            return
        shift = turn // len(first)
        a = order[0][turn % len(first)]
        b = order[1][(turn + shift) % len(second)]
        edge = _edge(a, b)
        if edge not in edges:
            edges.add(edge)
            laid += 1


def _fill(ids: list[str], degree: int, edges: set[Edge], stream: Stream) -> None:
    """Add random edges between nodes that are still below the degree.

    Free places are paired at random, again and again; the few that find no partner switch places
    with an edge that was laid here.
    """
    degrees = Counter(one for edge in sorted(edges) for one in edge)
    places = [one for one in ids for _ in range(degree - degrees[one])]
    laid: list[Edge] = []
    for _ in range(_ROUNDS_MAX):
        order = stream.shuffled(places)
        places = order[len(order) - len(order) % 2 :]
        for a, b in zip(order[::2], order[1::2], strict=False):
            edge = _edge(a, b)
            if a == b or edge in edges:
                places += (a, b)
            else:
                edges.add(edge)
                laid.append(edge)
        if len(places) < 2 or len(set(places)) == 1:
            break
    for a, b in zip(places[::2], places[1::2], strict=False):
        _switch(a, b, edges, laid, stream)


def _switch(a: str, b: str, edges: set[Edge], laid: list[Edge], stream: Stream) -> None:
    """Put a - c and b - d where c - d was, so that a and b get an edge each."""
    for _ in range(_SWITCHES_MAX if laid else 0):
        n = stream.integer(0, len(laid) - 1)
        c, d = laid[n]
        first, second = _edge(a, c), _edge(b, d)
        is_new = first not in edges and second not in edges and first != second
        if is_new and a != c and b != d:
            edges.remove(laid[n])
            edges.update((first, second))
            laid[n] = first
            laid.append(second)
            return
