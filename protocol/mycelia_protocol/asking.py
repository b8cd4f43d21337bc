"""Whom a node asks for what it lacks, and in which order. Spec: section 10.1.

Theory of operation. One range is asked of one peer at a time. A peer that does not answer in time,
or answers without what it told of, is not asked for that log again until it tells of it anew. The
peers that give most in the least time are asked first: one that gives a record at a time, as late
as it may, can't hold back what others would give at once.

From a peer that is far ahead the most important is asked first: of each log what goes as far as
its last record on who is in and by which rules (`STAGE_ROSTER`), then as far as its last urgent
request (`STAGE_URGENT`), then the rest. How far that is, only the peer knows; so it may leave out
whole logs in the first two stages, and nothing in the last.

A head at a place that is taken here, with another id, is a lie or the other end of a fork. The
record is asked for besides all else; it shows which.
"""

from collections.abc import Callable, Sequence

from mycelia_protocol.clock import earliest
from mycelia_protocol.events import Range
from mycelia_protocol.limits import (
    STAGED_RECORDS_MIN,
    STORE_PAUSE_MS,
    WANT_TIMEOUT_MS,
    WANTS_IN_FLIGHT_MAX,
    WANTS_PER_FRAME_MAX,
)
from mycelia_protocol.local_health import LocalHealth
from mycelia_protocol.logs import LogKey, Logs
from mycelia_protocol.messages import STAGE_ALL, STAGE_ROSTER, HeadEntry, Want
from mycelia_protocol.record import Record
from mycelia_protocol.told import Asking, Peer


class Asker:
    """Asks the peers of a node for what they told of and is missing here.

    Args:
        peers: what each link's peer told; their owner adds and removes them.
        parts_at: gives the least seq at which a log is proven to part.
        is_spent: says of whom nothing more is taken now.
    """

    def __init__(
        self,
        logs: Logs,
        peers: dict[int, Peer],
        is_member: Callable[[bytes], bool],
        parts_at: Callable[[LogKey], int | None],
        is_spent: Callable[[bytes, int], bool],
        health: LocalHealth,
    ) -> None:
        self._logs = logs
        self._peers = peers
        self._is_member = is_member
        self._parts_at = parts_at
        self._is_spent = is_spent
        self._health = health
        self._asked: dict[LogKey, int] = {}  # log -> link that was asked
        self._regain_ms: int | None = None  # when to ask for what the store failed to keep
        self._ask_ms: int | None = None
        self._is_stale = False  # something changed on which _ask_ms rests

    @property
    def due_ms(self) -> int | None:
        """When an answer is overdue, or somebody may be asked again (ms), or None."""
        if self._is_stale:
            waits = (peer.due_ms for peer in self._peers.values())
            self._is_stale, self._ask_ms = False, earliest(*waits)
        return earliest(self._ask_ms, self._regain_ms)

    def closed(self, link: int, now_ms: int) -> list[tuple[int, Want]]:
        """Note that a peer is gone; what it was asked is asked of others."""
        self._is_stale = True
        self._asked = {key: asked for key, asked in self._asked.items() if asked != link}
        return self.ask_again(now_ms)

    # --- what there is to ask for ---

    def look_at(self, link: int, key: LogKey, next_seq: int) -> None:
        """Count a log among what to ask a peer for, if it has more of it than is here."""
        if self.is_further(key, next_seq):
            self._is_stale = True
            self._peers[link].await_log(key, is_stranger=not self._is_member(key[0]))

    def is_further(self, key: LogKey, next_seq: int) -> bool:
        """Return whether a log that somebody has so far is longer than it is here."""
        return next_seq > self._logs.accepted(key).next_seq

    def behind(self, peer: Peer) -> int:
        """Return how many records that a peer told of are missing here."""
        accepted = self._logs.accepted
        return sum(
            max(0, peer.told.get(key, 0) - accepted(key).next_seq)
            for keys in (peer.ahead, peer.strange)
            for key in keys
            if not self._logs.is_contested(key)
        )

    def told_all(self, link: int, known: int) -> None:
        """Note that a peer has told all that it holds; if that is much, fetch it in stages.

        Args:
            known: how many logs there were to ask it for before it did; they keep their stages.
        """
        peer = self._peers[link]
        peer.has_told_all, peer.goal = True, self.behind(peer)
        peer.is_far = peer.goal >= STAGED_RECORDS_MIN
        if peer.is_far:
            for key in list(peer.ahead)[known:]:
                peer.ahead[key] = STAGE_ROSTER

    def doubt(self, link: int, entry: HeadEntry) -> None:
        """Note if a peer told another id at a place that is taken here."""
        doubts = self._peers[link].doubts
        key = (entry.author, entry.log)
        is_other = self._logs.contradicts(key, entry.next_seq - 1, entry.prefix)
        if is_other and len(doubts) < WANTS_PER_FRAME_MAX:
            self._is_stale = True
            doubts[key] = (entry.next_seq - 1, entry.next_seq - 1)

    def admit_strangers(self, now_ms: int) -> list[tuple[int, Want]]:
        """Look again at what every peer told: the roster grew, and strangers became members."""
        for _, peer in sorted(self._peers.items()):
            for key in [key for key in peer.strange if self._is_member(key[0])]:
                del peer.strange[key]
                peer.ahead[key] = STAGE_ROSTER if peer.is_far else STAGE_ALL
        return self.ask_again(now_ms)

    def forgive(self, late_ms: int) -> None:
        """Give all who are to answer so much more time: this node was busy for so long."""
        self._is_stale = True
        for peer in self._peers.values():
            for asking in peer.askings:
                asking.deadline_ms += late_ms

    def store_failed(self, now_ms: int) -> None:
        """Note that accepted records were not written, and that nobody will tell of them anew."""
        self._regain_ms = now_ms + STORE_PAUSE_MS

    # --- time ---

    def timer(self, now_ms: int) -> list[tuple[int, Want]]:
        """Ask others where an answer is overdue, and again for what the store failed to keep."""
        is_due = self._regain_ms is not None and now_ms >= self._regain_ms
        if is_due:
            self._regain()
        due_ms = self.due_ms
        if due_ms is not None and now_ms >= due_ms:
            is_due = self._is_stale = True
            for link, peer in sorted(self._peers.items()):
                if peer.askings and not peer.is_tardy and now_ms >= peer.askings[0].deadline_ms:
                    peer.is_tardy = True
                    self._asked = {key: at for key, at in self._asked.items() if at != link}
        return self.ask_again(now_ms) if is_due else []

    def _regain(self) -> None:
        """Count all that peers told or were given, and that is not here, among what to ask for."""
        self._regain_ms = None
        for link, peer in self._peers.items():
            for key, next_seq in peer.given.items():
                if self.is_further(key, next_seq):
                    peer.note_pushed(key, next_seq)
            for key, next_seq in peer.told.items():
                self.look_at(link, key, next_seq)

    # --- asking ---

    def suspect(
        self, link: int, key: LogKey, seq: int, now_ms: int, last: int | None = None
    ) -> list[tuple[int, Want]]:
        """Ask a peer for its record at one place, or for all up to `last`, whatever it told."""
        self._peers[link].doubts[key] = (seq, seq if last is None else last)
        return self.ask(link, now_ms)

    def ask_again(self, now_ms: int) -> list[tuple[int, Want]]:
        """Ask the peers, the quickest first, for what nobody is asked for."""
        paces = sorted((peer.pace_us, link) for link, peer in self._peers.items())
        return [sending for _, link in paces for sending in self.ask(link, now_ms)]

    def ask(self, link: int, now_ms: int) -> list[tuple[int, Want]]:
        """Ask one peer for what it holds, is missing here, and is asked of nobody."""
        peer = self._peers[link]
        self._is_stale = True
        peer.quota.renew(now_ms)
        sendings: list[tuple[int, Want]] = []
        while len(peer.askings) < WANTS_IN_FLIGHT_MAX:
            if peer.is_tardy or peer.quota.is_spent:
                break
            ranges, stage = self._next_ranges(link, peer, now_ms)
            if not ranges:
                break
            peer.quota.spend()
            deadline_ms = now_ms + self._health.stretched(WANT_TIMEOUT_MS)
            peer.askings.append(Asking(ranges, stage, now_ms, deadline_ms))
            sendings.append((link, Want(ranges, stage)))
        return sendings

    def _next_ranges(self, link: int, peer: Peer, now_ms: int) -> tuple[tuple[Range, ...], int]:
        """Return what to ask a peer for next: doubts, or what is missing of the first stage."""
        doubted = self._doubted(peer)
        stages = [STAGE_ALL] if doubted else sorted(set(peer.ahead.values()))
        for stage in stages:
            room = WANTS_PER_FRAME_MAX - len(doubted)
            ranges = doubted + self._missing(link, peer, stage, room, now_ms)
            if ranges:
                return tuple(ranges), stage
        return (), STAGE_ALL

    def _doubted(self, peer: Peer) -> list[Range]:
        """Return the places to look at because a peer told another id."""
        doubts, peer.doubts = peer.doubts, {}
        return [
            Range(*key, first, last)
            for key, (first, last) in doubts.items()
            if (parts_at := self._parts_at(key)) is None or first < parts_at
        ]

    def _missing(self, link: int, peer: Peer, stage: int, room: int, now_ms: int) -> list[Range]:
        """Return at most so many ranges to ask a peer for, of logs that are at one stage."""
        ranges: list[Range] = []
        level: list[LogKey] = []
        for key, at in peer.ahead.items():
            if len(ranges) >= room:
                break
            if at != stage:
                continue
            first, next_seq = self._logs.accepted(key).next_seq, peer.told.get(key, 0)
            if first >= next_seq or self._logs.is_contested(key):
                level.append(key)
            elif key not in self._asked and not self._is_spent(key[0], now_ms):
                ranges.append(Range(*key, first, next_seq - 1))
                self._asked[key] = link
        for key in level:
            del peer.ahead[key]
        return ranges

    def answered(self, link: int, records: Sequence[Record], now_ms: int) -> list[tuple[int, Want]]:
        """Note that the RECORDS for the oldest WANT came and was taken in.

        What was asked behind the last log of which it held anything may only have found no room.
        What was asked before that was answered in full: in the last stage nothing at all means that
        the peer lacks it, in an earlier one that the stage is over for that log. Records that lead
        no further, as a checkpoint in place of others, would only come again.
        """
        peer = self._peers[link]
        asking = peer.askings.popleft()
        ranges, stage = asking.ranges, asking.stage
        peer.is_tardy, self._is_stale = False, True
        if records or stage == STAGE_ALL:
            peer.pace_us = (now_ms - asking.asked_ms) * 1_000 // max(1, len(records))
        given = {(record.author, record.log) for record in records}
        keys = [(wanted.author, wanted.log) for wanted in ranges]
        reached = max((at for at, key in enumerate(keys) if key in given), default=len(keys))
        for at, (key, wanted) in enumerate(zip(keys, ranges, strict=True)):
            if self._asked.get(key) == link:
                del self._asked[key]
            is_stuck = self._logs.accepted(key).next_seq <= wanted.first
            if is_stuck and (key in given or (stage == STAGE_ALL and at <= reached)):
                peer.forget(key)
            elif stage != STAGE_ALL and at < reached and key in peer.ahead:
                peer.ahead[key] = stage + 1
        return self.ask_again(now_ms)
