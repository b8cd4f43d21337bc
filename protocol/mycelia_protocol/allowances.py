"""How much of each author, and from each neighbour, is taken in how fast. Spec: 10.2 and 10.4.

A bucket of bytes for each author, which fills slowly. It says nothing about records: one that is
left aside now is fetched when there is room again, by whoever still holds it. So one member can
fill nobody's disk in a night, and all nodes come to the same state all the same.
"""

from collections.abc import Iterable

from mycelia_protocol.errors import SessionError
from mycelia_protocol.limits import (
    AUTHOR_BURST_MAX,
    AUTHOR_RATE_PER_HOUR,
    REPEATED_RATE_PER_S,
    REPEATED_RECORDS_MAX,
)
from mycelia_protocol.record import Record

HOUR_MS = 3_600_000
MEMBERS_KEPT = 1_024  # of whom it is remembered what they used; with more, who did so last


class Allowances:
    """What is left for each author now; everybody begins with a full bucket.

    Attributes:
        own: the node's own key, of which everything is taken: after a loss it wants all back.
    """

    def __init__(self) -> None:
        self.own: bytes | None = None
        self._buckets: dict[bytes, tuple[int, int]] = {}  # author -> (bytes left, when)

    def take(self, records: Iterable[Record], now_ms: int) -> None:
        """Count records that were taken in; the last of them may go beyond what was left."""
        sizes: dict[bytes, int] = {}
        for record in records:
            sizes[record.author] = sizes.get(record.author, 0) + record.size
        for author, size in sizes.items():
            if author == self.own:
                continue
            self._buckets[author] = (self._left(author, now_ms) - size, now_ms)

    def is_spent(self, author: bytes, now_ms: int) -> bool:
        """Return whether nothing more of an author is taken now."""
        return author in self._buckets and self._left(author, now_ms) <= 0

    def ready_ms(self, author: bytes) -> int:
        """Return when something of an author is taken again (ms)."""
        left, at_ms = self._buckets.get(author, (1, 0))
        wait_ms = (max(0, 1 - left) * HOUR_MS + AUTHOR_RATE_PER_HOUR - 1) // AUTHOR_RATE_PER_HOUR
        return at_ms + wait_ms

    def spent(self, now_ms: int) -> list[bytes]:
        """Return the authors of whom nothing more is taken now, sorted."""
        return sorted(author for author in self._buckets if self.is_spent(author, now_ms))

    def _left(self, author: bytes, now_ms: int) -> int:
        left, at_ms = self._buckets.get(author, (AUTHOR_BURST_MAX, now_ms))
        grown = max(0, now_ms - at_ms) * AUTHOR_RATE_PER_HOUR // HOUR_MS
        return min(AUTHOR_BURST_MAX, left + grown)


class Budget:
    """So much for each member at once, and more as time goes on.

    Args:
        most: what a member begins with, and has at most.
        per_s: what it gets each second.
    """

    def __init__(self, most: int, per_s: float) -> None:
        self._most = most
        self._per_s = per_s
        self._left: dict[bytes, tuple[float, int]] = {}  # member -> what is left, and since when

    def take(self, member: bytes, amount: int, now_ms: int) -> bool:
        """Count what a member uses, or gets if it is negative; return whether there was enough."""
        left, at_ms = self._left.pop(member, (self._most, now_ms))
        left = min(self._most, left + max(0, now_ms - at_ms) * self._per_s / 1_000) - amount
        self._left[member] = (max(0, left), now_ms)
        if len(self._left) > MEMBERS_KEPT:
            del self._left[next(iter(self._left))]
        return left >= 0


class Repeats:
    """How often each member may still push what is here already.

    A record is pushed once on each link, so whoever follows the rules repeats no more than what was
    news here a moment before, from somebody else. Links that it opens anew change nothing.
    """

    def __init__(self) -> None:
        self._news = 0  # records that were taken in so far
        self._seen: dict[bytes, int] = {}  # member -> how many of them count for it already
        self._budget = Budget(REPEATED_RECORDS_MAX, REPEATED_RATE_PER_S)

    def note_news(self, records: int) -> None:
        """Note that so many records were taken in, from whomever; all may repeat them."""
        self._news += records

    def take(self, member: bytes, records: int, now_ms: int) -> None:
        """Count records that a member pushed and that were here.

        Raises:
            SessionError: there are more of them than follow from any rule.
        """
        if not records:
            return
        news = self._news - self._seen.pop(member, self._news)
        self._seen[member] = self._news
        if len(self._seen) > MEMBERS_KEPT:
            del self._seen[next(iter(self._seen))]
        self._budget.take(member, -news, now_ms)
        if not self._budget.take(member, records, now_ms):
            raise SessionError("known records again and again", code="rate", requirement="REP-19")
