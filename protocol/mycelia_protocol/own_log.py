"""The own log as a whole: who may write on it, what waits, what this node writes by itself.

Three machines share it. `Publisher` builds and signs the records; `RestoreGate` says whether they
may spend; `Steward` says when to grant, answer and confirm. Spec: sections 6.6 and 8.5.
"""

from typing import Final

from mycelia_protocol.errors import LocalError, RemoteError
from mycelia_protocol.events import Output, Refused, StoreRecords
from mycelia_protocol.gate import RestoreGate
from mycelia_protocol.logs import Logs
from mycelia_protocol.messages import Message
from mycelia_protocol.notices import GateOpened, IncarnationOpened, Notice
from mycelia_protocol.options import Options
from mycelia_protocol.publish import SPENDING_KINDS, Draft, Publisher
from mycelia_protocol.record import Record
from mycelia_protocol.rng import Rng
from mycelia_protocol.state import State
from mycelia_protocol.steward import Steward


class OwnLog:
    """Owns `Publisher`, `RestoreGate` and `Steward`."""

    def __init__(self, seed: bytes, state: State, logs: Logs, options: Options, rng: Rng) -> None:
        self.publisher: Final = Publisher(state.commons, seed, logs, rng)
        self.gate: Final = RestoreGate(self.publisher.key, logs)
        self.steward: Final = Steward(state, self.publisher, self.gate, options)
        self._logs = logs

    @property
    def resumable(self) -> bytes | None:
        """The log that the next start may write on after a clean end now, or None.

        None while the restore gate is closed, too: stopping politely must not open it.
        """
        log = self.publisher.log
        if log is None or self.publisher.in_flight or not self.gate.is_open:
            return None
        return log if self._logs.stored((self.publisher.key, log)).next_seq else None

    def loaded(self, resumable_log: bytes | None) -> None:
        """Begin: everything on disk has been read."""
        self.publisher.resume(resumable_log)
        if resumable_log is not None:
            self.gate.open()

    def publish(self, draft: Draft) -> list[Refused]:
        """Queue a draft of this node's user; the flush after every event takes it on."""
        assert draft.token is not None
        if draft.kind not in SPENDING_KINDS:
            return self._ask(draft)
        if not self.gate.is_open:
            reason = "this node was restored and must first hear from other members"
            return [Refused(draft.token, "gate", reason)]
        self.steward.asked(draft)
        return []

    def flush(self, clock_ms: int) -> tuple[tuple[Record, ...], list[Refused]]:
        """Return the next batch for the store, and who asked for what can't be written."""
        refusals: list[Refused] = []
        for draft, refusal in self.steward.spends():
            refusals += self._ask(draft) if refusal is None else [refusal]
        return self.publisher.flush(clock_ms), refusals

    def written(self) -> tuple[list[Notice], list[tuple[int, bytes]]]:
        """Note that the batch is on disk.

        Returns:
            A notice if it began a log, and (token, record id) of what was asked for.
        """
        first = self.publisher.in_flight[0]
        notices: list[Notice] = []
        if first.seq == 0:
            previous = len(self.publisher.own_logs()) - 1
            notices.append(IncarnationOpened(first.log, previous))
        return notices, self.publisher.stored()

    def heard(self, member: bytes, message: Message) -> None:
        """Watch for what a member says of this node's own log."""
        if self.gate.is_claimed_longer(member, message, self.publisher.log):
            self.publisher.resume(None)

    def note_strays(self, outputs: list[Output]) -> None:
        """Open a new log, and shut the gate, if others bring authentic records of this node."""
        stored = [output.records for output in outputs if isinstance(output, StoreRecords)]
        if any(record.author == self.publisher.key for records in stored for record in records):
            self.publisher.resume(None)
            self.gate.shut()

    def check_gate(self, members: int, now_ms: int) -> list[Notice]:
        """Open the gate if enough of the members have confirmed."""
        if not self.gate.check(members):
            return []
        self.steward.changed(now_ms)  # it may spend now
        return [GateOpened(self.gate.confirmations)]

    def _ask(self, draft: Draft) -> list[Refused]:
        assert draft.token is not None
        try:
            self.publisher.ask(draft)
        except (LocalError, RemoteError) as error:
            code = error.code if isinstance(error, RemoteError) else "refused"
            return [Refused(draft.token, code, str(error))]
        return []
