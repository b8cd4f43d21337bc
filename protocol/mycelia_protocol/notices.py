"""What the engine tells people and logs, never what anything is decided by.

An executor passes them on as it likes; each travels in a `Notify` (`events.py`).
"""

from dataclasses import dataclass
from typing import TypeAlias

from mycelia_protocol.record import Record


@dataclass(frozen=True, slots=True)
class PeerConnected:
    """A member's session is ready."""

    link: int
    key: bytes
    outbound: bool
    address: str


@dataclass(frozen=True, slots=True)
class PeerLost:
    """A member's session ended."""

    link: int
    key: bytes
    reason: str


@dataclass(frozen=True, slots=True)
class CatchingUp:
    """Of the records that a member had ahead when it last told all it holds, so many are here."""

    key: bytes
    fetched: int
    total: int


@dataclass(frozen=True, slots=True)
class RecordArrived:
    """A record, own or another's, is in the store and in the state."""

    record: Record


@dataclass(frozen=True, slots=True)
class MemberJoined:
    """Somebody used an invite of this node."""

    key: bytes


@dataclass(frozen=True, slots=True)
class PeerMisbehaved:
    """A peer broke a rule; `action` tells what was done."""

    link: int
    key: bytes | None
    code: str
    reason: str
    action: str


@dataclass(frozen=True, slots=True)
class IncarnationOpened:
    """This node began a new log; `previous` old logs are named in it."""

    log: bytes
    previous: int


@dataclass(frozen=True, slots=True)
class GateOpened:
    """Enough peers have shown what they hold of this node's older logs: it may grant again."""

    confirmations: int


@dataclass(frozen=True, slots=True)
class DoubtEnded:
    """All peers have told what they hold: nothing that this node had offered is frozen now."""


@dataclass(frozen=True, slots=True)
class ForkSeen:
    """Two different authentic records claim the same place in a log."""

    author: bytes
    log: bytes
    seq: int


@dataclass(frozen=True, slots=True)
class CheckpointRefuted:
    """A checkpoint says something else of a log than the records in the store."""

    author: bytes
    log: bytes
    seq: int


@dataclass(frozen=True, slots=True)
class StoreTroubled:
    """Records could not be written; the engine carries on from what is on disk."""

    reason: str


Notice: TypeAlias = (
    PeerConnected
    | PeerLost
    | CatchingUp
    | RecordArrived
    | MemberJoined
    | PeerMisbehaved
    | IncarnationOpened
    | GateOpened
    | DoubtEnded
    | ForkSeen
    | CheckpointRefuted
    | StoreTroubled
)
