"""What people are told once links have come back: what came, by whom, and what it brought about.

A view of a state, for a node's people alone. Nothing is decided by it, so no specification says
how it has to be.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar, cast

from mycelia_protocol.allocate import is_open_request
from mycelia_protocol.purses import is_past
from mycelia_protocol.state import State
from mycelia_protocol.types.accounts import purse_of
from mycelia_protocol.types.answer import Answer
from mycelia_protocol.types.base import Statement
from mycelia_protocol.types.fork import Fork
from mycelia_protocol.types.grant import Grant
from mycelia_protocol.types.offer import Offer
from mycelia_protocol.types.promises import GrantStatus, grant_state
from mycelia_protocol.types.request import Request
from mycelia_protocol.types.returns import Return
from mycelia_protocol.types.rights import Rights

# Of grants that nobody gets, since another one, or another side, was first or was wrong.
CONTESTED: tuple[GrantStatus, ...] = ("declined", "surplus", "overdrawn", "void")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Came:
    """Records of one log that one neighbour told: from seq `first` to `last`."""

    source: bytes
    author: bytes
    log: bytes
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Told:
    """What came by one neighbour.

    Attributes:
        source: its key.
        records: how many, of all kinds.
        authors: keys of whose they are, sorted.
        offers, requests, grants: ids of those that mean something here, oldest first.
    """

    source: bytes
    records: int
    authors: tuple[bytes, ...]
    offers: tuple[bytes, ...]
    requests: tuple[bytes, ...]
    grants: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class MergeReport:
    """What links that came back brought; statements oldest first.

    Attributes:
        neighbours: by how much came, most first.
        contested: grants that nobody gets, of which that became known now.
        returned: returns of rights that became known now.
        overdue: rights whose lease is over, of which something has not come back yet.
        unmet: requests that became known now, are open, and lack something.
        forks: (author, log) of logs of which it became known now that they part.
        forked: grants that count for nothing since their log parts, as became known now.
    """

    neighbours: tuple[Told, ...]
    contested: tuple[Statement[Grant], ...]
    returned: tuple[Statement[Return], ...]
    overdue: tuple[Statement[Rights], ...]
    unmet: tuple[Statement[Request], ...]
    forks: tuple[tuple[bytes, bytes], ...]
    forked: tuple[Statement[Grant], ...]


def merge_report(
    state: State, came: Sequence[Came], now_ms: int, own: tuple[bytes, int] | None = None
) -> MergeReport:
    """Say what came between two marks, and what it brought about.

    Args:
        state: what is known now.
        came: by whom records came between the marks.
        now_ms: the clock, for what is over.
        own: this node's key and the first mark: forks that it proved since then are news, too.
    """
    arrived = _Arrived(came)
    offers, requests, grants = (arrived.ids(state, kind) for kind in (Offer, Request, Grant))
    neighbours = [
        Told(
            source,
            sum(run.last - run.first + 1 for run in runs),
            tuple(sorted({run.author for run in runs})),
            tuple(offers[source]),
            tuple(requests[source]),
            tuple(grants[source]),
        )
        for source, runs in arrived.by_source.items()
    ]
    proofs = [proof.body for proof in state.every(Fork) if _is_news(proof, arrived, own)]
    forks = {(proof.accused, proof.log) for proof in proofs}
    aside = (each for each in state.contested() if isinstance(each.body, Grant))
    return MergeReport(
        tuple(sorted(neighbours, key=lambda told: (-told.records, told.source))),
        tuple(each for each in state.every(Grant) if _is_contested(state, each, arrived)),
        tuple(arrived.of(state, Return)),
        tuple(each for each in state.every(Rights) if _is_overdue(state, each, now_ms)),
        tuple(r for r in arrived.of(state, Request) if is_open_request(state, r, now_ms)),
        tuple(sorted(forks)),
        tuple(
            cast("Statement[Grant]", each)
            for each in aside
            if (each.author, each.log) in forks or arrived.source_of(each) is not None
        ),
    )


class _Arrived:
    """Which records came, and by whom."""

    def __init__(self, came: Iterable[Came]) -> None:
        self.by_source: Final = defaultdict[bytes, list[Came]](list)
        self._by_log: Final = defaultdict[tuple[bytes, bytes], list[Came]](list)
        for run in came:
            self.by_source[run.source].append(run)
            self._by_log[run.author, run.log].append(run)

    def source_of(self, statement: Statement[object]) -> bytes | None:
        """Return by whom a statement came first; None if it did not come."""
        seq = statement.order[2]
        runs = self._by_log.get((statement.author, statement.log), ())
        return next((run.source for run in runs if run.first <= seq <= run.last), None)

    def of(self, state: State, body_type: type[T]) -> Iterator[Statement[T]]:
        """Yield the statements of one family that came, oldest first."""
        return (each for each in state.every(body_type) if self.source_of(each) is not None)

    def ids(self, state: State, body_type: type[object]) -> Mapping[bytes, list[bytes]]:
        """Return by source the statements of one family that came by it, oldest first."""
        found = defaultdict[bytes, list[bytes]](list)
        for each in state.every(body_type):
            source = self.source_of(each)
            if source is not None:
                found[source].append(each.id)
        return found


def _is_news(proof: Statement[Fork], arrived: _Arrived, own: tuple[bytes, int] | None) -> bool:
    """Return whether a proof came, or was found here since the first mark."""
    is_own = own is not None and proof.author == own[0] and proof.time_ms >= own[1]
    return is_own or arrived.source_of(proof) is not None


def _is_contested(state: State, grant: Statement[Grant], arrived: _Arrived) -> bool:
    """Return whether it became known now that nobody gets a grant."""
    if grant_state(state, grant.id).status not in CONTESTED:
        return False
    said = (grant, *state.about(grant.id, Answer))
    return any(arrived.source_of(each) is not None for each in said)


def _is_overdue(state: State, rights: Statement[Rights], now_ms: int) -> bool:
    """Return whether the lease of rights is over, and not all of them were granted or came back."""
    purse = purse_of(state, rights.id)
    is_over = is_past(rights.body.until_ms, now_ms)
    return is_over and purse.outcome == "held" and purse.free > 0
