"""Which members only one other member answers for: the branches of a commons. Spec: section 10.5.

Anybody may let in as many keys as it likes, all its own. So nothing is to be counted by keys. A
member **carries** another if every chain of vouches from the founder to the other passes it; what
somebody made up is carried by one of the keys by which it came in. A branch is a member whom nobody
carries but the founder, and all whom it carries: one voice, however many keys are in it.

    founder -> a -> b, c        branches: {founder}, {a, b, c}, {d, e}, {f}
    founder -> d -> e, f        f was let in by d and by a, so neither carries it
    a -> f

Source: T. Lengauer, R. Tarjan, A Fast Algorithm for Finding Dominators in a Flowgraph (1979).
"""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet


def branches(
    founder: bytes, vouched: Mapping[bytes, AbstractSet[bytes]], without: bytes | None = None
) -> dict[bytes, bytes]:
    """Return for each member who was not carried by anybody else, but carries it or is it.

    Args:
        vouched: author -> whom it let in.
        without: somebody who counts as though it had let in nobody, and is no member itself.
    """
    order, parent = _numbered(founder, vouched, without)
    number = {key: at for at, key in enumerate(order)}
    before: list[list[int]] = [[] for _ in order]
    for at, author in enumerate(order):
        for key in vouched.get(author, ()):
            if key in number:
                before[number[key]].append(at)
    carrier = _carriers(parent, before)
    tops = [founder]
    for at in range(1, len(order)):
        tops.append(order[at] if carrier[at] == 0 else tops[carrier[at]])
    return dict(zip(order, tops, strict=True))


def _numbered(
    founder: bytes, vouched: Mapping[bytes, AbstractSet[bytes]], without: bytes | None
) -> tuple[list[bytes], list[int]]:
    """Return all whom vouches lead to, depth first, and from which place each was come upon."""
    seen = {without}
    order: list[bytes] = []
    parent: list[int] = []
    rest = [(founder, 0)]
    while rest:
        key, by = rest.pop()
        if key in seen:
            continue
        seen.add(key)
        rest.extend((each, len(order)) for each in sorted(vouched.get(key, ()), reverse=True))
        order.append(key)
        parent.append(by)
    return order, parent


def _carriers(parent: list[int], before: list[list[int]]) -> list[int]:
    """Return for each place that of its nearest carrier; 0, the founder's, is its own.

    In steps that grow with the vouches times a logarithm, whatever their pattern: a member can make
    up many thousands of keys, in patterns for which simpler ways take hours.

    Args:
        parent: place -> that from which it was come upon, depth first.
        before: place -> those of who let it in.
    """
    count = len(parent)
    forest = _Forest(count)
    carrier = [0] * count
    waiting: list[list[int]] = [[] for _ in parent]
    for at in range(count - 1, 0, -1):
        forest.first[at] = min(forest.first[forest.lowest(each)] for each in before[at])
        waiting[forest.first[at]].append(at)
        forest.above[at] = parent[at]
        for each in waiting[parent[at]]:
            lowest = forest.lowest(each)
            is_lower = forest.first[lowest] < forest.first[each]
            carrier[each] = lowest if is_lower else parent[at]
        waiting[parent[at]].clear()
    for at in range(1, count):
        if carrier[at] != forest.first[at]:
            carrier[at] = carrier[carrier[at]]
    return carrier


class _Forest:
    """Places that were dealt with, under those from which they were come upon.

    Attributes:
        above: place -> one above it in its tree; -1 for a root.
        first: place -> the least one from which a way leads to it past none but greater ones.
    """

    def __init__(self, count: int) -> None:
        self.above = [-1] * count
        self.first = list(range(count))
        self._best = list(range(count))  # the place with the least `first` up to `above`

    def lowest(self, at: int) -> int:
        """Return the place with the least `first` from one up to its root, without the root."""
        above, best, first = self.above, self._best, self.first
        if above[at] < 0:
            return at
        path = []
        while above[above[at]] >= 0:
            path.append(at)
            at = above[at]
        for each in reversed(path):
            over = above[each]
            if first[best[over]] < first[best[each]]:
                best[each] = best[over]
            above[each] = above[over]
        return best[path[0] if path else at]
