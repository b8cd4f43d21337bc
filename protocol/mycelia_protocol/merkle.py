"""A hash over a list that grows: the Merkle tree of RFC 9162, section 2.1, with our domains.

    root of one leaf   = H("leaf", leaf)
    root of n leaves   = H("node", root of the first k, root of the others)

where k is the largest power of two that is less than n. Of a list that grows only the roots of the
full trees that it is made of are kept, at most one for each bit of its length.
"""

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
