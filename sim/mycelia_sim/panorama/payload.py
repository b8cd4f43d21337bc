"""What the page's script gets: the run as JSON, small enough to lie inside the page.

Health is one character a stem and sample out of 62, states one digit. A bed of many nodes has five
stems, which are its nodes at five ranks of health, and tells its counts whenever they change.
"""

from __future__ import annotations

import json
import math
from itertools import pairwise
from typing import Final

from mycelia_sim.panorama.beds import Garden, Plant
from mycelia_sim.panorama.health import STATES, Conditions, missing
from mycelia_sim.panorama.moments import side_order
from mycelia_sim.panorama.plots import longest
from mycelia_sim.panorama.tables import picked
from mycelia_sim.timeline import Timeline

ALPHABET: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
SAMPLES_MAX: Final = 480
SAMPLES_MAX_GROUPED: Final = 240
EVENTS_MAX: Final = 900
FAULTS_MAX: Final = 200
STEMS: Final = 5


def payload(timeline: Timeline, garden: Garden, conditions: Conditions) -> str:
    """Return the JSON text; `<` is written as an escape, so that it may stand in a script tag."""
    rows = _rows(timeline, SAMPLES_MAX_GROUPED if garden.is_grouped else SAMPLES_MAX)
    plant_of = {
        timeline.nodes[n].id: p for p, plant in enumerate(garden.plants) for n in plant.members
    }
    lacks = [missing(timeline.samples[row]) for row in rows]
    data = {
        "duration": timeline.duration_ms,
        "count": len(timeline.nodes),
        "states": STATES,
        "sides": side_order(garden),
        "times": [timeline.samples[row].t_ms for row in rows],
        "union": [timeline.samples[row].union for row in rows],
        "agreeing": [timeline.samples[row].agreeing for row in rows],
        "missing": [total for total, _ in lacks],
        "worst": [worst for _, worst in lacks],
        "tally": [conditions.tally(row) for row in rows],
        "river": [round(u, 4) for u in garden.river.course] if garden.river else None,
        "plants": [_plant(timeline, plant, conditions, rows) for plant in garden.plants],
        "links": [[link.one, link.other, *map(list, link.cuts)] for link in garden.links],
        "faults": [
            [fault.at_ms, fault.until_ms, fault.label, int(bool(fault.groups))]
            for fault in longest(timeline.faults, FAULTS_MAX)
        ],
        "events": [
            [event.t_ms, plant_of.get(event.node, -1), event.kind, event.text]
            for event in picked(timeline.events, EVENTS_MAX)
        ],
    }
    return json.dumps(data, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")


def _rows(timeline: Timeline, most: int) -> list[int]:
    """Return which samples to hand over: evenly spread, and those around each fault's edges."""
    count = len(timeline.samples)
    if count <= most:
        return list(range(count))
    rows = {round(n * (count - 1) / (most - 1)) for n in range(most)}
    edges = [ms for fault in timeline.faults[:20] for ms in (fault.at_ms, fault.until_ms)]
    for edge_ms in edges:
        after = next((n for n, s in enumerate(timeline.samples) if s.t_ms >= edge_ms), count - 1)
        rows |= {max(0, after - 1), after}
    return sorted(rows)


def _plant(
    timeline: Timeline, plant: Plant, conditions: Conditions, rows: list[int]
) -> dict[str, object]:
    found: dict[str, object] = {
        "name": plant.name,
        "place": plant.place,
        "side": plant.side,
        "u": plant.u,
        "v": plant.v,
        "n": len(plant.members),
    }
    if len(plant.members) == 1:
        n = plant.members[0]
        samples = [timeline.samples[row] for row in rows]
        found["stems"] = ["".join(_letter(conditions.health[row][n]) for row in rows)]
        found["state"] = "".join(str(conditions.states[row][n]) for row in rows)
        found["have"] = [sample.have[n] for sample in samples]
        found["peers"] = [sample.peers[n] for sample in samples]
    else:
        healths = [sorted(conditions.health[row][n] for n in plant.members) for row in rows]
        ranks = [round((len(plant.members) - 1) * (k + 0.5) / STEMS) for k in range(STEMS)]
        found["stems"] = ["".join(_letter(row[rank]) for row in healths) for rank in ranks]
        found["tally"] = _changes(plant, conditions, rows)
    found["gain"] = _gains(timeline, plant, rows)
    return found


def _letter(health: int) -> str:
    return ALPHABET[round(health * (len(ALPHABET) - 1) / 1000)]


def _changes(plant: Plant, conditions: Conditions, rows: list[int]) -> list[list[int]]:
    """Return [index of the sample, nodes per state] whenever a bed's counts change."""
    changes: list[list[int]] = []
    for at, row in enumerate(rows):
        states = [conditions.states[row][n] for n in plant.members]
        tally = [states.count(state) for state in range(len(STATES))]
        if not changes or changes[-1][1:] != tally:
            changes.append([at, *tally])
    return changes


def _gains(timeline: Timeline, plant: Plant, rows: list[int]) -> str:
    """Return a digit a sample: how many records came in since the one before, on a log scale."""
    gains = ["0"]
    for before, now in pairwise(rows):
        came = 0
        for n in plant.members:
            old, new = timeline.samples[before].have[n], timeline.samples[now].have[n]
            came += max(0, new - old) if old is not None and new is not None else 0
        gains.append(str(min(9, round(2 * math.log2(1 + came / len(plant.members))))))
    return "".join(gains)
