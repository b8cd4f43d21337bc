"""Who is linked with whom, where a system does not choose by itself."""

from __future__ import annotations

import random

DEGREE_MIN, DEGREE_MAX = 4, 6


def random_links(nodes: int, seed: int) -> dict[int, list[int]]:
    """Return a connected graph in which everybody has 4 to 6 links, as far as there are so many.

    Returns:
        node -> the later-numbered nodes that are linked with it.
    """
    rng = random.Random(seed)  # noqa: S311  the same graph for every system and run
    around = list(range(nodes))
    rng.shuffle(around)
    pairs = {frozenset(pair) for pair in zip(around, around[1:] + around[:1], strict=True)}
    pairs = {pair for pair in pairs if len(pair) == 2}
    degree = [sum(node in pair for pair in pairs) for node in range(nodes)]
    wanted = [frozenset((a, b)) for a in range(nodes) for b in range(a)]
    rng.shuffle(wanted)
    for pair in wanted:
        lacking = any(degree[node] < DEGREE_MIN for node in pair)
        if pair not in pairs and lacking and all(degree[node] < DEGREE_MAX for node in pair):
            pairs.add(pair)
            for node in pair:
                degree[node] += 1
    links: dict[int, list[int]] = {node: [] for node in range(nodes)}
    for low, high in sorted(tuple(sorted(pair)) for pair in pairs):
        links[low].append(high)
    return links
