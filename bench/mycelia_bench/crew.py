"""The processes of one measurement: started, asked, their CPU and memory added up, all ended."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any, Final, Self, TypeAlias

from mycelia_bench.errors import BenchError
from mycelia_bench.network import bytes_carried
from mycelia_sim.live.process import Warden

START_TIMEOUT_S: Final = 120.0  # two dozen share a few cores, and some take two CPU-seconds each
ANSWER_TIMEOUT_S: Final = 300.0  # publishing all records is one request
END_TIMEOUT_S: Final = 15.0
LOG_TAIL_LINES: Final = 12
LINE_SIZE_MAX: Final = 4 * 1024 * 1024  # bytes of one answer
TICKS_PER_S: Final = os.sysconf("SC_CLK_TCK")
PAGE_SIZE: Final = os.sysconf("SC_PAGE_SIZE")

Command: TypeAlias = Sequence[str | Path]


class Talker:
    """A process that answers a request a line, as `bench/peers/lines.py` does.

    Attributes:
        said: what it told of itself when it was ready.
    """

    def __init__(self, name: str, process: asyncio.subprocess.Process, log: Path) -> None:
        self.said: dict[str, Any] = {}
        self._name = name
        self._process = process
        self._log = log

    @property
    def pid(self) -> int:
        """Return the id of the process, which is also that of its session."""
        return self._process.pid

    async def ask(self, do: str, **arguments: object) -> dict[str, Any]:
        """Send a request and return the answer.

        Raises: BenchError.
        """
        assert self._process.stdin is not None
        line = json.dumps({"do": do, **arguments}) + "\n"
        with contextlib.suppress(ConnectionError):  # read on: the end of its log says why
            self._process.stdin.write(line.encode())
        return await self.read(do, ANSWER_TIMEOUT_S)

    async def begin(self, order: dict[str, Any]) -> Self:
        """Give a process its order, and wait until it has said that it is ready.

        Raises: BenchError.
        """
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(order).encode() + b"\n")
        self.said = await self.read("begin", START_TIMEOUT_S)
        return self

    async def read(self, what: str, timeout_s: float) -> dict[str, Any]:
        """Return the next object that it writes; lines that are none are passed over.

        Raises: BenchError.
        """
        assert self._process.stdout is not None
        try:
            async with asyncio.timeout(timeout_s):
                async for line in self._process.stdout:
                    if line.startswith(b"{"):
                        return dict(json.loads(line))
        except TimeoutError:
            raise self._error(f"did not answer to {what!r} within {timeout_s:g} s") from None
        raise self._error(f"ended before it answered to {what!r}")

    async def read_all(self) -> bytes:
        """Return all that it writes until it ends.

        Raises: BenchError when it ends with an error.
        """
        written, _ = await self._process.communicate()
        if self._process.returncode:
            raise self._error(f"ended with code {self._process.returncode}")
        return written

    async def end(self) -> None:
        """Ask the session to end and wait for it, at most some seconds."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGTERM)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._process.wait(), END_TIMEOUT_S)

    def _error(self, what: str) -> BenchError:
        lines = self._log.read_text("utf-8", "replace").splitlines()[-LOG_TAIL_LINES:]
        return BenchError(f"{self._name} {what}" + "".join(f"\n    {line}" for line in lines))


class Crew:
    """All processes of one measurement. Each leads a session; what those start is counted too.

    Attributes:
        warden: ends them if even the bench is killed.
        folder: for their logs and data; made by the owner, who removes it.
        counts_bytes: whether the loopback carries nothing else.
    """

    def __init__(self, folder: Path, *, counts_bytes: bool) -> None:
        self.folder = folder
        self.counts_bytes = counts_bytes
        self.warden = Warden()
        self._processes: list[asyncio.subprocess.Process] = []

    async def __aenter__(self) -> Self:
        """Start the watchdog."""
        self.warden.start(self.folder)
        return self

    async def __aexit__(self, *_: object) -> None:
        """End all processes at once: nothing that they would still do is measured."""
        for process in self._processes:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
        await asyncio.gather(*(process.wait() for process in self._processes))
        self.warden.end_all()

    async def start(self, name: str, command: Command, *, output: int | None = None) -> Talker:
        """Start a process; what it writes goes to a log unless `output` says otherwise."""
        log = self.folder / f"{name}.log"
        with log.open("wb") as file:
            process = await asyncio.create_subprocess_exec(
                *map(str, command),
                stdin=asyncio.subprocess.PIPE,
                stdout=file if output is None else output,
                stderr=file,
                start_new_session=True,
                env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
                limit=LINE_SIZE_MAX,
            )
        self.warden.add(process.pid)
        self._processes.append(process)
        return Talker(name, process, log)

    async def start_talker(self, name: str, command: Command) -> Talker:
        """Start a process and wait until it has said what it is.

        Raises: BenchError.
        """
        talker = await self.start(name, command, output=asyncio.subprocess.PIPE)
        talker.said = await talker.read("start", START_TIMEOUT_S)
        return talker

    async def run(self, name: str, command: Command) -> bytes:
        """Run a process to its end and return what it wrote.

        Raises: BenchError when it fails.
        """
        talker = await self.start(name, command, output=asyncio.subprocess.PIPE)
        written = await talker.read_all()
        self.warden.remove(talker.pid)
        return written

    async def end(self, talker: Talker) -> None:
        """Ask a process to end, and wait until it has."""
        await talker.end()
        self.warden.remove(talker.pid)

    def cpu_s(self, pids: Iterable[int] | None = None) -> float:
        """Return the CPU-seconds of the sessions of some processes, or of all, that are alive."""
        sessions = set(self.warden.alive if pids is None else pids)
        return sum(usage.cpu_s for usage in _usages() if usage.session in sessions)

    def rss_mib(self) -> float:
        """Return the resident memory of the middle one of all processes, in MiB."""
        return median(u.rss_mib for u in _usages() if u.session in self.warden.alive)

    def bytes_carried(self) -> int | None:
        """Return how many bytes went over the wire so far, None if that can't be known."""
        return bytes_carried() if self.counts_bytes else None


@dataclass(frozen=True, slots=True)
class _Usage:
    """What a process has used: CPU-seconds of all its threads, and resident memory."""

    session: int
    cpu_s: float
    rss_mib: float


def _usages() -> Iterator[_Usage]:
    """Yield the usage of every process of this machine. Source: proc_pid_stat(5)."""
    for path in Path("/proc").iterdir():
        if not path.name.isdecimal():
            continue
        try:
            fields = (path / "stat").read_text("utf-8", "replace").rpartition(")")[2].split()
        except OSError:
            continue  # it has just ended
        cpu_s = (int(fields[11]) + int(fields[12])) / TICKS_PER_S
        yield _Usage(int(fields[3]), cpu_s, int(fields[21]) * PAGE_SIZE / 2**20)
