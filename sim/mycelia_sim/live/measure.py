"""The metrics of a run of real daemons, from what was heard of them and what they counted.

Latency is from the author's disk to a node's disk, by the daemons' own clocks. Stretch and heal
excess are over what the planned latencies and the faults, at the times at which they really came,
allowed at the earliest, on machines that take no time at all: so real daemons on few cores show
more of both than virtual ones.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from mycelia_node.tally import Tally
from mycelia_protocol.identity import to_text
from mycelia_sim.doubles import double_allocations
from mycelia_sim.evidence import Evidence
from mycelia_sim.live.ears import Place
from mycelia_sim.live.meter import Meter
from mycelia_sim.measured import METRICS, Metric
from mycelia_sim.plan import Plan
from mycelia_sim.reach import granted_in_cut
from mycelia_sim.set_full import set_full
from mycelia_sim.spread import Pair, Spread, cost_of, heal_excess, pairs_of, speed_of
from mycelia_sim.virtual.oracle import Direction, Oracle, Stick
from mycelia_sim.virtual.schedule import Turn, life_of, put_faults
from mycelia_sim.virtual.spans import Span

US: Final = 1_000  # microseconds in a millisecond
SYNC_US: Final = 0  # what a disk takes at least: nobody knows


@dataclass(frozen=True, slots=True)
class Heard:
    """What is known of the way of the records; all times in us since the workload began.

    Attributes:
        exact: place of a record -> node -> when the node said it was on its disk.
        seen: the same for when somebody looked and it was there: up to a look later.
        turns: node -> when it started, ended, stopped and went on.
        cuts: cut -> from when to when it certainly held; only those that ended.
        sticks: what people carried, from the end of one command to the beginning of the next.
    """

    exact: Mapping[Place, Mapping[str, int]]
    seen: Mapping[Place, Mapping[str, int]]
    turns: Mapping[str, list[Turn]]
    cuts: Mapping[str, Span]
    sticks: Sequence[Stick] = ()


def oracle_of(plan: Plan, heard: Heard) -> Oracle:
    """Return the oracle of a run of real daemons."""
    ways = {
        pair: Direction(link.latency_ms * US)
        for link in plan.links
        for pair in ((link.dialer, link.listener), (link.listener, link.dialer))
    }
    put_faults(plan, ways, 0, heard.cuts)
    lives = {node: life_of(turns, 0, []) for node, turns in heard.turns.items()}
    disturbed = {node: life for node, life in lives.items() if life.mute}
    return Oracle([node.id for node in plan.nodes], ways, disturbed, SYNC_US, heard.sticks)


class _Spreading:
    """Puts together how the records of one run spread."""

    def __init__(self, evidence: Evidence, heard: Heard) -> None:
        self.pairs: list[Pair] = []
        self.records = 0
        self.coverage: Counter[str] = Counter(pairs_coarse=0, pairs_unseen=0, records_unheard=0)
        self._heard = heard
        self._oracle = oracle_of(evidence.plan, heard)
        self._nodes = [node.id for node in evidence.plan.nodes]
        self._node_of = {to_text("key", key): node for key, node in evidence.node_of.items()}
        self._held = {
            holding.node: {
                (to_text("key", one.author), to_text("log", one.log), one.seq)
                for log in holding.logs
                for one in log.records
            }
            for holding in evidence.holdings
        }

    def add_all(self) -> None:
        """Add every record that lies on some disk and was written in the workload."""
        for place in sorted(set().union(*self._held.values())):
            author = self._node_of.get(place[0])
            if author is None:
                continue
            born_us = self._heard.exact.get(place, {}).get(author)
            if born_us is None:
                seen_us = self._heard.seen.get(place, {}).values()
                self.coverage["records_unheard"] += min(seen_us, default=0) > 0
            elif born_us >= 0:
                self._add(place, author, born_us)

    def _add(self, place: Place, author: str, born_us: int) -> None:
        exact, seen = self._heard.exact[place], self._heard.seen.get(place, {})
        without = {author}
        arrivals: list[tuple[str, int | None]] = []
        for node in self._nodes:
            at_us = exact.get(node, seen.get(node))
            if at_us is None and place in self._held.get(node, ()):
                without.add(node)
                self.coverage["pairs_unseen"] += 1
            self.coverage["pairs_coarse"] += at_us is not None and node not in exact
            arrivals.append((node, None if at_us is None else max(at_us, born_us)))
        earliest = self._oracle.arrivals(author, born_us)
        self.pairs += pairs_of(born_us, arrivals, earliest, without)
        self.records += 1


def spread_of(evidence: Evidence, heard: Heard) -> tuple[Spread, dict[str, int]]:
    """Return how the records of the workload spread, and how well that is known.

    A record whose author nobody heard write it is left out, and so is a pair of which nobody saw
    when it came to be.
    """
    spreading = _Spreading(evidence, heard)
    spreading.add_all()
    spread = Spread(spreading.pairs, spreading.records, spreading.records)
    return spread, dict(spreading.coverage)


def metrics_of(
    evidence: Evidence, spread: Spread, heard: Heard, meter: Meter, base: int
) -> tuple[dict[str, Metric], dict[str, object]]:
    """Return the metrics of a run, and the counts on which they rest.

    Args:
        base: records that every node held when the workload began; what adversaries wrote is left
            out everywhere, but not what it cost.
    """
    nodes, cuts = len(evidence.plan.nodes), evidence.plan.cuts
    liars = evidence.liars
    honest = sum(one.author not in liars for one in evidence.library.records.values())
    records = honest - base
    logs = [log for holding in evidence.holdings for log in holding.logs]
    held = sum(len(log.records) for log in logs if log.author not in liars)
    speed, pairs = speed_of(spread)
    cost, frames = cost_of(
        meter.between("began", "settled"),
        meter.between("began", "healed") if "healed" in meter.marks else Tally(),
        nodes=nodes,
        records=max(0, records),
        deliveries=max(0, held - nodes * base - records),
    )
    is_healed = bool(cuts) and all(cut.id in heard.cuts for cut in cuts)
    healed_us = max(heard.cuts[cut.id][1] for cut in cuts) if is_healed else None
    found = {**speed, **cost, "heal_excess": heal_excess(spread, healed_us)}
    found["redundancy_warm"] = None  # real nodes count frames and records, not which
    found["granted_in_cut"] = granted_in_cut(evidence)
    found["set_full"] = _set_full(evidence, heard)
    found |= double_allocations(evidence)
    return {name: found[name] for name in METRICS}, {**pairs, **frames, "lives": meter.lives}


def _set_full(evidence: Evidence, heard: Heard) -> Metric:
    """Return what became of acknowledged records, by what was heard of their way."""
    records, acknowledged = evidence.library.records, evidence.facts.acknowledged

    def reached(record: bytes) -> Mapping[str, int]:
        held = records.get(record)
        if held is None:
            return {}
        place = (to_text("key", held.author), to_text("log", held.log), held.seq)
        times = {**heard.seen.get(place, {}), **heard.exact.get(place, {})}
        return {node: at_us // US for node, at_us in times.items()}

    if not acknowledged:
        return None
    return set_full(acknowledged, evidence.library, reached).to_json()
