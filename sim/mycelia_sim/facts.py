"""What a run saw happen, apart from what the nodes hold in the end. Checkers read nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """A record that a node told its user is saved.

    Attributes:
        record: the record's id in hex.
        n: number of the post in the plan.
        at_ms: when the answer came, ms after the beginning of the workload.
    """

    record: str
    node: str
    kind: str
    n: int
    at_ms: int


@dataclass(slots=True)
class CutFact:
    """What a partition did.

    Attributes:
        bytes, connections: what it kept back.
        links: links that it touched.
        is_lifted: whether its end was reached.
        is_parted: whether some group held a record at the end that another did not; None if
            nobody looked. A cut that leaks everything has parted nobody.
    """

    bytes: int = 0
    connections: int = 0
    links: int = 0
    is_lifted: bool = False
    is_parted: bool | None = None


@dataclass(slots=True)
class KillFact:
    """What a kill did: whether it hit a running daemon, and whether that came back.

    Attributes:
        unsynced: records that were not durable yet, and that nobody had been told of.
        unreported: records that became durable although the node never heard so.
        rolled_back: durable records that the fault itself took from the disk.
        lost: their ids in hex.
    """

    node: str
    has_fired: bool = False
    has_restarted: bool = False
    unsynced: int = 0
    unreported: int = 0
    rolled_back: int = 0
    lost: tuple[str, ...] = ()


@dataclass(slots=True)
class TroubleFact:
    """What a degraded link or a node's trouble did; `amount` is in the fault's own measure."""

    kind: str
    node: str
    has_fired: bool = False
    amount: int = 0


@dataclass(frozen=True, slots=True)
class AttemptFact:
    """What became of one attempt of the adversary.

    Attributes:
        is_delivered: the target took the frame in: it answered something after it, or closed.
        records: ids in hex of the records that no honest node may ever store.
        answer: what the target did, in words.
    """

    n: int
    behaviour: str
    target: str
    is_delivered: bool
    records: tuple[str, ...]
    answer: str


@dataclass(frozen=True, slots=True)
class Vanished:
    """A record that had come to lie on a node's disk, and that no fault took, but it was gone.

    Attributes:
        record: id in hex.
        since_ms, at_ms: when it came, and when somebody looked in vain; workload time.
    """

    node: str
    record: str
    since_ms: int
    at_ms: int


@dataclass(frozen=True, slots=True)
class Blame:
    """A node held a key (hex) responsible for what came over a link, and closed that."""

    node: str
    accused: str
    code: str
    reason: str
    at_ms: int


@dataclass(frozen=True, slots=True)
class ForkFact:
    """A node saw two authentic records at one place; author and log in hex."""

    node: str
    author: str
    log: str
    seq: int
    at_ms: int


@dataclass(frozen=True, slots=True)
class Ungated:
    """A node whose disk may not have been the latest spent something too early.

    Attributes:
        record: id in hex of what it wrote; `kind` says what that is.
        heard: of how many members it had met again it held all that they had of its logs.
        needed: how many it takes.
    """

    node: str
    record: str
    kind: str
    heard: int
    needed: int
    at_ms: int


@dataclass(frozen=True, slots=True)
class LetGo:
    """A node kept no more than the compact forms of some records of a log.

    Attributes:
        author, log: in hex.
        records: how many that were.
        fault: why it may not, "" if it may.
    """

    node: str
    author: str
    log: str
    records: int
    at_ms: int
    fault: str


@dataclass(frozen=True, slots=True)
class Formed:
    """A node took compact forms in place of records of a log that it never had.

    Attributes:
        author, log: in hex.
        at_ms: of the first, or of the first that it may not take.
        fault: why it may not, "" if it may.
    """

    node: str
    author: str
    log: str
    at_ms: int
    fault: str


@dataclass(frozen=True, slots=True)
class Overrun:
    """Something in a node's memory was larger than its bound."""

    node: str
    at_ms: int
    what: str
    amount: int
    bound: int


@dataclass(frozen=True, slots=True)
class Quiet:
    """What nodes went on saying to each other once they agreed and nobody wrote any more.

    Attributes:
        frames: by name of the frame; what was sent before that is left out.
        late: frames that came meanwhile and had been sent before.
        ended: links that ended meanwhile.
        records: records that came to lie on any disk.
    """

    during_ms: int
    frames: dict[str, int]
    records: int
    late: int
    ended: int


class Sightings(Protocol):
    """When records came to lie on disks; only virtual time can tell."""

    def records(self) -> Iterable[bytes]:
        """Return the ids of all records that anybody saw, each once."""
        ...

    def born_ms(self, record: bytes) -> int | None:
        """Return when a record first came to lie on a disk (ms), None if nobody saw it."""
        ...

    def reached(self, record: bytes) -> Mapping[str, int]:
        """Return for each node that holds a record, or lost it to no fault, when it came (ms)."""
        ...


@dataclass(slots=True)
class Facts:
    """All that a run saw.

    Attributes:
        began_ms: wall clock at the beginning of the workload, ms since the Unix epoch.
        keys: node id -> its public key in hex.
        acknowledged: the journal, in order.
        refused, unanswered, skipped: posts that were not acknowledged: the node said no; the call
            broke off; the node was known to be down.
        told: node id -> what the node itself told last: state digest (text), number of records.
        warmed_up_ms: how long all nodes took to agree before the workload, None if never.
        caught_up_ms: time from the end of the last partition until every node held all that any
            node held at that moment; None if never, or if there was none.
        settled_ms: time from the end of the workload until all nodes agreed, None if never.
        crashed: nodes whose daemon ended by itself, or not cleanly when it was asked to.
        vanished: records that left a disk without a fault that takes them.
        blames, forks: whom nodes held responsible for what; None if nobody could hear it.
        ungated: what nodes spent before they knew their past.
        shut: nodes that said in the end that they may not spend yet, since they may have forgotten
            what they promised.
        frozen: purses and requests of which nodes said in the end that they lost records of what
            they promised, or accepted.
        let_go, formed: where nodes kept, and took, compact forms in place of records.
        looks: how often the memory of nodes was measured; `overruns` are what was found.
        quiet: what was said after all agreed; None if they never did, or nobody listened.
        timings_s: wall seconds of each phase.
        is_interrupted, is_exhausted: somebody ended the run; it took more events than its plan
            allows.
    """

    began_ms: int = 0
    keys: dict[str, str] = field(default_factory=dict)
    acknowledged: list[Acknowledged] = field(default_factory=list)
    refused: int = 0
    unanswered: int = 0
    skipped: int = 0
    cuts: dict[str, CutFact] = field(default_factory=dict)
    kills: dict[str, KillFact] = field(default_factory=dict)
    troubles: dict[str, TroubleFact] = field(default_factory=dict)
    attempts: list[AttemptFact] = field(default_factory=list)
    told: dict[str, tuple[str, int]] = field(default_factory=dict)
    warmed_up_ms: int | None = None
    caught_up_ms: int | None = None
    settled_ms: int | None = None
    crashed: list[str] = field(default_factory=list)
    vanished: list[Vanished] = field(default_factory=list)
    blames: list[Blame] | None = None
    forks: list[ForkFact] | None = None
    ungated: list[Ungated] = field(default_factory=list)
    shut: list[str] = field(default_factory=list)
    frozen: list[str] = field(default_factory=list)
    let_go: list[LetGo] = field(default_factory=list)
    formed: list[Formed] = field(default_factory=list)
    looks: int = 0
    overruns: list[Overrun] = field(default_factory=list)
    quiet: Quiet | None = None
    timings_s: dict[str, float] = field(default_factory=dict)
    is_interrupted: bool = False
    is_exhausted: bool = False

    @property
    def is_cut_short(self) -> bool:
        """Whether the run did not come to its end, so that only what was proved counts."""
        return self.is_interrupted or self.is_exhausted

    @property
    def has_breach(self) -> bool:
        """Whether something was seen already that must never happen."""
        is_wrong = any(one.fault for one in self.let_go) or any(one.fault for one in self.formed)
        return bool(self.vanished or self.overruns or self.ungated or is_wrong)

    def forked_logs(self) -> frozenset[tuple[bytes, bytes]]:
        """Return (author, log) of all logs of which some node saw a second branch."""
        seen = self.forks or ()
        return frozenset((bytes.fromhex(one.author), bytes.fromhex(one.log)) for one in seen)
