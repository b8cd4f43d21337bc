"""Shrinks a failing plan: the smallest one found that still fails in the same way.

    time -> faults -> adversaries -> nodes -> posts -> lengths -> strengths, and again
    until a whole round changes nothing or the time is up

A candidate counts only if it fails with the same fingerprint; failing otherwise is another bug.
Verdicts are remembered by the plan's hash, since the rounds come back to the same candidates.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Final

from mycelia_sim import reduce
from mycelia_sim.ddmin import ddmin
from mycelia_sim.errors import ScenarioError, SimError
from mycelia_sim.fingerprint import Fingerprint
from mycelia_sim.plan import Plan
from mycelia_sim.plan_file import plan_hash
from mycelia_sim.progress import Progress

PARTS_OF_TIME: Final = (0.0625, 0.125, 0.25, 0.5, 0.75, 0.9)
BEGIN_MS: Final = 500  # what is left of the quiet before the first thing happens

Oracle = Callable[[Plan], Iterable[Fingerprint]]


@dataclass(frozen=True, slots=True)
class Size:
    """How big a plan is."""

    faults: int
    attempts: int
    nodes: int
    posts: int
    duration_ms: int

    def __str__(self) -> str:
        """Return it in words."""
        counts = (
            (self.faults, "fault"),
            (self.attempts, "attempt"),
            (self.nodes, "node"),
            (self.posts, "post"),
        )
        words = [f"{count} {word}{'' if count == 1 else 's'}" for count, word in counts]
        return f"{', '.join(words)}, {self.duration_ms / 1000:g} s"


def size_of(plan: Plan) -> Size:
    """Return how big a plan is."""
    faults = sum(len(getattr(plan, field)) for field in reduce.FAULT_FIELDS)
    return Size(faults, len(plan.attempts), len(plan.nodes), len(plan.posts), plan.duration_ms)


@dataclass(frozen=True, slots=True)
class Shrunk:
    """What shrinking came to.

    Attributes:
        tries, remembered: candidates that were run, and those whose verdict was known already.
        is_done: nothing more could go; False when the time was up or somebody interrupted.
    """

    before: Plan
    plan: Plan
    target: Fingerprint
    tries: int
    remembered: int
    seconds: float
    is_done: bool
    is_interrupted: bool


class _TimeIsUp(SimError):
    """The budget is spent; the best plan so far is the answer."""


class Shrinker:
    """Shrinks one plan.

    Args:
        oracle: runs a plan and tells in which ways it failed, none if it did not.
        target: the fingerprint to keep.
        budget_s: time after which no further candidate is tried.
    """

    def __init__(
        self, oracle: Oracle, target: Fingerprint, budget_s: float, progress: Progress
    ) -> None:
        self._oracle = oracle
        self._target = target
        self._budget_s = budget_s
        self._progress = progress
        self._known: dict[str, bool] = {}
        self._tries = 0
        self._remembered = 0
        self._begin_s = 0.0
        self._what = "checks"
        self._best: Plan

    def shrink(self, plan: Plan) -> Shrunk:
        """Return the smallest plan found.

        Raises: ScenarioError when the plan itself doesn't fail in that way.
        """
        self._begin_s = time.monotonic()
        self._best = plan
        if not self._fails(plan):
            raise ScenarioError(f"the plan does not fail with '{self._target}' when it is run")
        is_done = is_interrupted = False
        try:
            self._shrink()
            is_done = True
        except _TimeIsUp:
            pass
        except KeyboardInterrupt:
            is_interrupted = True
        seconds = time.monotonic() - self._begin_s
        return Shrunk(
            plan,
            self._best,
            self._target,
            self._tries,
            self._remembered,
            seconds,
            is_done,
            is_interrupted,
        )

    def _shrink(self) -> None:
        passes: tuple[tuple[str, Callable[[], None]], ...] = (
            ("time", self._time),
            ("faults", self._faults),
            ("adversaries", self._attempts),
            ("nodes", self._nodes),
            ("posts", self._posts),
            ("lengths", self._lengths),
            ("strengths", self._strengths),
        )
        self._accept(replace(self._best, sometimes=()))
        while True:
            before = self._best
            for name, act in passes:
                self._what = name
                act()
            if self._best == before:
                return

    # --- one candidate ---

    def _accept(self, candidate: Plan) -> bool:
        """Return whether a candidate fails in the same way; the best is then this one."""
        if candidate == self._best:
            return True
        if len(candidate.nodes) < 2 or not self._fails(candidate):
            return False
        self._best = candidate
        return True

    def _fails(self, plan: Plan) -> bool:
        key = plan_hash(plan)
        if key in self._known:
            self._remembered += 1
            return self._known[key]
        if self._tries and time.monotonic() - self._begin_s > self._budget_s:
            raise _TimeIsUp("the time for shrinking is up")
        self._tries += 1
        left_s = self._budget_s - (time.monotonic() - self._begin_s)
        self._progress.line(
            f"shrinking {self._what} | {self._tries} runs | {size_of(self._best)} | "
            f"at most {max(0.0, left_s):.0f} s more"
        )
        self._known[key] = self._target in self._oracle(plan)
        return self._known[key]

    # --- passes ---

    def _time(self) -> None:
        """Find a short time that is enough, then the quiet at the beginning."""
        whole = self._best
        for part in PARTS_OF_TIME:
            if self._accept(reduce.truncate(whole, int(whole.duration_ms * part))):
                break
        quiet_ms = reduce.first_ms(self._best) - BEGIN_MS
        if quiet_ms > 0:
            self._accept(reduce.shift(self._best, quiet_ms))

    def _faults(self) -> None:
        whole = self._best
        keys = [key for key, _ in reduce.faults_of(whole)]
        ddmin(keys, lambda kept: self._accept(reduce.keep_faults(whole, set(kept))))

    def _attempts(self) -> None:
        whole = self._best
        numbers = [attempt.n for attempt in whole.attempts]
        ddmin(numbers, lambda kept: self._accept(reduce.keep_attempts(whole, set(kept))))

    def _nodes(self) -> None:
        whole = self._best
        nodes = [node.id for node in whole.nodes]
        ddmin(nodes, lambda kept: self._accept(reduce.keep_nodes(whole, set(kept))))

    def _posts(self) -> None:
        whole = self._best
        numbers = [post.n for post in whole.posts]
        ddmin(numbers, lambda kept: self._accept(reduce.keep_posts(whole, set(kept))))

    def _lengths(self) -> None:
        self._each_fault(reduce.shorter_faults)

    def _strengths(self) -> None:
        self._each_fault(reduce.weaker_faults)
        self._accept(reduce.even_links(self._best))

    def _each_fault(
        self, candidates: Callable[[Plan, reduce.FaultKey, reduce.Fault], Iterable[Plan]]
    ) -> None:
        """Change one fault after the other; of each the first candidate that still fails stays."""
        for key, fault in reduce.faults_of(self._best):
            for candidate in candidates(self._best, key, fault):
                if self._accept(candidate):
                    break
