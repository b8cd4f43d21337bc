"""How well each node was at each sample: a health of 0 to 1000 and one of five states.

Three questions decide, and the worst answer counts: is the node up, has it links, and how far is it
behind the union of all records. Being behind is measured against what was written in the run, not
against all history: who lacks half of what was written since the morning is unwell, however much
everybody shares from last year.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from mycelia_sim.backends import AWAY
from mycelia_sim.timeline import Sample, Timeline

STATES: Final = ("thriving", "drowsy", "wilted", "resting", "seed")
THRIVING, DROWSY, WILTED, RESTING, SEED = range(5)

THRIVING_MIN: Final = 700  # misses at most about a seventh of what the run wrote
DROWSY_MIN: Final = 400  # misses at most about a third
UP_MIN: Final = 120  # an ember: who runs but hears nobody is still not dark
PENALTY: Final = 2_000  # health lost per missing share of 1
ON_THE_WAY: Final = 3  # so many missing records are simply under way
FRESH_MIN: Final = 20  # records below which a share says nothing yet
LEAVING: Final = frozenset({*AWAY, "rest", "stop"})  # faults that a node wished for

MEANING: Final = {
    "thriving": "up, linked, and at most about a seventh of the run's records behind",
    "drowsy": "up, but slow: few links, or up to about a third of the run's records behind",
    "wilted": "down, without links, or further behind than that",
    "resting": "left on purpose",
    "seed": "not yet met",
}


@dataclass(frozen=True, slots=True)
class Conditions:
    """Rows of all nodes, one row a sample: health 0 to 1000, and an index into `STATES`."""

    health: list[list[int]]
    states: list[list[int]]

    def tally(self, sample: int) -> list[int]:
        """Return how many nodes are in each state."""
        row = self.states[sample]
        return [row.count(state) for state in range(len(STATES))]


def judge(have: int | None, peers: int | None, union: int, fresh: int, usual: int) -> int:
    """Return the health of one node.

    Args:
        fresh: how many records the run has written so far.
        usual: most links that the node ever had; with half of them it is still well.
    """
    if have is None:
        return 0
    behind = max(0, union - have - max(ON_THE_WAY, fresh // 50))
    health = 1000 - min(1000, PENALTY * behind // max(FRESH_MIN, fresh))
    if peers is not None and usual:
        health = min(health, 0 if not peers else 2000 * peers // usual)
    return max(UP_MIN, health)


def conditions(timeline: Timeline) -> Conditions:
    """Judge every node at every sample."""
    count = len(timeline.nodes)
    usual = _usual_links(timeline)
    resting = _resting(timeline)
    base = timeline.samples[0].union
    was_met = [False] * count
    health_rows: list[list[int]] = []
    state_rows: list[list[int]] = []
    for sample in timeline.samples:
        fresh = max(0, sample.union - base)
        known: dict[tuple[int | None, int | None, int], int] = {}  # most nodes are alike
        health = []
        for look in zip(sample.have, sample.peers, usual, strict=True):
            if look not in known:
                have, peers, most = look
                known[look] = judge(have, peers, sample.union, fresh, most)
            health.append(known[look])
        states = [
            THRIVING if one >= THRIVING_MIN else DROWSY if one >= DROWSY_MIN else WILTED
            for one in health
        ]
        for n, have in enumerate(sample.have):
            if have is not None:
                was_met[n] = True
            elif not was_met[n]:
                states[n] = SEED
            elif any(at_ms <= sample.t_ms < until_ms for at_ms, until_ms in resting.get(n, ())):
                states[n] = RESTING
        health_rows.append(health)
        state_rows.append(states)
    return Conditions(health_rows, state_rows)


def missing(sample: Sample) -> tuple[int, int]:
    """Return the records that running nodes miss: in sum, and the worst node's."""
    lacks = [sample.union - have for have in sample.have if have is not None]
    return sum(lacks), max(lacks, default=0)


def _usual_links(timeline: Timeline) -> list[int]:
    """Return the most links that each node ever had."""
    usual = [0] * len(timeline.nodes)
    for sample in timeline.samples:
        for n, peers in enumerate(sample.peers):
            if peers is not None and peers > usual[n]:
                usual[n] = peers
    return usual


def _resting(timeline: Timeline) -> dict[int, list[tuple[int, int]]]:
    """Return when which node was away because it wished so."""
    index = {node.id: n for n, node in enumerate(timeline.nodes)}
    found: dict[int, list[tuple[int, int]]] = {}
    for fault in timeline.faults:
        if fault.kind in LEAVING:
            for node in fault.nodes:
                found.setdefault(index[node], []).append((fault.at_ms, fault.until_ms))
    return found
