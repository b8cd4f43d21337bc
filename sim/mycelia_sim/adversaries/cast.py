"""All adversaries of one run: when they act, and what became of it."""

from collections import deque
from collections.abc import Callable
from typing import TypeAlias

from mycelia_sim.adversaries.act import Act
from mycelia_sim.adversaries.behaviours import BEHAVIOURS
from mycelia_sim.adversaries.liar import Liar
from mycelia_sim.adversaries.scene import Carrier, LogKey, Scene
from mycelia_sim.facts import AttemptFact
from mycelia_sim.plan import Attempt

Attempts: TypeAlias = tuple[Attempt, ...]


def adversary_ids(attempts: Attempts) -> tuple[str, ...]:
    """Return the ids of all adversaries, sorted; they have to be members before they act."""
    return tuple(sorted({attempt.adversary for attempt in attempts}))


class Cast:
    """The adversaries.

    Args:
        carrier_of: who carries what an adversary sends.

    Attributes:
        facts: what became of each attempt that is over.
    """

    def __init__(
        self, attempts: Attempts, scene: Scene, carrier_of: Callable[[str], Carrier]
    ) -> None:
        self.liars = {one: Liar(one, scene, carrier_of(one)) for one in adversary_ids(attempts)}
        self._keys = {liar.key: one for one, liar in self.liars.items()}
        self.facts: list[AttemptFact] = []
        self._queues: dict[tuple[str, str], deque[Act]] = {}

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

    def is_liar(self, key: bytes) -> bool:
        """Return whether a key is an adversary's."""
        return key in self._keys

    @property
    def forked(self) -> frozenset[LogKey]:
        """The logs of which somebody wrote two ends.

        On these nodes never agree: each keeps the branch that it accepted first (spec 6.5).
        """
        return frozenset(log for liar in self.liars.values() for log in liar.forked)

    def _ended(self, act: Act) -> None:
        self.facts.append(act.fact())
        queue = self._queues[act.attempt.adversary, act.attempt.target]
        if queue and queue[0] is act:
            queue.popleft()
            act.liar.engaged.discard(act.attempt.target)
            if queue:
                act.liar.engaged.add(act.attempt.target)
                queue[0].start(BEHAVIOURS[queue[0].attempt.behaviour])
