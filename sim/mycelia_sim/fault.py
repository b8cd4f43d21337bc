"""Faults as a scenario means them: when, how long, what, and whom; still with distributions.

What they come to in one run is drawn by `draws/faults.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from mycelia_sim.grammar.selectors import Grouping, Selector
from mycelia_sim.units import Distribution, Rate

Lines: TypeAlias = Selector | Grouping  # links of somebody, or those between groups


@dataclass(frozen=True, slots=True)
class When:
    """Once at a time, or again and again: exactly one of `at` and `every` is there.

    Attributes:
        between: ms in which `every` counts; None for the whole run.
    """

    at: Distribution | None
    every: Rate | None
    between: tuple[int, int] | None


@dataclass(frozen=True, slots=True)
class Partition:
    """No link works between two groups; `bridge` are taken out of the groups and join them."""

    groups: Grouping
    mode: str
    oneway: bool
    delay_ms: int
    bridge: Selector | None


@dataclass(frozen=True, slots=True)
class Clog:
    """Some links let nothing through: isolate, clog, swizzle_clog, flap.

    Attributes:
        up, down: for flap: how long the links work, and how long not.
    """

    lines: Lines
    mode: str
    oneway: bool
    delay_ms: int
    up: Distribution | None
    down: Distribution | None


@dataclass(frozen=True, slots=True)
class Degrade:
    """Some links are worse than planned; None leaves a quality as it is."""

    lines: Lines
    oneway: bool
    latency: Distribution | None
    jitter: Distribution | None
    loss: Distribution | None
    duplicate: Distribution | None
    reorder: Distribution | None
    rate: Distribution | None


@dataclass(frozen=True, slots=True)
class Crash:
    """Some nodes end at once and start again later: crash, wipe, restore_old.

    Attributes:
        disk: what their disks are like then, in the words of `plan.Kill`.
        records: how many records an old backup lacks.
    """

    select: Selector
    restart_after: Distribution
    disk: str
    records: Distribution | None


@dataclass(frozen=True, slots=True)
class Upset:
    """Something befalls some nodes: pause, slow, restart, leave, join, clock and disk trouble.

    Attributes:
        amount: of the clock in ms or ppm; of a slow node, ms that each event takes.
    """

    select: Selector
    amount: Distribution | None


@dataclass(frozen=True, slots=True)
class Carry:
    """Somebody makes a bundle at one node, and a while later takes it in at another.

    Attributes:
        source, target: of whom one each is drawn.
    """

    source: Selector
    target: Selector


Effect: TypeAlias = Partition | Clog | Degrade | Crash | Upset | Carry


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault.

    Attributes:
        do: the scenario's word for it.
        name: for people: as given, or made of what it does and when.
        key: names its streams: the name if one is given, else what the fault says; so the draws of
            one fault do not depend on which others there are.
        lasts: how long each time; None where `effect` says so.
    """

    do: str
    name: str
    key: str
    when: When
    lasts: Distribution | None
    effect: Effect
