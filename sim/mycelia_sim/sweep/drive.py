"""Hands out seeds and takes in their lines, until all are played or somebody stops it."""

from __future__ import annotations

import signal
import threading
import time
from collections import deque
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import Final

from mycelia_sim.errors import SimError
from mycelia_sim.progress import Progress
from mycelia_sim.sweep.batch import Order, play_batch
from mycelia_sim.sweep.executors import Place
from mycelia_sim.sweep.folder import Folder
from mycelia_sim.sweep.line import SeedLine

BATCH_CPU_S: Final = 20.0  # a task's start costs about 0.6 s of CPU: so a thirtieth
BATCH_MAX: Final = (
    100  # seeds; what is lost of a batch when somebody stops the sweep is played anew
)
LOOK_EVERY_S: Final = 0.1
ENDINGS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass(frozen=True, slots=True)
class Driven:
    """How far it came.

    Attributes:
        played: seeds that were played by this call.
        is_interrupted: somebody asked it to stop.
        is_spent: the time was up before all seeds were played.
    """

    played: int
    wall_s: float
    is_interrupted: bool
    is_spent: bool


@contextmanager
def stop_on_signals() -> Iterator[threading.Event]:
    """Yield an event that Ctrl-C, SIGTERM and SIGHUP set, so that they never come amid a write."""
    stop = threading.Event()

    def end(number: int, frame: FrameType | None) -> None:
        stop.set()

    before = {number: signal.signal(number, end) for number in ENDINGS}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class Drive:
    """One call of a sweep.

    Args:
        todo: the seeds that have no line yet.
        budget_s: after so long no further task is begun.
        stop: set when somebody asks to stop.
    """

    def __init__(
        self,
        order: Order,
        todo: list[int],
        folder: Folder,
        budget_s: float | None,
        stop: threading.Event,
        progress: Progress,
    ) -> None:
        self._order = order
        self._todo = deque(todo)
        self._folder = folder
        self._budget_s = budget_s
        self._stop = stop
        self._progress = progress
        self._all = len(todo)
        self._played: list[SeedLine] = []
        self._told: set[str] = set()
        self._cpu_s = [line.cpu_s for line in folder.lines.values() if line.cpu_s]
        self._begin_s = time.monotonic()

    def run(self, place: Place) -> Driven:
        """Play the seeds.

        Raises: BackendError when a worker runs other code; HarnessError when a task fails.
        """
        self._progress.phase(f"{self._all} seeds to play on {place.name}")
        pending: dict[Future[list[SeedLine]], int] = {}
        while (self._todo and not self._is_spent) or pending:
            while self._todo and not self._is_spent and len(pending) < place.slots:
                batch = self._next(place.slots)
                pending[place.executor.submit(play_batch, self._order, batch)] = len(batch)
            done, _ = wait(pending, timeout=LOOK_EVERY_S, return_when=FIRST_COMPLETED)
            for future in done:
                pending.pop(future)
                self._take(future, place)
            if self._stop.is_set():
                break
            self._say()
        wall_s = time.monotonic() - self._begin_s
        is_interrupted = self._stop.is_set()
        return Driven(
            len(self._played), wall_s, is_interrupted, bool(self._todo) and not is_interrupted
        )

    @property
    def _is_spent(self) -> bool:
        if self._budget_s is None:
            return False
        return time.monotonic() - self._begin_s >= self._budget_s

    def _next(self, slots: int) -> tuple[int, ...]:
        """Take the seeds of the next batch: one until it is known what a seed costs.

        Near the end batches get smaller, so that all workers end at about the same time.
        """
        size = 1
        if self._cpu_s:
            mean_s = sum(self._cpu_s) / len(self._cpu_s)
            fair = -(-len(self._todo) // slots)
            size = max(1, min(round(BATCH_CPU_S / mean_s), BATCH_MAX, fair))
        return tuple(self._todo.popleft() for _ in range(min(size, len(self._todo))))

    def _take(self, future: Future[list[SeedLine]], place: Place) -> None:
        try:
            lines = future.result()
        except SimError:
            raise
        except Exception as error:
            raise place.failure(error) from error
        self._folder.append(lines)
        self._played += lines
        self._cpu_s += [line.cpu_s for line in lines if line.cpu_s]
        for line in lines:
            self._tell(line)

    def _tell(self, line: SeedLine) -> None:
        """Say each new way to fail once, as soon as it is known."""
        if line.verdict in ("pass", "unknown"):
            return
        words = str(line.fingerprint or line.verdict)
        if words not in self._told:
            self._told.add(words)
            self._progress.event(f"seed {line.seed}: {line.verdict}, {words}")

    def _say(self) -> None:
        verdicts = [line.verdict for line in self._played]
        passed, unknown = verdicts.count("pass"), verdicts.count("unknown")
        count = len(verdicts)
        rate = count / (time.monotonic() - self._begin_s)
        left_s = (self._all - count) / rate if rate else None
        if left_s is not None and self._budget_s is not None:
            left_s = min(left_s, max(0, self._budget_s - (time.monotonic() - self._begin_s)))
        eta = "?" if left_s is None else f"{int(left_s) // 60}:{int(left_s) % 60:02}"
        self._progress.line(
            f"seeds {count}/{self._all} | {count - passed - unknown} failed, {unknown} unknown"
            f" | {rate:.3g} seeds/s | ETA {eta}"
        )
