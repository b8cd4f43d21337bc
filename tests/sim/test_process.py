"""Daemons as processes, seen from the harness: readiness, death and what is left of them."""

import asyncio
import io
import os
import signal
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from mycelia_sim.errors import HarnessError
from mycelia_sim.live.client import CallFailed, Client
from mycelia_sim.live.process import Daemon, Warden, module_command
from mycelia_sim.progress import Progress

READY = """
import json, os, signal, sys, time
{before}
print("something else first", flush=True)
ready = dict(event="ready", socket="s", listen="l", key="k", pid=os.getpid())
print(json.dumps(ready), flush=True)
"""
# A handler and `signal.pause` would miss a signal that comes just before the pause.
POLITE = (
    READY.format(before="signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])")
    + "signal.sigwait([signal.SIGTERM])\n"
)
STUBBORN = READY.format(before="signal.signal(signal.SIGTERM, signal.SIG_IGN)") + "time.sleep(60)\n"
SILENT = "import time\ntime.sleep(60)\n"
DEADLINE_S = 40.0
FAILING = "import sys\nprint('the port is taken', file=sys.stderr)\nsys.exit(1)\n"


@pytest.fixture
async def warden(tmp_path: Path) -> AsyncIterator[Warden]:
    """Give a warden that ends everything when the test is over."""
    warden = Warden()
    warden.start(tmp_path / "homes")
    yield warden
    warden.end_all()


def daemon_of(folder: Path, program: str, warden: Warden) -> Daemon:
    """Return a daemon that runs a small program instead of a node."""
    path = folder / "program.py"
    path.write_text(program, encoding="utf-8")
    return Daemon("n00", folder / "home", folder / "n00.log", module_command(str(path)), warden)


async def test_a_daemon_stops_politely_and_starts_again(tmp_path: Path, warden: Warden) -> None:
    """SIGTERM ends a daemon cleanly; the same home can be started again."""
    daemon = daemon_of(tmp_path, POLITE, warden)
    ready = await daemon.start()
    assert (ready.socket, ready.key) == ("s", "k")
    assert warden.alive == {ready.pid}
    assert await daemon.stop()
    assert not daemon.is_running
    assert warden.alive == set()
    await daemon.start()
    assert daemon.starts == 2
    await daemon.kill()
    assert not daemon.is_running


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks for processes in /proc")
async def test_a_daemon_can_be_paused(tmp_path: Path, warden: Warden) -> None:
    """A paused daemon is stopped by SIGSTOP, goes on when told to, and can be ended meanwhile."""

    def becomes(expected: str) -> None:
        deadline = time.monotonic() + DEADLINE_S
        stat = Path(f"/proc/{ready.pid}/stat")
        while stat.read_text(encoding="ascii").rpartition(")")[2].split()[0] != expected:
            assert time.monotonic() < deadline
            time.sleep(0.01)

    daemon = daemon_of(tmp_path, POLITE, warden)
    assert not daemon.pause()  # there is no process yet
    ready = await daemon.start()
    assert daemon.pause()
    assert daemon.is_paused
    await asyncio.to_thread(becomes, "T")
    daemon.resume()
    await asyncio.to_thread(becomes, "S")
    daemon.pause()
    assert await daemon.stop()
    assert (daemon.is_running, daemon.is_paused) == (False, False)


async def test_a_daemon_that_does_not_stop_is_killed(tmp_path: Path, warden: Warden) -> None:
    """A daemon that ignores SIGTERM is told from one that ended cleanly, and is gone anyway."""
    daemon = daemon_of(tmp_path, STUBBORN, warden)
    await daemon.start()
    assert not await daemon.stop(timeout_s=0.2)
    assert not daemon.is_running


async def test_a_daemon_that_fails_to_start_says_why(tmp_path: Path, warden: Warden) -> None:
    """The error names the node and quotes the end of its log."""
    daemon = daemon_of(tmp_path, FAILING, warden)
    with pytest.raises(HarnessError, match=r"(?s)n00 ended with code 1.*the port is taken"):
        await daemon.start()


async def test_a_daemon_that_stays_silent_is_given_up(tmp_path: Path, warden: Warden) -> None:
    """A daemon that is not ready in time is killed, and the error says so."""
    daemon = daemon_of(tmp_path, SILENT, warden)
    with pytest.raises(HarnessError, match="was not ready within"):
        await daemon.start(timeout_s=0.3)
    assert not daemon.is_running


async def test_the_warden_ends_what_is_left(tmp_path: Path, warden: Warden) -> None:
    """Whatever was not stopped is ended when the warden goes."""
    daemon = daemon_of(tmp_path, STUBBORN, warden)
    await daemon.start()
    warden.end_all()
    assert await daemon._signal(signal.SIGKILL, 5.0) == -signal.SIGKILL


async def test_a_call_to_nobody_is_indefinite(tmp_path: Path) -> None:
    """A call without an answer is neither done nor refused."""
    async with Client(str(tmp_path / "nobody")) as client:
        with pytest.raises(CallFailed) as caught:
            await client.get("/v1/status")
    assert not caught.value.is_definite


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        """Return True."""
        return True


def test_progress_on_a_terminal_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """Updates overwrite each other; events stay; the end leaves the line empty."""
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    stream = Terminal()
    progress = Progress(stream=stream)
    progress.phase("sharing")
    progress.update("left out, since the last word was a moment ago")
    progress.event("cut: west | east")
    progress.phase("stopping")
    progress.end()
    written = stream.getvalue()
    assert "left out" not in written
    assert "\x1b[1m" not in written
    assert written.count("\n") == 1
    assert written.endswith("\r\x1b[2K")


def test_progress_elsewhere_is_sparse(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a log, updates come at growing intervals and hold no control characters."""
    now = 0.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    stream = io.StringIO()
    progress = Progress(stream=stream)
    progress.phase("sharing")
    for tick in range(240):  # a minute
        now = tick / 4
        progress.update(f"tick {tick}")
    lines = stream.getvalue().splitlines()
    assert 5 < len(lines) < 12
    assert "\x1b" not in stream.getvalue()
    assert lines[0] == "0:00  sharing"


def test_quiet_progress_says_nothing() -> None:
    """With --quiet nothing is written."""
    stream = io.StringIO()
    progress = Progress(is_quiet=True, stream=stream)
    progress.phase("sharing")
    progress.event("cut")
    progress.update("x")
    progress.end()
    assert stream.getvalue() == ""


async def test_a_daemon_runs_in_its_own_process_group(tmp_path: Path, warden: Warden) -> None:
    """Ctrl-C on the terminal reaches the harness alone, since each daemon has its own group."""
    daemon = daemon_of(tmp_path, POLITE, warden)
    ready = await daemon.start()
    assert os.getpgid(ready.pid) == ready.pid != os.getpgid(0)
    assert await daemon.stop()
