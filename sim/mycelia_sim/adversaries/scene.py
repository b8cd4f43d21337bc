"""What adversaries know of their world, and what they can do in it.

A `Carrier` is to an adversary what an executor is to an engine: it is told what is to be done, and
says later what came of it, by calls of `Liar`. In virtual time it is `virtual/carrier.py`, among
real nodes `live/carrier.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol, TypeAlias

from mycelia_protocol.charter import Charter
from mycelia_protocol.record import Record
from mycelia_protocol.shortcuts import Shortcuts

if TYPE_CHECKING:
    from mycelia_sim.adversaries.liar import Liar

LogKey: TypeAlias = tuple[bytes, bytes]

MS: Final = 1_000  # microseconds in a millisecond

# Before a node's id: a connection of the transport itself, on which nobody makes frames of bytes.
BARE: Final = "bare:"

# Ends that the wire brings about. A carrier names them so; all others are the node's own answer.
WIRE_REASONS: Final = frozenset(
    {"connection reset", "no heartbeat", "timeout", "refused", "no such node"}
)


class Carrier(Protocol):
    """Time, and links to nodes. What its methods ask for happens later, never while they run."""

    @property
    def now_us(self) -> int:
        """Microseconds since some moment; never goes back."""
        ...

    @property
    def now_ms(self) -> int:
        """What a right clock shows, ms since the Unix epoch."""
        ...

    def after(self, delay_us: int, action: Callable[..., None], *args: object) -> None:
        """Call something after a while."""
        ...

    def dial(self, liar: Liar, target: str) -> None:
        """Try to open a link to a node, or, after `BARE`, a connection without frames to it.

        `opened` or `dial_failed` follows.
        """
        ...

    def send(self, link: int, data: bytes) -> None:
        """Send a message; on a link that is gone it is lost."""
        ...

    def close(self, link: int, reason: str) -> None:
        """Close a link: `closed` follows, as it does when the other side or the wire ends it."""
        ...


@dataclass(frozen=True, slots=True)
class Scene:
    """What all adversaries of a world know.

    Attributes:
        keys: id -> public key, of all nodes and of all adversaries.
        seeds: adversary -> Ed25519 seed.
        nodes: ids of the honest nodes.
        founders_log: a log that every node holds something of.
        introductions: adversary -> the records that show who let it in; who has none is known.
        addresses: node -> where others reach it; who is not in there is reached by its id.
        beneath: behaviour -> what it says on bare connections, on each one text of bytes. Empty
            where the transport has nothing beneath its messages.
    """

    seed: int
    charter: Charter
    keys: Mapping[str, bytes]
    seeds: Mapping[str, bytes]
    nodes: tuple[str, ...]
    founders_log: LogKey
    shortcuts: Shortcuts = field(default_factory=Shortcuts)
    introductions: Mapping[str, tuple[Record, ...]] = field(default_factory=dict)
    addresses: Mapping[str, str] = field(default_factory=dict)
    beneath: Mapping[str, tuple[bytes, ...]] = field(default_factory=dict)
