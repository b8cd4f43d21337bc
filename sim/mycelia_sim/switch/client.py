"""The harness's side of the conversation with the switch process."""

from __future__ import annotations

import asyncio
import json
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import IO, Any, Final

from mycelia_sim.errors import BackendError, HarnessError
from mycelia_sim.live.process import environment
from mycelia_sim.plan import Plan

ANSWER_TIMEOUT_S: Final = 30.0
END_TIMEOUT_S: Final = 5.0
LOG_TAIL_LINES: Final = 8


class SwitchClient:
    """Starts the switch process and asks it for things, one after the other.

    Attributes:
        pid: of the process.
        networks: node -> by which descriptor that process holds the node's network.
    """

    def __init__(self, log: Path) -> None:
        self.pid = 0
        self.networks: dict[str, int] = {}
        self._log = log
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._stream: socket.socket | None = None
        self._buffer = b""

    async def start(self, plan: Plan) -> None:
        """Start the process, which makes all namespaces.

        Raises: BackendError when this machine does not let it; HarnessError.
        """
        said, _ = await asyncio.to_thread(self._start, plan)
        if "missing" in said:
            await self.close()
            raise BackendError(
                f"the switch backend can't run here: {said['missing']}; {said['advice']}"
            )
        self.pid, self.networks = int(said["pid"]), said["networks"]

    async def ask(self, do: str, name: str = "") -> dict[str, Any]:
        """Make one request and return its answer.

        Raises: HarnessError.
        """
        answer, _ = await asyncio.to_thread(self._ask, {"do": do, "id": name})
        return answer

    async def knock(self) -> socket.socket:
        """Return a fresh TCP socket inside the run's network, beside the nodes.

        Raises: HarnessError.
        """
        _, descriptors = await asyncio.to_thread(self._ask, {"do": "knock"})
        return socket.socket(fileno=descriptors[0])

    async def close(self) -> None:
        """End the process."""
        await asyncio.to_thread(self.end)

    def end(self) -> None:
        """End the process; for a caller whose event loop is gone."""
        if self._stream is not None:
            self._stream.close()  # the process ends by itself when nobody speaks to it any more
        if self._process is not None:
            try:
                self._process.wait(END_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._stream = self._process = None

    def _start(self, plan: Plan) -> tuple[dict[str, Any], list[int]]:
        ours, theirs = socket.socketpair()
        with theirs, self._log.open("ab") as log:
            self._process = _spawn(theirs, log)
        ours.settimeout(ANSWER_TIMEOUT_S)
        self._stream = ours
        return self._ask(json.loads(plan.to_json()))

    def _ask(self, request: dict[str, object]) -> tuple[dict[str, Any], list[int]]:
        with self._lock:
            if self._stream is None:
                raise HarnessError("the switch has ended")
            try:
                self._stream.sendall(json.dumps(request).encode() + b"\n")
                return self._answer()
            except (OSError, ValueError) as error:
                raise HarnessError(f"the switch does not answer: {error}{self._said()}") from error

    def _answer(self) -> tuple[dict[str, Any], list[int]]:
        assert self._stream is not None
        descriptors: list[int] = []
        while b"\n" not in self._buffer:
            data, received, _, _ = socket.recv_fds(self._stream, 65_536, 1)
            descriptors += received
            if not data:
                raise ConnectionError("it has ended")
            self._buffer += data
        line, _, self._buffer = self._buffer.partition(b"\n")
        answer: dict[str, Any] = json.loads(line)
        return answer, descriptors

    def _said(self) -> str:
        """Return the end of what the process wrote on stderr."""
        try:
            lines = self._log.read_text("utf-8", "replace").splitlines()[-LOG_TAIL_LINES:]
        except OSError:
            lines = []
        return "".join(f"\n    {line}" for line in lines)


def _spawn(theirs: socket.socket, log: IO[bytes]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # noqa: S603  our own module
        [sys.executable, "-m", "mycelia_sim.switch.process", str(theirs.fileno())],
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        pass_fds=(theirs.fileno(),),
        start_new_session=True,
        env=environment(),
    )
