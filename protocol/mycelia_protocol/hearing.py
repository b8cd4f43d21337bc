"""Whom to ask what confirms a checkpoint, and when enough have been heard. Spec: section 10.6.

What one peer shows is what it chose to show. So whoever offers a checkpoint is asked first; if it
seems confirmed then, all others are asked too, and only what is confirmed by all of that together
is believed. What a peer shows counts once it has shown all, in whatever order it came; who never
comes to an end is not waited for.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from mycelia_protocol.allowances import Budget
from mycelia_protocol.confirming import Testimony
from mycelia_protocol.errors import RecordError, SessionError
from mycelia_protocol.form_frames import Evidence, Query
from mycelia_protocol.limits import WANT_TIMEOUT_MS
from mycelia_protocol.record import Record
from mycelia_protocol.state import State

PAGES_MAX: Final = 256  # answers with evidence that are taken of one peer
PAGES_AT_ONCE: Final = 1_024  # the same of one member over all its links: 20 s of checks
PAGES_PER_S: Final = 0.5  # and so many more as time goes on
HEARING_MAX_MS: Final = 3 * WANT_TIMEOUT_MS  # so long others are waited for at most


@dataclass(slots=True)
class _Telling:
    """What one peer shows.

    Attributes:
        after: from where on it is to be asked; None if it has not begun or has shown all.
        is_new: it was not asked for any yet.
        is_over: it has shown all.
        member: who it is.
        is_late: it takes too long, and nobody waits for it any more.
        pages: how many answers it gave.
    """

    member: bytes
    after: bytes | None = None
    is_new: bool = True
    is_over: bool = False
    is_late: bool = False
    pages: int = 0


class Hearing:
    """Knows what each peer has been asked, and which checkpoints are believed."""

    def __init__(self, state: State) -> None:
        self._commons = state.commons
        self.testimony: Final = Testimony(state)
        self.due_ms: int | None = None  # when who has not shown all is waited for no longer
        self._pages = Budget(PAGES_AT_ONCE, PAGES_PER_S)
        self._tellings: dict[int, _Telling] = {}
        self._awaited: set[int] = set()
        self._heard_out: set[bytes] = set()  # of those that are offered

    def opened(self, link: int, member: bytes) -> None:
        """Begin with a member."""
        self._tellings[link] = _Telling(member)

    def closed(self, link: int) -> None:
        """End with a member; what it showed is gone."""
        self._tellings.pop(link, None)
        self._awaited.discard(link)
        self.testimony.forget(link)

    def give_up(self, link: int) -> None:
        """Wait for a peer no longer, now or later: its answer is overdue, or not the last."""
        self._tellings[link].is_late = True
        self._awaited.discard(link)

    def question(self, link: int, now_ms: int, *, is_offering: bool) -> Query | None:
        """Return what a peer is to be asked now, if anything.

        Whoever shows ever new evidence, on ever new links, makes a node check each signature in it.

        Args:
            is_offering: it offers checkpoints that are not confirmed as far as is known.
        """
        telling = self._tellings[link]
        is_first = telling.is_new and (is_offering or link in self._awaited)
        if not is_first and telling.after is None:
            return None
        if not self._pages.take(telling.member, 1, now_ms):
            self.give_up(link)
            return None
        telling.is_new = False
        return Query(telling.after)

    def check(self, asked: Query, evidence: Evidence) -> None:
        """See that an answer holds what was asked for, before a signature is looked at.

        Raises:
            RecordError: a record is of another commons.
            SessionError: it is no vouch and no acknowledgement, or not in its place.
        """
        last = asked.after or b""
        for record in evidence.records:
            if record.commons != self._commons:
                raise RecordError("a record of another commons", requirement="REC-3")
            if record.id <= last or record.kind not in ("acknowledge", "vouch"):
                raise SessionError("EVIDENCE that nobody asked for", requirement="CHECK-8")
            last = record.id
        if evidence.after is not None and evidence.after < max(last, (asked.after or b"") + b"\0"):
            raise SessionError("EVIDENCE that comes to no end", requirement="CHECK-8")

    def heard(self, link: int, asked: Query, evidence: Evidence) -> bool:
        """Take an answer whose signatures are good; return whether the peer has shown all now."""
        telling = self._tellings[link]
        self.testimony.note(link, evidence.records)
        telling.pages += 1
        telling.after = evidence.after if telling.pages < PAGES_MAX else None
        telling.is_over = telling.after is None
        if telling.is_over:
            self.testimony.settle(link)
            self._awaited.discard(link)
        return telling.is_over

    def judge(self, offered: Iterable[Record], now_ms: int) -> None:
        """Believe what is confirmed once all have been heard; see to it that they are asked."""
        if self.due_ms is not None and self._awaited and now_ms < self.due_ms:
            return
        seeming = {each.id for each in offered if self.testimony.confirms(each)}
        if self.due_ms is None and seeming - self._heard_out:
            tellings = self._tellings.items()
            self._awaited = {link for link, each in tellings if not (each.is_over or each.is_late)}
            if self._awaited:
                self.due_ms = now_ms + HEARING_MAX_MS
                return
        for link in sorted(self._awaited):
            self.give_up(link)
        self.due_ms, self._heard_out = None, seeming

    def believes(self, checkpoint: Record) -> bool:
        """Return whether a checkpoint is confirmed, and all have been heard about it."""
        return checkpoint.id in self._heard_out and self.testimony.confirms(checkpoint)
