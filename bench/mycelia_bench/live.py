"""Live spread: one author, many readers; the same measurement for every system."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import Final

from mycelia_bench.crew import Crew
from mycelia_bench.errors import BenchError
from mycelia_bench.figures import Measured, percentile
from mycelia_bench.job import Job
from mycelia_bench.progress import Say
from mycelia_bench.system import Swarm, System

WARM_UP: Final = 10  # records before anything is measured: trees and meshes take their shape
POLL_S: Final = 0.5
WINDOW_POLL_S: Final = 0.1
STALL_S: Final = 10.0  # nothing more came for so long: the rest is lost
WINDOW: Final = 16  # records in flight when a system loses what is published faster
WINDOWED: Final = 160  # so many are published then: enough for a rate, and slow
ENOUGH: Final = 0.95  # with fewer, what was sent in vain would cost more than what came


@dataclass(frozen=True, slots=True)
class Burst:
    """What came of records that were published in a row.

    Attributes:
        deliveries: records that came, over all readers.
        share: of all that should have come, 0 to 1.
        cpu_s: of all processes, until the last one came.
        wall_s: until then.
        wire: bytes carried until then, None if that can't be known.
    """

    deliveries: int
    share: float
    cpu_s: float
    wall_s: float
    wire: int | None


async def measure_live(system: System, crew: Crew, job: Job, say: Say) -> Measured:
    """Start a swarm and return its figures.

    Raises: BenchError.
    """
    say(f"{job.nodes} processes start")
    async with system.swarm(crew, job) as swarm:
        figures: Measured = {"start_cpu_s": crew.cpu_s() / len(crew.warden.alive)}
        await swarm.publish(0, WARM_UP, job.trickle_per_s)
        await asyncio.sleep(job.settle_s)
        resting = Resting(crew)
        await asyncio.sleep(job.rest_s)
        figures["rest_cpu_percent"] = resting.percent()
        say(f"{job.trickle} records at {job.trickle_per_s:g} a second")
        figures |= await _trickle(swarm, job)
        say(f"{job.records:,} records as fast as it can")
        figures |= await _bursts(swarm, crew, job, say)
        figures["rss_mib"] = crew.rss_mib()
    return figures


class Resting:
    """The CPU that all use while nothing is asked of them."""

    def __init__(self, crew: Crew) -> None:
        self._crew = crew
        self._cpu_s, self._begin = crew.cpu_s(), time.monotonic()

    def percent(self) -> float:
        """Return the percentage of a core that one process used since."""
        used_s = self._crew.cpu_s() - self._cpu_s
        return used_s / (time.monotonic() - self._begin) / len(self._crew.warden.alive) * 100


async def _trickle(swarm: Swarm, job: Job) -> Measured:
    await swarm.listen()
    sent = await swarm.publish(WARM_UP, job.trickle, job.trickle_per_s)
    await asyncio.sleep(job.settle_s)
    by_reader = await swarm.arrivals(WARM_UP, job.trickle)
    latencies: list[float] = []
    for sent_ms, came in zip(sent, zip(*by_reader, strict=True), strict=True):
        times = [each for each in came if each is not None]
        if len(times) == len(came):
            latencies.append(max(times) - sent_ms)
    if not latencies:
        return {"latency_p50_ms": None, "latency_p99_ms": None}
    return {
        "latency_p50_ms": percentile(latencies, 50),
        "latency_p99_ms": percentile(latencies, 99),
    }


async def _bursts(swarm: Swarm, crew: Crew, job: Job, say: Say) -> Measured:
    """Publish at full speed; if that loses records, in windows too, for what a delivery costs."""
    first = WARM_UP + job.trickle
    full = await _burst(swarm, crew, job, range(first, first + job.records), job.records)
    best = full
    if full.share < ENOUGH:
        say(f"only {full.share:.0%} came; again, at most {WINDOW} in flight")
        first += job.records
        again = range(first, first + min(WINDOWED, job.records))
        best = await _burst(swarm, crew, job, again, WINDOW)
    if not best.deliveries:
        raise BenchError("no record came to any reader")
    return {
        "delivered": full.share * 100,
        "deliveries_per_cpu_s": best.deliveries / best.cpu_s,
        "wire_bytes": None if best.wire is None else best.wire / best.deliveries,
        "records_per_s": best.deliveries / job.readers / best.wall_s,
    }


async def _burst(swarm: Swarm, crew: Crew, job: Job, numbers: range, window: int) -> Burst:
    """Publish records, at most `window` at once, and wait until they came or stall."""
    base = await swarm.counts()
    cpu_s, wire, begin = crew.cpu_s(), crew.bytes_carried(), time.monotonic()
    result = Burst(0, 0.0, 0.0, 0.0, 0)
    poll_s = POLL_S if window >= len(numbers) else WINDOW_POLL_S
    for done in range(0, len(numbers), window):
        count = min(window, len(numbers) - done)
        publishing = asyncio.create_task(swarm.publish(numbers[done], count, 0))
        wanted = (done + count) * job.readers
        last = time.monotonic()
        while result.deliveries < wanted and time.monotonic() - last < STALL_S:
            await asyncio.sleep(poll_s)
            came = sum(await swarm.counts()) - sum(base)
            if came > result.deliveries or not publishing.done():
                last = time.monotonic()
            if came > result.deliveries:
                carried = crew.bytes_carried()
                result = Burst(
                    came,
                    came / (len(numbers) * job.readers),
                    crew.cpu_s() - cpu_s,
                    time.monotonic() - begin,
                    None if carried is None or wire is None else carried - wire,
                )
        await publishing
    return result
