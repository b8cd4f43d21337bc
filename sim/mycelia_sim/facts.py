"""What a run saw happen, apart from what the nodes hold in the end. Checkers read nothing else."""

from __future__ import annotations

from dataclasses import dataclass, field


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
        rolled_back: durable records that the fault itself took from the disk.
        lost: their ids in hex.
    """

    node: str
    has_fired: bool = False
    has_restarted: bool = False
    unsynced: int = 0
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
        timings_s: wall seconds of each phase.
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
    timings_s: dict[str, float] = field(default_factory=dict)
    is_interrupted: bool = False
