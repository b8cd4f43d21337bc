"""Random streams by counter: the draw is a pure function of (seed, name of the stream, n).

Nothing is carried from one stream to another and nothing from one draw to the next, so that taking
one fault out of a scenario shifts no other draw. This is what makes a failing plan shrinkable.
Python's `random` is not used: only parts of it are promised to stay the same across versions.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from hashlib import blake2b
from typing import Final, TypeVar

T = TypeVar("T")

_DRAW_BYTES: Final = 16  # 128 bits: the bias of a modulo below 2^64 stays under 2^-64


def draw(seed: int, name: str, n: int) -> int:
    """Return draw number `n` of stream `name`: an integer in [0, 2^128)."""
    text = f"{seed}|{name}|{n}".encode()
    return int.from_bytes(blake2b(text, digest_size=_DRAW_BYTES).digest())


class Stream:
    """A cursor over one stream; every method but `sample` and `shuffled` takes exactly one draw."""

    __slots__ = ("_n", "name", "seed")

    def __init__(self, seed: int, name: str) -> None:
        self.seed = seed
        self.name = name
        self._n = 0

    def bits(self) -> int:
        """Return the next draw, an integer in [0, 2^128)."""
        value = draw(self.seed, self.name, self._n)
        self._n += 1
        return value

    def bytes(self, count: int) -> bytes:
        """Return `count` (0 to 64) bytes."""
        value = blake2b(self.bits().to_bytes(_DRAW_BYTES), digest_size=64).digest()
        return value[:count]

    def integer(self, low: int, high: int) -> int:
        """Return an integer in [low, high], both ends included."""
        if high < low:
            raise ValueError(f"empty range {low}..{high}")
        return low + self.bits() % (high - low + 1)

    def fraction(self) -> float:
        """Return a number in [0, 1)."""
        return (self.bits() >> 75) / (1 << 53)

    def exponential(self, mean: float) -> float:
        """Return an exponentially distributed number with this mean, in the mean's own unit."""
        return -mean * math.log(1.0 - self.fraction())

    def choice(self, items: Sequence[T]) -> T:
        """Return one of `items`, all equally likely."""
        return items[self.integer(0, len(items) - 1)]

    def weighted(self, items: Sequence[T], weights: Sequence[int]) -> T:
        """Return one of `items`, each as likely as its weight (integers, sum above 0) says."""
        point = self.integer(0, sum(weights) - 1)
        for item, weight in zip(items, weights, strict=True):
            point -= weight
            if point < 0:
                return item
        raise AssertionError("the point lies below the sum of the weights")

    def shuffled(self, items: Sequence[T]) -> list[T]:
        """Return `items` in random order (Fisher-Yates; one draw less than there are items)."""
        result = list(items)
        for last in range(len(result) - 1, 0, -1):
            other = self.integer(0, last)
            result[last], result[other] = result[other], result[last]
        return result

    def sample(self, items: Sequence[T], count: int) -> list[T]:
        """Return `count` different positions of `items`, in random order; at most all of them."""
        return self.shuffled(items)[:count]
