"""What became of the records that users were told are saved, in the classes of a set-full check.

Source: the `set-full` checker of Jepsen. There clients add elements to a set and read it; here a
record is added when a node tells its user that it is saved, and each disk is read when the run is
over. Where it was seen when records came to lie on disks, it is also known how late they came.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from mycelia_sim.facts import Acknowledged
from mycelia_sim.library import Library
from mycelia_sim.measured import summary_of

STALE_MS: Final = 10_000  # after the answer; by then a network without faults has spread a record

Reached: TypeAlias = Callable[[bytes], Mapping[str, int]]


@dataclass(frozen=True, slots=True)
class SetFull:
    """How many acknowledged records ended how; each is in one of the first four classes.

    Attributes:
        stable: they lie on every disk.
        partial: on some disks, and others saw them, too.
        never_read: on their author's disk, and nobody else ever had them.
        lost: on no disk; their author had them, else it could not have said so.
        stale: of the stable ones, those that some disk still lacked `STALE_MS` after the answer.
        after_ms: how long after the answer the stable ones were everywhere, ascending, as far as
            anybody saw it; None where nobody looks.
    """

    stable: int = 0
    partial: int = 0
    never_read: int = 0
    lost: int = 0
    stale: int | None = None
    after_ms: tuple[int, ...] | None = None

    def to_json(self) -> dict[str, int | float]:
        """Return plain values; how late is left out where nobody looked."""
        values: dict[str, int | float] = {
            "stable": self.stable,
            "partial": self.partial,
            "never_read": self.never_read,
            "lost": self.lost,
        }
        if self.stale is None:
            return values
        late = summary_of(self.after_ms or (), 0) or {}
        return {**values, "stale": self.stale, **{f"after_{k}": v for k, v in late.items()}}

    def __str__(self) -> str:
        """Return it in words."""
        late = ""
        if self.stale is not None:
            late = f" ({self.stale} of them later than {STALE_MS // 1000} s"
            late += f", the last after {self.after_ms[-1] / 1000:.1f} s)" if self.after_ms else ")"
        return (
            f"{self.stable} are stable{late}, {self.partial} partial, "
            f"{self.never_read} never read, {self.lost} lost"
        )


def set_full(
    acknowledged: Sequence[Acknowledged], library: Library, reached: Reached | None
) -> SetFull:
    """Return what became of the acknowledged records.

    Args:
        reached: returns when (ms of the workload) a record came to which nodes; None where nobody
            could see it.
    """
    disks = len(library.holdings)
    stable = partial = never_read = lost = 0
    after_ms: list[int] = []
    for said in acknowledged:
        record = bytes.fromhex(said.record)
        holders = library.holder_count(record)
        came = {} if reached is None else reached(record)
        if not holders:
            lost += 1
        elif holders == disks:
            stable += 1
            if len(came) == disks:
                after_ms.append(max(0, max(came.values()) - said.at_ms))
        elif holders == 1 and library.holds(said.node, record) and came.keys() <= {said.node}:
            never_read += 1
        else:
            partial += 1
    if reached is None:
        return SetFull(stable, partial, never_read, lost)
    stale = sum(late_ms > STALE_MS for late_ms in after_ms)
    return SetFull(stable, partial, never_read, lost, stale, tuple(sorted(after_ms)))
