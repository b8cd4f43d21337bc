"""Which members only one other member answers for: the branches of a commons. Spec: section 10.5.

Anybody may let in as many keys as it likes, all its own. So nothing is to be counted by keys. A
member **carries** another if every chain of vouches from the founder to the other passes it; what
somebody made up is carried by one of the keys by which it came in. A branch is a member whom nobody
carries but the founder, and all whom it carries: one voice, however many keys are in it.

    founder -> a -> b, c        branches: {founder}, {a, b, c}, {d, e}, {f}
    founder -> d -> e, f        f was let in by d and by a, so neither carries it
    a -> f

Source: K. Cooper, T. Harvey, K. Kennedy, A Simple, Fast Dominance Algorithm (2001).
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
    order = _numbered_last_first(founder, vouched, without)
    number = {key: at for at, key in enumerate(order)}
    before: dict[int, list[int]] = {}
    for at, author in enumerate(order):
        for key in vouched.get(author, ()):
            if key in number:
                before.setdefault(number[key], []).append(at)
    carrier = _carriers(len(order), before)
    tops = [founder]
    for at in range(1, len(order)):
        tops.append(order[at] if carrier[at] == 0 else tops[carrier[at]])
    return dict(zip(order, tops, strict=True))


def _numbered_last_first(
    founder: bytes, vouched: Mapping[bytes, AbstractSet[bytes]], without: bytes | None
) -> list[bytes]:
    """Return all whom vouches lead to, so that whoever is carried comes after its carriers."""
    seen = {founder, without}
    finished: list[bytes] = []
    path = [(founder, iter(sorted(vouched.get(founder, ()))))]
    while path:
        author, rest = path[-1]
        key = next((each for each in rest if each not in seen), None)
        if key is None:
            finished.append(author)
            path.pop()
        else:
            seen.add(key)
            path.append((key, iter(sorted(vouched.get(key, ())))))
    return finished[::-1]


def _carriers(count: int, before: Mapping[int, list[int]]) -> list[int]:
    """Return for each place that of its nearest carrier; 0, the founder's, is its own."""
    carrier = [0] + [-1] * (count - 1)
    is_moving = True
    while is_moving:
        is_moving = False
        for at in range(1, count):
            found = -1
            for each in before[at]:
                if carrier[each] < 0:
                    continue
                found = each if found < 0 else _common(carrier, found, each)
            if carrier[at] != found:
                carrier[at], is_moving = found, True
    return carrier


def _common(carrier: list[int], one: int, other: int) -> int:
    """Return the nearest who carries both, or is one of them."""
    while one != other:
        while one > other:
            one = carrier[one]
        while other > one:
            other = carrier[other]
    return one
