"""Real daemons: started, killed, stopped, and never left behind.

Each daemon is the leader of its own process group, so that Ctrl-C on the terminal reaches only the
harness, and one signal ends whatever a daemon started.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

from mycelia_sim.errors import HarnessError
from mycelia_sim.live import watchdog

READY_TIMEOUT_S: Final = 60.0  # a start takes half a second of CPU; 30 share two cores
STOP_TIMEOUT_S: Final = 15.0
LOG_TAIL_LINES: Final = 8

Command = Callable[[Path], list[str]]  # home -> argument list


def node_command(home: Path) -> list[str]:
    """Return the command line of a real node that runs on `home` in the foreground."""
    return [sys.executable, "-m", "mycelia_node", "--home", str(home), "up", "--json"]


def module_command(module: str) -> Command:
    """Return the command of a stand-in for the node: a Python file, or the name of a module."""
    entry = [module] if module.endswith(".py") else ["-m", module]

    def command(home: Path) -> list[str]:
        return [sys.executable, *entry, *node_command(home)[3:]]

    return command


def environment() -> dict[str, str]:
    """Return an environment in which a child finds the same packages, installed or not."""
    path = os.pathsep.join(entry for entry in sys.path if entry)
    kept = {key: value for key, value in os.environ.items() if key != "MYCELIA_HOME"}
    return {**kept, "PYTHONPATH": path}


@dataclass(frozen=True, slots=True)
class Ready:
    """What a daemon says when it can be used."""

    socket: str
    listen: str
    key: str
    pid: int


class Warden:
    """Knows every process group that was started; ends them all if the harness can't."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self.alive: set[int] = set()

    def start(self, homes: Path) -> None:
        """Start the watchdog process; it also removes `homes` if the harness gets SIGKILL."""
        self._process = subprocess.Popen(  # noqa: S603  our own file
            [sys.executable, "-I", "-S", watchdog.__file__, str(homes)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        )

    def add(self, pid: int) -> None:
        """Note a process group that was started."""
        self.alive.add(pid)
        self._tell(f"+{pid}\n")

    def remove(self, pid: int) -> None:
        """Note that a process ended."""
        self.alive.discard(pid)
        self._tell(f"-{pid}\n")

    def _tell(self, line: str) -> None:
        process = self._process
        if process is not None and process.stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                process.stdin.write(line.encode())
                process.stdin.flush()

    def end_all(self) -> None:
        """Kill every process group that is still there, and let the watchdog go."""
        for pid in sorted(self.alive):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(pid, signal.SIGKILL)
        self.alive.clear()
        process, self._process = self._process, None
        if process is not None and process.stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                process.stdin.close()
            process.wait()


class Daemon:
    """One node's process; may be started, killed and started again on the same home.

    Attributes:
        ready: what it said when it last became usable, None while it is down.
        starts: how often it was started.
        is_paused: whether it was stopped by SIGSTOP and not let go on.
    """

    def __init__(self, name: str, home: Path, log: Path, command: Command, warden: Warden) -> None:
        self.name = name
        self.home = home
        self.log = log
        self.ready: Ready | None = None
        self.starts = 0
        self.is_paused = False
        self._command = command
        self._warden = warden
        self._process: asyncio.subprocess.Process | None = None
        self._drain: asyncio.Task[None] | None = None

    @property
    def is_running(self) -> bool:
        """Return whether there is a process."""
        return self._process is not None and self._process.returncode is None

    async def start(self, timeout_s: float = READY_TIMEOUT_S) -> Ready:
        """Start the daemon and wait for its ready line.

        Raises: HarnessError when it ends or stays silent, with the last lines of its log.
        """
        assert not self.is_running
        self.starts += 1
        with self.log.open("ab") as log:
            log.write(f"--- start {self.starts} ---\n".encode())
            log.flush()
            await self._spawn(log)
        try:
            self.ready = await asyncio.wait_for(self._read_ready(), timeout_s)
        except TimeoutError:
            await self.kill()
            raise self._error(f"was not ready within {timeout_s:g} s") from None
        return self.ready

    async def _spawn(self, log: IO[bytes]) -> None:
        process = await asyncio.create_subprocess_exec(
            *self._command(self.home),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=log,
            start_new_session=True,
            env=environment(),
        )
        self._warden.add(process.pid)
        self._process = process

    async def _read_ready(self) -> Ready:
        process = self._process
        assert process is not None
        assert process.stdout is not None
        async for line in process.stdout:
            with contextlib.suppress(ValueError):
                said: Any = json.loads(line)
                if isinstance(said, dict) and said.get("event") == "ready":
                    self._drain = asyncio.create_task(_read_all(process.stdout))
                    return Ready(said["socket"], said["listen"], said["key"], said["pid"])
        await self._ended(process)
        raise self._error(f"ended with code {process.returncode} before it was ready")

    def pause(self) -> bool:
        """Stop the daemon with SIGSTOP, as a machine that sleeps would; return whether it ran."""
        if self._process is None or not self.is_running:
            return False
        os.killpg(self._process.pid, signal.SIGSTOP)
        self.is_paused = True
        return True

    def resume(self) -> None:
        """Let a daemon that was paused go on."""
        if self._process is not None and self.is_running and self.is_paused:
            os.killpg(self._process.pid, signal.SIGCONT)
        self.is_paused = False

    async def kill(self) -> None:
        """End the daemon with SIGKILL, as a power cut would, and wait until it is gone."""
        await self._signal(signal.SIGKILL, STOP_TIMEOUT_S)

    async def stop(self, timeout_s: float = STOP_TIMEOUT_S) -> bool:
        """Ask the daemon to end; return whether it did so in time and without an error."""
        if not self.is_running:
            return False
        self.resume()
        code = await self._signal(signal.SIGTERM, timeout_s)
        if code is None:
            await self.kill()
        return code == 0

    async def _signal(self, number: signal.Signals, timeout_s: float) -> int | None:
        """Send a signal and return the exit code, None when it does not end in time."""
        process = self._process
        if process is None:
            return None
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        try:
            await asyncio.wait_for(process.wait(), timeout_s)
        except TimeoutError:
            return None
        await self._ended(process)
        return process.returncode

    async def _ended(self, process: asyncio.subprocess.Process) -> None:
        await process.wait()
        self._warden.remove(process.pid)
        self.ready, self.is_paused = None, False
        if self._drain is not None:
            await self._drain
            self._drain = None

    def _error(self, what: str) -> HarnessError:
        try:
            lines = self.log.read_text("utf-8", "replace").splitlines()[-LOG_TAIL_LINES:]
        except OSError:
            lines = []
        said = "".join(f"\n    {line}" for line in lines)
        return HarnessError(f"the daemon of {self.name} {what}; the end of {self.log}:{said}")


async def _read_all(stream: asyncio.StreamReader) -> None:
    """Read on, so that the daemon never blocks on a full pipe."""
    while await stream.read(65_536):
        pass
