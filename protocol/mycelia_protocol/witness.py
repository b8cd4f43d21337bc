"""When this node tells everybody that a log parts. Spec: section 6.5, LOG-9.

A proof is held back for a random while, since others find the same fork, and is written unless one
that takes part in the state already says so. What is proven only by records that take no part (of
contested logs, or by those who are no members any more) is told again: others may not have them.
"""

from collections.abc import Iterable

from mycelia_protocol.forks import Proof
from mycelia_protocol.limits import FORK_DELAY_MAX_MS
from mycelia_protocol.logs import LogKey
from mycelia_protocol.publish import Draft, Publisher
from mycelia_protocol.record import Record
from mycelia_protocol.rng import Rng
from mycelia_protocol.state import State


class Witness:
    """Holds proofs, one for each log, until it is time to write them."""

    def __init__(self, state: State, publisher: Publisher, rng: Rng) -> None:
        self._state = state
        self._publisher = publisher
        self._rng = rng
        self._held: dict[LogKey, Proof] = {}
        self._due_ms: int | None = None

    @property
    def due_ms(self) -> int | None:
        """When `timer` should next be called (ms), or None."""
        return self._due_ms

    def found(self, proof: Proof, now_ms: int) -> None:
        """Take a proof; of two about one log the earlier place counts."""
        known = self._held.get(proof.key)
        if known is None or proof.seq < known.seq:
            self._held[proof.key] = proof
            self._wait(now_ms)

    def stored(self, records: Iterable[Record], now_ms: int) -> bool:
        """Note what is in the state now; return whether there is a `fork` record among it."""
        if not any(record.kind == "fork" for record in records):
            return False
        self.look_again(now_ms)
        return True

    def look_again(self, now_ms: int) -> None:
        """Hold what is proven by nothing that takes part."""
        for fork in self._state.unsupported():
            self.found(Proof((fork.accused, fork.log), fork.seq, fork.content), now_ms)

    def timer(self, now_ms: int) -> list[Draft]:
        """Return what is to be written now, once the state holds all that was written before."""
        if self._due_ms is None or now_ms < self._due_ms:
            return []
        if not self._publisher.is_idle:
            self._due_ms = now_ms + FORK_DELAY_MAX_MS
            return []
        proofs = [proof for _, proof in sorted(self._held.items())]
        self._held, self._due_ms = {}, None
        return [
            Draft(None, "fork", proof.content)
            for proof in proofs
            if not self._state.is_proven(proof.key, proof.seq)
        ]

    def _wait(self, now_ms: int) -> None:
        if self._due_ms is None:
            self._due_ms = now_ms + int(self._rng.random() * FORK_DELAY_MAX_MS)
