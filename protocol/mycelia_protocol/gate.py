"""Whether this node may spend, and whether its own log can still be written on. Spec: 6.6.

A node whose store is not provably the latest may have promised things that it does not remember. It
writes on in a new log at once, but it grants nothing before enough members have shown what they
hold of its older logs, and it holds as much.
"""

from mycelia_protocol.limits import GATE_CONFIRMATIONS
from mycelia_protocol.logs import LogKey, Logs
from mycelia_protocol.messages import Heads, Message


class RestoreGate:
    """Whether this node may spend; opened for good by a clean start or by enough members."""

    def __init__(self, key: bytes, logs: Logs) -> None:
        self.is_open = False
        self._key = key
        self._logs = logs
        self._claimants: set[bytes] = set()  # members that claimed to hold more of the own log
        self._shown: dict[bytes, dict[LogKey, int]] = {}  # member -> own logs it told of

    @property
    def confirmations(self) -> int:
        """How many members have shown what they hold, all of which is in the store."""
        return sum(
            all(self._logs.stored(key).next_seq >= next_seq for key, next_seq in shown.items())
            for shown in self._shown.values()
        )

    def open(self) -> None:
        """Open the gate: the store is provably the latest."""
        self.is_open = True

    def shut(self) -> None:
        """Close the gate again: a peer held more of the own logs than this store did.

        What members told before counts no more: those who knew less had confirmed nothing.
        """
        self.is_open = False
        self._shown.clear()

    def shown(self, member: bytes, told: dict[LogKey, int]) -> None:
        """Note what a member told of all the logs in its store."""
        own = {key: next_seq for key, next_seq in told.items() if key[0] == self._key}
        self._shown[member] = own

    def carried(self, member: bytes, heads: dict[LogKey, int], log: bytes | None) -> None:
        """Note what a member's bundle tells of its store, if it was made late enough.

        One that knows the present log was made after that began; so it tells as much as the member
        would now of all older ones. Another may be older than what this node has forgotten.
        """
        if log is not None and heads.get((self._key, log)):
            self.shown(member, heads)

    def is_claimed_longer(self, member: bytes, message: Message, log: bytes | None) -> bool:
        """Return whether a member says for the first time that the own log is longer than here.

        It may lie. So one claim a member is believed, and costs no more than a new log; the gate
        waits for records.
        """
        if log is None or member in self._claimants or not isinstance(message, Heads):
            return False
        known = self._logs.accepted((self._key, log)).next_seq
        is_longer = any(
            (entry.author, entry.log) == (self._key, log) and entry.next_seq > known
            for entry in message.entries
        )
        if is_longer:
            self._claimants.add(member)
        return is_longer

    def check(self, roster_size: int) -> bool:
        """Open the gate if enough members have confirmed; return whether it opened just now."""
        needed = min(GATE_CONFIRMATIONS, roster_size - 1)
        if self.is_open or self.confirmations < needed:
            return False
        self.is_open = True
        return True
