"""Whose turn it is: floors first, then the policy's mode. Spec: sections 8.8.5, 8.8.6, SCORE-4, -5.

While an offer is handed out, only one thing about a candidate changes: what its collective has had.
So only the collective that was just served has to be looked at again. Its score can only fall, and
since equity is the same for all its requests, their order among themselves never changes. A heap of
collectives, each with its best request on top, therefore gives the same turns as scoring everybody
anew before each part; a law in the tests compares the two.
"""

import heapq
from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

from mycelia_protocol.sharing.factors import equity
from mycelia_protocol.sharing.judge import Judgement, Row
from mycelia_protocol.sharing.policy import FACTORS

_EQUITY = FACTORS.index("equity")

Key = tuple[int, int, bytes]
Fits = Callable[[Row], bool]
Had = Callable[[Row], int]


class Phase(NamedTuple):
    """A part of the handing out in which only some candidates have turns.

    Attributes:
        floor: the policy's floor that it keeps; "" for the last phase, which is for all.
        rows: who has turns.
        until: base units to ecosystems at which it ends, None if it goes on while anybody can take.
    """

    floor: str
    rows: list[Row]
    until: int | None


class Turns(Protocol):
    """Gives turns to the candidates of one phase, one at a time."""

    def leader(self) -> Row | None:
        """Return whose turn it is, None if nobody can take a part."""
        ...

    def served(self) -> None:
        """Take note that the leader was given a part."""
        ...


def phases(judgement: Judgement) -> list[Phase]:
    """Return the phases in order; in a phase without candidates nothing happens."""
    candidates = judgement.candidates
    found = []
    for floor in judgement.policy.floors:
        if floor == "urgent":
            rows = [row for row in candidates if row.measures and row.measures.urgency == "now"]
            found.append(Phase(floor, rows, None))
        else:
            rows = [row for row in candidates if row.collective.is_ecosystem]
            found.append(Phase(floor, rows if judgement.reserve else [], judgement.reserve))
    return [*found, Phase("", candidates, None)]


def turns(judgement: Judgement, rows: Sequence[Row], fits: Fits, had: Had) -> Turns:
    """Return who gives turns in the policy's mode.

    Args:
        judgement: how things stood at the beginning.
        rows: who has turns.
        fits: says whether a candidate can take another part now; once false, it stays false.
        had: micro-person-days per member of a candidate's collective, as of now.
    """
    match judgement.policy.mode:
        case "lottery":
            return ByLot(rows, fits)
        case "two-choices":
            return OfTheNearest(rows, fits, had)
        case _:
            return ByScore(judgement, rows, fits, had)


def score_key(row: Row, score: int) -> Key:
    """Return what orders by score: the highest first, then the earliest posting, then the hash."""
    return -score, row.request.first_posted_ms, row.tie


def distance_key(row: Row) -> Key:
    """Return what orders by distance: the nearest first, then as for scores."""
    assert row.measures is not None
    return row.measures.metres, row.request.first_posted_ms, row.tie


class ByScore:
    """The highest score first, which falls as its collective receives."""

    def __init__(self, judgement: Judgement, rows: Sequence[Row], fits: Fits, had: Had) -> None:
        self._weight = judgement.policy.weights[_EQUITY]
        self._mean = judgement.shared.mean
        self._fits = fits
        self._had = had
        # Equity is the same for all requests of a collective, so that scores order them for good.
        self._lanes = _lanes(rows, lambda row: score_key(row, row.score or 0))
        self._heap = [(self._key(lane[-1]), n) for n, lane in enumerate(self._lanes)]
        heapq.heapify(self._heap)

    def leader(self) -> Row | None:
        """Return the candidate with the highest score that can take a part."""
        while self._heap:
            _, number = self._heap[0]
            lane = self._lanes[number]
            if self._fits(lane[-1]):
                return lane[-1]
            lane.pop()
            if lane:
                heapq.heapreplace(self._heap, (self._key(lane[-1]), number))
            else:
                heapq.heappop(self._heap)
        return None

    def served(self) -> None:
        """Score the leader's collective anew."""
        _, number = self._heap[0]
        heapq.heapreplace(self._heap, (self._key(self._lanes[number][-1]), number))

    def _without_equity(self, row: Row) -> int:
        assert row.score is not None
        assert row.factors is not None
        return row.score - self._weight * row.factors.equity

    def _key(self, row: Row) -> Key:
        assert row.score is not None
        assert row.measures is not None
        had = self._had(row)
        if had == row.measures.had:
            return score_key(row, row.score)
        return score_key(row, self._without_equity(row) + self._weight * equity(had, self._mean))


class ByLot:
    """In the order of the hashes."""

    def __init__(self, rows: Sequence[Row], fits: Fits) -> None:
        self._rows = sorted(rows, key=lambda row: row.tie, reverse=True)
        self._fits = fits

    def leader(self) -> Row | None:
        """Return the first one that can take a part."""
        while self._rows and not self._fits(self._rows[-1]):
            self._rows.pop()
        return self._rows[-1] if self._rows else None

    def served(self) -> None:
        """Do nothing: a lot is drawn once."""


class OfTheNearest:
    """Of the two nearest collectives who has had less. Source: Food Drop, arXiv 2406.06363."""

    def __init__(self, rows: Sequence[Row], fits: Fits, had: Had) -> None:
        self._fits = fits
        self._had = had
        self._lanes = _lanes(rows, distance_key)
        self._heap = [(distance_key(lane[-1]), n) for n, lane in enumerate(self._lanes)]
        heapq.heapify(self._heap)

    def leader(self) -> Row | None:
        """Return of the two nearest who has had less; if both the same, the nearer."""
        nearest = self._nearest()
        if nearest is None:
            return None
        entry = heapq.heappop(self._heap)
        second = self._nearest()
        heapq.heappush(self._heap, entry)
        if second is not None and self._had(second) < self._had(nearest):
            return second
        return nearest

    def served(self) -> None:
        """Do nothing: what each has had is asked for anew at every turn."""

    def _nearest(self) -> Row | None:
        """Return the nearest that can take a part; who can't is dropped for good."""
        while self._heap:
            _, number = self._heap[0]
            lane = self._lanes[number]
            if self._fits(lane[-1]):
                return lane[-1]
            lane.pop()
            if lane:
                heapq.heapreplace(self._heap, (distance_key(lane[-1]), number))
            else:
                heapq.heappop(self._heap)
        return None


def _lanes(rows: Sequence[Row], key: Callable[[Row], Key]) -> list[list[Row]]:
    """Return the rows of each collective, its first one last; collectives as they appear."""
    lanes: dict[bytes, list[Row]] = {}
    for row in rows:
        lanes.setdefault(row.collective.id, []).append(row)
    for lane in lanes.values():
        lane.sort(key=key, reverse=True)
    return list(lanes.values())
