"""What the owner of a node chose for its engine."""

from dataclasses import dataclass

from mycelia_protocol.limits import ACCEPT_WITHIN_MS, ACKNOWLEDGE_WITHIN_MS


@dataclass(frozen=True, slots=True)
class Options:
    """What a node's owner chose.

    Attributes:
        allocate: whether the node grants from its own offers and answers grants by itself (fifo).
        decide: whether it grants by the policy in force, with a record of each decision.
        preposition: whether it gives rights to its offers ahead of an outage, by itself.
        accept_within_ms: how long a grant of its own waits for an answer before it is taken back.
        confirm_handovers: whether it writes receipts by itself; for demonstrations.
        erase_after_ms: for how long something of its own must have been over before the node
            erases its words by itself; None for never.
        checkpoint_after: by how many records its log grows before it writes a checkpoint; None
            for never.
        acknowledge_within_ms: how long checkpoints of others wait for each other before it
            acknowledges them.
        compact_after_ms: how old a confirmed checkpoint must be before what it covers is kept in
            compact form only; None for never.
        dial: addresses to keep connected for ever.
        presence: whether it says now and then that it is there.
        discover: whether to dial members by the addresses in their profiles.
        introduction: bytes from `Joined`, or None for the founder.
    """

    allocate: bool = True
    decide: bool = False
    preposition: bool = False
    accept_within_ms: int = ACCEPT_WITHIN_MS
    confirm_handovers: bool = False
    erase_after_ms: int | None = None
    checkpoint_after: int | None = None
    acknowledge_within_ms: int = ACKNOWLEDGE_WITHIN_MS
    compact_after_ms: int | None = None
    dial: tuple[str, ...] = ()
    discover: bool = True
    presence: bool = True
    introduction: bytes | None = None
