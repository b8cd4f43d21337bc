"""What honest nodes noticed, and helpers for judging a run in which some were not honest.

An equivocating author's own log does not converge in this version: each node keeps the branch that
it accepted first (spec 6.5). So agreement is asked of honest authors' logs, and of every log of an
adversary that is not contested.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from mycelia_protocol.events import ForkSeen, Notice, PeerMisbehaved

LogKey = tuple[bytes, bytes]


class Stored(Protocol):
    """A record as a checker holds it; the core's `Record` and the audit's `Held` both fit."""

    @property
    def id(self) -> bytes:
        """Its id."""
        ...

    @property
    def author(self) -> bytes:
        """Its author's key."""
        ...

    @property
    def log(self) -> bytes:
        """Its log."""
        ...

    @property
    def seq(self) -> int:
        """Its place in the log."""
        ...


@dataclass(frozen=True, slots=True)
class Fork:
    """A node noticed two authentic records at one place."""

    node: str
    author: bytes
    log: bytes
    seq: int


@dataclass(frozen=True, slots=True)
class Accusation:
    """A node closed a link because of what came over it.

    Attributes:
        accused: the key at the other end, None if none was proved.
    """

    node: str
    accused: bytes | None
    code: str
    reason: str


@dataclass(slots=True)
class Witness:
    """Collects forks and accusations.

    Attributes:
        liars: key of each adversary -> its id.
    """

    liars: Mapping[bytes, str]
    forks: list[Fork] = field(default_factory=list)
    accusations: list[Accusation] = field(default_factory=list)

    def noticed(self, node: str, notice: Notice) -> None:
        """Take a notice of an honest node."""
        match notice:
            case ForkSeen(author, log, seq):
                self.forks.append(Fork(node, author, log, seq))
            case PeerMisbehaved(_, key, code, reason):
                self.accusations.append(Accusation(node, key, code, reason))
            case _:
                pass

    def blamed(self) -> list[str]:
        """Return in words where an honest key was blamed; there should be none."""
        forks = [
            f"{fork.node} saw a fork at seq {fork.seq} of honest {fork.author.hex()[:16]}"
            for fork in self.forks
            if fork.author not in self.liars
        ]
        return forks + [
            f"{said.node} closed on honest {said.accused.hex()[:16]}: {said.code}: {said.reason}"
            for said in self.accusations
            if said.accused is not None and any(said.accused) and said.accused not in self.liars
        ]


def contested_logs(
    holdings: Iterable[Iterable[Stored]], forks: Iterable[Fork] = ()
) -> frozenset[LogKey]:
    """Return the logs of which two branches exist: on two disks, or seen by a node."""
    found = {(fork.author, fork.log) for fork in forks}
    places: dict[tuple[bytes, bytes, int], bytes] = {}
    for holding in holdings:
        for record in holding:
            place = (record.author, record.log, record.seq)
            if places.setdefault(place, record.id) != record.id:
                found.add(place[:2])
    return frozenset(found)


def comparable_ids(holding: Iterable[Stored], contested: Collection[LogKey]) -> frozenset[bytes]:
    """Return the ids on one disk on which all nodes must agree in the end."""
    return frozenset(one.id for one in holding if (one.author, one.log) not in contested)


def disagreements(
    holdings: Mapping[str, Sequence[Stored]], contested: Collection[LogKey]
) -> dict[str, int]:
    """Return for each node how many records of uncontested logs it lacks that another holds."""
    ids = {node: comparable_ids(records, contested) for node, records in holdings.items()}
    everything = frozenset[bytes]().union(*ids.values())
    return {
        node: len(everything - held) for node, held in sorted(ids.items()) if held != everything
    }


def contested_honest(contested: Collection[LogKey], liars: Collection[bytes]) -> list[LogKey]:
    """Return the contested logs whose author is honest; each is a failure of the protocol."""
    return sorted(key for key in contested if key[0] not in liars)
