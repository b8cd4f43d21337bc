"""An outage made up by a toy gossip: timelines and summaries as a run would leave them.

Every node takes over what its neighbours held one step earlier, unless a fault stands between them.
That is no model of the protocol, only something with the shape of a run: a river cut, three nodes
without power, a forger, and everything healing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from random import Random

from mycelia_sim.sites import twin_cities
from mycelia_sim.timeline import (
    TIMELINE_SCHEMA,
    Event,
    Fault,
    Latency,
    Message,
    Node,
    Sample,
    Timeline,
    Violation,
)

STEP_MS = 250
LATENCY_WINDOW_MS = 2_000
TITLES = ("warm meals", "drinking water", "blankets", "first-aid supplies", "heating fuel")


@dataclass
class _Toy:
    """The state of the toy: who holds which records, as bits of an integer."""

    rng: Random
    have: list[int]
    neighbours: list[list[int]]
    born_ms: list[int]
    arrivals: list[list[int]]
    origin: list[int]

    def write(self, node: int, now_ms: int) -> None:
        """Let a node write one record."""
        self.have[node] |= 1 << len(self.born_ms)
        self.born_ms.append(now_ms)
        self.arrivals.append([])
        self.origin.append(node)

    def spread(self, is_open: list[list[bool]], is_up: list[bool], now_ms: int) -> None:
        """Let every node take over what its neighbours held."""
        before = list(self.have)
        for node, others in enumerate(self.neighbours):
            if not is_up[node]:
                continue
            for other, is_passable in zip(others, is_open[node], strict=True):
                if is_passable and is_up[other] and self.rng.random() < 0.8:
                    self.have[node] |= before[other]
            fresh = self.have[node] & ~before[node]
            while fresh:
                bit = fresh & -fresh
                self.arrivals[bit.bit_length() - 1].append(now_ms)
                fresh ^= bit


def nodes(count: int, rng: Random) -> tuple[Node, ...]:
    """Return nodes at sites of the Twin Cities; sites come again when there are too few."""
    pool = twin_cities()
    sites = rng.sample(pool, count) if count <= len(pool) else rng.choices(pool, k=count)
    sites.sort(key=lambda site: site.side, reverse=True)
    return tuple(
        Node(f"n{n:02}", s.name, s.district, s.side, s.latitude, s.longitude)
        for n, s in enumerate(sites)
    )


def _links(city: tuple[Node, ...], rng: Random) -> list[tuple[int, int]]:
    """Return a ring within each side, chords, and some links over the river."""
    sides = [[n for n, node in enumerate(city) if node.side == s] for s in ("west", "east")]
    pairs = set()
    for side in sides:
        for at, node in enumerate(side):
            others = [side[(at + 1) % len(side)], *rng.sample(side, min(2, len(side)))]
            pairs |= {(min(node, o), max(node, o)) for o in others if o != node}
    for _ in range(max(6, len(city) // 4) if all(sides) else 0):
        pairs.add(tuple(sorted(rng.choice(side) for side in sides)))  # type: ignore[arg-type]
    return sorted(pairs)


@cache
def outage(
    count: int = 30, *, seed: int = 7, duration_ms: int = 60_000, scale: int = 1
) -> Timeline:
    """Return the timeline of one river cut; `scale` stretches all times, as for a long winter."""
    rng = Random(seed)
    city = nodes(count, rng)
    links = _links(city, rng)
    west = tuple(node.id for node in city if node.side == "west")
    east = tuple(node.id for node in city if node.side == "east")
    down = rng.sample(range(count), min(3, count))
    faults = [
        Fault("partition-1", "partition", 8_000, 34_000, (west, east), (), (), "the river is cut")
    ]
    for at_ms, until_ms, node in zip(
        (13_000, 13_000, 18_000), (17_250, 20_300, 37_800), down, strict=False
    ):
        name = city[node].name
        faults.append(
            Fault(
                f"kill-{node}",
                "crash",
                at_ms,
                until_ms,
                (),
                (city[node].id,),
                (),
                f"{name} is dark",
            )
        )
    toy = _Toy(rng, [0] * count, [[] for _ in city], [], [], [])
    for one, two in links:
        toy.neighbours[one].append(two)
        toy.neighbours[two].append(one)
    events = _story(city, rng, faults, duration_ms)
    samples = _play(city, toy, faults, events, duration_ms)
    return Timeline(
        schema=TIMELINE_SCHEMA,
        backend="live",
        scenario="river-split",
        title="The links over the river fail while some nodes lose power",
        seed=seed,
        duration_ms=duration_ms * scale,
        resolution_ms=STEP_MS * 2,
        nodes=city,
        links=tuple((city[a].id, city[b].id) for a, b in links),
        faults=tuple(
            replace(f, at_ms=f.at_ms * scale, until_ms=f.until_ms * scale) for f in faults
        ),
        samples=tuple(replace(s, t_ms=s.t_ms * scale) for s in samples),
        events=tuple(replace(e, t_ms=e.t_ms * scale) for e in events),
        latency=_latency(toy, count, duration_ms, scale),
        violation=None,
    )


def _story(
    city: tuple[Node, ...], rng: Random, faults: list[Fault], duration_ms: int
) -> list[Event]:
    """Return what people wrote, what failed and what the forger tried."""
    events = []
    for n in range(max(180, len(city) * 2)):
        at_ms = rng.randrange(0, round(duration_ms * 0.72))
        node = rng.choice(city).id
        kind = rng.choice(("offer", "request", "request", "grant", "answer", "receipt"))
        verb = {
            "offer": "offers",
            "request": "asks for",
            "grant": "promises",
            "answer": "accepts",
            "receipt": "hands over",
        }[kind]
        text = f"{verb} {rng.randrange(2, 90)} of {rng.choice(TITLES)}"
        events.append(Event(at_ms, node, kind, text, f"{rng.getrandbits(64):016x}"))
        if n % 16 == 5:
            events.append(
                Event(at_ms + 40, node, "forgery", "a record in its neighbour's name, refused", "")
            )
    for fault in faults:
        first, last = ("cut", "heal") if fault.groups else ("kill", "restart")
        node = fault.nodes[0] if fault.nodes else ""
        began = "loses power" if node else "No link over the river works any more"
        ended = "is back" if node else "The links over the river are back"
        events += [
            Event(fault.at_ms, node, first, began, ""),
            Event(fault.until_ms, node, last, ended, ""),
        ]
    return sorted(events, key=lambda event: event.t_ms)


def _play(
    city: tuple[Node, ...], toy: _Toy, faults: list[Fault], events: list[Event], duration_ms: int
) -> list[Sample]:
    """Step through the run and look twice a second."""
    index = {node.id: n for n, node in enumerate(city)}
    waiting = [e for e in events if e.record]
    samples = []
    for node in range(len(city)):
        for _ in range(3):  # what joining leaves: vouch, incarnation, profile
            toy.write(node, 0)
    toy.have = [(1 << len(toy.born_ms)) - 1] * len(city)
    toy.arrivals = [[0] * (len(city) - 1) for _ in toy.born_ms]
    for now_ms in range(0, duration_ms + 1, STEP_MS):
        active = [f for f in faults if f.at_ms <= now_ms < f.until_ms]
        dark = {index[node] for f in active for node in f.nodes}
        is_cut = any(f.groups for f in active)
        is_up = [n not in dark for n in range(len(city))]
        is_open = [
            [not (is_cut and city[n].side != city[o].side) for o in others]
            for n, others in enumerate(toy.neighbours)
        ]
        while waiting and waiting[0].t_ms <= now_ms:
            writer = index[waiting.pop(0).node]
            if is_up[writer]:
                toy.write(writer, now_ms)
        toy.spread(is_open, is_up, now_ms)
        if now_ms % (STEP_MS * 2) == 0:
            samples.append(_look(toy, is_up, is_open, now_ms))
    return samples


def _look(toy: _Toy, is_up: list[bool], is_open: list[list[bool]], now_ms: int) -> Sample:
    union, groups = 0, dict[int, int]()
    for held, up in zip(toy.have, is_up, strict=True):
        if up:
            union |= held
            groups[held] = groups.get(held, 0) + 1
    peers = [
        sum(way and is_up[o] for o, way in zip(others, is_open[n], strict=True))
        for n, others in enumerate(toy.neighbours)
    ]
    return Sample(
        now_ms,
        union.bit_count(),
        tuple(held.bit_count() if up else None for held, up in zip(toy.have, is_up, strict=True)),
        tuple(count if up else None for count, up in zip(peers, is_up, strict=True)),
        max(groups.values(), default=0),
    )


def _latency(toy: _Toy, count: int, duration_ms: int, scale: int) -> tuple[Latency, ...]:
    """Return percentiles over (record, node) by when the record was written."""
    points = []
    for from_ms in range(0, duration_ms, LATENCY_WINDOW_MS):
        waits: list[int] = []
        for born_ms, arrivals in zip(toy.born_ms, toy.arrivals, strict=True):
            if from_ms <= born_ms < from_ms + LATENCY_WINDOW_MS:
                waits += [at_ms - born_ms for at_ms in arrivals]
        waits.sort()
        if len(waits) < count:
            points.append(Latency(from_ms * scale, None, None, None, None, None))
            continue
        p50, p90, p99 = (waits[min(len(waits) - 1, len(waits) * p // 100)] for p in (50, 90, 99))
        points.append(Latency(from_ms * scale, p50 * scale, p90 * scale, p99 * scale, 1.2, 3.4))
    return tuple(points)


def country(count: int, *, seed: int = 5, samples: int = 200) -> Timeline:
    """Return a day of many nodes, drawn by formula: the toy's records would not fit in memory."""
    rng = Random(seed)
    city = nodes(count, rng)
    duration_ms = 24 * 3_600_000
    west = tuple(node.id for node in city if node.side == "west")
    east = tuple(node.id for node in city if node.side == "east")
    cut_ms = (duration_ms // 5, duration_ms * 3 // 5)
    cut = Fault("cut", "partition", *cut_ms, (west, east), (), (), "split")
    crashes = [
        Fault(f"kill-{n}", "crash", at_ms, at_ms + duration_ms // 8, (), (city[n].id,), (), "dark")
        for n, at_ms in ((n, rng.randrange(duration_ms * 4 // 5)) for n in range(0, count, 40))
    ]
    dark = {fault.nodes[0]: fault for fault in crashes}
    slow = [rng.random() for _ in city]
    looks = []
    for k in range(samples):
        t_ms = duration_ms * k // (samples - 1)
        union = 3 * count + count * t_ms // duration_ms
        gap = max(0, min(t_ms, cut.until_ms) - cut.at_ms) * count // duration_ms // 2
        after_ms = t_ms - cut.until_ms
        lag = [gap if after_ms < 0 else round(gap * max(0, 1 - after_ms / 3e6 / s)) for s in slow]
        is_dark = [
            node.id in dark and dark[node.id].at_ms <= t_ms < dark[node.id].until_ms
            for node in city
        ]
        have = tuple(None if d else union - g for d, g in zip(is_dark, lag, strict=True))
        peers = tuple(None if d else 6 for d in is_dark)
        agreeing = max(1, sum(not g and not d for d, g in zip(is_dark, lag, strict=True)))
        looks.append(Sample(t_ms, union, have, peers, agreeing))
    base = outage(12, seed=seed)
    return replace(
        base,
        backend="virtual",
        scenario="country",
        title="Ten thousand nodes in a day with a long split",
        duration_ms=duration_ms,
        resolution_ms=0,
        nodes=city,
        links=tuple(
            (city[n].id, city[rng.randrange(count)].id) for n in range(count) for _ in range(3)
        ),
        faults=(cut, *crashes),
        samples=tuple(looks),
        events=tuple(
            replace(event, t_ms=event.t_ms * 1440, node=rng.choice(city).id if event.node else "")
            for event in base.events
            for _ in range(8)
        ),
        latency=tuple(
            replace(p, t_ms=p.t_ms * 1440, p99_ms=p.p99_ms and p.p99_ms * 400) for p in base.latency
        ),
    )


def with_violation(timeline: Timeline) -> Timeline:
    """Return the timeline of a run in which one node stores a forged record."""
    at_ms = timeline.duration_ms // 3
    names = [node.id for node in timeline.nodes[:4]] + [timeline.nodes[-1].id]
    messages = [
        Message(at_ms - 900, at_ms - 780, names[0], names[1], "RECORDS", "5f0e11aa22bb33cc"),
        Message(at_ms - 760, None, names[1], names[4], "RECORDS", "5f0e11aa22bb33cc"),
        Message(at_ms - 620, at_ms - 560, names[1], names[2], "HAVE", "5f0e11aa22bb33cc"),
        Message(at_ms - 430, at_ms - 380, names[2], names[1], "WANT", "5f0e11aa22bb33cc"),
        Message(at_ms - 200, at_ms, names[0], names[3], "RECORDS", "c0ffee0123456789"),
        Message(at_ms + 120, at_ms + 240, names[3], names[2], "RECORDS", "c0ffee0123456789"),
    ]
    detail = f"{names[3]} stores an offer c0ffee0123456789 that its author never signed"
    event = Event(at_ms, names[3], "violation", "stores a record that nobody signed", "c0ffee01")
    return replace(
        timeline,
        violation=Violation(at_ms, "no_forgery", detail, tuple(names), tuple(messages)),
        events=tuple(sorted([*timeline.events, event], key=lambda one: one.t_ms)),
    )


def summary(timeline: Timeline, verdict: str = "pass") -> dict[str, object]:
    """Return summary.json as the report of a run writes it."""
    bad = {"pass": None, "fail": "no_forgery", "unknown": "kills_fired"}[verdict]
    checks = [
        ("no_loss", "safety", "all 171 acknowledged records are where they were acknowledged"),
        ("no_forgery", "safety", "all 14220 records on 30 disks are authentic"),
        ("no_overcommit", "safety", "88 grants stay within their offers and requests"),
        ("convergence", "liveness", "all nodes agreed 1.6 s after the workload ended"),
        ("kills_fired", "run", "3 daemons got SIGKILL while running"),
    ]
    steps = ("offered", "asked", "granted", "accepted", "handed", "received")
    sides = {
        side: {
            step: {
                "count": base - 4 * n,
                "in_cut": (base - 4 * n) // 2,
                "amounts": {"g": 41_500 - 500 * n, "mL": 120_000, "1": 317, "min": 960},
            }
            for n, step in enumerate(steps)
        }
        for side, base in (("east", 46), ("west", 52))
    }
    return {
        "schema": 1,
        "scenario": timeline.scenario,
        "seed": timeline.seed,
        "backend": timeline.backend,
        "verdict": verdict,
        "exit_code": {"pass": 0, "fail": 1, "unknown": 2}[verdict],
        "nodes": len(timeline.nodes),
        "records": timeline.samples[-1].union,
        "acknowledged": 171,
        "lost": 0,
        "forged_accepted": int(verdict == "fail"),
        "overcommitted": 0,
        "partitions_fired": 1,
        "kills_fired": 3,
        "converged_after_heal_s": 2.1,
        "settled_s": 1.6,
        "checks": [
            {
                "name": name,
                "family": family,
                "verdict": verdict if name == bad else "pass",
                "detail": "n03 stores an offer that nobody signed" if name == bad else detail,
            }
            for name, family, detail in checks
        ],
        "replay": "mycelia sim run --plan runs/river-split/20261123T090000-s7/plan.json",
        "posts": {
            "planned": 183,
            "acknowledged": 171,
            "refused": 2,
            "unanswered": 1,
            "skipped": 9,
        },
        "sides": sides,
        "grants_across": 31,
        "attempts": [{"is_delivered": True}] * 11,
        "versions": {"mycelia": "0.1.0", "python": "3.11.7"},
        "note": "Sites, places and categories are real; amounts and times are drawn.",
    }
