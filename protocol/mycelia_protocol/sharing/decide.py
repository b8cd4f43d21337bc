"""One decision: who gets how much of an offer. Spec: section 8.8.7, SCORE-6 to SCORE-8.

`decide` is a function of a policy and of the views that `views.py` describes, and of nothing else.
The offer is handed out part by part to whoever leads; each part makes its receiver's equity fall,
so a large offer spreads. What comes out says of every request what counted, and why others did not.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from mycelia_protocol.sharing.factors import Factors, Measures, had_per_member
from mycelia_protocol.sharing.gates import FLOOR_GATES, room
from mycelia_protocol.sharing.judge import Judgement, Row, judge
from mycelia_protocol.sharing.order import distance_key, phases, score_key, turns
from mycelia_protocol.sharing.policy import Policy
from mycelia_protocol.sharing.views import CollectiveView, OfferView, RequestView

# What set the winner apart from the runner-up.
NOBODY: Final = "nobody"  # there is no candidate
ALONE: Final = "alone"  # there is only one
FLOOR: Final = "floor"  # a floor of the policy
SCORE: Final = "score"
POSTED: Final = "posted"  # equal scores (or distances), posted earlier
TIE: Final = "tie"  # equal in all, the smaller hash
LOT: Final = "lot"  # the mode is lottery
HAD: Final = "had"  # of the two nearest it had less
NEARER: Final = "nearer"  # of the two nearest, which had the same, it is nearer


class Candidate(NamedTuple):
    """One request in a decision; fields as in `judge.Row`.

    Attributes:
        gates: those that it failed when the first part was handed out.
        given: base units that it gets.
    """

    request: bytes
    collective: bytes
    gates: tuple[str, ...]
    measures: Measures | None
    factors: Factors | None
    score: int | None
    tie: bytes
    given: int


@dataclass(frozen=True, slots=True)
class Decision:
    """What was decided, and everything that it was decided from.

    Attributes:
        policy: id of the policy.
        candidates: every request, in the order in which they stood before the first part; those
            that fail a gate other than a floor come last, by id.
        ground: what set the first apart from the second.
    """

    policy: bytes
    offer: bytes
    as_of_ms: int
    available: int
    portion: int
    first: int
    mean: int
    reserve: int
    candidates: tuple[Candidate, ...]
    ground: str

    @property
    def winner(self) -> Candidate | None:
        """Who stood first and gets the first part."""
        return None if self.ground == NOBODY else self.candidates[0]

    @property
    def runner_up(self) -> Candidate | None:
        """Who stood second."""
        return None if self.ground in (NOBODY, ALONE) else self.candidates[1]

    @property
    def margin(self) -> int | None:
        """Score of the first less that of the second; below 0 if not scores decided."""
        if self.winner is None or self.runner_up is None:
            return None
        assert self.winner.score is not None
        assert self.runner_up.score is not None
        return self.winner.score - self.runner_up.score

    @property
    def grants(self) -> tuple[tuple[bytes, int], ...]:
        """Who gets how much: (request, base units), in the order in which they stood."""
        return tuple((each.request, each.given) for each in self.candidates if each.given)


def decide(
    policy: Policy,
    offer: OfferView,
    requests: Sequence[RequestView],
    collectives: Iterable[CollectiveView],
    as_of_ms: int,
) -> Decision:
    """Decide who gets what of an offer; arguments and errors as for `judge`."""
    return settle(judge(policy, offer, requests, collectives, as_of_ms))


def settle(judgement: Judgement) -> Decision:
    """Hand out the offer among judged candidates."""
    given = hand_out(judgement)
    standing, ground = rank(judgement)
    out = sorted((row for row in judgement.rows if row.gates), key=lambda row: row.request.id)
    return Decision(
        judgement.policy.id,
        judgement.offer.id,
        judgement.as_of_ms,
        judgement.shared.available,
        judgement.portion,
        judgement.shared.first,
        judgement.shared.mean,
        judgement.reserve,
        tuple(
            Candidate(
                row.request.id,
                row.collective.id,
                (*row.gates, *([behind] if behind else [])),
                row.measures,
                row.factors,
                row.score,
                row.tie,
                given.get(row.request.id, 0),
            )
            for row, behind in (*standing, *((row, "") for row in out))
        ),
        ground,
    )


def hand_out(judgement: Judgement) -> dict[bytes, int]:
    """Return what each request gets, part by part to whoever leads."""
    policy, offer = judgement.policy, judgement.offer
    given: dict[bytes, int] = {}  # by request
    taken: dict[bytes, int] = {}  # by collective
    rooms = {row.request.id: room(offer, row.request) for row in judgement.candidates}
    reference = policy.reference(offer.category, offer.unit)
    left = judgement.shared.available
    to_ecosystems = 0

    def fits(row: Row) -> bool:
        so_far = given.get(row.request.id, 0)
        least = judgement.shared.first if so_far == 0 else offer.lot
        return min(rooms[row.request.id] - so_far, left) >= least

    def had(row: Row) -> int:
        quantity = taken.get(row.collective.id)
        if quantity is None:
            return _had(row)
        return had_per_member(row.collective, quantity * 1_000 // reference)

    for phase in phases(judgement):
        order = turns(judgement, phase.rows, fits, had)
        while phase.until is None or to_ecosystems < phase.until:
            row = order.leader()
            if row is None:
                break
            so_far = given.get(row.request.id, 0)
            part = judgement.portion if so_far else max(judgement.portion, judgement.shared.first)
            part = min(part, rooms[row.request.id] - so_far, left)
            given[row.request.id] = so_far + part
            taken[row.collective.id] = taken.get(row.collective.id, 0) + part
            to_ecosystems += part if row.collective.is_ecosystem else 0
            left -= part
            order.served()
    return given


def rank(judgement: Judgement) -> tuple[list[tuple[Row, str]], str]:
    """Return the candidates as they stand before the first part, and what set the first apart.

    With each stands the gate of the floor that it has to wait for, or "".
    """
    standing: list[tuple[Row, str]] = []
    sizes = []
    seen = set[bytes]()
    gate = ""
    for phase in phases(judgement):
        rows = [row for row in phase.rows if row.request.id not in seen]
        seen |= {row.request.id for row in rows}
        standing += [(row, gate) for row in _in_order(judgement, rows)]
        sizes.append(len(rows))
        if rows and not gate and phase.floor:
            gate = FLOOR_GATES[phase.floor]
    return standing, _ground(judgement, [row for row, _ in standing[:2]], sizes)


def _in_order(judgement: Judgement, rows: list[Row]) -> list[Row]:
    """Return the rows of one phase as they stand before the first part."""
    match judgement.policy.mode:
        case "lottery":
            return sorted(rows, key=lambda row: row.tie)
        case "two-choices":
            ordered = sorted(rows, key=distance_key)
            pair = nearest_pair(ordered)
            return pair + [row for row in ordered if row not in pair]
        case _:
            return sorted(rows, key=lambda row: score_key(row, row.score or 0))


def nearest_pair(ordered: list[Row]) -> list[Row]:
    """Return the nearest and the nearest of another collective, who has had less in front."""
    others = [row for row in ordered if row.collective.id != ordered[0].collective.id]
    pair = ordered[:1] + others[:1]
    return pair if len(pair) < 2 or _had(pair[0]) <= _had(pair[1]) else pair[::-1]


def _ground(judgement: Judgement, first_two: list[Row], sizes: list[int]) -> str:
    """Return what set the first apart from the second."""
    if len(first_two) < 2:
        return ALONE if first_two else NOBODY
    first, second = first_two
    if next(size for size in sizes if size) == 1:
        return FLOOR
    mode = judgement.policy.mode
    if mode == "lottery":
        return LOT
    if mode == "two-choices":
        is_pair = first.collective.id != second.collective.id
        if is_pair and _had(first) != _had(second):
            return HAD
        if distance_key(first)[0] != distance_key(second)[0]:
            return NEARER
    elif first.score != second.score:
        return SCORE
    is_earlier = first.request.first_posted_ms != second.request.first_posted_ms
    return POSTED if is_earlier else TIE


def _had(row: Row) -> int:
    assert row.measures is not None
    return row.measures.had
