"""Daemons forked from a process that has imported the node: the same code from its main on.

Imports are most of what a start costs, and tests start daemons by the hundred. What is forked is a
process of its own all the same: leader of its session, with its own random numbers, ended by any
signal, and waited for. The process that forks has one thread, no loop and no file open but its own.

    test --(argv, stdout, stderr, a pipe)--> nursery --fork--> minder --fork--> daemon
         <------------- pid, and at the end the exit code -------'
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import IO, Final

MODULE: Final = "mycelia_node"
IMPORTED: Final = ("mycelia_node.cli", "mycelia_node.daemon")  # what `up` needs
READ_SIZE: Final = 131_072  # bytes


class Forked:
    """A daemon that was forked, to be used like a `subprocess.Popen`.

    Attributes:
        stdout: what it says, as text.
    """

    def __init__(self, nursery: socket.socket, order: bytes, stderr: IO[str]) -> None:
        read_said, said = os.pipe()
        read_state, state = os.pipe()
        sent = socket.send_fds(nursery, [order], [said, stderr.fileno(), state])
        nursery.sendall(order[sent:])
        os.close(said)
        os.close(state)
        self.stdout: IO[str] | None = open(read_said, encoding="utf-8")  # noqa: SIM115
        self._state = open(read_state, encoding="ascii")  # noqa: SIM115
        self.pid = int(self._state.readline())
        self._code: int | None = None

    def send_signal(self, number: signal.Signals) -> None:
        """Send a signal, unless it has ended."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, number)

    def wait(self, timeout: float) -> int:
        """Return the exit code, -N after signal N, once it has ended.

        Raises: subprocess.TimeoutExpired.
        """
        if self._code is None:
            if not select.select([self._state], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired(MODULE, timeout)
            with self._state:
                self._code = int(self._state.readline())
        return self._code


_started: list[socket.socket] = []  # the way to the nursery of this process, once there is one


def _nursery(environment: Mapping[str, str]) -> socket.socket:
    """Return the way to the nursery, which ends when this process does; start it if need be."""
    if _started:
        return _started[0]
    ours, its = socket.socketpair()
    with its:
        process = subprocess.Popen(
            [sys.executable, "-P", __file__, str(its.fileno())],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            env=dict(environment),
            pass_fds=[its.fileno()],
            start_new_session=True,
        )

    def end() -> None:
        ours.close()
        process.wait()

    atexit.register(end)
    _started.append(ours)
    return ours


def fork(words: Sequence[str], environment: Mapping[str, str], stderr: IO[str]) -> Forked:
    """Start `python -m mycelia_node` with these words.

    What Python itself reads of the environment, where modules are and what is warned of, is that of
    the first call.
    """
    order = json.dumps([words, dict(environment)]).encode() + b"\n"
    return Forked(_nursery(environment), order, stderr)


# --- in the nursery ---


def _serve(orders: socket.socket) -> list[str]:
    """Fork until there is nobody any more who orders; return in each daemon, with its words."""
    minders: list[int] = []
    while True:
        order, given, _, _ = socket.recv_fds(orders, READ_SIZE, 3)
        while order and not order.endswith(b"\n"):
            more = orders.recv(READ_SIZE)
            order = order + more if more else b""  # who ordered has ended meanwhile
        minders = [pid for pid in minders if os.waitpid(pid, os.WNOHANG)[0] == 0]
        if not order:
            for pid in minders:  # of daemons that a test forgot
                os.kill(pid, signal.SIGTERM)
                os.waitpid(pid, 0)
            os._exit(0)
        minders.append(os.fork())
        if not minders[-1]:
            orders.close()
            said, errors, state = given
            if _is_daemon(state):
                for given_fd, fd in ((said, 1), (errors, 2)):
                    os.dup2(given_fd, fd)
                    os.close(given_fd)
                words, environment = json.loads(order)
                os.environ.clear()
                os.environ.update(environment)
                return list(words)
        for fd in given:
            os.close(fd)


def _is_daemon(state: int) -> bool:
    """Fork a daemon: return in it; the minder tells its pid, then its exit code, and ends."""
    pid = os.fork()
    if pid == 0:
        os.close(state)
        os.setsid()
        return True
    signal.signal(signal.SIGTERM, lambda *_: os.kill(pid, signal.SIGKILL))
    os.write(state, f"{pid}\n".encode())
    os.closerange(0, state)  # who reads what the daemon says is to see its end
    _, status = os.waitpid(pid, 0)
    os.write(state, f"{os.waitstatus_to_exitcode(status)}\n".encode())
    os._exit(0)


if __name__ == "__main__":
    gc.disable()
    for name in IMPORTED:
        import_module(name)
    gc.freeze()
    argv = _serve(socket.socket(fileno=int(sys.argv[1])))
    gc.enable()
    sys.argv[1:] = argv
    runpy.run_module(MODULE, run_name="__main__", alter_sys=True)
