"""Some seeds as one task: what an executor's worker is asked to do.

Each task starts a fresh interpreter, so that nothing leaks from one batch into the next, whatever
the executor is: a pool on this machine, or a cluster whose workers live for weeks. It also gives
each process a hash seed of its own, outlives a process that dies, and forks no thread.
"""

from __future__ import annotations

import contextlib
import json
import os
import platform
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import IO, Any, Final

from mycelia_sim.errors import BackendError, HarnessError
from mycelia_sim.sweep.build import Build
from mycelia_sim.sweep.line import SeedLine, compared, died, read_line
from mycelia_sim.sweep.seeds import HASH_SEED, is_played_twice, other_hash_seed

ENTRY: Final = ("-m", "mycelia_sim.sweep.worker")
SAID_MAX: Final = 4_000  # bytes of a dead process's stderr


@dataclass(frozen=True, slots=True)
class Order:
    """What a task has to know besides its seeds; plain values, since it may go to another machine.

    Attributes:
        document: the scenario, what it extends and the changes to it already put together.
        place: what errors call the scenario.
        build: what must play it.
        entry: arguments of Python that start a worker; tests start one with a planted defect.
    """

    document: dict[str, Any]
    place: str
    build: Build
    entry: tuple[str, ...] = ENTRY


class Processes:
    """The worker processes that run now, so that all of them can be ended."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: list[subprocess.Popen[bytes]] = []
        self._is_closed = False

    @contextlib.contextmanager
    def run(
        self, command: list[str], environment: dict[str, str], said: IO[bytes]
    ) -> Iterator[subprocess.Popen[bytes]]:
        """Start a process, and see to it that it is over at the end.

        It leads a group of its own, so that Ctrl-C on the terminal reaches only the sweep.

        Raises: HarnessError after `close`.
        """
        with self._lock:
            if self._is_closed:
                raise HarnessError("the sweep is over")
            process = subprocess.Popen(  # noqa: S603  our own module
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=said,
                env=environment,
                start_new_session=True,
            )
            self._running.append(process)
        try:
            yield process
        finally:
            process.kill()
            process.wait()
            for pipe in (process.stdin, process.stdout):
                with contextlib.suppress(OSError):
                    if pipe is not None:
                        pipe.close()
            with self._lock:
                self._running.remove(process)

    def open(self) -> None:
        """Let processes be started again."""
        with self._lock:
            self._is_closed = False

    def close(self) -> None:
        """End all processes, and let none be started any more."""
        with self._lock:
            self._is_closed = True
            for process in self._running:
                process.kill()


PROCESSES: Final = Processes()


def play_batch(order: Order, seeds: Sequence[int]) -> list[SeedLine]:
    """Play seeds and return their lines, in the same order.

    Some are played again in a second process with another PYTHONHASHSEED, and compared.

    Raises: BackendError when another build is here than the one that is asked for.
    """
    lines = _play(order, seeds, HASH_SEED)
    twice = [seed for seed in seeds if is_played_twice(seed)]
    if twice:
        hash_seed = other_hash_seed(twice[0])
        for seed, line in _play(order, twice, hash_seed).items():
            lines[seed] = compared(lines[seed], line, hash_seed)
    return [lines[seed] for seed in seeds]


def _play(order: Order, seeds: Sequence[int], hash_seed: int) -> dict[int, SeedLine]:
    """Play seeds in one process, and in a next one what is left if a seed kills it."""
    lines: dict[int, SeedLine] = {}
    left = list(seeds)
    while left:
        found, how, said = _run(order, left, hash_seed)
        lines.update((line.seed, line) for line in found)
        left = left[len(found) :]
        if left:
            lines[left[0]] = died(left[0], how, said)
            left = left[1:]
    return lines


def _run(order: Order, seeds: list[int], hash_seed: int) -> tuple[list[SeedLine], str, str]:
    """Run one process; return the lines that came, and how it ended before its time."""
    command = [sys.executable, "-P", *order.entry]
    environment = {**os.environ, "PYTHONHASHSEED": str(hash_seed)}
    text = json.dumps(
        {
            "document": order.document,
            "place": order.place,
            "build": asdict(order.build),
            "seeds": seeds,
        }
    )
    lines: list[SeedLine] = []
    with tempfile.TemporaryFile() as said, PROCESSES.run(command, environment, said) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        with contextlib.suppress(BrokenPipeError):  # it died at once; its end tells of it
            process.stdin.write(text.encode() + b"\n")
            process.stdin.flush()
        for reply in process.stdout:
            answer = json.loads(reply) if reply.endswith(b"\n") else {}
            if "build" in answer:
                raise BackendError(_refusal(order.build, Build(**answer["build"])))
            if "line" in answer:
                lines.append(read_line(json.dumps(answer["line"])))
        code = process.wait()
        size = said.seek(0, os.SEEK_END)
        said.seek(max(0, size - SAID_MAX))
        return lines, _ended(code), said.read().decode("utf-8", "replace").strip()


def _refusal(wanted: Build, here: Build) -> str:
    return (
        f"the worker on {platform.node()} runs other code than this sweep: it has "
        f"{wanted.differences(here)}. Install there what is here; if it is this machine, somebody "
        "changed the code while the sweep ran: start it again"
    )


def _ended(code: int) -> str:
    if code < 0:
        with contextlib.suppress(ValueError):
            return f"got {signal.Signals(-code).name}"
    return f"ended with exit code {code}"
