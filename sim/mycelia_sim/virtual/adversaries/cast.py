"""All adversaries of one world: when they act, what became of it, and what is nobody's but theirs.

The world asks it to begin an attempt, to end all when the faults end, how many records on a disk
are by honest authors, and whether the disks agree on what adversaries wrote. On logs that one of
them forked they never do: each node keeps the branch that it accepted first (spec 6.5).
"""

from collections import deque
from collections.abc import Collection
from typing import TypeAlias

from mycelia_protocol.notices import Notice, RecordArrived
from mycelia_sim.facts import AttemptFact
from mycelia_sim.plan import Attempt
from mycelia_sim.virtual.adversaries.act import Act
from mycelia_sim.virtual.adversaries.behaviours import BEHAVIOURS
from mycelia_sim.virtual.adversaries.liar import Liar, Stage
from mycelia_sim.virtual.adversaries.talk import LogKey
from mycelia_sim.virtual.disk import MemoryStore

Attempts: TypeAlias = tuple[Attempt, ...]


def adversary_ids(attempts: Attempts) -> tuple[str, ...]:
    """Return the ids of all adversaries, sorted; the commons must begin with them as members."""
    return tuple(sorted({attempt.adversary for attempt in attempts}))


class Cast:
    """The adversaries.

    Attributes:
        facts: what became of each attempt that is over.
    """

    def __init__(self, attempts: Attempts, stage: Stage) -> None:
        self.liars = {one: Liar(one, stage) for one in adversary_ids(attempts)}
        self._keys = {liar.key: one for one, liar in self.liars.items()}
        self.facts: list[AttemptFact] = []
        self._queues: dict[tuple[str, str], deque[Act]] = {}
        self._logs: dict[LogKey, None] = {}  # of adversaries, as they arrived somewhere

    def begin(self, attempt: Attempt) -> None:
        """Make an attempt, after earlier ones of this adversary on the same target."""
        act = Act(attempt, self.liars[attempt.adversary], self._ended)
        queue = self._queues.setdefault((attempt.adversary, attempt.target), deque())
        queue.append(act)
        act.liar.engaged.add(attempt.target)
        if len(queue) == 1:
            act.start(BEHAVIOURS[attempt.behaviour])

    def finish(self) -> list[AttemptFact]:
        """End all attempts that are under way, and return what became of each."""
        for queue in self._queues.values():
            current, rest = list(queue)[:1], list(queue)[1:]
            queue.clear()
            for act in current:
                act.conclude()
            for act in rest:
                act.answer = "never begun: an earlier attempt took too long"
                self.facts.append(act.fact())
        return sorted(self.facts, key=lambda fact: fact.n)

    def noticed(self, notice: Notice) -> None:
        """Take note of the logs of adversaries that came to some disk."""
        if isinstance(notice, RecordArrived) and self.is_liar(notice.record.author):
            self._logs[notice.record.author, notice.record.log] = None

    def is_liar(self, key: bytes) -> bool:
        """Return whether a key is an adversary's."""
        return key in self._keys

    def honest_records(self, store: MemoryStore) -> int:
        """Return how many records by honest authors are on a disk, beyond the base."""
        return store.record_count - sum(store.log(key) for key in self._logs)

    def is_level(self, stores: Collection[MemoryStore]) -> bool:
        """Return whether disks hold as much of every log of an adversary that was not forked."""
        forked = {log for liar in self.liars.values() for log in liar.forked}
        return all(
            len({store.log(key) for store in stores}) <= 1
            for key in self._logs
            if key not in forked
        )

    def _ended(self, act: Act) -> None:
        self.facts.append(act.fact())
        queue = self._queues[act.attempt.adversary, act.attempt.target]
        if queue and queue[0] is act:
            queue.popleft()
            act.liar.engaged.discard(act.attempt.target)
            if queue:
                act.liar.engaged.add(act.attempt.target)
                queue[0].start(BEHAVIOURS[queue[0].attempt.behaviour])
