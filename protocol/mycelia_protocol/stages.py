"""What a peer that lacks much is given first. Spec: section 10.1.3.

Records come in logs, each behind its predecessors. So what can be put first is a beginning of each
log: as far as its last record on who is in and by which rules, or its last urgent request. Whoever
asks can't know how far that is; whoever gives does, from its state. A wrong answer costs order and
nothing else, so it may be a little old.
"""

from collections.abc import Callable
from typing import TypeAlias

from mycelia_protocol.events import Range
from mycelia_protocol.limits import STAGES_KEPT_MS
from mycelia_protocol.logs import LogKey
from mycelia_protocol.messages import STAGE_ALL, STAGE_ROSTER, STAGE_URGENT
from mycelia_protocol.state import State
from mycelia_protocol.types.base import Statement
from mycelia_protocol.types.fork import Fork
from mycelia_protocol.types.incarnation import Incarnation
from mycelia_protocol.types.policy import Proposed
from mycelia_protocol.types.promises import request_state, times_of
from mycelia_protocol.types.request import Request
from mycelia_protocol.types.vouch import Vouch

Clip: TypeAlias = Callable[[tuple[Range, ...], int, int], tuple[Range, ...]]

ROSTER_FAMILIES = (Incarnation, Vouch, Fork, Proposed)


class Stages:
    """Knows of each log how far each stage goes, as a state has it."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._ends: dict[int, dict[LogKey, int]] = {}
        self._until_ms = 0  # before that they are not looked up again

    def clip(self, ranges: tuple[Range, ...], stage: int, now_ms: int) -> tuple[Range, ...]:
        """Return the part of each range that belongs to a stage, in their order."""
        if stage == STAGE_ALL:
            return ranges
        if now_ms >= self._until_ms:
            self._until_ms = now_ms + STAGES_KEPT_MS
            self._ends = {
                STAGE_ROSTER: self._roster_ends(),
                STAGE_URGENT: self._urgent_ends(now_ms),
            }
        ends = self._ends[stage]
        return tuple(
            Range(wanted.author, wanted.log, wanted.first, min(wanted.last, end - 1))
            for wanted in ranges
            if (end := ends.get((wanted.author, wanted.log), 0)) > wanted.first
        )

    def _roster_ends(self) -> dict[LogKey, int]:
        ends: dict[LogKey, int] = {}
        for family in ROSTER_FAMILIES:
            for statement in self._state.every(family):
                _reach(ends, statement)
        return ends

    def _urgent_ends(self, now_ms: int) -> dict[LogKey, int]:
        ends: dict[LogKey, int] = {}
        for request in self._state.unsettled(Request, now_ms, _is_urgent):
            expires_ms = times_of(self._state, request).expires_ms
            is_over = expires_ms is not None and expires_ms < now_ms
            if not is_over and not request_state(self._state, request.id).withdrawn:
                _reach(ends, request)
        return ends


def _is_urgent(request: Request) -> bool:
    return request.urgency == "now"


def _reach(ends: dict[LogKey, int], statement: Statement[object]) -> None:
    """Let a log's stage go as far as a statement."""
    key, seq = (statement.author, statement.log), statement.order[2]
    ends[key] = max(ends.get(key, 0), seq + 1)
