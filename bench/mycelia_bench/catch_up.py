"""Catching up: a newcomer that lacks all records, beside one signature check a record."""

from __future__ import annotations

import asyncio
import time
from statistics import fmean
from typing import Final

from mycelia_bench.crew import Crew
from mycelia_bench.errors import BenchError
from mycelia_bench.figures import Measured
from mycelia_bench.job import Job
from mycelia_bench.progress import Say
from mycelia_bench.system import Pair, System
from mycelia_protocol.crypto import public_key, sign_id, verify_id

POLL_S: Final = 0.1
STALL_S: Final = 30.0
CHECK_ROUNDS: Final = 5
CHECK_ROUND_S: Final = 0.1


def checks_per_cpu_s() -> float:
    """Return our own signature checks per CPU-second now, the best of some short rounds."""
    seed, message = bytes(range(32)), bytes(32)
    key, signature = public_key(seed), sign_id(seed, message)
    best = 0.0
    for _ in range(CHECK_ROUNDS):
        begin, done = time.process_time(), 0
        while time.process_time() - begin < CHECK_ROUND_S:
            assert verify_id(key, message, signature)
            done += 1
        best = max(best, done / (time.process_time() - begin))
    return best


async def measure_catch_up(system: System, crew: Crew, job: Job, say: Say) -> Measured:
    """Let a newcomer catch up and return the figures; none if the system can't do that.

    Raises: BenchError.
    """
    pairing = system.pair(crew, job) if job.missing else None
    if pairing is None:
        return {}
    say(f"a giver with {job.missing:,} records, and a newcomer")
    async with pairing as pair:
        checks = [checks_per_cpu_s()]
        used, wire, begin = _used(pair, crew), crew.bytes_carried(), time.monotonic()
        await pair.connect()
        await _until_level(pair, job)
        wall_s, now = time.monotonic() - begin, _used(pair, crew)
        carried = crew.bytes_carried()
        checks.append(checks_per_cpu_s())
    giver_s, newcomer_s = (after - before for before, after in zip(used, now, strict=True))
    return {
        "catch_up_per_s": job.missing / wall_s,
        "catch_up_per_cpu_s": job.missing / (giver_s + newcomer_s),
        "catch_up_in_checks": job.missing / newcomer_s / fmean(checks),
        "catch_up_wire_bytes": None
        if carried is None or wire is None
        else (carried - wire) / job.missing,
    }


def _used(pair: Pair, crew: Crew) -> tuple[float, float]:
    """Return the CPU-seconds that the giver and the newcomer have used."""
    giver, newcomer = pair.pids
    return crew.cpu_s([giver]), crew.cpu_s([newcomer])


async def _until_level(pair: Pair, job: Job) -> None:
    count, last = 0, time.monotonic()
    while (now := await pair.count()) < job.missing:
        if now > count:
            count, last = now, time.monotonic()
        if time.monotonic() - last > STALL_S:
            raise BenchError(f"the newcomer stayed at {count:,} of {job.missing:,} records")
        await asyncio.sleep(POLL_S)
