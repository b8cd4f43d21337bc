"""Taking in, and giving, logs of which the records are gone: compact forms. Spec: section 10.6.

A node that holds a log in compact form answers a WANT of it with a checkpoint that sums it up.
Whoever asked then looks whether that is confirmed, by what it has or by what the other shows it
(QUERY, EVIDENCE); only then it asks for the forms (SEEK, FORMS). Each answer is proved under the
checkpoint's root. So nothing has to be kept aside, what arrived stays, whatever becomes of the
link, and the rest can come from somebody else, whole or compact.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import chain
from typing import Final, TypeAlias

from mycelia_protocol.clock import earliest
from mycelia_protocol.confirming import summed_up
from mycelia_protocol.errors import SessionError, SignatureError
from mycelia_protocol.events import Carried, Range, ReadRecords
from mycelia_protocol.form_events import EvidenceCarried, FormsCarried, ReadForms
from mycelia_protocol.form_frames import Evidence, FormFrame, Forms, Query, Seek
from mycelia_protocol.hearing import Hearing
from mycelia_protocol.limits import EVIDENCE_RECORDS_MAX, RUN_SIZE_MAX, WANT_TIMEOUT_MS
from mycelia_protocol.logs import Intake, LogKey, Logs
from mycelia_protocol.proven import is_other_branch, root_in, take_proven
from mycelia_protocol.record import Record
from mycelia_protocol.state import State
from mycelia_protocol.told import Say
from mycelia_protocol.types.acknowledge import Acknowledge
from mycelia_protocol.types.checkpoint import Checkpoint
from mycelia_protocol.types.vouch import Vouch

OFFERS_MAX: Final = 4_096  # checkpoints that one peer is remembered to have shown


@dataclass(frozen=True, slots=True)
class Proven:
    """Records of a log that a confirmed checkpoint proves, to be stored.

    Attributes:
        next_seq: once they are all, how far the peer told of the log; 0 before.
    """

    link: int
    key: LogKey
    intake: Intake
    next_seq: int


FormStep: TypeAlias = Say | Proven | ReadForms | ReadRecords


@dataclass(slots=True)
class _Peer:
    """One peer.

    Attributes:
        offers: log -> a checkpoint that sums it up, and how far the peer told of the log.
        question: what it owes an answer to, since when and until when (ms).
        asked: the offer on which a SEEK under way rests; a newer one may come meanwhile.
        pace_us: how long its last FORMS took for each record; a new peer is tried first.
        is_tardy: that time is over; others are asked, and it is not before it answered.
        serving: what it asked for, by token.
    """

    offers: dict[LogKey, tuple[Record, int]] = field(default_factory=dict)
    question: Seek | Query | None = None
    asked: tuple[Record, int] | None = None
    asked_ms: int = 0
    deadline_ms: int = 0
    pace_us: int = 0
    is_tardy: bool = False
    serving: int | None = None


class FormExchange:
    """Both sides of the exchange, for all peers."""

    def __init__(self, state: State, logs: Logs) -> None:
        self._state = state
        self._logs = logs
        self._hearing = Hearing(state)
        self._peers: dict[int, _Peer] = {}
        self._carried: dict[bytes, Record] = {}  # checkpoints that were brought, and seem confirmed
        self._serving: dict[int, tuple[int, Seek | list[bytes]]] = {}  # token -> link, what for
        self._next_token = -1  # WANT has those above 0
        self._confirmed: tuple[tuple[int, int], dict[LogKey, int]] = ((0, 0), {})
        self._sorted: tuple[tuple[int, int], list[bytes]] = ((0, 0), [])

    @property
    def due_ms(self) -> int | None:
        """When `timer` should next be called (ms), or None."""
        peers = self._peers.values()
        return earliest(
            self._hearing.due_ms,
            *(peer.deadline_ms for peer in peers if peer.question and not peer.is_tardy),
        )

    @property
    def is_hearing(self) -> bool:
        """Whether others are being asked about a checkpoint that seems confirmed."""
        return self._hearing.due_ms is not None

    def opened(self, link: int, member: bytes) -> None:
        """Begin with a member."""
        self._peers[link] = _Peer()
        self._hearing.opened(link, member)

    def closed(self, link: int, now_ms: int) -> list[FormStep]:
        """End with a member; what it was asked is asked of others."""
        if self._peers.pop(link, None) is None:
            return []
        self._hearing.closed(link)
        return self._ask_all(now_ms)

    def timer(self, now_ms: int) -> list[FormStep]:
        """Give up waiting for whoever is too slow."""
        for link, peer in self._peers.items():
            peer.is_tardy = peer.question is not None and now_ms >= peer.deadline_ms
            if peer.is_tardy and isinstance(peer.question, Query):
                self._hearing.give_up(link)
        return self._ask_all(now_ms)

    # --- what a log is offered as ---

    def detour(self, wanted: Range) -> Range:
        """Return what is read for a WANT: of what is compact here a checkpoint over it."""
        key = (wanted.author, wanted.log)
        if wanted.first >= self._logs.compact.get(key, 0):
            return wanted
        place = self._summed_up().get(key)
        return wanted if place is None else Range(*key, place, place)

    def _summed_up(self) -> dict[LogKey, int]:
        """Return the place of the checkpoint to offer of each log; kept till more come."""
        counts = (self._state.count(Checkpoint), self._state.count(Acknowledge))
        if counts != self._confirmed[0]:
            self._confirmed = (counts, summed_up(self._state, self._logs.compact))
        return self._confirmed[1]

    def came(
        self, link: int, records: Sequence[Record], told: dict[LogKey, int], now_ms: int
    ) -> list[FormStep]:
        """Look whether what came in answer to a WANT is a checkpoint in place of records."""
        peer = self._peers.get(link)
        for record in records:
            key = (record.author, record.log)
            is_beyond = record.seq > self._logs.accepted(key).next_seq
            if peer is None or record.kind != "checkpoint" or not is_beyond:
                continue
            if not self._state.is_member(record.author) or root_in(record) is None:
                continue
            if len(peer.offers) < OFFERS_MAX and self._logs.verifies(record):
                peer.offers[key] = (record, max(told.get(key, 0), record.seq + 1))
        return self._ask_all(now_ms)

    # --- frames ---

    def heard(self, link: int, frame: FormFrame, now_ms: int) -> list[FormStep]:
        """Take a frame.

        Raises:
            SessionError: it is not due.
            SignatureError: nothing authenticates what is in it.
        """
        peer = self._peers[link]
        if isinstance(frame, Seek | Query):
            return self._serve(link, peer, frame)
        asked, peer.question, peer.is_tardy = peer.question, None, False
        if isinstance(frame, Evidence):
            if not isinstance(asked, Query):
                raise SessionError("EVIDENCE that nobody asked for", requirement="CHECK-9")
            self._hearing.check(asked, frame)
            if not all(self._is_authentic(record) for record in frame.records):
                raise SignatureError("evidence without a good signature", code="forged")
            is_all = self._hearing.heard(link, asked, frame)
            return self._ask_all(now_ms) if is_all else self._ask(link, now_ms)
        if asked != frame.seek:
            raise SessionError("FORMS that nobody asked for", requirement="CHECK-9")
        return self._take(link, peer, frame, now_ms)

    def _take(self, link: int, peer: _Peer, forms: Forms, now_ms: int) -> list[FormStep]:
        """Take in what proves itself under the root of the checkpoint that was offered."""
        seek, key = forms.seek, (forms.seek.author, forms.seek.log)
        if peer.asked is None or not forms.records:
            peer.offers.pop(key, None)
            return self._ask_all(now_ms)
        checkpoint, told = peer.asked
        before = self._logs.accepted(key).next_seq
        try:
            intake = take_proven(self._state, self._logs, checkpoint, forms.records, forms.proof)
        except SignatureError:
            peer.offers.pop(key, None)
            raise
        if self._logs.accepted(key).next_seq == before:  # the other branch of a log
            peer.offers.pop(key, None)
        is_all = self._logs.accepted(key).next_seq >= seek.until
        peer.pace_us = (now_ms - peer.asked_ms) * 1_000 // len(forms.records)
        return [Proven(link, key, intake, told if is_all else 0), *self._ask_each(now_ms)]

    def _is_authentic(self, record: Record) -> bool:
        """Return whether the author of evidence wrote it; what others showed was checked then."""
        return self._hearing.testimony.knows(record.id) or self._logs.verifies(record)

    # --- asking ---

    def _ask_all(self, now_ms: int) -> list[FormStep]:
        offers = (peer.offers.values() for peer in self._peers.values())
        offered = (each for some in offers for each, _ in some)
        self._hearing.judge(chain(offered, self._carried.values()), now_ms)
        return self._ask_each(now_ms)

    def _ask_each(self, now_ms: int) -> list[FormStep]:
        """Ask the peers, the quickest first: else one could hold back a log drop by drop."""
        paces = sorted((peer.pace_us, link) for link, peer in self._peers.items())
        return [step for _, link in paces for step in self._ask(link, now_ms)]

    def _ask(self, link: int, now_ms: int) -> list[FormStep]:
        """Ask a peer for the next part of some log, or for what confirms its checkpoints."""
        peer = self._peers.get(link)
        if peer is None or peer.question is not None:
            return []
        awaited = self._hearing.question(link, now_ms, is_offering=False)
        if awaited is not None:  # before forms, of which there may be hours
            return self._put(link, peer, awaited, now_ms)
        others = [each.question for each in self._peers.values() if not each.is_tardy]
        busy = {(each.author, each.log) for each in others if isinstance(each, Seek)}
        is_waiting = False
        for key, offer in list(peer.offers.items()):
            checkpoint = offer[0]
            next_seq = self._logs.accepted(key).next_seq
            if next_seq >= checkpoint.seq or self._logs.is_contested(key):
                del peer.offers[key]
            elif key in busy:
                continue
            elif self._hearing.believes(checkpoint):
                seek = Seek(*key, checkpoint.seq, max(0, next_seq - 1))
                peer.asked = offer
                return self._put(link, peer, seek, now_ms)
            else:
                is_waiting = True
        question = self._hearing.question(link, now_ms, is_offering=is_waiting)
        return [] if question is None else self._put(link, peer, question, now_ms)

    def _put(self, link: int, peer: _Peer, question: Seek | Query, now_ms: int) -> list[FormStep]:
        peer.question, peer.asked_ms = question, now_ms
        peer.deadline_ms = now_ms + WANT_TIMEOUT_MS
        return [Say(link, question)]

    # --- what is carried by hand ---

    def carried_evidence(
        self, event: EvidenceCarried, now_ms: int
    ) -> tuple[Carried, list[FormStep]]:
        """Take in what a bundle shows of who confirmed what, and say how much of it is forged."""
        ours = [each for each in event.records if each.commons == self._state.commons]
        good = [each for each in ours if self._is_authentic(each)]
        testimony = self._hearing.testimony
        is_all = testimony.note_carried(event.bundle, event.place, good, is_last=event.is_last)
        answer = Carried(event.token, refused=len(event.records) - len(good))
        return answer, self._ask_all(now_ms) if is_all else []

    def carried(self, event: FormsCarried, now_ms: int) -> tuple[Intake, Carried, list[FormStep]]:
        """Check part of a log that somebody brought; return what is new, and the answer for later.

        The rules are those for FORMS of a peer, save that nobody answers for them. The first record
        of a part that goes on is the last of the one before, and not counted again.
        """
        checkpoint, records = event.checkpoint, event.records
        rows = records[1:] if event.first else records
        known = sum(map(self._logs.holds, rows))
        left, key = len(rows) - known, (checkpoint.author, checkpoint.log)
        answer = partial(Carried, event.token, known=known)
        is_ours = checkpoint.commons == self._state.commons
        if not left:
            return Intake(), answer(), []
        if not is_ours or root_in(checkpoint) is None or not self._logs.verifies(checkpoint):
            return Intake(), answer(refused=left), []
        if not self._state.is_member(checkpoint.author):
            return Intake(), answer(strangers=left), []
        if self._logs.is_contested(key) or is_other_branch(self._logs, records):
            return Intake(), answer(contested=left), []
        steps = self._hear_about(checkpoint, now_ms)
        if not self._hearing.believes(checkpoint):
            return Intake(), answer(unconfirmed=left), steps
        try:
            intake = take_proven(self._state, self._logs, checkpoint, records, event.proof)
        except SignatureError:
            return Intake(), answer(refused=left), steps
        if self._logs.accepted(key).next_seq >= checkpoint.seq:
            self._carried.pop(checkpoint.id, None)
        gaps = 0 if intake.accepted else left
        return intake, answer(new=len(intake.accepted), gaps=gaps), steps

    def _hear_about(self, checkpoint: Record, now_ms: int) -> list[FormStep]:
        """Ask all with whom this node is linked about a checkpoint that somebody brought.

        As about one that a peer offers: only if it seems confirmed.
        """
        hearing = self._hearing
        if hearing.believes(checkpoint) or not hearing.testimony.confirms(checkpoint):
            return []
        self._carried[checkpoint.id] = checkpoint
        if len(self._carried) > OFFERS_MAX:
            del self._carried[next(iter(self._carried))]
        return self._ask_all(now_ms)

    # --- answering ---

    def _serve(self, link: int, peer: _Peer, asked: Seek | Query) -> list[FormStep]:
        if peer.serving is not None:
            raise SessionError("several SEEK or QUERY at once", code="rate")
        if isinstance(asked, Seek) and (asked.author, asked.log) not in self._logs.compact:
            return [Say(link, Forms(asked, (), ()))]  # WANT brings it, at less cost
        token, self._next_token = self._next_token, self._next_token - 1
        peer.serving = token
        if isinstance(asked, Seek):
            self._serving[token] = (link, asked)
            place = (asked.author, asked.log, asked.until, asked.first)
            return [ReadForms(token, *place, RUN_SIZE_MAX, is_proved=True)]
        begin = 0 if asked.after is None else bisect_right(self._evidence(), asked.after)
        ids = self._evidence()[begin : begin + EVIDENCE_RECORDS_MAX + 1]
        self._serving[token] = (link, ids)
        shown = map(self._state.statement, ids[:EVIDENCE_RECORDS_MAX])
        places = ((one.author, one.log, one.order[2]) for one in shown if one is not None)
        ranges = tuple(Range(author, log, seq, seq) for author, log, seq in places)
        return [ReadRecords(token, ranges, RUN_SIZE_MAX)]

    def _evidence(self) -> list[bytes]:
        """Return the ids of what is shown in answer to QUERY, sorted; they are kept till more come.

        A little too old they cost whoever asks another question, and nothing else.
        """
        counts = (self._state.count(Vouch), self._state.count(Acknowledge))
        if counts != self._sorted[0]:
            found = [*self._state.every(Vouch), *self._state.every(Acknowledge)]
            self._sorted = (counts, sorted(one.id for one in found))
        return self._sorted[1]

    def read(
        self, token: int, records: tuple[Record, ...], proof: tuple[bytes, ...] = ()
    ) -> list[FormStep]:
        """Answer with what the store gave."""
        link, asked = self._serving.pop(token)
        peer = self._peers.get(link)
        if peer is None:
            return []
        peer.serving = None
        if isinstance(asked, Seek):
            return [Say(link, Forms(asked, records, proof))]
        shown = {each.id: each for each in records if each.signature is not None}
        here = [id_ for id_ in asked[:EVIDENCE_RECORDS_MAX] if id_ in shown]
        last = asked[:EVIDENCE_RECORDS_MAX][-1:]
        is_cut = bool(here) and here[-1:] != last  # what follows may have found no room
        after = here[-1:] if is_cut else last
        is_last = not is_cut and len(asked) <= EVIDENCE_RECORDS_MAX
        found = tuple(shown[id_] for id_ in here)
        return [Say(link, Evidence(found, None if is_last else after[0]))]
