"""Who is about, as far as members say so themselves. Spec: section 10.7.

Theory of operation. Now and then each member says a signed word (`presence.py`), which goes along
its tree to everybody. The more members there are, the more seldom each speaks: so a node takes
about one word a second, however large the commons is. What is old, too soon, of a stranger, or far
from the own clock is let go before its signature is looked at; so nobody makes a node check more
than a few, nor say again what was said. A word with a bad signature was signed by nobody whom an
honest member would pass on: whoever brought it broke a rule.

All of it is a hint, kept in memory alone, at most one word for each member.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import Final, Protocol

from mycelia_protocol.crypto import public_key
from mycelia_protocol.errors import SignatureError
from mycelia_protocol.limits import (
    PRESENCE_INTERVAL_MS,
    PRESENCE_SKEW_MAX_MS,
    PRESENCE_SOON_MS,
    PRESENCE_SPACING_MS,
)
from mycelia_protocol.presence import Presence, speak
from mycelia_protocol.rng import Rng


class Roster(Protocol):
    """What is asked of a state."""

    @property
    def member_count(self) -> int:
        """How many members there are."""
        ...


class Word(Enum):
    """What became of a word that came."""

    NEWS = "news"
    AGAIN = "again"  # the last one of its author once more
    LEFT = "left"  # let go


class Reach(Enum):
    """How well a member can be reached, as this node sees it."""

    CONNECTED = "connected"  # over a link, or it was heard of lately through others
    QUIET = "quiet"  # it missed a few words
    UNREACHABLE = "unreachable"
    RESTING = "resting"  # it said that it stops


@dataclass(slots=True)
class Heard:
    """The last word of a member.

    Attributes:
        at_ms: when it came.
        links: to which it was passed on.
    """

    presence: Presence
    at_ms: int
    links: set[int] = field(default_factory=set)


class Attendance:
    """Says this node's word, and knows what the others said.

    Args:
        roster: says how many members there are.
        attest: says whether a word is signed by its author.
        is_spoken: whether this node says anything of itself.
    """

    def __init__(
        self,
        commons: bytes,
        seed: bytes,
        roster: Roster,
        rng: Rng,
        attest: Callable[[Presence, bytes], bool],
        *,
        is_spoken: bool,
    ) -> None:
        self.due_ms: int | None = None  # when this node should speak; None while nobody listens
        self.key: Final = public_key(seed)
        self._commons = commons
        self._seed = seed
        self._roster = roster
        self._rng = rng
        self._attest = attest
        self._is_spoken = is_spoken
        self._heard: dict[bytes, Heard] = {}
        self._linked_ms: dict[bytes, int] = {}  # member -> when the last link to it ended
        self._began_ms: int | None = None
        self.is_awaited = False  # others think that it rests: it says soon that it is back

    @property
    def interval_ms(self) -> int:
        """How often each member speaks."""
        return max(PRESENCE_INTERVAL_MS, PRESENCE_SPACING_MS * self._roster.member_count)

    def opened(self, now_ms: int) -> None:
        """Note that there is somebody to speak to.

        Where all come back at once, as when the lights go on again, their words are spread as if
        they had been speaking all the time: then no tree has found its shape yet.
        """
        if self._began_ms is None:
            self._began_ms = now_ms
        if self.due_ms is None and self._is_spoken:
            apart_ms = 0 if self.is_awaited else PRESENCE_SPACING_MS * self._roster.member_count
            spread_ms = max(PRESENCE_SOON_MS, apart_ms)
            self.due_ms = now_ms + PRESENCE_SOON_MS + int(spread_ms * self._rng.random())

    def closed(self, key: bytes | None, now_ms: int, *, is_last: bool) -> None:
        """Note that the link to a member ended; perhaps it was the last one of all.

        Args:
            key: the member; None for somebody who is not on the roster.
        """
        if key is not None:
            self._linked_ms[key] = now_ms
        if is_last:
            self.due_ms = None

    def speak(self, now_ms: int, heads: bytes, *, is_resting: bool = False) -> Presence:
        """Return this node's next word."""
        interval_ms, self.is_awaited = self.interval_ms, is_resting
        self.due_ms = now_ms + int(interval_ms * (7 + 2 * self._rng.random()) / 8)
        last = self._heard.get(self.key)
        time_ms = now_ms if last is None else max(now_ms, last.presence.time_ms + 1)
        said = speak(self._commons, self._seed, self.key, time_ms, heads, is_resting=is_resting)
        self._heard[self.key] = Heard(said, now_ms)
        return said

    def came(self, presence: Presence, now_ms: int) -> Word:
        """Take a member's word.

        Raises:
            SignatureError: its author did not say that.
        """
        last = self._heard.get(presence.author)
        if last is not None and presence == last.presence:
            return Word.AGAIN
        if presence.author == self.key or not self._is_timely(presence, last, now_ms):
            return Word.LEFT
        if not self._attest(presence, self._commons):
            reason = "a PRESENCE that its author did not sign"
            raise SignatureError(reason, code="forged", requirement="PRES-3")
        self._heard[presence.author] = Heard(presence, now_ms)
        return Word.NEWS

    def _is_timely(self, presence: Presence, last: Heard | None, now_ms: int) -> bool:
        """Return whether a word is neither old, nor too soon, nor far from the own clock."""
        if abs(presence.time_ms - now_ms) > PRESENCE_SKEW_MAX_MS:
            return False
        if last is None:
            return True
        is_turn = presence.is_resting != last.presence.is_resting
        pause_ms = PRESENCE_SOON_MS if is_turn else self.interval_ms // 2
        is_soon = not (presence.is_resting and is_turn) and now_ms - last.at_ms < pause_ms
        return presence.time_ms > last.presence.time_ms and not is_soon

    def passed_on(self, presence: Presence, links: list[int]) -> None:
        """Note to which links a word went."""
        self._heard[presence.author].links.update(links)

    def went_to(self, presence: Presence, link: int) -> bool:
        """Return whether the last word of its author went to a link."""
        return link in self._heard[presence.author].links

    def reach(self, key: bytes, now_ms: int, *, is_linked: bool) -> tuple[Reach, int | None]:
        """Return how a member can be reached, and when there was the last sign of it (ms)."""
        heard, linked_ms = self._heard.get(key), self._linked_ms.get(key)
        heard_ms = None if heard is None else heard.at_ms
        seen_ms = max((at for at in (heard_ms, linked_ms) if at is not None), default=None)
        if is_linked:
            return Reach.CONNECTED, now_ms
        is_resting = heard is not None and heard.presence.is_resting
        if heard is not None and is_resting and (linked_ms or 0) - heard.at_ms <= PRESENCE_SOON_MS:
            return Reach.RESTING, heard.at_ms  # its links ended right after it said so
        since_ms = self._began_ms if seen_ms is None else seen_ms
        silent_ms = 0 if since_ms is None else now_ms - since_ms
        if silent_ms > 10 * self.interval_ms:
            return Reach.UNREACHABLE, seen_ms
        is_lately = seen_ms is not None and silent_ms <= 3 * self.interval_ms
        return (Reach.CONNECTED if is_lately else Reach.QUIET), seen_ms
