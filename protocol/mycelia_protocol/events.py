"""Everything that enters the engine and everything that leaves it.

Inputs are in the past tense: they happened. Outputs are imperative: the executor (the node's
driver or a simulated world) must carry them out, in order. `Notify` carries notices for people
(`notices.py`).
"""

from dataclasses import dataclass
from typing import TypeAlias

from mycelia_protocol.encoding import Value
from mycelia_protocol.form_events import FormInput, ReadForms, Shorten
from mycelia_protocol.notices import Notice
from mycelia_protocol.record import Record
from mycelia_protocol.snapshot import Snapshot

# --- inputs ---


@dataclass(frozen=True, slots=True)
class SnapshotLoaded:
    """A snapshot covers part of the store; comes before any `RecordsLoaded`, for the rest."""

    snapshot: Snapshot


@dataclass(frozen=True, slots=True)
class RecordsLoaded:
    """The store read some of its records at start; those of one log in order of seq."""

    records: tuple[Record, ...]


@dataclass(frozen=True, slots=True)
class InvitesLoaded:
    """The store read the invites that this node gave out: digest of the secret -> expiry in ms."""

    invites: dict[bytes, int]


@dataclass(frozen=True, slots=True)
class StoreLoaded:
    """The store was read to its end; nothing may be sent before.

    Attributes:
        resumable_log: id of the own log that may be written on, because the store is provably
            the latest (clean shutdown and untouched since); None opens a new incarnation.
        is_restored: it is not the file that this node last wrote to: a backup, or a copy. After a
            crash it is that file, and all that ever left the node is in it.
        known_since: what `SaveDoubt` last said, 0 for nothing.
    """

    resumable_log: bytes | None
    is_restored: bool = False
    known_since: int = 0


@dataclass(frozen=True, slots=True)
class LinkOpened:
    """A transport connected; the handshake has not begun."""

    link: int
    outbound: bool
    address: str


@dataclass(frozen=True, slots=True)
class FrameReceived:
    """One binary message arrived on a link."""

    link: int
    data: bytes


@dataclass(frozen=True, slots=True)
class LinkFilled:
    """More waits to be sent on a link than its peer takes; nothing more should be pushed to it."""

    link: int


@dataclass(frozen=True, slots=True)
class LinkDrained:
    """The peer of a link that had filled took most of what waited for it."""

    link: int


@dataclass(frozen=True, slots=True)
class LinkClosed:
    """A link is gone; nothing can be sent on it any more.

    Attributes:
        code: with which the other end closed it; None if it broke, or this end did.
    """

    link: int
    reason: str
    code: int | None = None


@dataclass(frozen=True, slots=True)
class DialFailed:
    """A `Dial` did not lead to a link."""

    address: str
    reason: str


@dataclass(frozen=True, slots=True)
class PublishRequested:
    """A person or program on this node wants a record written.

    Answered, in any order among tokens, by one `Accepted` or `Refused` with the same token.
    """

    token: int
    kind: str
    content: dict[str, Value]
    refs: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class DecisionRequested:
    """A person on this node decides who gets something of a purse; answered as `PublishRequested`.

    Attributes:
        slot: which one of what is lent.
        grants: (request, base units). Without a reason, what the policy gives as that person saw
            it, in its order: if it gives something else by now, nothing is written.
        reason: why it is another request, and how much; then there is one.
        approver: the key of who approved that; a consent of theirs is named if it is here.
    """

    token: int
    purse: bytes
    slot: int | None
    grants: tuple[tuple[bytes, int], ...]
    reason: str = ""
    approver: bytes | None = None


@dataclass(frozen=True, slots=True)
class InviteRequested:
    """A person wants to bring somebody in; the secret travels to them on another way."""

    token: int
    secret: bytes
    expires_ms: int


@dataclass(frozen=True, slots=True)
class RecordsStored:
    """The records of this batch, and of all before it, are on disk."""

    batch: int


@dataclass(frozen=True, slots=True)
class StoreFailed:
    """The records of this batch were not written; nothing of it is on disk."""

    batch: int
    reason: str


@dataclass(frozen=True, slots=True)
class RecordsRead:
    """What `ReadRecords` asked for; records of one log contiguous, the last of a log signed."""

    token: int
    records: tuple[Record, ...]


@dataclass(frozen=True, slots=True)
class RecordsCarried:
    """Somebody brought records by hand, in a bundle; answered once by `Carried` or `Refused`."""

    token: int
    records: tuple[Record, ...]


@dataclass(frozen=True, slots=True)
class HeadsCarried:
    """A whole bundle, all of it signed by its maker, told what the maker held: log -> records."""

    maker: bytes
    heads: dict[tuple[bytes, bytes], int]


@dataclass(frozen=True, slots=True)
class ShutdownRequested:
    """The node is about to stop: tell the neighbours and close the links."""


@dataclass(frozen=True, slots=True)
class TimerFired:
    """The time that `Engine.due_ms` named has come, or passed."""


Event: TypeAlias = (
    SnapshotLoaded
    | RecordsLoaded
    | InvitesLoaded
    | StoreLoaded
    | LinkOpened
    | FrameReceived
    | LinkFilled
    | LinkDrained
    | LinkClosed
    | DialFailed
    | PublishRequested
    | DecisionRequested
    | InviteRequested
    | RecordsStored
    | StoreFailed
    | RecordsRead
    | FormInput
    | RecordsCarried
    | HeadsCarried
    | ShutdownRequested
    | TimerFired
)

# --- outputs ---


@dataclass(frozen=True, slots=True)
class Range:
    """Records `first` to `last`, both included, of one log."""

    author: bytes
    log: bytes
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class SendFrame:
    """Send one binary message. None may be left out: each is encrypted under the next nonce."""

    link: int
    data: bytes


@dataclass(frozen=True, slots=True)
class CloseLink:
    """Close a link with a code of spec appendix C.2 and a reason for people."""

    link: int
    code: int
    reason: str


@dataclass(frozen=True, slots=True)
class Dial:
    """Try to open a link to this address once."""

    address: str


@dataclass(frozen=True, slots=True)
class Source:
    """The link and the member by whom something came here."""

    link: int
    key: bytes


@dataclass(frozen=True, slots=True)
class StoreRecords:
    """Write these records, all or none, in the order of batches; then report `RecordsStored`.

    Attributes:
        source: by whom they came; None for own ones, and for those that were carried by hand.
        erased: places of records that are stored already and whose words go with the same write.
    """

    batch: int
    records: tuple[Record, ...]
    source: Source | None = None
    erased: "tuple[Range, ...]" = ()


@dataclass(frozen=True, slots=True)
class ReadRecords:
    """Read ranges from the store, in order, until `size_max` bytes are full; report `RecordsRead`.

    The last record read of each range carries a signature. Where the one at `last` has none, the
    read goes on to the next that has. Where `size_max` cuts a range, it ends at the last signed
    record within; if none is, the first range goes on to its first signed record, and a later
    range is left out. So a run never grows from hop to hop. What follows is left out, too, so that
    the asker can tell what found no room from what is not held. `reading.py` does all this.
    """

    token: int
    ranges: tuple[Range, ...]
    size_max: int


@dataclass(frozen=True, slots=True)
class SaveInvite:
    """Keep the digest of an invite's secret until it expires."""

    digest: bytes
    expires_ms: int


@dataclass(frozen=True, slots=True)
class DeleteInvite:
    """Forget an invite: it was used or has expired."""

    digest: bytes


@dataclass(frozen=True, slots=True)
class SaveDoubt:
    """Keep, before what is stored after it, that the store has lost own records.

    Attributes:
        known_since: the generation of own logs from which on it is whole; 0 if all of it is.
    """

    known_since: int


@dataclass(frozen=True, slots=True)
class Accepted:
    """A `PublishRequested`, `DecisionRequested` or `InviteRequested` is done and durable.

    Attributes:
        record: id of the record written; None for an invite.
    """

    token: int
    record: bytes | None


@dataclass(frozen=True, slots=True)
class SaveHeads:
    """Keep what a member last told that it holds, log -> records; a hint that may be lost."""

    peer: bytes
    heads: dict[tuple[bytes, bytes], int]


@dataclass(frozen=True, slots=True)
class Carried:
    """How many records that somebody brought went which way; all that are new are on disk.

    `new` counts those that had waited for these, too. `strangers` are by authors without a vouch
    here, `gaps` lie beyond a missing record, `contested` are of logs with two branches, `refused`
    are of another commons, without a body, or authenticated by nothing, `unconfirmed` stand under a
    checkpoint that too few are known to have confirmed.
    """

    token: int
    new: int = 0
    known: int = 0
    strangers: int = 0
    gaps: int = 0
    contested: int = 0
    refused: int = 0
    unconfirmed: int = 0


@dataclass(frozen=True, slots=True)
class Refused:
    """A request of this node's own user can't be done; code of spec appendix C and a reason."""

    token: int
    code: str
    reason: str


@dataclass(frozen=True, slots=True)
class Notify:
    """Tell whoever watches; for people and logs, never for decisions."""

    notice: Notice


Output: TypeAlias = (
    SendFrame
    | CloseLink
    | Dial
    | StoreRecords
    | ReadRecords
    | ReadForms
    | Shorten
    | SaveInvite
    | DeleteInvite
    | SaveHeads
    | SaveDoubt
    | Accepted
    | Carried
    | Refused
    | Notify
)
