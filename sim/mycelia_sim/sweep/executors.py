"""Where tasks run: on this machine, or on the workers of a Dask cluster."""

from __future__ import annotations

import importlib
import os
from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from mycelia_sim.errors import BackendError
from mycelia_sim.sweep.batch import PROCESSES

CONNECT_TIMEOUT_S: Final = 10


@dataclass(frozen=True, slots=True)
class Place:
    """Something that takes tasks.

    Attributes:
        slots: how many tasks it works on at a time.
        name: for people.
    """

    executor: Executor
    slots: int
    name: str


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
    PROCESSES.open()
    executor = ThreadPoolExecutor(jobs, thread_name_prefix="sweep")
    try:
        yield Place(executor, jobs, f"{jobs} process{'es' if jobs > 1 else ''}")
    finally:
        PROCESSES.close()
        executor.shutdown(wait=True, cancel_futures=True)


@contextmanager
def dask(address: str) -> Iterator[Place]:
    """Run a task on each thread of each worker of a Dask cluster.

    What a worker has begun when this ends it plays to its end, and nobody reads it.

    Raises: BackendError when Dask is not installed, or there is no cluster with workers.
    """
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
            yield Place(executor, slots, f"{len(threads)} Dask workers, {slots} threads")
        finally:
            executor.shutdown(wait=False)
