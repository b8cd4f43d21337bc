"""How members' words about themselves travel: along the same trees as records. Spec: 10.7."""

from collections.abc import Callable

from mycelia_protocol.attendance import Attendance, Word
from mycelia_protocol.presence import Presence
from mycelia_protocol.pushing import Pusher
from mycelia_protocol.reconcile import Reconcile
from mycelia_protocol.spread import Spread
from mycelia_protocol.told import Say


class Words:
    """Says this node's word, and passes on those of others; nothing of it is stored or announced.

    Args:
        attendance: who is about; None leaves all words aside.
    """

    def __init__(
        self,
        attendance: Attendance | None,
        spread: Spread,
        pusher: Pusher,
        reconcile: Reconcile,
        is_member: Callable[[bytes], bool],
    ) -> None:
        self._attendance = attendance
        self._spread = spread
        self._pusher = pusher
        self._reconcile = reconcile
        self._is_member = is_member

    @property
    def due_ms(self) -> int | None:
        """When `speak` should next be called (ms), or None."""
        return None if self._attendance is None else self._attendance.due_ms

    def opened(self, now_ms: int) -> None:
        """Note that there is somebody to speak to."""
        if self._attendance is not None:
            self._attendance.opened(now_ms)

    def closed(self, key: bytes, now_ms: int, *, is_last: bool) -> None:
        """Note that the link to a member ended; perhaps it was the last one of all."""
        if self._attendance is not None:
            known = key if self._is_member(key) else None
            self._attendance.closed(known, now_ms, is_last=is_last)

    def speak(self, now_ms: int, *, is_resting: bool = False) -> list[Say]:
        """Say this node's word, if it is time, or if it is the last one before a rest."""
        attendance, due_ms = self._attendance, self.due_ms
        if attendance is None or due_ms is None or (now_ms < due_ms and not is_resting):
            return []
        said = attendance.speak(now_ms, self._reconcile.mark(), is_resting=is_resting)
        self._spread.came(None, said.author)
        return self._pass_on(attendance, said, None, now_ms)

    def came(self, link: int, presence: Presence, now_ms: int) -> list[Say]:
        """Take a member's word, and pass it on; those of strangers are left aside.

        Raises:
            SignatureError: its author did not say it.
        """
        attendance, author = self._attendance, presence.author
        if attendance is None or not self._is_member(author):
            return []
        match attendance.came(presence, now_ms):
            case Word.LEFT:
                return []
            case Word.AGAIN if attendance.went_to(presence, link):
                self._spread.crossed(link, [author])
                return []
            case Word.AGAIN:
                return self._spread.came_again(link, [author], now_ms)
            case Word.NEWS:
                self._spread.came(link, author)
                says = self._pass_on(attendance, presence, link, now_ms)
                return says + self._reconcile.doubt_store(link, presence.heads, now_ms)

    def _pass_on(
        self, attendance: Attendance, presence: Presence, source: int | None, now_ms: int
    ) -> list[Say]:
        says = self._pusher.pass_on(presence, source, now_ms)
        attendance.passed_on(presence, [say.link for say in says])
        return says
