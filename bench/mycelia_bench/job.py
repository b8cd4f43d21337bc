"""What every system has to do, the same for each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Job:
    """The sizes of the job.

    Attributes:
        nodes: participants of the live spread: one author, the others readers.
        records: that the author publishes as fast as it can.
        size: bytes of what each record says, without what the system adds to it.
        trickle: records that are published at a steady pace, to measure latency.
        trickle_per_s: that pace.
        rest_s: seconds in which nothing is published, to see what that costs.
        settle_s: seconds that the last records of a trickle are given to come.
        missing: records that a newcomer lacks; 0 leaves catching up out.
        seed: of the random links.
    """

    nodes: int = 24
    records: int = 2_000
    size: int = 300
    trickle: int = 50
    trickle_per_s: float = 5.0
    rest_s: float = 5.0
    settle_s: float = 3.0
    missing: int = 20_000
    seed: int = 1

    @property
    def readers(self) -> int:
        """How many participants are to get each record."""
        return self.nodes - 1


QUICK: Final = Job(nodes=6, records=300, trickle=15, rest_s=2.0, settle_s=1.0, missing=2_000)
