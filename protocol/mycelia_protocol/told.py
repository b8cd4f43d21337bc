"""What one peer told of its store, and what it was asked for. Spec: section 10.1."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from mycelia_protocol.clock import earliest
from mycelia_protocol.events import Range
from mycelia_protocol.limits import HEADS_PER_FRAME_MAX, PEER_HEADS_MAX
from mycelia_protocol.logs import LogKey
from mycelia_protocol.messages import STAGE_ALL, Changes, HeadEntry, Heads, Message, Want
from mycelia_protocol.session import ROWS, Quota
from mycelia_protocol.trips import Trips

Entry = TypeVar("Entry")


@dataclass(frozen=True, slots=True)
class Say:
    """Send a frame to a member."""

    link: int
    message: Message


@dataclass(slots=True)
class Asking:
    """One WANT on its way: what was asked and when, and when the answer is overdue."""

    ranges: tuple[Range, ...]
    stage: int
    asked_ms: int
    deadline_ms: int


@dataclass(slots=True)
class Peer:
    """What one peer told, and what it was asked.

    Attributes:
        member: who it is.
        heads_max: of how many logs it is remembered what it told.
        is_cut: it told of more since somebody asked whether it has told all.
        told: next_seq by log.
        unsure: logs of which `told` rests on a push, which says nothing of its store.
        given: the same, of what was pushed to it.
        ahead: logs of which it told more than was here, in the order in which it did, and which
            stage of each is to be asked for next.
        strange: the same logs of authors that are not on the roster yet.
        is_far: it told of so much more when it last told all that it is asked for it in stages.
        doubts: places (first, last) where it told another id than the one here, or where words are
            missing here.
        has_told_all: a telling of all that it holds has ended since anybody asked.
        goal: how many records were missing here when it last told all that it holds.
        counted_ms: when it was last counted how many of these are here.
        is_tardy: it left an answer overdue; asked again once it answers.
        pace_us: how long its last answer took for each record; a new peer is tried first.
        quota: how many WANTs it still takes.
        rows: how many rows of heads it still takes; comparisons are begun while it does.
        trips: how long its link takes there and back.
    """

    member: bytes = b""
    heads_max: int = PEER_HEADS_MAX
    is_cut: bool = False
    told: dict[LogKey, int] = field(default_factory=dict)
    unsure: set[LogKey] = field(default_factory=set)
    given: dict[LogKey, int] = field(default_factory=dict)
    ahead: dict[LogKey, int] = field(default_factory=dict)
    strange: dict[LogKey, None] = field(default_factory=dict)
    doubts: dict[LogKey, tuple[int, int]] = field(default_factory=dict)
    askings: deque[Asking] = field(default_factory=deque)
    is_far: bool = False
    has_told_all: bool = False
    goal: int = 0
    counted_ms: int = 0
    is_tardy: bool = False
    pace_us: int = 0
    quota: Quota = field(default_factory=lambda: Quota(Want))
    rows: Quota = field(default_factory=lambda: Quota(ROWS))
    trips: Trips = field(default_factory=Trips)

    @property
    def due_ms(self) -> int | None:
        """When its answer is overdue, or when it may be asked again (ms); None if neither."""
        answer_ms = None if self.is_tardy or not self.askings else self.askings[0].deadline_ms
        waits = bool(self.ahead or self.doubts) and self.quota.is_spent
        return earliest(answer_ms, self.quota.renewed_ms if waits else None)

    def is_level(self, key: LogKey, next_seq: int) -> bool:
        """Return whether it told or was given a log as far as this."""
        return self.told.get(key, 0) >= next_seq or self.given.get(key, 0) >= next_seq

    def await_log(self, key: LogKey, *, is_stranger: bool) -> None:
        """Count a log among those to ask it for, now or once its author is a member."""
        if is_stranger:
            self.strange[key] = None
        else:
            self.ahead.setdefault(key, STAGE_ALL)

    def forget(self, key: LogKey) -> None:
        """Ask no more for a log until it is told of anew."""
        self.told.pop(key, None)
        self.unsure.discard(key)
        self.ahead.pop(key, None)

    def note(self, key: LogKey, next_seq: int) -> int:
        """Note that it holds a log so far; return how far it is known to, 0 if there is no room."""
        known = self.told.get(key)
        if known is None and len(self.told) >= self.heads_max:
            self.is_cut = True
            return 0
        if known is None or known < next_seq:
            self.told[key] = known = next_seq
        return known

    def note_pushed(self, key: LogKey, next_seq: int) -> int:
        """The same of what it pushed: it has that in hand, and may yet fail to store it."""
        is_news = next_seq > self.told.get(key, 0)
        known = self.note(key, next_seq)
        if is_news and known:  # else there was no room
            self.unsure.add(key)
        return known

    def note_stored(self, key: LogKey, next_seq: int) -> int:
        """The same of what it told of its store."""
        if next_seq >= self.told.get(key, 0):
            self.unsure.discard(key)
        return self.note(key, next_seq)

    def note_common(self, heads: dict[LogKey, int]) -> None:
        """Note that its store holds these logs so far: next_seq by log."""
        for key, next_seq in heads.items():
            self.note_stored(key, next_seq)

    def has_told(self, head: HeadEntry) -> bool:
        """Return whether it told that its store holds a log as far as this."""
        key = (head.author, head.log)
        return key not in self.unsure and self.told.get(key, 0) >= head.next_seq


def change_frames(entries: list[HeadEntry], table: Sequence[LogKey]) -> list[Heads | Changes]:
    """Return frames that tell heads as changes since a base, of which `table` has the logs."""
    places = {key: place for place, key in enumerate(table)}
    rows: list[tuple[int, int, bytes]] = []
    news: list[HeadEntry] = []
    for entry in entries:
        place = places.get((entry.author, entry.log))
        if place is None:
            news.append(entry)
        else:
            rows.append((place, entry.next_seq, entry.prefix))
    chunks = head_frames(rows) or [()]
    changes = [Changes(chunk, chunk is chunks[-1]) for chunk in chunks]
    return [*(Heads(chunk, False) for chunk in head_frames(news)), *changes]


def head_frames(entries: list[Entry]) -> list[tuple[Entry, ...]]:
    """Cut heads into what fits one frame."""
    step = HEADS_PER_FRAME_MAX
    return [tuple(entries[start : start + step]) for start in range(0, len(entries), step)]
