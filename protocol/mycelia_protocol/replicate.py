"""Getting records to and from members: what is pushed, asked, answered, stored. Spec: section 10.

Records that arrive are checked (`Logs`) and given to the store in numbered batches. Pushed ones are
passed on at once along their author's tree (`Spread`), but to no neighbour that evidently holds
them; those that came by RECORDS are not, since their heads are told once they are stored. An own
batch is pushed when the store has it.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from mycelia_protocol.allowances import Allowances, Repeats
from mycelia_protocol.attendance import Attendance
from mycelia_protocol.carried import take_carried
from mycelia_protocol.clock import earliest
from mycelia_protocol.erasures import Erasures
from mycelia_protocol.errors import RecordError, RemoteError, SessionError, SignatureError
from mycelia_protocol.events import (
    Carried,
    Notify,
    Output,
    Range,
    ReadRecords,
    Source,
    StoreRecords,
)
from mycelia_protocol.forks import AskPeer, Move, Proof, Search
from mycelia_protocol.limits import READS_PER_LINK_MAX, RECONCILE_INTERVAL_MS, RUN_SIZE_MAX
from mycelia_protocol.local_health import LocalHealth
from mycelia_protocol.logs import LogKey, Logs
from mycelia_protocol.messages import (
    Announce,
    Buckets,
    Changes,
    Digest,
    Graft,
    Heads,
    Message,
    Prune,
    Push,
    Records,
    Want,
)
from mycelia_protocol.notices import ForkSeen
from mycelia_protocol.presence import Presence
from mycelia_protocol.pushing import Pusher
from mycelia_protocol.reconcile import Reconcile
from mycelia_protocol.record import Record
from mycelia_protocol.rng import Rng
from mycelia_protocol.runs import heights, named_ranges, runs
from mycelia_protocol.spread import Spread
from mycelia_protocol.stages import Clip
from mycelia_protocol.told import Say
from mycelia_protocol.words import Words


@dataclass(frozen=True, slots=True)
class Fault:
    """A member broke a rule: its link is to be closed. What was good has been taken in."""

    link: int
    error: RemoteError


Step: TypeAlias = Say | Fault | Proof | Output


@dataclass(frozen=True, slots=True)
class Batch:
    """Records that are with the store, and the answer to whoever brought them by hand.

    Attributes:
        is_spread: they are pushed through the commons, so their heads are only announced.
        is_again: they are stored already; they bring words that were missing.
    """

    records: tuple[Record, ...]
    is_own: bool
    is_spread: bool
    answer: Carried | None = None
    is_again: bool = False


class Replicate:
    """Owns `Logs`, `Reconcile` and `Spread` and what is between them and the store."""

    def __init__(
        self,
        commons: bytes,
        is_member: Callable[[bytes], bool],
        rng: Rng,
        logs: Logs,
        parts_at: Callable[[LogKey], int | None] = lambda _: None,
        clip: Clip = lambda ranges, _stage, _now_ms: ranges,
        attendance: Attendance | None = None,
    ) -> None:
        self.logs = logs
        self._clip = clip  # leaves of what is asked for what belongs to the stage
        self._search = Search(logs, parts_at)
        self.allowances = Allowances()
        self._repeats = Repeats()
        is_spent = self.allowances.is_spent
        self._health = LocalHealth()
        self.reconcile = Reconcile(logs, is_member, rng, parts_at, is_spent, self._health)
        self.erasures = Erasures()
        self._spread = Spread()
        self._pusher = Pusher(self._spread, self.reconcile)
        self._words = Words(attendance, self._spread, self._pusher, self.reconcile, is_member)
        self._rng = rng
        self._words_ms = 0  # before that nobody is asked for words that are missing
        self._commons = commons
        self._is_member = is_member
        self._links: dict[int, bytes] = {}  # to the member at its other end; in order of number
        self._batches: dict[int, Batch] = {}
        self._doomed: dict[int, Batch] = {}
        self._next_batch = 1
        self._reads: dict[int, int] = {}  # read token -> link that asked
        self._own_reads: dict[int, LogKey] = {}  # read token -> log of which the own end is read
        self._next_read = 1

    @property
    def due_ms(self) -> int | None:
        """When `timer` should next be called (ms), or None."""
        return earliest(self.reconcile.due_ms, self._spread.due_ms, self._words.due_ms)

    def timer(self, now_ms: int) -> list[Step]:
        """Do what is due."""
        if late_ms := self._health.woke(self.due_ms, now_ms):
            self.reconcile.forgive(late_ms)
            self._spread.forgive(late_ms)
        steps: list[Step] = [*self.reconcile.timer(now_ms), *self._seek_words(now_ms)]
        for link, keys in self._spread.overdue(now_ms):
            asked = self.reconcile.pursue(link, keys, now_ms)
            steps.extend(asked)
            wants = [say.message for say in asked if isinstance(say.message, Want)]
            ranges = [wanted for want in wants for wanted in want.ranges]
            authors = [wanted.author for wanted in ranges if isinstance(wanted, Range)]
            steps.extend(self._spread.graft(link, authors, now_ms))
        return [*steps, *self._words.speak(now_ms)]

    def rest(self, now_ms: int) -> list[Step]:
        """Say that this node is about to stop."""
        return [*self._words.speak(now_ms, is_resting=True)]

    # --- links ---

    def opened(
        self, link: int, key: bytes, session: bytes, now_ms: int, trip_ms: int | None = None
    ) -> list[Step]:
        """Begin with a member; `session` is the hash of its session."""
        self._links = dict(sorted([*self._links.items(), (link, key)]))
        self._pusher.opened(link)
        self._spread.opened(link)
        self._words.opened(now_ms)
        return [*self.reconcile.opened(link, key, session, now_ms, trip_ms)]

    def closed(self, link: int, now_ms: int) -> list[Step]:
        """End with a member."""
        key = self._links.pop(link, None)
        if key is not None:
            self._words.closed(key, now_ms, is_last=not self._links)
        self._pusher.closed(link)
        self._search.closed(link)
        return [*self._spread.closed(link, now_ms), *self.reconcile.closed(link, now_ms)]

    def filled(self, link: int, *, is_full: bool) -> None:
        """Note whether so much waits on a link that nothing is to be pushed there."""
        self._pusher.filled(link, is_full=is_full)

    def heard(self, link: int, message: Message, now_ms: int) -> list[Step]:
        """Take a frame of a member."""
        try:
            return self._answer(link, message, now_ms)
        except RemoteError as error:
            return [Fault(link, error)]

    def _answer(self, link: int, message: Message, now_ms: int) -> list[Step]:
        """Do what a frame asks for.

        Raises:
            RemoteError: the frame breaks a rule, and nothing of it was taken in.
        """
        match message:
            case Heads():
                return [*self.reconcile.heads_told(link, message, now_ms)]
            case Digest() | Buckets() | Changes():
                return [*self.reconcile.compared(link, message, now_ms)]
            case Want():
                if Counter(self._reads.values())[link] >= READS_PER_LINK_MAX:
                    raise SessionError("too many WANTs at once", code="rate")
                token = self._new_read()
                self._reads[token] = link
                named = tuple(named_ranges(self.logs, message.ranges))
                clipped = self._clip(named, message.stage, now_ms)
                return [ReadRecords(token, clipped, RUN_SIZE_MAX)]
            case Records(records):
                self.reconcile.check_answer(link, records)
                steps = self._take(link, records, now_ms)
                return [*steps, *self.reconcile.answered(link, records, now_ms)]
            case Push(records):
                repeated = sum(map(self.logs.holds, records))
                self._repeats.take(self._links[link], repeated, now_ms)
                return self._take(link, records, now_ms, relay=True)
            case Announce(entries):
                behind = self.reconcile.announced(link, entries)
                delay_ms = self.reconcile.graft_delay_ms(link)
                self._spread.announced(link, behind, now_ms, delay_ms)
                return []
            case Prune(authors):
                self._spread.spare(link, filter(self._is_member, authors))
                return []
            case Graft(authors):
                self._spread.push_again(link, authors)
                return []
            case Presence():
                return [*self._words.came(link, message, now_ms)]
            case _:
                raise SessionError(f"{type(message).__name__} is not for members")

    def carried(self, token: int, records: tuple[Record, ...]) -> list[Step]:
        """Take in records that somebody brought by hand; their heads are told once stored.

        Nobody is held responsible for them: whoever carries a bundle need not be able to read it.
        """
        intake, answer = take_carried(self.logs, token, records, self._commons, self._is_member)
        steps = [*self._fill(records), *_fork_notices(intake.forks)]
        steps += self._search_on(self._search.came(None, records, 0), 0)
        if not intake.accepted:
            return [*steps, answer]
        return [*steps, *self.store(tuple(intake.accepted), answer=answer)]

    # --- the store ---

    def store(
        self,
        records: tuple[Record, ...],
        *,
        is_own: bool = False,
        is_spread: bool = False,
        source: Source | None = None,
        answer: Carried | None = None,
        is_again: bool = False,
    ) -> list[Step]:
        """Give records to the store; `source` is whom they came from, if over a link."""
        if not records:
            return []
        records, erased = self.erasures.admit(records)
        number, self._next_batch = self._next_batch, self._next_batch + 1
        self._repeats.note_news(len(records))
        self._batches[number] = Batch(records, is_own, is_own or is_spread, answer, is_again)
        return [StoreRecords(number, records, source, erased)]

    def stored(self, number: int, now_ms: int) -> tuple[Batch, list[Step]]:
        """Note that a batch is on disk; an own one is pushed to everybody."""
        batch = self._batches.pop(number)
        self.logs.confirm(batch.records)
        keys = {(record.author, record.log) for record in batch.records}
        self.reconcile.stored(keys, now_ms, is_spread=batch.is_spread)
        steps: list[Step] = [] if batch.answer is None else [batch.answer]
        if batch.is_own:
            self._spread.came(None, batch.records[0].author)
            steps.extend(self._pusher.push(list(batch.records), None, now_ms))
        return batch, steps

    def failed(self, number: int, now_ms: int) -> tuple[Batch, bool]:
        """Note that a batch was not written; all that are with the store fail with it.

        Returns:
            The batch, and whether it is the first of the failure.
        """
        is_first = number not in self._doomed
        batch = (self._batches if is_first else self._doomed).pop(number)
        if batch.is_again:
            self.erasures.not_written(batch.records)
        if not is_first:
            return batch, False
        self._doomed, self._batches = self._batches, {}
        self.logs.forget_unstored()
        self.reconcile.store_failed(now_ms)
        return batch, True

    def read(self, token: int, records: tuple[Record, ...]) -> list[Step]:
        """Answer a WANT with what the store gave, or prove a fork with it."""
        if token in self._own_reads:
            proof = self._search.read(self._own_reads.pop(token), records)
            return [] if proof is None else [proof]
        link = self._reads.pop(token)
        return [Say(link, Records(runs(records)))] if link in self._links else []

    # --- inside ---

    def _new_read(self) -> int:
        token, self._next_read = self._next_read, self._next_read + 1
        return token

    def _search_on(self, moves: list[Move], now_ms: int) -> list[Step]:
        """Do what the search for the place of a fork needs next."""
        steps: list[Step] = []
        for move in moves:
            if isinstance(move, AskPeer):
                steps += self.reconcile.suspect(move.link, move.key, move.seq, now_ms)
                continue
            token = self._new_read()
            self._own_reads[token] = move.key
            wanted = Range(*move.key, move.seq, move.seq)
            steps.append(ReadRecords(token, (wanted,), RUN_SIZE_MAX))
        return steps

    def _take(
        self, link: int, records: tuple[Record, ...], now_ms: int, *, relay: bool = False
    ) -> list[Step]:
        """Check and store records of a peer, and pass them on if they were pushed.

        Records of strangers are left aside, since their vouch may be on its way, and those of who
        writes too much at once; the peer's heads bring them again.

        Raises:
            RecordError: a record is of another commons or comes without its body.
        """
        for record in records:
            if record.commons != self._commons:
                raise RecordError("a record of another commons", requirement="REC-3")
            if record.body is None:
                raise RecordError("a record without its body", requirement="REC-9")
        steps = self._fill(records)
        if relay:
            records = tuple(filter(self._has_words, records))
            self._spread.crossed(link, self._crossing(link, records))
        authors = {record.author for record in records}
        if relay and all(self.logs.holds(record) for record in records):
            for key, next_seq in heights(records).items():
                self.reconcile.records_pushed(link, key, next_seq)
            return [*steps, *self._spread.came_again(link, authors, now_ms)]
        welcome = {author for author in authors if self._is_welcome(author, now_ms)}
        intake = self.logs.take(record for record in records if record.author in welcome)
        self.allowances.take(intake.accepted, now_ms)
        steps += _fork_notices(intake.forks)
        steps += self._search_on(self._search.came(link, records, now_ms), now_ms)
        for key, next_seq in heights(records).items():
            if not intake.forged:
                self.reconcile.records_pushed(link, key, next_seq)
        source = Source(link, self._links[link])
        accepted = self.erasures.strip(intake.accepted)
        steps.extend(self.store(tuple(accepted), is_spread=relay, source=source))
        if relay:
            for author in {record.author for record in intake.accepted}:
                self._spread.came(link, author)
            steps.extend(self._pusher.push(accepted, link, now_ms))
        for key in sorted(intake.missing):
            steps.extend(self.reconcile.missed(link, key, intake.missing[key] + 1, now_ms))
        if intake.forged:
            forged = intake.forged[0]
            reason = f"nothing authenticates record {forged.seq} of a log"
            error = SignatureError(reason, code="forged", requirement="LOG-2")
            steps.append(Fault(link, error))
        return steps

    def _fill(self, records: tuple[Record, ...]) -> list[Step]:
        """Store records once more that bring missing words, and no signature unchecked."""
        brings = self.erasures.brings_words
        fuller = (each for each in records if brings(each) and self.logs.holds(each))
        good = (each for each in fuller if each.signature is None or self.logs.verifies(each))
        return self.store(tuple(good), is_again=True)

    def _is_welcome(self, author: bytes, now_ms: int) -> bool:
        """Return whether records of an author are taken now."""
        return self._is_member(author) and not self.allowances.is_spent(author, now_ms)

    def _has_words(self, record: Record) -> bool:
        """Return whether a record is as its author wrote it, or as it wants it to be now."""
        key = (record.author, record.log)
        return record.is_whole or self.erasures.is_erased(key, record.seq)

    def _seek_words(self, now_ms: int) -> list[Step]:
        """Ask somebody for records whose words are missing without their author's wish."""
        if self.erasures.is_complete or not self._links or now_ms < self._words_ms:
            return []
        self._words_ms = now_ms + RECONCILE_INTERVAL_MS
        link = sorted(self._links)[int(self._rng.random() * len(self._links))]
        some = self.erasures.next_missing()
        key = (some.author, some.log)
        return [*self.reconcile.suspect(link, key, some.first, now_ms, some.last)]

    def _crossing(self, link: int, records: tuple[Record, ...]) -> set[bytes]:
        """Return the authors of pushed records that were pushed to that peer, too."""
        given = self.reconcile.given_to(link)
        return {
            record.author
            for record in records
            if given.get((record.author, record.log), 0) > record.seq and self.logs.holds(record)
        }


def _fork_notices(forks: list[Record]) -> list[Step]:
    """Return a notice for each log that forked."""
    firsts = {(record.author, record.log): record for record in reversed(forks)}
    return [Notify(ForkSeen(*key, firsts[key].seq)) for key in sorted(firsts)]
