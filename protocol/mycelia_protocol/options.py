"""What the owner of a node chose for its engine."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Options:
    """What a node's owner chose.

    Attributes:
        allocate: whether the node grants from its own offers and answers grants by itself (fifo).
        confirm_handovers: whether it writes receipts by itself; for demonstrations.
        dial: addresses to keep connected for ever.
        discover: whether to dial members by the addresses in their profiles.
        introduction: bytes from `Joined`, or None for the founder.
    """

    allocate: bool = True
    confirm_handovers: bool = False
    dial: tuple[str, ...] = ()
    discover: bool = True
    introduction: bytes | None = None
