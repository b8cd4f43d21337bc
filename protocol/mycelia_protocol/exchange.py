"""All that goes to and fro with members about records: whole, compact, and what is let go of.

Three machines. `Replicate` gets and gives records; `FormExchange` what stands for records that are
gone; `Shortener` says which may go here.
"""

from collections.abc import Iterable
from typing import Final

from mycelia_protocol.attendance import Attendance
from mycelia_protocol.clock import earliest
from mycelia_protocol.errors import RemoteError
from mycelia_protocol.events import Range, RecordsCarried, RecordsRead, Source
from mycelia_protocol.form_events import (
    CompactLoaded,
    EvidenceCarried,
    FormsCarried,
    FormsRead,
    Shortened,
)
from mycelia_protocol.form_frames import Evidence, Forms, Query, Seek
from mycelia_protocol.forms import FormExchange, FormStep, Proven
from mycelia_protocol.logs import Intake, Logs
from mycelia_protocol.messages import Message, Records
from mycelia_protocol.options import Options
from mycelia_protocol.record import Record
from mycelia_protocol.replicate import Fault, Replicate, Step
from mycelia_protocol.rng import Rng
from mycelia_protocol.shortening import Shortener
from mycelia_protocol.stages import Stages
from mycelia_protocol.state import State


class Exchange:
    """Owns `Replicate`, `FormExchange` and `Shortener`."""

    def __init__(
        self,
        state: State,
        logs: Logs,
        rng: Rng,
        key: bytes,
        options: Options,
        attendance: Attendance,
    ) -> None:
        self._forms = FormExchange(state, logs)
        self._stages = Stages(state)
        self.replicate: Final = Replicate(
            state.commons,
            state.is_member,
            rng,
            logs,
            state.contested_from,
            self._clipped,
            attendance,
        )
        self.replicate.allowances.own = key
        self._shortener = Shortener(state, logs, key, options.compact_after_ms)
        self._members: dict[int, bytes] = {}  # at the other ends of links

    @property
    def due_ms(self) -> int | None:
        """When `timer` should next be called (ms), or None."""
        return earliest(self.replicate.due_ms, self._forms.due_ms, self._shortener.due_ms)

    def loaded(self, now_ms: int) -> None:
        """Begin: everything on disk has been read."""
        self._shortener.loaded(now_ms)

    def timer(self, now_ms: int, clock_ms: int) -> list[Step]:
        """Do what is due."""
        steps = self.replicate.timer(now_ms) + self._follow(self._forms.timer(now_ms), now_ms)
        return [*steps, *self._shortener.timer(now_ms, clock_ms)]

    def opened(
        self, link: int, key: bytes, session: bytes, now_ms: int, trip_ms: int | None = None
    ) -> list[Step]:
        """Begin with a member; `session` is the hash of its session."""
        self._members[link] = key
        self._forms.opened(link, key)
        return self.replicate.opened(link, key, session, now_ms, trip_ms)

    def closed(self, link: int, now_ms: int) -> list[Step]:
        """End with a member."""
        self._members.pop(link, None)
        steps = self.replicate.closed(link, now_ms)
        return steps + self._follow(self._forms.closed(link, now_ms), now_ms)

    def heard(self, link: int, message: Message, now_ms: int) -> list[Step]:
        """Take a frame of a member."""
        try:
            if isinstance(message, Seek | Forms | Query | Evidence):
                return self._follow(self._forms.heard(link, message, now_ms), now_ms)
            is_answer = isinstance(message, Records) and _sums_up(message.records)
            told = dict(self.replicate.reconcile.told_by(link)) if is_answer else {}
            steps = self.replicate.heard(link, message, now_ms)
            if isinstance(message, Records) and is_answer:
                came = self._forms.came(link, message.records, told, now_ms)
                steps += self._follow(came, now_ms)
            return steps
        except RemoteError as error:
            return [Fault(link, error)]

    def read(self, event: RecordsRead | FormsRead, now_ms: int) -> list[Step]:
        """Go on with what the store gave."""
        if isinstance(event, FormsRead):
            answers = self._forms.read(event.token, event.records, event.proof)
            return self._follow(answers, now_ms)
        if event.token < 0:
            return self._follow(self._forms.read(event.token, event.records), now_ms)
        return self.replicate.read(event.token, event.records)

    def is_hearing(self) -> bool:
        """Return whether others are being asked about a checkpoint that seems confirmed."""
        return self._forms.is_hearing

    def carried(
        self, event: RecordsCarried | FormsCarried | EvidenceCarried, now_ms: int
    ) -> list[Step]:
        """Take in what somebody brought by hand."""
        if isinstance(event, RecordsCarried):
            return self.replicate.carried(event.token, event.records)
        intake = Intake()
        if isinstance(event, EvidenceCarried):
            answer, asked = self._forms.carried_evidence(event, now_ms)
        else:
            intake, answer, asked = self._forms.carried(event, now_ms)
        steps = self._follow(asked, now_ms)
        if not intake.accepted:
            return [*steps, answer]
        return [*steps, *self.replicate.store(tuple(intake.accepted), answer=answer)]

    def note_compact(self, event: Shortened | CompactLoaded, now_ms: int) -> None:
        """Note what is in compact form."""
        if isinstance(event, Shortened):
            self._shortener.shortened(event, now_ms)
            return
        for key, until in event.logs.items():
            self.replicate.logs.note_compact(key, until)

    def _clipped(self, ranges: tuple[Range, ...], stage: int, now_ms: int) -> tuple[Range, ...]:
        """Return what is read for a WANT: as far as its stage goes, and what is not compact."""
        return tuple(map(self._forms.detour, self._stages.clip(ranges, stage, now_ms)))

    def _follow(self, steps: Iterable[FormStep], now_ms: int) -> list[Step]:
        """Store what was proven, and ask for what comes behind it."""
        found: list[Step] = []
        for step in steps:
            if not isinstance(step, Proven):
                found.append(step)
                continue
            source = Source(step.link, self._members[step.link])
            found += self.replicate.store(tuple(step.intake.accepted), source=source)
            if step.next_seq:
                missed = self.replicate.reconcile.missed
                found += missed(step.link, step.key, step.next_seq, now_ms)
        return found


def _sums_up(records: Iterable[Record]) -> bool:
    """Return whether a checkpoint is among records."""
    return any(record.kind == "checkpoint" for record in records)
