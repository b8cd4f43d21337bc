"""Whether real daemons can run here: they are many processes with many sockets on loopback."""

from __future__ import annotations

import socket
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

from mycelia_sim.backends import NODES_OF
from mycelia_sim.doctor.finding import Finding, tried
from mycelia_sim.doctor.machine import disk_free_mib, memory_mib
from mycelia_sim.errors import HarnessError

DAEMON_MIB: Final = 45  # resident memory of one daemon
NODES_WANTED: Final = 30  # as many as `river-split` has
NODES_MIN: Final = 5  # as many as `village` has
DISK_MIB_MIN: Final = 200
# The harness holds for each link a listener and two ends, for each node its pipes; 3 links a node.
FILES_PER_NODE: Final = 3 * 3 + 4
FILES_SPARE: Final = 64
START_TIMEOUT_S: Final = 30


def probe() -> list[Finding]:
    """Look at everything that thirty daemons need."""
    return [
        tried("the node's program", _program, "install it whole: `pip install mycelia`"),
        tried("loopback", _loopback, "bring it up: `ip link set lo up`"),
        tried(
            "Unix sockets",
            _unix_socket,
            "let TMPDIR name a folder on a local disk whose path is shorter than 60 characters",
        ),
        _files(),
        memory(),
        _disk(),
    ]


def _program() -> str:
    done = subprocess.run(
        [sys.executable, "-m", "mycelia_node", "--version"],
        capture_output=True,
        text=True,
        timeout=START_TIMEOUT_S,
        check=False,
    )
    if done.returncode:
        raise HarnessError(done.stderr.strip() or f"ended with {done.returncode}")
    return done.stdout.strip()


def _loopback() -> str:
    """Send a byte through TCP on loopback."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(5)
        with socket.create_connection(server.getsockname(), timeout=5) as here:
            there, _ = server.accept()
            with there:
                here.sendall(b"x")
                if there.recv(1) != b"x":
                    raise HarnessError("what is sent does not arrive")
    return "TCP connects to 127.0.0.1"


def _unix_socket() -> str:
    """Listen where a node would."""
    with tempfile.TemporaryDirectory(prefix="mycelia-sim-") as folder:
        path = Path(folder) / "n000" / "api.sock"
        path.parent.mkdir()
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(str(path))
            server.listen()
    return f"in {tempfile.gettempdir()}"


def _files() -> Finding:
    try:
        import resource
    except ImportError:  # not a Unix
        return Finding("open files", True, "no limit is known here", is_needed=False)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return Finding("open files", True, "no limit")
    nodes = min(NODES_OF["live"], max(0, soft - FILES_SPARE) // FILES_PER_NODE)
    says = f"limit {soft:,}, enough for about {nodes:,} nodes"
    if nodes >= NODES_WANTED:
        return Finding("open files", True, says)
    wanted = FILES_SPARE + NODES_WANTED * FILES_PER_NODE
    is_allowed = hard == resource.RLIM_INFINITY or hard >= wanted
    advice = f"`ulimit -n {wanted}`" + (
        "" if is_allowed else " as root, since the hard limit is lower"
    )
    return Finding("open files", False, says, advice, is_needed=nodes < NODES_MIN)


def memory() -> Finding:
    """Say how many daemons there is memory for."""
    free = memory_mib()
    if free is None:
        return Finding("memory", True, "not known here", is_needed=False)
    nodes = min(NODES_OF["live"], free // DAEMON_MIB)
    says = f"{free:,} MiB free, enough for about {nodes:,} daemons"
    if nodes >= NODES_WANTED:
        return Finding("memory", True, says)
    advice = f"end other programs, or take fewer nodes: `--nodes {max(2, nodes // 2)}`"
    return Finding("memory", False, says, advice, is_needed=nodes < NODES_MIN)


def _disk() -> Finding:
    folder = Path(tempfile.gettempdir())
    try:
        free = disk_free_mib(folder)
    except OSError as error:
        return Finding("disk", False, str(error), "let TMPDIR name a folder that is there")
    says = f"{free:,} MiB free in {folder}"
    advice = f"free {DISK_MIB_MIN} MiB there, or let TMPDIR name another folder"
    return Finding("disk", free >= DISK_MIB_MIN, says, advice)
