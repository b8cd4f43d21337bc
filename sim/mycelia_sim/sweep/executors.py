"""Where tasks run: on this machine, or on the workers of a Dask cluster."""

from __future__ import annotations

import importlib
import os
import re
from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from mycelia_sim.errors import BackendError, HarnessError, ScenarioError, SimError
from mycelia_sim.sweep.batch import PROCESSES

CONNECT_TIMEOUT_S: Final = 5
DASK_HINT: Final = (
    "the scheduler and each worker need the same Python and the same Mycelia as here: "
    "pip install 'mycelia[dask]'"
)
_ADDRESS: Final = re.compile(r"([a-z]+://)?[^\s/]+:\d+(/\S*)?")


@dataclass(frozen=True, slots=True)
class Place:
    """Something that takes tasks.

    Attributes:
        slots: how many tasks it works on at a time.
        name: for people.
        hint: what to look at when a task fails there for no reason of its own; "" if it is ours.
    """

    executor: Executor
    slots: int
    name: str
    hint: str = ""

    def failure(self, error: BaseException) -> SimError:
        """Return what to raise when a task failed without even a line for its seeds."""
        first = (str(error).splitlines() or [""])[0]
        text = f"a worker failed: {type(error).__name__}: {first}"
        return BackendError(f"{text}; {self.hint}") if self.hint else HarnessError(text)


def processors() -> int:
    """Return how many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@contextmanager
def local(jobs: int) -> Iterator[Place]:
    """Run `jobs` tasks at a time here, each in a process that it starts itself.

    The threads only wait for their processes. When this ends, all of them have ended.
    """
    executor = ThreadPoolExecutor(jobs, thread_name_prefix="sweep")
    try:
        yield Place(executor, jobs, f"{jobs} process{'es' if jobs > 1 else ''}")
    finally:
        PROCESSES.close()
        executor.shutdown(wait=True, cancel_futures=True)
        PROCESSES.open()


@contextmanager
def dask(address: str) -> Iterator[Place]:
    """Run a task on each thread of each worker of a Dask cluster.

    What a worker has begun when this ends it plays to its end, and nobody reads it.

    Raises: ScenarioError when it is no address; BackendError when Dask is not installed, or there
        is no cluster with workers.
    """
    if not _ADDRESS.fullmatch(address):
        raise ScenarioError(f"--dask {address}: write it as in tcp://host:8786")
    try:
        distributed: Any = importlib.import_module("distributed")
    except ImportError:
        raise BackendError(
            "--dask needs Dask, which is not installed: pip install 'mycelia[dask]'"
        ) from None
    try:
        client = distributed.Client(address, timeout=CONNECT_TIMEOUT_S, set_as_default=False)
    except (OSError, ValueError, TypeError) as error:
        raise BackendError(f"there is no Dask scheduler at {address}: {error}") from None
    with client:
        threads = client.nthreads()
        slots = sum(threads.values())
        if not slots:
            raise BackendError(
                f"the Dask scheduler at {address} has no worker; start one: "
                f"dask worker {address} --nthreads 1"
            )
        executor = client.get_executor(pure=False)
        try:
            yield Place(executor, slots, f"{slots} threads of Dask", DASK_HINT)
        finally:
            executor.shutdown(wait=False)
