"""Bringing two stores together: compare them, and tell heads. Spec: section 10.

Theory of operation. When a session opens, the two sides compare what they hold (`compare.py`) and
tell the heads in which they may differ. Who is behind asks for ranges (WANT) and gets one RECORDS
for each. After that only changed heads are told, gathered for a moment and left out where the peer
told more itself or was given as much; and now and then a node compares with one random neighbour
once more, so that a lost telling heals. Heads of what is pushed through the commons (`spread.py`)
are announced instead: whoever lacks it waits for the push before it asks.

What is asked of whom is in `asking.py`.
"""

from collections.abc import Callable, Iterable, Sequence

from mycelia_protocol.asking import Asker
from mycelia_protocol.clock import earliest
from mycelia_protocol.compare import Compare, Finding
from mycelia_protocol.errors import SessionError
from mycelia_protocol.limits import (
    GRAFT_DELAY_MAX_MS,
    INT_MAX,
    PEER_HEADS_MAX,
    PRESENCE_ROUND_MS,
    PROGRESS_INTERVAL_MS,
    PROGRESS_RECORDS_MIN,
    RECONCILE_INTERVAL_MS,
    STRANGER_HEADS_MAX,
)
from mycelia_protocol.local_health import LocalHealth
from mycelia_protocol.logs import LogKey, Logs
from mycelia_protocol.messages import Buckets, Changes, Digest, HeadEntry, Heads, TaggedHead, Want
from mycelia_protocol.record import Record
from mycelia_protocol.rng import Rng
from mycelia_protocol.telling import Telling
from mycelia_protocol.told import Peer, Say, change_frames, head_frames
from mycelia_protocol.trips import Trips


class Reconcile:
    """Keeps this node's logs level with its neighbours'."""

    def __init__(
        self,
        logs: Logs,
        is_member: Callable[[bytes], bool],
        rng: Rng,
        parts_at: Callable[[LogKey], int | None] = lambda _: None,
        is_spent: Callable[[bytes, int], bool] = lambda _author, _now_ms: False,
        health: LocalHealth | None = None,
    ) -> None:
        self._logs = logs
        self._is_member = is_member
        self._parts_at = parts_at  # the least seq at which a log is proven to part
        self._rng = rng
        self._health = health or LocalHealth()
        self._telling = Telling(logs, parts_at, rng)
        self._compare = Compare(self._telling.held, logs.stored_at)
        self._peers: dict[int, Peer] = {}
        self._asker = Asker(logs, self._peers, is_member, parts_at, is_spent, self._health)
        self._round_ms: int | None = None
        self._doubt_ms = 0  # before that no neighbour's word leads to a round of its own

    @property
    def due_ms(self) -> int | None:
        """When `timer` should next be called (ms), or None."""
        round_ms = self._round_ms if self._peers else None
        return earliest(self._telling.due_ms, round_ms, self._asker.due_ms)

    def told_by(self, link: int) -> dict[LogKey, int]:
        """Return what a peer holds, as far as it told: next_seq by log."""
        peer = self._peers.get(link)
        return peer.told if peer else {}

    def worth_keeping(self, link: int) -> dict[LogKey, int]:
        """Return what a member told of logs that are here.

        Others are of no use for a bundle, and anybody can tell of logs that nobody has.
        """
        peer = self._peers.get(link)
        told = peer.told if peer is not None and self._is_member(peer.member) else {}
        return {log: next_seq for log, next_seq in told.items() if self._logs.stored(log).next_seq}

    def has_told_all(self, link: int) -> bool:
        """Return whether a peer has told all that it holds, once for each such telling.

        If there was no room for some of it, it has not, as far as anybody here knows.
        """
        peer = self._peers.get(link)
        if peer is None or not peer.has_told_all:
            return False
        is_cut, peer.has_told_all, peer.is_cut = peer.is_cut, False, False
        return not is_cut

    def progress(self, link: int) -> tuple[int, int]:
        """Return how many of the records that a peer had ahead are here, and how many it had."""
        peer = self._peers.get(link)
        if peer is None or not peer.goal:
            return 0, 0
        return self._progress(peer)

    def progressed(self, link: int, now_ms: int) -> tuple[int, int]:
        """Return the same as records come; where many logs lack, no more than once a second."""
        peer = self._peers.get(link)
        if peer is None or peer.goal < PROGRESS_RECORDS_MIN:
            return 0, 0
        is_many = len(peer.ahead) + len(peer.strange) > PROGRESS_RECORDS_MIN
        if is_many and now_ms < peer.counted_ms + PROGRESS_INTERVAL_MS:
            return 0, 0
        peer.counted_ms = now_ms
        return self._progress(peer)

    def _progress(self, peer: Peer) -> tuple[int, int]:
        return max(0, peer.goal - self._asker.behind(peer)), peer.goal

    def opened(
        self, link: int, key: bytes, session: bytes, now_ms: int, trip_ms: int | None = None
    ) -> list[Say]:
        """Begin with a peer whose session is ready; `session` is its hash."""
        self._peers[link] = Peer(key, trips=Trips(trip_ms))
        self._make_room(self._peers[link])
        if self._round_ms is None:
            self._schedule_round(now_ms)
        return [Say(link, self._compare.opened(link, key, session))]

    def closed(self, link: int, now_ms: int) -> list[Say]:
        """Forget a peer; what it was asked is asked of others."""
        if self._peers.pop(link, None) is None:
            return []
        self._compare.closed(link)
        return _said(self._asker.closed(link, now_ms))

    def heads_told(self, link: int, heads: Heads, now_ms: int) -> list[Say]:
        """Take in what a peer holds."""
        known = len(self._peers[link].ahead)
        for entry in heads.entries:
            key = (entry.author, entry.log)
            self._asker.look_at(link, key, self._peers[link].note_stored(key, entry.next_seq))
            self._asker.doubt(link, entry)
        if heads.complete:
            self._asker.told_all(link, known)
        return _said(self._asker.ask(link, now_ms))

    def compared(self, link: int, message: Digest | Buckets | Changes, now_ms: int) -> list[Say]:
        """Take in by how much a peer's store differs; tell the heads in which it may.

        Raises:
            SessionError: the frame is not due.
        """
        if isinstance(message, Changes):
            return self.heads_told(link, self._compare.changes_came(link, message), now_ms)
        if isinstance(message, Digest):
            self._peers[link].trips.came_back(now_ms)
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
            peer.has_told_all, peer.is_cut, peer.goal = True, False, 0
        if finding.is_same or finding.differing is None:
            return []
        fresh = [
            entry
            for entry in self._telling.entries(finding.differing)
            if not peer.has_told(entry) or self._parts_at((entry.author, entry.log)) is not None
        ]
        peer.rows.spend(len(fresh))
        if finding.table is not None:
            return [Say(link, frame) for frame in change_frames(fresh, finding.table)]
        chunks = head_frames(fresh) or [()]
        return [Say(link, Heads(chunk, chunk is chunks[-1])) for chunk in chunks]

    def _make_room(self, peer: Peer) -> None:
        """Remember less of who showed vouches of which nobody else heard: it has any number."""
        is_member = self._is_member(peer.member)
        peer.heads_max = PEER_HEADS_MAX if is_member else STRANGER_HEADS_MAX

    def mark(self) -> bytes:
        """Return the short digest of the heads in the store."""
        return self._telling.held().mark

    def doubt_store(self, link: int, mark: bytes, now_ms: int) -> list[Say]:
        """Compare with a neighbour once more if somebody's store, told by it, holds other heads.

        While heads move here that shows nothing: what moved may be what differs.
        """
        if self._telling.mark in (None, mark) or now_ms < self._doubt_ms:
            return []
        self._doubt_ms = now_ms + PRESENCE_ROUND_MS
        return self._compare_again(link, now_ms)

    def _compare_again(self, link: int, now_ms: int) -> list[Say]:
        """Return what begins another comparison, unless one is under way, or too much was told."""
        rows = self._peers[link].rows
        rows.renew(now_ms)
        digests = [] if rows.is_spent else self._compare.again(link)
        if digests:
            self._peers[link].trips.left(now_ms)
        return [Say(link, digest) for digest in digests]

    def graft_delay_ms(self, link: int) -> int:
        """Return how long to wait for what a peer announced before asking it for that."""
        delay_ms = self._health.stretched(self._peers[link].trips.graft_delay_ms)
        return min(GRAFT_DELAY_MAX_MS, delay_ms)

    def announced(self, link: int, entries: Iterable[HeadEntry | TaggedHead]) -> list[LogKey]:
        """Take in what a peer holds; return the logs that it holds further than they are here."""
        behind: list[LogKey] = []
        for entry in map(self._resolved, entries):
            if entry is None:
                continue
            key = (entry.author, entry.log)
            if self._asker.is_further(key, self._peers[link].note_stored(key, entry.next_seq)):
                behind.append(key)
            self._asker.doubt(link, entry)
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
            self._asker.look_at(link, key, peer.told.get(key, 0))
        return _said(self._asker.ask(link, now_ms))

    def records_pushed(self, link: int, key: LogKey, next_seq: int) -> None:
        """Note that a peer evidently has a log up to here."""
        self._asker.look_at(link, key, self._peers[link].note_pushed(key, next_seq))

    def gave(self, link: int, key: LogKey, next_seq: int) -> None:
        """Note that a log was pushed to a peer up to here."""
        self._peers[link].given[key] = next_seq

    def given_to(self, link: int) -> dict[LogKey, int]:
        """Return what was pushed to a peer: next_seq by log."""
        return self._peers[link].given

    def missed(self, link: int, key: LogKey, next_seq: int, now_ms: int) -> list[Say]:
        """Note that records came which leave a gap; ask the peer for what lies before them."""
        self.records_pushed(link, key, next_seq)
        return _said(self._asker.ask(link, now_ms))

    def suspect(
        self, link: int, key: LogKey, seq: int, now_ms: int, last: int | None = None
    ) -> list[Say]:
        """Ask a peer for its record at one place, or for all up to `last`, whatever it told."""
        return _said(self._asker.suspect(link, key, seq, now_ms, last))

    def check_answer(self, link: int, records: Iterable[Record]) -> None:
        """See that a peer owes an answer to a WANT, and that these records are one.

        Raises:
            SessionError: nobody asked for them.
        """
        askings = self._peers[link].askings
        firsts: dict[LogKey, int] = {}
        for wanted in askings[0].ranges if askings else ():
            key = (wanted.author, wanted.log)
            firsts[key] = min(wanted.first, firsts.get(key, wanted.first))
        is_one = all(each.seq >= firsts.get((each.author, each.log), INT_MAX) for each in records)
        if not askings or not is_one:
            raise SessionError("RECORDS that nobody asked for", requirement="REP-3")

    def answered(self, link: int, records: Sequence[Record], now_ms: int) -> list[Say]:
        """Note that the RECORDS for the oldest WANT came and was taken in."""
        return _said(self._asker.answered(link, records, now_ms))

    def ask_everyone(self, now_ms: int) -> list[Say]:
        """Look again at what every peer told: the roster grew, and strangers became members."""
        for peer in self._peers.values():
            self._make_room(peer)
        return _said(self._asker.admit_strangers(now_ms))

    def stored(self, keys: Iterable[LogKey], now_ms: int, *, is_spread: bool = False) -> None:
        """Note whose heads moved in the store; they are told soon, together.

        Args:
            is_spread: what was stored is pushed through the commons, so heads are only announced.
        """
        self._telling.stored(keys, self._peers.values(), now_ms, is_spread=is_spread)

    def forgive(self, late_ms: int) -> None:
        """Give all who are to answer so much more time: this node was busy for so long."""
        self._asker.forgive(late_ms)

    def store_failed(self, now_ms: int) -> None:
        """Note that accepted records were not written, and that nobody will tell of them anew."""
        self._asker.store_failed(now_ms)

    def timer(self, now_ms: int) -> list[Say]:
        """Do what is due."""
        sendings: list[Say] = []
        tell_ms = self._telling.due_ms
        if tell_ms is not None and now_ms >= tell_ms:
            told = self._telling.take(sorted(self._peers.items()), now_ms)
            sendings.extend(Say(link, frame) for link, frame in told)
        if self._round_ms is not None and now_ms >= self._round_ms:
            self._schedule_round(now_ms)
            if self._peers:
                link = self._choose()
                sendings.extend(self._compare_again(link, now_ms))
        return sendings + _said(self._asker.timer(now_ms))

    def _choose(self) -> int:
        """Return a random peer's link."""
        links = sorted(self._peers)
        return links[int(self._rng.random() * len(links))]

    def _schedule_round(self, now_ms: int) -> None:
        low, high = RECONCILE_INTERVAL_MS // 2, RECONCILE_INTERVAL_MS * 3 // 2
        self._round_ms = now_ms + low + int(self._rng.random() * (high - low))


def _said(wants: Iterable[tuple[int, Want]]) -> list[Say]:
    """Return what sends WANTs."""
    return [Say(link, want) for link, want in wants]
