"""Whether this node may spend, and which of its purses it can't know whole. Spec: 6.6.

A node whose store is not provably the latest may have promised things that it does not remember. It
writes on in a new log at once, but it grants nothing before enough members have shown what they
hold of its older logs, and it holds as much.

That is enough after a crash, where what others hold was on the disk before. A store that *lost*
records (an old backup is back, or a peer brings own records that are not there) is in doubt: what
was promised may be known to those alone to whom it was. So what older generations of logs opened
stays frozen until all others have told all that they hold, and this node holds as much.
"""

from collections.abc import Iterable
from typing import Final

from mycelia_protocol.limits import GATE_CONFIRMATIONS, INT_MAX
from mycelia_protocol.logs import LogKey, Logs
from mycelia_protocol.messages import Heads, Message
from mycelia_protocol.state import State
from mycelia_protocol.types.incarnation import generation_of

STRANGERS_MAX: Final = 16  # whose vouches are not here: what they told is kept; others tell again
OWN_ROWS_MAX: Final = 4_096  # own logs that all together told of, and that are not here
ROWS_MAX: Final = 131_072  # the same of all logs, kept while in doubt: 25 MB


class RestoreGate:
    """Whether this node may spend, and of what.

    Attributes:
        is_open: whether it may spend at all.
        known_since: the generation of own logs from which on this node knows all that it wrote: the
            store lost records of older ones, and their purses are frozen. 0 if it knows all.
    """

    def __init__(self, key: bytes, logs: Logs, state: State) -> None:
        self.is_open = False
        self.known_since = 0
        self._key = key
        self._logs = logs
        self._state = state
        self._claimants: set[bytes] = set()  # members that claimed to hold more of the own log
        self._has_stranger_claimed = False
        # who told -> what was not here then: of own logs, and while in doubt of all
        self._shown: dict[bytes, dict[LogKey, int]] = {}
        self._behind: dict[bytes, dict[LogKey, int]] = {}

    @property
    def generation(self) -> int:
        """The generation of the logs that are begun now."""
        return max(self.known_since, self._latest_generation())

    @property
    def confirmations(self) -> int:
        """How many members have shown what they hold, all of which is in the store.

        Whoever merely showed vouches that are not here counts once they are: one member could write
        any number of them, and show them to nobody else.
        """
        return sum(
            self._state.is_member(member)
            and all(self._logs.stored(key).next_seq >= next_seq for key, next_seq in shown.items())
            for member, shown in self._shown.items()
        )

    # --- what opens and shuts it ---

    def open(self) -> None:
        """Open the gate: the store is provably the latest."""
        self.is_open = True

    def shut(self) -> None:
        """Close the gate again: a peer held more of the own logs than this store did.

        What members told before counts no more: those who knew less had confirmed nothing.
        """
        self.is_open = False
        self._shown.clear()
        self._behind.clear()

    def doubt(self, clock_ms: int) -> None:
        """Shut the gate and freeze what all logs so far opened: records were lost.

        The new generation comes after all that is known, and after all that was forgotten unless
        the clock was wrong when that began.
        """
        self.known_since = min(max(self.generation + 1, clock_ms), INT_MAX)
        self.shut()

    def shown(self, member: bytes, told: dict[LogKey, int]) -> None:
        """Note what a member told of all the logs in its store.

        Of who claims more than there is room for nothing is kept: it tells again, and who speaks
        the truth claims less each time.
        """
        lacking = {
            key: next_seq
            for key, next_seq in told.items()
            if self._logs.stored(key).next_seq < next_seq
        }
        own = {key: next_seq for key, next_seq in lacking.items() if key[0] == self._key}
        self._keep(self._shown, member, own, OWN_ROWS_MAX)
        if self.known_since:
            self._keep(self._behind, member, lacking, ROWS_MAX)

    def _keep(
        self,
        kept: dict[bytes, dict[LogKey, int]],
        member: bytes,
        rows: dict[LogKey, int],
        rows_max: int,
    ) -> None:
        """Keep what somebody told in place of what it told before, if there is room."""
        kept.pop(member, None)
        is_member = self._state.is_member
        has_place = is_member(member) or sum(not is_member(e) for e in kept) < STRANGERS_MAX
        if has_place and sum(map(len, kept.values())) + len(rows) <= rows_max:
            kept[member] = rows

    def carried(self, member: bytes, heads: dict[LogKey, int], log: bytes | None) -> None:
        """Note what a member's bundle tells of its store, if it was made late enough.

        One that knows the present log was made after that began; so it tells as much as the member
        would now of all older ones. Another may be older than what this node has forgotten.
        """
        if log is not None and heads.get((self._key, log)):
            self.shown(member, heads)

    def check(self, roster_size: int) -> bool:
        """Open the gate if enough members have confirmed; return whether it opened just now."""
        needed = min(GATE_CONFIRMATIONS, roster_size - 1)
        if self.is_open or self.confirmations < needed:
            return False
        self.is_open = True
        return True

    def settle(self) -> bool:
        """End the doubt if everybody has told, and all of it is here; return whether it just did.

        Whom others let in is known by then, since what they told is here.
        """
        if not self.known_since or self.awaited():
            return False
        self.known_since = 0
        return True

    # --- what is asked of it ---

    def awaited(self) -> list[bytes]:
        """Return the members who have not told all they hold, or of whom not all of it is here."""
        others = (member for member in self._state.roster() if member != self._key)
        return [member for member in others if not self._catch_up(member)]

    def is_frozen(self, log: bytes) -> bool:
        """Return whether nothing may be spent of what an own log opened."""
        return self._generation(log) < self.known_since

    def covers(self, logs: Iterable[bytes]) -> bool:
        """Return whether the doubt is about all these own logs: they are known, and older."""
        return all(
            self._state.depth_of((self._key, log)) is not None and self.is_frozen(log)
            for log in logs
        )

    def is_claimed_longer(self, member: bytes, message: Message, log: bytes | None) -> bool:
        """Return whether a member says for the first time that the own log is longer than here.

        It may lie. So one claim a member is believed, and one of all who are none as far as is
        known here; each costs no more than a new log. The gate waits for records.
        """
        is_member = self._state.is_member(member)
        has_claimed = member in self._claimants if is_member else self._has_stranger_claimed
        if log is None or has_claimed or not isinstance(message, Heads):
            return False
        known = self._logs.accepted((self._key, log)).next_seq
        is_longer = any(
            (entry.author, entry.log) == (self._key, log) and entry.next_seq > known
            for entry in message.entries
        )
        if is_longer and is_member:
            self._claimants.add(member)
        self._has_stranger_claimed |= is_longer and not is_member
        return is_longer

    def _catch_up(self, member: bytes) -> bool:
        """Let go of what a member told and is here by now; return whether that is all of it."""
        told = self._behind.get(member)
        if told is None:
            return False
        left = {
            key: next_seq
            for key, next_seq in told.items()
            if self._logs.stored(key).next_seq < next_seq and not self._state.is_forked(key)
        }
        self._behind[member] = left
        return not left

    def _generation(self, log: bytes) -> int:
        return generation_of(self._state.depth_of((self._key, log)) or 0)

    def _latest_generation(self) -> int:
        """Return the latest generation of the own logs that are in the state."""
        logs = (log for author, log in self._logs.stored_logs() if author == self._key)
        return max(map(self._generation, logs), default=0)
