"""One run of one system: its figures, from processes that all are gone afterwards."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Final, TypeAlias

from mycelia_bench.catch_up import checks_per_cpu_s, measure_catch_up
from mycelia_bench.crew import Crew
from mycelia_bench.errors import BenchError
from mycelia_bench.figures import Measured
from mycelia_bench.job import Job
from mycelia_bench.live import measure_live
from mycelia_bench.progress import Say
from mycelia_bench.system import System
from mycelia_sim.errors import HarnessError
from mycelia_sim.live.client import CallFailed

PARTS: Final = ("live", "catch-up")
Failures: TypeAlias = list[str]


async def measure(
    system: System, job: Job, folder: Path, say: Say, *, counts_bytes: bool
) -> tuple[Measured, Failures]:
    """Return the figures of one run, and what went wrong; one part may fail without the other.

    Args:
        folder: for all that the processes write; made here, and removed again.
        counts_bytes: the loopback carries nothing else.
    """
    checks = checks_per_cpu_s()
    figures: Measured = {}
    failures: Failures = []
    for part in PARTS:
        home = folder / part
        home.mkdir(parents=True)
        try:
            async with Crew(home, counts_bytes=counts_bytes) as crew:
                if part == "live":
                    figures |= await measure_live(system, crew, job, say)
                else:
                    figures |= await measure_catch_up(system, crew, job, say)
        except (BenchError, HarnessError, CallFailed) as error:
            failures.append(f"{part}: {error}")
        finally:
            shutil.rmtree(home, ignore_errors=True)
    if rate := figures.get("deliveries_per_cpu_s"):
        figures["checks_per_delivery"] = checks / rate
    return figures, failures
