"""One run of one system in a process, and where possible a network, of its own.

    python -m mycelia_bench.worker SYSTEM FOLDER JOB PREFIX

JOB is JSON. Writes one line of JSON: the figures, and what failed. Progress goes to stderr, each
line after PREFIX.
"""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from pathlib import Path

from mycelia_bench.job import Job
from mycelia_bench.measure import measure
from mycelia_bench.network import enter_own_network
from mycelia_bench.progress import say_after
from mycelia_bench.systems import SYSTEMS


def main() -> int:
    """Measure; return the exit code."""
    name, folder, job_text, prefix = sys.argv[1:]
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    job = Job(**json.loads(job_text))
    say = say_after(prefix)
    obstacle = enter_own_network()
    if obstacle:
        say(f"bytes on the wire stay uncounted: {obstacle}")
    work = measure(SYSTEMS[name], job, Path(folder), say, counts_bytes=not obstacle)
    try:
        figures, failures = asyncio.run(work)
    except KeyboardInterrupt:
        return 130
    print(json.dumps({"figures": figures, "failures": failures}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
