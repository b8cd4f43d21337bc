"""A hash over a list that grows: the Merkle tree of RFC 9162, section 2.1, with our domains.

    root of one leaf   = H("leaf", leaf)
    root of n leaves   = H("node", root of the first k, root of the others)

where k is the largest power of two that is less than n. Of a list that grows only the roots of the
full trees that it is made of are kept, at most one for each bit of its length.

Some leaves that follow each other are proved by the roots of what lies beside them, from left to
right: whoever has the leaves and these comes to the root.
"""

from collections.abc import Iterator, Sequence

from mycelia_protocol.crypto import LEAF, NODE, digest


class Tree:
    """The tree over a list, without its leaves.

    Attributes:
        count: leaves so far.
    """

    def __init__(self) -> None:
        self.count = 0
        self._full: list[bytes] = []  # roots of full trees, the largest first

    def add(self, leaf: bytes) -> None:
        """Put a leaf at the end."""
        root, bits = digest(LEAF, leaf), self.count
        while bits & 1:
            root = digest(NODE, self._full.pop(), root)
            bits >>= 1
        self._full.append(root)
        self.count += 1

    def root(self) -> bytes:
        """Return the root, 32 bytes.

        Raises:
            IndexError: there is no leaf.
        """
        root = self._full[-1]
        for left in reversed(self._full[:-1]):
            root = digest(NODE, left, root)
        return root


def prove(hashes: Sequence[bytes], first: int, last: int) -> list[bytes]:
    """Return what proves the leaves from `first` to before `last`.

    Args:
        hashes: the roots of all single leaves.
    """
    return [root_over(hashes[low:high]) for low, high in beside(len(hashes), first, last)]


def beside(count: int, first: int, last: int) -> list[tuple[int, int]]:
    """Return which leaves the roots are over that prove those from `first` to before `last`.

    From left to right, as (low, high) with `high` not in it. Each is a subtree of a tree of `count`
    leaves: what is as large as some power of two, or larger, begins at a multiple of it.
    """
    return list(_beside(0, count, first, last))


def root_over(hashes: Sequence[bytes]) -> bytes:
    """Return the root over subtrees that follow each other, all but the last full and of one size.

    Args:
        hashes: their roots, one at least; of single leaves, or of larger ones.
    """
    while len(hashes) > 1:  # pairs from the left; an odd one out moves up as it is
        pairs = [digest(NODE, *hashes[at : at + 2]) for at in range(0, len(hashes) - 1, 2)]
        hashes = [*pairs, *hashes[len(pairs) * 2 :]]
    return hashes[0]


def proved_root(count: int, first: int, leaves: Sequence[bytes], proof: Sequence[bytes]) -> bytes:
    """Return the root of a tree of `count` leaves, some of which are known, with their proof.

    Raises:
        ValueError: the leaves are not within the tree, or the proof has not what they need.
    """
    last = first + len(leaves)
    if not 0 <= first < last <= count:
        raise ValueError("leaves outside of the tree")
    hashes = [digest(LEAF, leaf) for leaf in leaves]
    rest = iter(proof)
    root = _climb(0, count, first, hashes, rest)
    if next(rest, None) is not None:
        raise ValueError("a proof with more than is needed")
    return root


def _half(size: int) -> int:
    """Return the largest power of two below a size of at least 2."""
    return 1 << (size - 1).bit_length() - 1


def _beside(low: int, high: int, first: int, last: int) -> Iterator[tuple[int, int]]:
    if high <= first or last <= low:
        yield low, high
    elif low < first or last < high:
        middle = low + _half(high - low)
        yield from _beside(low, middle, first, last)
        yield from _beside(middle, high, first, last)


def _climb(
    low: int, high: int, first: int, hashes: Sequence[bytes], rest: Iterator[bytes]
) -> bytes:
    last = first + len(hashes)
    if high <= first or last <= low:
        found = next(rest, None)
        if found is None:
            raise ValueError("a proof with less than is needed")
        return found
    if first <= low and high <= last:
        return root_over(hashes[low - first : high - first])
    middle = low + _half(high - low)
    left = _climb(low, middle, first, hashes, rest)
    return digest(NODE, left, _climb(middle, high, first, hashes, rest))
