"""Bringing two stores together: tell heads, ask for what is missing. Spec: section 10.

Theory of operation. When a session opens, each side tells the heads of all logs in its store. Who
is behind asks for ranges (WANT) and gets one RECORDS for each. After that only changed heads are
told, gathered for a moment and left out where the peer told more itself; and now and then all heads
once more, to one random neighbour, so that a lost telling heals.

One range is asked of one peer at a time. A peer that does not answer in time, or answers without
what it told of, is not asked for that log again until it tells of it anew.
"""

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from mycelia_protocol.events import Range
from mycelia_protocol.limits import (
    HEADS_DELAY_MS,
    HEADS_PER_FRAME_MAX,
    PEER_HEADS_MAX,
    RECONCILE_INTERVAL_MS,
    WANT_TIMEOUT_MS,
    WANTS_IN_FLIGHT_MAX,
    WANTS_PER_FRAME_MAX,
)
from mycelia_protocol.logs import LogKey, Logs
from mycelia_protocol.messages import HeadEntry, Heads, Message, Want
from mycelia_protocol.rng import Rng


@dataclass(frozen=True, slots=True)
class Say:
    """Send a frame to a member."""

    link: int
    message: Message


@dataclass(slots=True)
class Asking:
    """One WANT on its way: what was asked, and when the answer is overdue."""

    ranges: tuple[Range, ...]
    deadline_ms: int


@dataclass(slots=True)
class Peer:
    """What one peer told, and what it was asked."""

    told: dict[LogKey, int] = field(default_factory=dict)  # next_seq by log
    askings: deque[Asking] = field(default_factory=deque)
    is_tardy: bool = False  # left an answer overdue; asked again once it answers


class Reconcile:
    """Keeps this node's logs level with its neighbours'."""

    def __init__(self, logs: Logs, is_member: Callable[[bytes], bool], rng: Rng) -> None:
        self._logs = logs
        self._is_member = is_member
        self._rng = rng
        self._peers: dict[int, Peer] = {}
        self._asked: dict[LogKey, int] = {}  # log -> link that was asked
        self._changed: set[LogKey] = set()
        self._tell_ms: int | None = None
        self._round_ms: int | None = None

    @property
    def due_ms(self) -> int | None:
        """When `timer` should next be called (ms), or None."""
        deadlines = [
            peer.askings[0].deadline_ms
            for peer in self._peers.values()
            if peer.askings and not peer.is_tardy
        ]
        times = [*deadlines, self._tell_ms, self._round_ms if self._peers else None]
        return min((time for time in times if time is not None), default=None)

    def told_by(self, link: int) -> dict[LogKey, int]:
        """Return what a peer holds, as far as it told: next_seq by log."""
        peer = self._peers.get(link)
        return peer.told if peer else {}

    def opened(self, link: int, now_ms: int) -> list[Say]:
        """Begin with a peer whose session is ready."""
        self._peers[link] = Peer()
        if self._round_ms is None:
            self._schedule_round(now_ms)
        return self._tell_all(link)

    def closed(self, link: int, now_ms: int) -> list[Say]:
        """Forget a peer; what it was asked is asked of others."""
        if self._peers.pop(link, None) is None:
            return []
        self._asked = {key: asked for key, asked in self._asked.items() if asked != link}
        return self.ask_everyone(now_ms)

    def heads_told(self, link: int, heads: Heads, now_ms: int) -> list[Say]:
        """Take in what a peer holds."""
        told = self._peers[link].told
        for entry in heads.entries:
            key = (entry.author, entry.log)
            if key in told or len(told) < PEER_HEADS_MAX:
                told[key] = max(entry.next_seq, told.get(key, 0))
        return self._ask(link, now_ms)

    def records_pushed(self, link: int, key: LogKey, next_seq: int) -> None:
        """Note that a peer evidently holds a log up to here."""
        told = self._peers[link].told
        if key in told or len(told) < PEER_HEADS_MAX:
            told[key] = max(next_seq, told.get(key, 0))

    def is_asking(self, link: int) -> bool:
        """Return whether a peer owes an answer to a WANT."""
        return bool(self._peers[link].askings)

    def answered(self, link: int, now_ms: int) -> list[Say]:
        """Note that the RECORDS for the oldest WANT came and was taken in."""
        peer = self._peers[link]
        peer.is_tardy = False
        for wanted in peer.askings.popleft().ranges:
            key = (wanted.author, wanted.log)
            if self._asked.get(key) == link:
                del self._asked[key]
            if self._logs.accepted(key).next_seq <= wanted.first:
                peer.told.pop(key, None)
        return self._ask(link, now_ms)

    def missed(self, link: int, key: LogKey, next_seq: int, now_ms: int) -> list[Say]:
        """Note that records came which leave a gap; ask the peer for what lies before them."""
        self.records_pushed(link, key, next_seq)
        return self._ask(link, now_ms)

    def ask_everyone(self, now_ms: int) -> list[Say]:
        """Look again at what every peer told: the roster grew, or a peer is gone."""
        return [sending for link in sorted(self._peers) for sending in self._ask(link, now_ms)]

    def stored(self, keys: Iterable[LogKey], now_ms: int) -> None:
        """Note whose heads moved in the store; they are told soon, together."""
        self._changed.update(keys)
        if self._changed and self._tell_ms is None:
            self._tell_ms = now_ms + HEADS_DELAY_MS

    def timer(self, now_ms: int) -> list[Say]:
        """Do what is due."""
        sendings: list[Say] = []
        if self._tell_ms is not None and now_ms >= self._tell_ms:
            self._tell_ms = None
            sendings.extend(self._tell_changed())
        if self._round_ms is not None and now_ms >= self._round_ms:
            self._schedule_round(now_ms)
            if self._peers:
                sendings.extend(self._tell_all(self._choose()))
        overdue = False
        for link, peer in sorted(self._peers.items()):
            if peer.askings and not peer.is_tardy and now_ms >= peer.askings[0].deadline_ms:
                peer.is_tardy = overdue = True
                self._asked = {key: asked for key, asked in self._asked.items() if asked != link}
        return sendings + (self.ask_everyone(now_ms) if overdue else [])

    def _choose(self) -> int:
        """Return a random peer's link."""
        links = sorted(self._peers)
        return links[int(self._rng.random() * len(links))]

    def _schedule_round(self, now_ms: int) -> None:
        low, high = RECONCILE_INTERVAL_MS // 2, RECONCILE_INTERVAL_MS * 3 // 2
        self._round_ms = now_ms + low + int(self._rng.random() * (high - low))

    def _tell_all(self, link: int) -> list[Say]:
        """Return frames with all heads in the store."""
        entries = [self._entry(key) for key in self._logs.stored_logs()]
        chunks = [
            tuple(entries[start : start + HEADS_PER_FRAME_MAX])
            for start in range(0, len(entries), HEADS_PER_FRAME_MAX)
        ] or [()]
        return [Say(link, Heads(chunk, chunk is chunks[-1])) for chunk in chunks]

    def _tell_changed(self) -> list[Say]:
        """Return frames with the heads that moved, for each peer those it did not tell itself."""
        entries = [self._entry(key) for key in sorted(self._changed)]
        self._changed.clear()
        sendings: list[Say] = []
        for link, peer in sorted(self._peers.items()):
            fresh = [e for e in entries if peer.told.get((e.author, e.log), 0) < e.next_seq]
            sendings.extend(
                Say(link, Heads(tuple(fresh[start : start + HEADS_PER_FRAME_MAX]), False))
                for start in range(0, len(fresh), HEADS_PER_FRAME_MAX)
            )
        return sendings

    def _entry(self, key: LogKey) -> HeadEntry:
        head = self._logs.stored(key)
        assert head.id is not None
        return HeadEntry(key[0], key[1], head.next_seq, head.id[:8])

    def _ask(self, link: int, now_ms: int) -> list[Say]:
        """Ask one peer for what it holds, is missing here, and is asked of nobody."""
        peer = self._peers[link]
        sendings: list[Say] = []
        while not peer.is_tardy and len(peer.askings) < WANTS_IN_FLIGHT_MAX:
            ranges: list[Range] = []
            for key, next_seq in sorted(peer.told.items()):
                first = self._logs.accepted(key).next_seq
                if first >= next_seq or key in self._asked or not self._is_member(key[0]):
                    continue
                ranges.append(Range(key[0], key[1], first, next_seq - 1))
                self._asked[key] = link
                if len(ranges) == WANTS_PER_FRAME_MAX:
                    break
            if not ranges:
                break
            peer.askings.append(Asking(tuple(ranges), now_ms + WANT_TIMEOUT_MS))
            sendings.append(Say(link, Want(tuple(ranges))))
        return sendings
