"""The model of a link: one direction between two nodes, as virtual time and the switch both use it.

What becomes of a packet is drawn by counter, a pure function of (seed, name of the direction, n),
so that the traffic of one link shifts no draw of another. What a lost or a late packet then means
is for whoever carries it: in virtual time a connection waits until it is sent again; the switch
just does not deliver it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from mycelia_sim.plan import Cut, Shape
from mycelia_sim.streams import draw

MS: Final = 1_000  # microseconds in a millisecond
PPM: Final = 1_000_000
STRANGER_LATENCY_US: Final = 40 * MS  # between nodes that no planned link joins

Fate: TypeAlias = tuple[int, bool, bool, bool]  # us later, comes twice, is overtaken, is lost


@dataclass(slots=True)
class Path:
    """One direction between two nodes, now.

    Attributes:
        latency_us: time that any message takes.
        jitter_us: up to so much more, drawn.
        loss_ppm, duplicate_ppm: packets in a million that are lost, or come twice.
        reorder_ppm: packets in a million that are overtaken, so that those behind them wait.
        rates: limits that hold now, in bits a second, 0 for none; the lowest counts.
        cuts: modes of the cuts that hold it now: fault id -> mode.
        delay_us: what cuts of mode `delay`, and shapes, add.
        bent: messages that were carried while any shape made it worse; whoever carries counts.
    """

    latency_us: int
    jitter_us: int = 0
    loss_ppm: int = 0
    duplicate_ppm: int = 0
    reorder_ppm: int = 0
    rates: list[int] = field(default_factory=list)
    cuts: dict[str, str] = field(default_factory=dict)
    delay_us: int = 0
    bent: int = 0
    drawn: int = 0  # counter of this direction's random stream

    @property
    def rate_bps(self) -> int:
        """Bits a second that get through, 0 for no limit."""
        return min((rate for rate in self.rates if rate), default=0)

    @property
    def is_disturbed(self) -> bool:
        """Whether a packet's fate has to be drawn."""
        return bool(self.jitter_us or self.loss_ppm or self.duplicate_ppm or self.reorder_ppm)

    @property
    def is_cut(self) -> bool:
        """Whether nothing gets through."""
        return bool(self.cuts) and any(mode != "delay" for mode in self.cuts.values())

    def cut(self, fault: str, mode: str, delay_us: int) -> None:
        """Begin a cut; one of mode `delay` adds to the time that messages take."""
        self.cuts[fault] = mode
        if mode == "delay":
            self.delay_us += delay_us

    def heal(self, fault: str, delay_us: int) -> None:
        """End a cut, if it holds this direction."""
        if self.cuts.pop(fault, None) == "delay":
            self.delay_us -= delay_us

    def bend(self, shape: Shape) -> None:
        """Become worse by a shape."""
        self._add(shape, 1)
        self.rates.append(shape.rate_bps)

    def unbend(self, shape: Shape) -> None:
        """End what `bend` began."""
        self._add(shape, -1)
        self.rates.remove(shape.rate_bps)

    def _add(self, shape: Shape, sign: int) -> None:
        self.delay_us += sign * shape.latency_ms * MS
        self.jitter_us += sign * shape.jitter_ms * MS
        self.loss_ppm += sign * shape.loss_ppm
        self.duplicate_ppm += sign * shape.duplicate_ppm
        self.reorder_ppm += sign * shape.reorder_ppm

    def toss(self, seed: int, name: str) -> Fate:
        """Draw what becomes of the next packet; takes one draw."""
        self.drawn += 1
        bits = draw(seed, name, self.drawn)
        jitter_us = bits % (self.jitter_us + 1)
        bits >>= 32
        is_twice = bits % PPM < self.duplicate_ppm
        bits >>= 24
        is_late = bits % PPM < self.reorder_ppm
        bits >>= 24
        return jitter_us, is_twice, is_late, bits % PPM < self.loss_ppm

    def toss_again(self, seed: int, name: str) -> bool:
        """Draw whether a packet that was lost, and is sent again, is lost once more."""
        self.drawn += 1
        return draw(seed, name, self.drawn) % PPM < self.loss_ppm


def name_of(source: str, target: str) -> str:
    """Return the name of the stream from which a direction's fates are drawn."""
    return f"wire/{source}>{target}"


def cut_directions(cut: Cut, directions: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return those of the directions, and of the cut's own links, that a cut holds."""
    group = {node: number for number, nodes in enumerate(cut.groups) for node in nodes}
    between = [
        (source, target)
        for source, target in directions
        if source in group
        and target in group
        and group[source] != group[target]
        and not (cut.oneway and group[source] > group[target])
    ]
    known = set(between)
    return between + [pair for pair in cut.links if pair not in known]
