"""The smallest changes with which somebody else would have stood first. Spec: section 8.9.

Nothing here is a guess: each change is tried out by judging everything once more. A change of time,
distance or of what somebody received works the better the larger it is, so the smallest one is
found by halving. Which weights would have to move is solved exactly, since scores are sums, and
then tried out too.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import permutations
from typing import Final

from mycelia_protocol.sharing.decide import rank
from mycelia_protocol.sharing.gates import DISTANCE
from mycelia_protocol.sharing.judge import Judgement, Row, judge
from mycelia_protocol.sharing.policy import FACTORS, URGENCIES, Policy
from mycelia_protocol.sharing.views import CollectiveView, OfferView, RequestView

POSTED: Final = "posted"  # had it been posted earlier, by `amount` ms
NEARER: Final = "nearer"  # had it been nearer, by `amount` m
URGENCY: Final = "urgency"  # had it been of the class `gains`
HAD: Final = "had"  # had its collective received less, by `amount` milli-person-days
WEIGHT: Final = "weight"  # were `amount` of the weight of `loses` on `gains`

SUBJECTS_MAX: Final = 5  # of those who stood next, and of those who are only too far away


@dataclass(frozen=True, slots=True)
class Change:
    """One change, the smallest of its kind, with which somebody else stands first.

    Attributes:
        kind: what changes.
        request: whose; b"" for weights.
        amount: by how much.
        gains, loses: class or factors.
        leader: the request that stands first then.
        size: how large it is, per mille of the range of the factor that it works on; compares
            changes of different kinds.
    """

    kind: str
    request: bytes
    amount: int
    gains: str
    loses: str
    leader: bytes
    size: int


@dataclass(frozen=True, slots=True)
class Inputs:
    """What a decision is made from, to be made again with one thing changed."""

    policy: Policy
    offer: OfferView
    requests: Sequence[RequestView]
    collectives: Sequence[CollectiveView]
    as_of_ms: int

    def judge(self) -> Judgement:
        """Judge all requests."""
        return judge(self.policy, self.offer, self.requests, self.collectives, self.as_of_ms)

    def leader(self) -> bytes:
        """Return who stands first, b"" if nobody does."""
        standing, _ = rank(self.judge())
        return standing[0][0].request.id if standing else b""

    def with_request(self, request: bytes, **changes: object) -> "Inputs":
        """Return the same with one request changed."""
        changed = [
            replace(each, **changes) if each.id == request else each  # type: ignore[arg-type]  # fields
            for each in self.requests
        ]
        return replace(self, requests=changed)

    def with_received(self, collective: bytes, received: int) -> "Inputs":
        """Return the same with a collective that received something else."""
        changed = [
            replace(each, received=received) if each.id == collective else each
            for each in self.collectives
        ]
        return replace(self, collectives=changed)


def changes(inputs: Inputs) -> list[Change]:
    """Return for each kind the smallest change after which somebody else stands first.

    Looked for among the `SUBJECTS_MAX` that stood next and as many that are only too far away.
    Smallest first; empty if nobody else could stand first by one change, as in a lottery.
    """
    judgement = inputs.judge()
    standing, _ = rank(judgement)
    if not standing:
        return []
    winner = standing[0][0]
    subjects = [row for row, _ in standing[1 : 1 + SUBJECTS_MAX]]
    distant = [row for row in judgement.rows if row.gates == (DISTANCE,)]
    distant.sort(key=lambda row: (row.measures.metres if row.measures else 0, row.request.id))
    found: list[Change] = []
    for row in subjects:
        found += _earlier(inputs, row, winner)
        found += _more_urgent(inputs, row)
        found += _received_less(inputs, row, judgement.shared.mean)
    for row in subjects + distant[:SUBJECTS_MAX]:
        found += _nearer(inputs, row)
    found += _weights(inputs, [row for row, gate in standing if not gate])
    kinds = sorted({change.kind for change in found})
    smallest = [_smallest(change for change in found if change.kind == kind) for kind in kinds]
    return sorted(smallest, key=lambda change: (change.size, change.kind))


def _smallest(found: Iterable[Change]) -> Change:
    return min(found, key=lambda change: (change.size, change.amount, change.request, change.gains))


def _least(most: int, does: Callable[[int], bool]) -> int | None:
    """Return the least amount from 1 to `most` that does it, None if not even `most` does."""
    if most < 1 or not does(most):
        return None
    low, high = 1, most
    while low < high:
        middle = (low + high) // 2
        if does(middle):
            high = middle
        else:
            low = middle + 1
    return low


def _earlier(inputs: Inputs, row: Row, winner: Row) -> list[Change]:
    """Look for an earlier posting: enough for the whole cap, and before the winner's."""
    posted, request = row.request.first_posted_ms, row.request.id
    cap_ms = inputs.policy.waiting_cap_s * 1_000
    lead_ms = posted - winner.request.first_posted_ms + 1
    most = min(posted, max(cap_ms, lead_ms))

    def does(amount: int) -> bool:
        return inputs.with_request(request, first_posted_ms=posted - amount).leader() == request

    amount = _least(most, does)
    if amount is None:
        return []
    size = _size(amount, cap_ms)
    return [Change(POSTED, request, amount, "", "", request, size)]


def _nearer(inputs: Inputs, row: Row) -> list[Change]:
    assert row.measures is not None
    metres, request = row.measures.metres, row.request.id

    def does(amount: int) -> bool:
        return inputs.with_request(request, metres=metres - amount).leader() == request

    amount = _least(metres, does)
    if amount is None:
        return []
    size = _size(amount, inputs.policy.distance_max_m)
    return [Change(NEARER, request, amount, "", "", request, size)]


def _more_urgent(inputs: Inputs, row: Row) -> list[Change]:
    """Look for the least urgent class above its own that would do; a budgeted `now` stays so."""
    assert row.measures is not None
    own, request = row.measures.urgency, row.request.id
    for name in reversed(URGENCIES[: URGENCIES.index(own)]):
        if inputs.with_request(request, urgency=name).leader() == request:
            amount = inputs.policy.urgency[name] - inputs.policy.urgency[own]
            return [Change(URGENCY, request, amount, name, own, request, amount)]
    return []


def _received_less(inputs: Inputs, row: Row, mean: int) -> list[Change]:
    who, request = row.collective, row.request.id

    def does(amount: int) -> bool:
        return inputs.with_received(who.id, who.received - amount).leader() == request

    amount = _least(who.received, does)
    if amount is None:
        return []
    size = _size(amount, 2 * mean * max(who.members, 1) // 1_000)  # equity is 0 at twice the mean
    return [Change(HAD, request, amount, "", "", request, size)]


def _weights(inputs: Inputs, first: list[Row]) -> list[Change]:
    """Solve how much weight has to move from one factor to another; only scores have weights.

    Args:
        inputs: the decision.
        first: the candidates of the first phase, the winner in front.
    """
    if inputs.policy.mode != "score" or len(first) < 2:
        return []
    winner, weights = first[0], inputs.policy.weights
    best: tuple[int, int, int] | None = None
    for gains, loses in permutations(range(len(FACTORS)), 2):
        for row in first[1:]:
            amount = _amount(winner, row, gains, loses)
            if amount and amount <= weights[loses] and (best is None or amount < best[0]):
                best = amount, gains, loses
    if best is None:
        return []
    amount, gains, loses = best
    moved = list(weights)
    moved[gains] += amount
    moved[loses] -= amount
    leader = replace(inputs, policy=replace(inputs.policy, weights=tuple(moved))).leader()
    return [Change(WEIGHT, b"", amount, FACTORS[gains], FACTORS[loses], leader, amount)]


def _amount(winner: Row, row: Row, gains: int, loses: int) -> int | None:
    """Return the least weight to move so that a row scores above the winner, None if none is."""
    assert winner.factors is not None
    assert row.factors is not None
    assert winner.score is not None
    assert row.score is not None
    pull = row.factors[gains] - winner.factors[gains] - row.factors[loses] + winner.factors[loses]
    if pull <= 0:
        return None
    # An equal score is enough for who posted earlier; the hash would be that of another policy.
    is_earlier = row.request.first_posted_ms < winner.request.first_posted_ms
    gap = winner.score - row.score + (0 if is_earlier else 1)
    return (gap + pull - 1) // pull


def _size(amount: int, scale: int) -> int:
    """Return an amount per mille of a scale, rounded up, at least 1."""
    return max(1, (amount * 1_000 + scale - 1) // scale) if scale else 1_000
