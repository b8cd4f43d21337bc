"""A run in virtual time that leaves the same folder behind as a live one."""

from __future__ import annotations

import json
import resource
import time
from dataclasses import asdict
from pathlib import Path

from mycelia_sim.conduct import Finished, replay_command, write_report
from mycelia_sim.plan import Plan
from mycelia_sim.progress import Progress
from mycelia_sim.report import Outcome
from mycelia_sim.virtual.loop import MS
from mycelia_sim.virtual.run import play_virtual
from mycelia_sim.virtual.world import World


def run_virtual(folder: Path, plan: Plan, progress: Progress) -> Finished:
    """Run a plan, judge it, and write journal, summary and verdict."""
    began_s, began_cpu_s = time.monotonic(), time.process_time()
    try:
        played = play_virtual(plan, progress)
    finally:
        progress.end()
    world = played.world
    journal = "".join(json.dumps(asdict(said)) + "\n" for said in world.facts.acknowledged)
    (folder / "acknowledged.jsonl").write_text(journal, "utf-8")
    cpu_s = time.process_time() - began_cpu_s
    more: dict[str, object] = {
        "virtual_s": world.loop.now_us / 1e6,
        "wall_s": round(time.monotonic() - began_s, 3),
        "cpu_s": round(cpu_s, 3),
        "speed": round(world.loop.now_us / 1e6 / cpu_s, 2),
        "events": world.loop.events,
        "events_per_cpu_s": round(world.loop.events / cpu_s),
        "peak_rss_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "trace_digest": world.trace_digest,
        "plain_sessions": world.is_plain,
        "metrics": metrics(world),
    }
    return write_report(
        folder, Outcome(played.evidence, played.checks, replay_command(folder)), more
    )


def metrics(world: World) -> dict[str, object]:
    """Return how fast records spread and what that cost.

    `latency_ms` is over all (record, node) pairs, from durable at the author to durable at the
    node, cuts included. `messages_per_delivery` counts all frames, handshakes and heads among them.
    """
    taken_ms = sorted(
        (arrived_us - journey.born_us) // MS
        for journey in world.journeys.values()
        for node, arrived_us in journey.arrivals.items()
        if node != journey.author
    )
    traffic = world.network.traffic
    deliveries = max(1, len(taken_ms))
    return {
        "deliveries": len(taken_ms),
        "latency_ms": {
            name: taken_ms[min(len(taken_ms) - 1, len(taken_ms) * share // 1000)]
            for name, share in (("p50", 500), ("p90", 900), ("p99", 990), ("max", 1000))
        }
        if taken_ms
        else None,
        "messages_per_delivery": round(traffic.messages / deliveries, 3),
        "bytes_per_delivery": round(traffic.bytes / deliveries, 1),
    }
