"""The earliest possible arrival of a record at each node, under the faults that a run really had.

No protocol can be faster: a record leaves its author when it is on the author's disk, goes over
every direction that works, waits where none does, and is on another disk one sync after it came
there. This is Dijkstra over time, with the times at which nodes were down or stopped, directions
cut or slower, and disks full. What a protocol needs besides (dialling again, handshakes, asking) is
its own affair, and shows as stretch.

    leave    the sender runs, and the direction is open
    travel   takes the latency of the moment of leaving; jitter, loss and rate count as nothing
    reach    the direction is open then, and the receiver was up all the way; else what was on its
             way is lost or held, and leaves again when that is over
    wait     leaving later can mean being there earlier, when a slow time ends

What people carry by hand is a direction that opens once: what is on the disk when the stick leaves
is with the other node when it comes.

Where nothing is disturbed between birth and last arrival, the answer is that of the still network,
which is worked out once for each author.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from mycelia_sim.virtual.spans import Spans

NEVER: Final = 1 << 62  # us; later than any run


@dataclass(slots=True)
class Direction:
    """One direction between two nodes over the whole run; all times in virtual us.

    Attributes:
        latency_us: on a good day; at least 0.
        cuts: when nothing gets through.
        slower: (from, until, us more) for each time in which it takes longer; they add up.
    """

    latency_us: int
    cuts: Spans = field(default_factory=Spans)
    slower: list[tuple[int, int, int]] = field(default_factory=list)

    @property
    def is_still(self) -> bool:
        """Whether it is the same at all times."""
        return not self.cuts and not self.slower

    def latency_at(self, time: int) -> int:
        """Return how long a message takes that leaves now."""
        return self.latency_us + sum(us for start, end, us in self.slower if start <= time < end)


@dataclass(slots=True)
class Life:
    """One node over the whole run.

    Attributes:
        down: when there was no process; it keeps nothing but its disk.
        asleep: when no process ran: down, or stopped.
        mute: when nothing could come on its disk: asleep, or the disk full.
    """

    down: Spans = field(default_factory=Spans)
    asleep: Spans = field(default_factory=Spans)
    mute: Spans = field(default_factory=Spans)


ALWAYS: Final = Life()


@dataclass(frozen=True, slots=True)
class Stick:
    """Somebody took all that was on one disk at a time to another node; times in virtual us."""

    source: str
    left_us: int
    target: str
    came_us: int


class Oracle:
    """The network of one run, as it really was.

    Args:
        nodes: ids; answers come in their order.
        directions: (source, target) -> direction.
        lives: of those nodes that were ever disturbed.
        sync_us: from the arrival of a record at a node until it is on the disk.
        sticks: what was carried by hand, to nodes that ran when it came.
    """

    def __init__(
        self,
        nodes: Sequence[str],
        directions: Mapping[tuple[str, str], Direction],
        lives: Mapping[str, Life],
        sync_us: int,
        sticks: Iterable[Stick] = (),
    ) -> None:
        self._index = {node: n for n, node in enumerate(nodes)}
        self._lives = [lives.get(node, ALWAYS) for node in nodes]
        self._sync_us = sync_us
        self._ways: list[list[tuple[int, int, Direction | None]]] = [[] for _ in nodes]
        for (source, target), way in sorted(directions.items()):
            ends = self._index.get(source), self._index.get(target)
            if None not in ends:
                u, v = self._index[source], self._index[target]
                is_still = way.is_still and self._lives[u] is self._lives[v] is ALWAYS
                self._ways[u].append((v, way.latency_us, None if is_still else way))
        self._sticks: dict[int, list[tuple[int, int, int]]] = {}
        for stick in sticks:
            left = self._sticks.setdefault(self._index[stick.source], [])
            left.append((stick.left_us, self._index[stick.target], stick.came_us))
        self._disturbed = Spans(_disturbances(directions.values(), lives.values()))
        self._still: dict[int, list[int]] = {}

    @property
    def cost(self) -> int:
        """How many steps one answer takes, about."""
        return len(self._ways) + sum(map(len, self._ways))

    def arrivals(self, author: str, born_us: int) -> list[int]:
        """Return when a record could be on each node's disk (virtual us), NEVER if never.

        Args:
            born_us: when it was on its author's disk.
        """
        source = self._index[author]
        still = self._still.get(source)
        if still is None:
            still = self._still[source] = self._spread(source, 0, is_still=True)
        reached = [time + born_us if time < NEVER else NEVER for time in still]
        last = max((time for time in reached if time < NEVER), default=born_us)
        if self._sticks or not self._disturbed.is_clear(born_us, last + self._sync_us):
            reached = self._spread(source, born_us, is_still=False)
        return [
            born_us if n == source else self._on_disk(n, time) for n, time in enumerate(reached)
        ]

    def _on_disk(self, node: int, time: int) -> int:
        if time >= NEVER:
            return NEVER
        return self._lives[node].mute.after(time + self._sync_us)

    def _spread(self, source: int, born_us: int, *, is_still: bool) -> list[int]:
        """Return when a record could be with each node's process."""
        best = [NEVER] * len(self._ways)
        best[source] = born_us
        heap = [(born_us, source)]
        ways, lives, pop, push = self._ways, self._lives, heapq.heappop, heapq.heappush
        while heap:
            time, u = pop(heap)
            if time > best[u]:
                continue
            for left_us, v, came_us in self._sticks.get(u, ()) if not is_still else ():
                stored_us = time if u == source else self._on_disk(u, time)
                if stored_us <= left_us and came_us < best[v]:
                    best[v] = came_us
                    push(heap, (came_us, v))
            for v, latency_us, way in ways[u]:
                if time + latency_us >= best[v]:
                    continue
                if way is None or is_still:
                    reached = time + latency_us
                else:
                    reached = _cross(way, lives[u], lives[v], time)
                if reached < best[v]:
                    best[v] = reached
                    push(heap, (reached, v))
        return best


def _disturbances(
    directions: Iterable[Direction], lives: Iterable[Life]
) -> Iterable[tuple[int, int]]:
    for way in directions:
        yield from way.cuts
        yield from ((start, end) for start, end, _ in way.slower)
    for life in lives:
        yield from life.mute


def _cross(way: Direction, sender: Life, receiver: Life, time: int) -> int:
    """Return when what is with the sender now could be with the receiver's process."""
    best = _cross_from(way, sender, receiver, time)
    for start, end, _ in way.slower:
        for turn in (start, end):  # a slow message can even come after a cut that a quick one meets
            if time < turn < best:
                best = min(best, _cross_from(way, sender, receiver, turn))
    return best


def _cross_from(way: Direction, sender: Life, receiver: Life, time: int) -> int:
    """Return when it could be there if it leaves as soon as it can from this time on."""
    while True:
        leaves = way.cuts.after(sender.asleep.after(time))
        if leaves != time:
            time = leaves
            continue
        reaches = time + way.latency_at(time)
        opens = way.cuts.after(reaches)
        if opens != reaches:
            time += opens - reaches
            continue
        starts = receiver.down.last_within(time, reaches)
        if starts is not None:
            time = starts
            continue
        return receiver.asleep.after(reaches)
