"""The own log as a whole: who may write on it, what waits, what this node writes by itself.

Six machines share it. `Publisher` builds and signs the records; `RestoreGate` says whether they
may spend; `Steward` says when to grant, answer and confirm, `Witness` when to prove a
fork, `Tidier` when to let go of words, `Checkpoints` when to sum up. Spec: sections 6.5, 6.6, 7.23
to 7.25 and 8.5.
"""

from collections.abc import Sequence
from typing import Final

from mycelia_protocol.checkpoints import Checkpoints
from mycelia_protocol.clock import earliest
from mycelia_protocol.erasures import Erasures
from mycelia_protocol.errors import LocalError, RemoteError
from mycelia_protocol.events import (
    DecisionRequested,
    Notify,
    Output,
    Refused,
    SaveDoubt,
    StoreLoaded,
    StoreRecords,
)
from mycelia_protocol.form_events import ReadForms
from mycelia_protocol.gate import RestoreGate
from mycelia_protocol.logs import Logs
from mycelia_protocol.messages import Message
from mycelia_protocol.notices import DoubtEnded, GateOpened, IncarnationOpened, Notice
from mycelia_protocol.options import Options
from mycelia_protocol.publish import SPENDING_KINDS, Draft, Publisher
from mycelia_protocol.record import Record
from mycelia_protocol.rng import Rng
from mycelia_protocol.state import State
from mycelia_protocol.steward import Steward
from mycelia_protocol.tidying import Tidier
from mycelia_protocol.witness import Witness


class OwnLog:
    """Owns `Publisher`, `RestoreGate`, `Steward`, `Witness`, `Tidier` and `Checkpoints`."""

    def __init__(
        self,
        seed: bytes,
        state: State,
        logs: Logs,
        erasures: Erasures,
        options: Options,
        rng: Rng,
    ) -> None:
        self.publisher: Final = Publisher(state.commons, seed, logs, rng)
        self.gate: Final = RestoreGate(self.publisher.key, logs, state)
        self.steward: Final = Steward(state, logs, self.publisher, self.gate, options, rng)
        self.witness: Final = Witness(state, self.publisher, rng)
        self._tidier = Tidier(state, self.publisher.key, erasures.is_erased, options.erase_after_ms)
        self.checkpoints: Final = Checkpoints(state, logs, self.publisher, options)
        self._state = state
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

    def loaded(self, store: StoreLoaded, now_ms: int, clock_ms: int) -> list[Output]:
        """Begin: everything on disk has been read."""
        self.publisher.resume(store.resumable_log)
        self.gate.known_since = store.known_since
        if store.resumable_log is not None:
            self.gate.open()
        self.publisher.generation = self.gate.generation
        is_lost = store.is_restored and bool(self.publisher.own_logs())
        outputs = self._doubt(clock_ms) if is_lost else []
        self._leave_forked()
        self.witness.look_again(now_ms)
        self._tidier.loaded(now_ms)
        self.checkpoints.loaded(now_ms)
        return outputs

    def stored(
        self, records: Sequence[Record], now_ms: int, clock_ms: int, *, is_own: bool
    ) -> list[Output]:
        """Note what is in the state now; own records that others brought may begin unknown logs."""
        if self.witness.stored(records, now_ms):
            self._leave_forked()
        self.checkpoints.stored(records, now_ms)
        self.steward.changed(now_ms)
        begun = {one.log for one in records if one.author == self.publisher.key and not one.seq}
        return [] if is_own or self.gate.covers(begun) else self._doubt(clock_ms)

    def store_failed(self, now_ms: int) -> list[Output]:
        """Rest for a while: what was with the store is not written, nor perhaps the doubt."""
        self.steward.store_failed(now_ms)
        self.checkpoints.store_failed(now_ms)
        return [SaveDoubt(self.gate.known_since)] if self.gate.known_since else []

    def _leave_forked(self) -> None:
        """Open a new log, and shut the gate, if the own one is proven to part (LOG-10)."""
        log = self.publisher.log
        if log is not None and self._state.contested_from((self.publisher.key, log)) is not None:
            self.publisher.resume(None)
            self.gate.shut()

    @property
    def due_ms(self) -> int | None:
        """When `timer` should next be called (ms), or None."""
        machines = (self.steward, self.witness, self._tidier, self.checkpoints)
        return earliest(*(machine.due_ms for machine in machines))

    def timer(self, now_ms: int, clock_ms: int) -> list[ReadForms]:
        """Ask for what this node writes by itself now; return what is to be read for it."""
        for draft in self.witness.timer(now_ms):
            self.publisher.ask(draft)
        for draft in self.steward.timer(now_ms, clock_ms):
            self.publisher.ask(draft)
        for draft in self._tidier.timer(now_ms, clock_ms):
            self.publisher.ask(draft)
        drafts, wanted = self.checkpoints.timer(now_ms)
        for draft in drafts:
            self.publisher.ask(draft)
        return [] if wanted is None else [wanted]

    def publish(self, draft: Draft) -> list[Refused]:
        """Queue a draft of this node's user; the flush after every event takes it on."""
        assert draft.token is not None
        if draft.kind not in SPENDING_KINDS:
            return self._ask(draft)
        return self._spend(draft, draft.token)

    def decide(self, decision: DecisionRequested) -> list[Refused]:
        """Queue what a person decided."""
        return self._spend(decision, decision.token)

    def _spend(self, wish: Draft | DecisionRequested, token: int) -> list[Refused]:
        if not self.gate.is_open:
            reason = "this node was restored and must first hear from other members"
            return [Refused(token, "gate", reason)]
        self.steward.asked(wish)
        return []

    def flush(self, clock_ms: int) -> tuple[tuple[Record, ...], list[Refused]]:
        """Return the next batch for the store, and who asked for what can't be written."""
        refusals: list[Refused] = []
        for drafts, refusal in self.steward.spends(clock_ms):
            refusals += [refusal] if refusal is not None else self._ask_all(drafts)
        if (own := self.checkpoints.own_draft()) is not None:
            self.publisher.ask(own)
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

    def with_doubt(self, outputs: list[Output], clock_ms: int) -> list[Output]:
        """Return what is to be done, the doubt first if others bring own records not held here.

        Then this node opens a new log.
        """
        key = self.publisher.key
        strays = {
            record.log
            for output in outputs
            if isinstance(output, StoreRecords)
            for record in output.records
            if record.author == key and record.seq >= self._logs.stored((key, record.log)).next_seq
        }
        if not strays:
            return outputs
        if not self.gate.covers(strays):
            return [*self._doubt(clock_ms), *outputs]
        self.publisher.resume(None)
        self.gate.shut()
        return outputs

    def _doubt(self, clock_ms: int) -> list[Output]:
        """Write on in a log of a new generation, since the store lost records."""
        self.publisher.resume(None)
        self.gate.doubt(clock_ms)
        self.publisher.generation = self.gate.generation
        return [SaveDoubt(self.gate.known_since)]

    def check_gate(self, members: int, now_ms: int) -> list[Output]:
        """Open the gate if enough of the members have confirmed; end the doubt if all have."""
        outputs: list[Output] = []
        if self.gate.check(members):
            outputs.append(Notify(GateOpened(self.gate.confirmations)))
        if self.gate.settle():
            outputs += [SaveDoubt(0), Notify(DoubtEnded())]
        if outputs:
            self.steward.changed(now_ms)  # it may spend more now
        return outputs

    def _ask(self, draft: Draft) -> list[Refused]:
        return self._ask_all([draft])

    def _ask_all(self, drafts: Sequence[Draft]) -> list[Refused]:
        """Queue drafts one of which a user asked for, all or none."""
        token = next(draft.token for draft in drafts if draft.token is not None)
        try:
            self.publisher.ask_all(drafts)
        except (LocalError, RemoteError) as error:
            code = error.code if isinstance(error, RemoteError) else "refused"
            return [Refused(token, code, str(error))]
        return []
