"""Plays exactly what a run played, and says whether the same happened.

In virtual time the same plan is the same run, line by line: the hashes of the trace are compared as
they come, and the first block that differs is kept. On the way the lines around a moment, or those
of a node, can be looked at.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from mycelia_sim.adversaries.cast import adversary_ids
from mycelia_sim.divergence import Divergence, compare
from mycelia_sim.errors import ScenarioError, nearest
from mycelia_sim.plan import Plan
from mycelia_sim.progress import Progress
from mycelia_sim.run_folder import Chain, RunFolder
from mycelia_sim.virtual.loop import MS
from mycelia_sim.virtual.run import Played, Teller, play_virtual
from mycelia_sim.virtual.trace import Line, Trace
from mycelia_sim.virtual.world import Exhausted, World

AFTER_US: Final = 1_000 * MS  # how long a peek goes on after its moment

Tell = Callable[[int, Line], None]


@dataclass(frozen=True, slots=True)
class Point:
    """What is to be looked at.

    Attributes:
        at_ms: moment, ms after the beginning of the workload.
        event: number of a line; at most one of the two is given.
        node: only lines of this node.
        around: so many lines before the moment, and after it.
    """

    at_ms: int | None = None
    event: int | None = None
    node: str | None = None
    around: int = 20

    @property
    def is_moment(self) -> bool:
        """Whether the play can end soon after."""
        return self.at_ms is not None or self.event is not None


@dataclass(frozen=True, slots=True)
class Peeked:
    """A play that ended soon after a moment.

    Attributes:
        began_us: virtual time at which the workload began.
        ended_us: at which the play ended.
        is_whole: whether the run was over before the moment, or soon after it.
        blocks: so many whole blocks were compared with those of the run.
    """

    began_us: int
    ended_us: int
    is_whole: bool
    blocks: int
    divergence: Divergence | None


@dataclass(frozen=True, slots=True)
class Replayed:
    """A whole play.

    Attributes:
        is_same: whether the same happened, None where there is nothing to compare with.
        divergence: where the traces part; None also where the run left no chain.
    """

    played: Played
    is_same: bool | None
    divergence: Divergence | None


class _Enough(Exception):
    """What was to be seen has been seen."""


class Spotter:
    """Picks the lines that were asked for, as they come in order.

    Args:
        tell: takes each.
        until_us: tells the virtual time of the moment; None while nobody knows it yet.
    """

    def __init__(self, point: Point, tell: Tell, until_us: Callable[[], int | None]) -> None:
        self._point = point
        self._tell = tell
        self._until_us = until_us
        self._before: deque[tuple[int, Line]] = deque(maxlen=point.around)
        self._after = 0

    def take(self, first: int, lines: list[Line]) -> None:
        """Look at some lines, which are numbered from `first` on."""
        until_us = self._until_us()
        for number, line in enumerate(lines, start=first):
            if self._point.node is not None and line[1] != self._point.node:
                continue
            if not self._point.is_moment:
                self._tell(number, line)
            elif not self._is_after(number, line, until_us):
                self._before.append((number, line))
            elif self._after < self._point.around:
                self.flush()
                self._after += 1
                self._tell(number, line)

    def flush(self) -> None:
        """Tell what came just before the moment, or the last lines if it never came."""
        for number, line in self._before:
            self._tell(number, line)
        self._before.clear()

    def _is_after(self, number: int, line: Line, until_us: int | None) -> bool:
        if self._point.event is not None:
            return number > self._point.event
        return until_us is not None and line[0] > until_us


class Follower(Trace):
    """A trace that is held against the chain of an earlier run as it grows.

    Args:
        chain: None where there is none.
        take: takes (number of the first, lines) of each block.
    """

    def __init__(
        self, chain: Chain | None, take: Callable[[int, list[Line]], None] | None = None
    ) -> None:
        super().__init__()
        self._expected = None if chain is None else chain.links
        self._take = take
        self._apart: tuple[int, list[Line]] | None = None

    def _write(self, lines: list[Line], first: int) -> None:
        if self._take is not None:
            self._take(first, lines)
        if self._apart is None and self._expected is not None:
            number = len(self.chain)
            link = (first + len(lines), lines[-1][0], self._last.hex())
            if self._expected[number : number + 1] != (link,):
                self._apart = (first, lines)

    def finish(self) -> None:
        """Hand over the lines of the last block, which is not full."""
        if self._take is not None and self._block:
            self._take(self._hashed, self._block)

    def own(self) -> Chain:
        """Return the chain so far."""
        return Chain(tuple(self.chain), self.lines, self.digest)

    def apart(self) -> list[tuple[int, Line]]:
        """Return the numbered lines of the first block that differs, else of the last one."""
        first, lines = self._apart or (self._hashed, self._block)
        return list(enumerate(lines, start=first))


def check_point(plan: Plan, point: Point) -> None:
    """Refuse to look for what is not there.

    Raises: ScenarioError.
    """
    known = [*(node.id for node in plan.nodes), *adversary_ids(plan.attempts)]
    if point.node is not None and point.node not in known:
        raise ScenarioError(
            f"there is no node '{point.node}' in the run{nearest(point.node, known)}"
        )


def replay(run: RunFolder, progress: Progress, point: Point, tell: Tell) -> Replayed:
    """Play a plan in virtual time to its end, and compare.

    Args:
        tell: takes the lines of the point's node, if it has one.
    """
    expected = run.chain()
    spotter = None if point.node is None else Spotter(point, tell, lambda: None)
    follower = Follower(expected, None if spotter is None else spotter.take)
    played = play_virtual(run.plan, progress, follower)
    follower.finish()
    if run.digest is None or played.evidence.facts.is_interrupted:
        return Replayed(played, None, None)
    is_partial = run.is_interrupted
    divergence = None
    if expected is not None:
        divergence = compare(
            expected, follower.own(), run.lines(), follower.apart(), is_partial=is_partial
        )
    is_same = divergence is None and (is_partial or run.digest == follower.digest)
    return Replayed(played, is_same, divergence)


def peek(run: RunFolder, progress: Progress, point: Point, tell: Tell) -> Peeked:
    """Play a plan in virtual time up to a moment, and tell the lines around it."""
    expected = run.chain()
    teller = Teller(progress, run.plan)

    def until_us() -> int | None:
        return world.began_us + (point.at_ms or 0) * MS if world.has_begun else None

    def report(world: World) -> None:
        teller.tell(world)
        moment_us = until_us()
        if point.event is not None:
            is_over = follower.lines > point.event + point.around
        else:
            is_over = moment_us is not None and world.loop.now_us >= moment_us + AFTER_US
        if is_over:
            raise _Enough

    spotter = Spotter(point, tell, until_us)
    follower = Follower(expected, spotter.take)
    world = World(run.plan, report, follower)
    is_whole = True
    try:
        world.run()
    except Exhausted:
        pass
    except _Enough:
        is_whole = False
    follower.finish()
    spotter.flush()
    divergence = None
    blocks = 0 if expected is None else min(len(expected.links), len(follower.chain))
    if expected is not None:
        divergence = compare(
            expected, follower.own(), run.lines(), follower.apart(), is_partial=True
        )
    return Peeked(world.began_us, world.loop.now_us, is_whole, blocks, divergence)
