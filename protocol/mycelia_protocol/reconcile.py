"""Bringing two stores together: tell heads, ask for what is missing. Spec: section 10.

Theory of operation. When a session opens, the two sides compare what they hold (`compare.py`) and
tell the heads in which they may differ. Who is behind asks for ranges (WANT) and gets one RECORDS
for each. After that only changed heads are told, gathered for a moment and left out where the peer
told more itself or was given as much; and now and then a node compares with one random neighbour
once more, so that a lost telling heals. Heads of what is pushed through the commons (`spread.py`)
are announced instead: whoever lacks it waits for the push before it asks.

One range is asked of one peer at a time. A peer that does not answer in time, or answers without
what it told of, is not asked for that log again until it tells of it anew. The peers that give most
in the least time are asked first: one that gives a record at a time, as late as it may, can't hold
back what others would give at once.

A head at a place that is taken here, with another id, is a lie or the other end of a fork. The
record is asked for besides all else; it shows which.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from mycelia_protocol.clock import earliest
from mycelia_protocol.compare import Compare, Finding
from mycelia_protocol.events import Range
from mycelia_protocol.limits import (
    RECONCILE_INTERVAL_MS,
    STORE_PAUSE_MS,
    WANT_TIMEOUT_MS,
    WANTS_IN_FLIGHT_MAX,
    WANTS_PER_FRAME_MAX,
)
from mycelia_protocol.logs import LogKey, Logs
from mycelia_protocol.messages import (
    Buckets,
    Digest,
    HeadEntry,
    Heads,
    Message,
    TaggedHead,
    Want,
)
from mycelia_protocol.record import Record
from mycelia_protocol.rng import Rng
from mycelia_protocol.telling import Telling
from mycelia_protocol.told import Asking, Peer, head_frames


@dataclass(frozen=True, slots=True)
class Say:
    """Send a frame to a member."""

    link: int
    message: Message


class Reconcile:
    """Keeps this node's logs level with its neighbours'."""

    def __init__(
        self,
        logs: Logs,
        is_member: Callable[[bytes], bool],
        rng: Rng,
        parts_at: Callable[[LogKey], int | None] = lambda _: None,
        is_spent: Callable[[bytes, int], bool] = lambda _author, _now_ms: False,
    ) -> None:
        self._logs = logs
        self._is_spent = is_spent  # says of whom nothing more is taken now
        self._parts_at = parts_at  # the least seq at which a log is proven to part
        self._is_member = is_member
        self._rng = rng
        self._telling = Telling(logs, parts_at, rng)
        self._compare = Compare(self._telling.held)
        self._peers: dict[int, Peer] = {}
        self._asked: dict[LogKey, int] = {}  # log -> link that was asked
        self._round_ms: int | None = None
        self._regain_ms: int | None = None  # when to ask for what the store failed to keep
        self._ask_ms: int | None = None
        self._is_stale = False  # something changed on which _ask_ms rests

    @property
    def due_ms(self) -> int | None:
        """When `timer` should next be called (ms), or None."""
        round_ms = self._round_ms if self._peers else None
        return earliest(self._telling.due_ms, round_ms, self._regain_ms, self._next_ask_ms())

    def _next_ask_ms(self) -> int | None:
        """Return when an answer is overdue, or a peer may be asked again (ms), or None."""
        if self._is_stale:
            waits = (peer.due_ms for peer in self._peers.values())
            self._is_stale, self._ask_ms = False, earliest(*waits)
        return self._ask_ms

    def told_by(self, link: int) -> dict[LogKey, int]:
        """Return what a peer holds, as far as it told: next_seq by log."""
        peer = self._peers.get(link)
        return peer.told if peer else {}

    def has_told_all(self, link: int) -> bool:
        """Return whether a peer has told all that it holds, once for each such telling."""
        peer = self._peers.get(link)
        if peer is None or not peer.has_told_all:
            return False
        peer.has_told_all = False
        return True

    def progress(self, link: int) -> tuple[int, int]:
        """Return how many of the records that a peer had ahead are here, and how many it had."""
        peer = self._peers.get(link)
        if peer is None or not peer.goal:
            return 0, 0
        return max(0, peer.goal - self._behind(peer)), peer.goal

    def _behind(self, peer: Peer) -> int:
        """Return how many records that a peer told of are missing here."""
        accepted = self._logs.accepted
        return sum(
            max(0, peer.told.get(key, 0) - accepted(key).next_seq)
            for key in peer.ahead
            if not self._logs.is_contested(key)
        )

    def opened(self, link: int, session: bytes, now_ms: int) -> list[Say]:
        """Begin with a peer whose session is ready; `session` is its hash."""
        self._peers[link] = Peer()
        if self._round_ms is None:
            self._schedule_round(now_ms)
        return [Say(link, self._compare.opened(link, session))]

    def closed(self, link: int, now_ms: int) -> list[Say]:
        """Forget a peer; what it was asked is asked of others."""
        if self._peers.pop(link, None) is None:
            return []
        self._compare.closed(link)
        self._is_stale = True
        self._asked = {key: asked for key, asked in self._asked.items() if asked != link}
        return self._ask_again(now_ms)

    def heads_told(self, link: int, heads: Heads, now_ms: int) -> list[Say]:
        """Take in what a peer holds."""
        for entry in heads.entries:
            key = (entry.author, entry.log)
            self._look_at(link, key, self._peers[link].note_stored(key, entry.next_seq))
            self._doubt(link, entry)
        if heads.complete:
            peer = self._peers[link]
            peer.has_told_all, peer.goal = True, self._behind(peer)
        return self._ask(link, now_ms)

    def compared(self, link: int, message: Digest | Buckets) -> list[Say]:
        """Take in by how much a peer's store differs; tell the heads in which it may.

        Raises:
            SessionError: the frame is not due.
        """
        if isinstance(message, Digest):
            finding = self._compare.digest_came(link, message)
        else:
            finding = self._compare.buckets_came(link, message)
        says = [Say(link, answer) for answer in finding.answers]
        return says + self._conclude(link, finding)

    def _conclude(self, link: int, finding: Finding) -> list[Say]:
        """Note what a peer holds as this node does; return what it is told of the rest.

        What it told as far itself is left out, but not where it may have told of another branch.
        """
        peer = self._peers[link]
        peer.note_common(finding.common)
        if finding.is_same:
            peer.has_told_all, peer.goal = True, 0
        if not finding.differing:
            return []
        fresh = [
            entry
            for entry in self._telling.entries(finding.differing)
            if not peer.has_told(entry) or self._parts_at((entry.author, entry.log)) is not None
        ]
        chunks = head_frames(fresh) or [()]
        return [Say(link, Heads(chunk, chunk is chunks[-1])) for chunk in chunks]

    def announced(self, link: int, entries: Iterable[HeadEntry | TaggedHead]) -> list[LogKey]:
        """Take in what a peer holds; return the logs that it holds further than they are here."""
        behind: list[LogKey] = []
        for entry in map(self._resolved, entries):
            if entry is None:
                continue
            key = (entry.author, entry.log)
            if self._is_further(key, self._peers[link].note_stored(key, entry.next_seq)):
                behind.append(key)
            self._doubt(link, entry)
        return behind

    def _resolved(self, entry: HeadEntry | TaggedHead) -> HeadEntry | None:
        """Return an entry with the whole name of its log; None if no such log is known here."""
        if isinstance(entry, HeadEntry):
            return entry
        key = self._logs.tagged(entry.tag)
        return None if key is None else HeadEntry(*key, entry.next_seq, entry.prefix)

    def pursue(self, link: int, keys: Iterable[LogKey], now_ms: int) -> list[Say]:
        """Ask a peer for what it announced, as far as it is still not here."""
        peer = self._peers[link]
        for key in keys:
            self._look_at(link, key, peer.told.get(key, 0))
        return self._ask(link, now_ms)

    def records_pushed(self, link: int, key: LogKey, next_seq: int) -> None:
        """Note that a peer evidently has a log up to here."""
        self._look_at(link, key, self._peers[link].note_pushed(key, next_seq))

    def _look_at(self, link: int, key: LogKey, next_seq: int) -> None:
        """Count a log among what to ask a peer for, if it has more of it than is here."""
        if self._is_further(key, next_seq):
            peer = self._peers[link]
            self._is_stale = True
            (peer.ahead if self._is_member(key[0]) else peer.strange)[key] = None

    def _is_further(self, key: LogKey, next_seq: int) -> bool:
        """Return whether a log that somebody has so far is longer than it is here."""
        return next_seq > self._logs.accepted(key).next_seq

    def gave(self, link: int, key: LogKey, next_seq: int) -> None:
        """Note that a log was pushed to a peer up to here."""
        self._peers[link].given[key] = next_seq

    def given_to(self, link: int) -> dict[LogKey, int]:
        """Return what was pushed to a peer: next_seq by log."""
        return self._peers[link].given

    def _doubt(self, link: int, entry: HeadEntry) -> None:
        """Note if a peer told another id at a place that is taken here."""
        doubts = self._peers[link].doubts
        key = (entry.author, entry.log)
        is_other = self._logs.contradicts(key, entry.next_seq - 1, entry.prefix)
        if is_other and len(doubts) < WANTS_PER_FRAME_MAX:
            self._is_stale = True
            doubts[key] = (entry.next_seq - 1, entry.next_seq - 1)

    def suspect(
        self, link: int, key: LogKey, seq: int, now_ms: int, last: int | None = None
    ) -> list[Say]:
        """Ask a peer for its record at one place, or for all up to `last`, whatever it told."""
        self._peers[link].doubts[key] = (seq, seq if last is None else last)
        return self._ask(link, now_ms)

    def is_asking(self, link: int) -> bool:
        """Return whether a peer owes an answer to a WANT."""
        return bool(self._peers[link].askings)

    def answered(self, link: int, records: Sequence[Record], now_ms: int) -> list[Say]:
        """Note that the RECORDS for the oldest WANT came and was taken in.

        What was asked behind the last log of which it held anything may only have found no room.
        """
        peer = self._peers[link]
        asking = peer.askings.popleft()
        peer.is_tardy, self._is_stale = False, True
        took_ms = now_ms - asking.deadline_ms + WANT_TIMEOUT_MS
        peer.pace_us = took_ms * 1_000 // max(1, len(records))
        given = {(record.author, record.log) for record in records}
        keys = [(wanted.author, wanted.log) for wanted in asking.ranges]
        reached = max((at for at, key in enumerate(keys) if key in given), default=len(keys))
        for at, (key, wanted) in enumerate(zip(keys, asking.ranges, strict=True)):
            if self._asked.get(key) == link:
                del self._asked[key]
            if at <= reached and self._logs.accepted(key).next_seq <= wanted.first:
                peer.forget(key)
        return self._ask_again(now_ms)

    def missed(self, link: int, key: LogKey, next_seq: int, now_ms: int) -> list[Say]:
        """Note that records came which leave a gap; ask the peer for what lies before them."""
        self.records_pushed(link, key, next_seq)
        return self._ask(link, now_ms)

    def ask_everyone(self, now_ms: int) -> list[Say]:
        """Look again at what every peer told: the roster grew, and strangers became members."""
        for _, peer in sorted(self._peers.items()):
            for key in [key for key in peer.strange if self._is_member(key[0])]:
                del peer.strange[key]
                peer.ahead[key] = None
        return self._ask_again(now_ms)

    def stored(self, keys: Iterable[LogKey], now_ms: int, *, is_spread: bool = False) -> None:
        """Note whose heads moved in the store; they are told soon, together.

        Args:
            is_spread: what was stored is pushed through the commons, so heads are only announced.
        """
        self._telling.stored(keys, self._peers.values(), now_ms, is_spread=is_spread)

    def store_failed(self, now_ms: int) -> None:
        """Note that accepted records were not written, and that nobody will tell of them anew."""
        self._regain_ms = now_ms + STORE_PAUSE_MS

    def timer(self, now_ms: int) -> list[Say]:
        """Do what is due."""
        sendings: list[Say] = []
        tell_ms = self._telling.due_ms
        if tell_ms is not None and now_ms >= tell_ms:
            told = self._telling.take(sorted(self._peers.items()))
            sendings.extend(Say(link, frame) for link, frame in told)
        if self._round_ms is not None and now_ms >= self._round_ms:
            self._schedule_round(now_ms)
            if self._peers:
                link = self._choose()
                sendings.extend(Say(link, digest) for digest in self._compare.again(link))
        is_due = self._regain_ms is not None and now_ms >= self._regain_ms
        if is_due:
            self._regain()
        ask_ms = self._next_ask_ms()
        if ask_ms is not None and now_ms >= ask_ms:
            is_due = self._is_stale = True
            for link, peer in sorted(self._peers.items()):
                if peer.askings and not peer.is_tardy and now_ms >= peer.askings[0].deadline_ms:
                    peer.is_tardy = True
                    self._asked = {key: at for key, at in self._asked.items() if at != link}
        return sendings + (self._ask_again(now_ms) if is_due else [])

    def _regain(self) -> None:
        """Count all that peers told or were given, and that is not here, among what to ask for."""
        self._regain_ms = None
        for link, peer in self._peers.items():
            for key, next_seq in peer.given.items():
                if self._is_further(key, next_seq):
                    peer.note_pushed(key, next_seq)
            for key, next_seq in peer.told.items():
                self._look_at(link, key, next_seq)

    def _ask_again(self, now_ms: int) -> list[Say]:
        """Ask the peers, the quickest first, for what nobody is asked for."""
        paces = sorted((peer.pace_us, link) for link, peer in self._peers.items())
        return [sending for _, link in paces for sending in self._ask(link, now_ms)]

    def _choose(self) -> int:
        """Return a random peer's link."""
        links = sorted(self._peers)
        return links[int(self._rng.random() * len(links))]

    def _schedule_round(self, now_ms: int) -> None:
        low, high = RECONCILE_INTERVAL_MS // 2, RECONCILE_INTERVAL_MS * 3 // 2
        self._round_ms = now_ms + low + int(self._rng.random() * (high - low))

    def _ask(self, link: int, now_ms: int) -> list[Say]:
        """Ask one peer for what it holds, is missing here, and is asked of nobody."""
        peer = self._peers[link]
        self._is_stale = True
        peer.quota.renew(now_ms)
        sendings: list[Say] = []
        while len(peer.askings) < WANTS_IN_FLIGHT_MAX:
            if peer.is_tardy or peer.quota.is_spent:
                break
            ranges = self._doubted(peer)
            ranges += self._missing(link, peer, WANTS_PER_FRAME_MAX - len(ranges), now_ms)
            if not ranges:
                break
            peer.quota.spend()
            peer.askings.append(Asking(tuple(ranges), now_ms + WANT_TIMEOUT_MS))
            sendings.append(Say(link, Want(tuple(ranges))))
        return sendings

    def _doubted(self, peer: Peer) -> list[Range]:
        """Return the places to look at because a peer told another id."""
        doubts, peer.doubts = peer.doubts, {}
        return [
            Range(*key, first, last)
            for key, (first, last) in doubts.items()
            if (parts_at := self._parts_at(key)) is None or first < parts_at
        ]

    def _missing(self, link: int, peer: Peer, room: int, now_ms: int) -> list[Range]:
        """Return at most so many ranges to ask a peer for."""
        ranges: list[Range] = []
        level: list[LogKey] = []
        for key in peer.ahead:
            if len(ranges) >= room:
                break
            first, next_seq = self._logs.accepted(key).next_seq, peer.told.get(key, 0)
            if first >= next_seq or self._logs.is_contested(key):
                level.append(key)
            elif key not in self._asked and not self._is_spent(key[0], now_ms):
                ranges.append(Range(*key, first, next_seq - 1))
                self._asked[key] = link
        for key in level:
            del peer.ahead[key]
        return ranges
