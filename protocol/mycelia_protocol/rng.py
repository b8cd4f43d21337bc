"""The source of randomness that machines are given. Spec: none; it only decides who is asked when.

`random.Random` with a seed serves a simulation, `random.SystemRandom` a node: keys come from it.
"""

from typing import Protocol


class Rng(Protocol):
    """What a machine may ask of its randomness."""

    def random(self) -> float:
        """Return a number in [0, 1)."""
        ...

    def randbytes(self, n: int, /) -> bytes:
        """Return n random bytes; from a real node's source they are fit for keys."""
        ...
