"""The switch on real namespaces: TCP over lossy links, resets, what is private, what is left."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from mycelia_sim.errors import HarnessError
from mycelia_sim.live.process import environment
from mycelia_sim.plan import Plan, Shape
from mycelia_sim.switch.namespaces import advise
from mycelia_sim.switch.network import SwitchNetwork
from mycelia_sim.switch.probe import probe
from support.city import city, cut

PROGRAM = "from mycelia_sim.cli import sim; sim(prog_name='mycelia sim')"
DEADLINE_S = 30.0
needs_namespaces = pytest.mark.skipif(
    not all(is_ok for _, is_ok, _ in probe()), reason="no user namespaces on this machine"
)

# A server that sends back what it gets, and clients, each in a namespace of its own.
ECHO = """
import socket, sys
server = socket.create_server((sys.argv[1], 7946))
print("ready", flush=True)
while True:
    peer, _ = server.accept()
    while data := peer.recv(65536):
        peer.sendall(data)
"""
TALK = """
import socket, sys, threading
peer = socket.create_connection((sys.argv[1], 7946), 20)
sent = bytes(range(256)) * 2000
threading.Thread(target=peer.sendall, args=(sent,), daemon=True).start()
came = b""
while len(came) < len(sent):
    came += peer.recv(65536)
print("same" if came == sent else "different", flush=True)
"""
HOLD = """
import socket, sys
peer = socket.create_connection((sys.argv[1], 7946), 20)
peer.sendall(b"x"); peer.recv(1)
print("open", flush=True)
try:
    print("closed" if not peer.recv(1) else "data", flush=True)
except ConnectionResetError:
    print("reset", flush=True)
try:
    socket.create_connection((sys.argv[1], 7946), 20)
except ConnectionRefusedError:
    print("refused", flush=True)
"""
LOOK = """
import os, socket, sys
print(sorted(name for _, name in socket.if_nameindex()))
try:
    socket.create_connection(("127.0.0.1", int(sys.argv[1])), 2); print("reached")
except ConnectionRefusedError:
    print("unreached")
try:
    socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0); print("may listen")
except PermissionError:
    print("may not listen")
"""


def plan_of(nodes: int, **qualities: int) -> Plan:
    """Return a plan of some nodes in a ring, 2 ms apart, whose links are as said."""
    plan = city(nodes, 0, degree=2)
    links = tuple(replace(link, latency_ms=2) for link in plan.links)
    ways = [(link.dialer, link.listener) for link in links]
    ways += [(target, source) for source, target in ways]
    shape = Shape("link-1", 0, 1_000, tuple(ways), 0, 0, 0, 0, 0, 0)
    shape = replace(shape, **qualities)  # type: ignore[arg-type]
    return replace(plan, backend="switch", links=links, shapes=(shape,))


@asynccontextmanager
async def network_of(plan: Plan, folder: Path) -> AsyncIterator[SwitchNetwork]:
    """Give a network that runs."""
    network = SwitchNetwork(plan, folder / "switch.log")
    await network.start()
    try:
        yield network
    finally:
        await network.close()


@asynccontextmanager
async def running(
    network: SwitchNetwork, node: str, program: str, argument: str
) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run a small program as a node, and end it."""
    command = network.placed(node, [sys.executable, "-c", program, argument])
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def said(process: asyncio.subprocess.Process) -> str:
    """Return the next line that a program prints."""
    assert process.stdout is not None
    return (await asyncio.wait_for(process.stdout.readline(), DEADLINE_S)).decode().strip()


@needs_namespaces
async def test_tcp_gets_everything_through_a_bad_link(tmp_path: Path) -> None:
    """Packets are really lost, doubled and overtaken under a real TCP, which puts it right."""
    plan = plan_of(3, loss_ppm=20_000, duplicate_ppm=20_000, reorder_ppm=20_000, jitter_ms=1)
    async with network_of(plan, tmp_path) as network:
        await network.bend(plan.shapes[0])
        host = network.listen_address("n01").partition(":")[0]
        async with running(network, "n01", ECHO, host) as server:
            assert await said(server) == "ready"
            async with running(network, "n00", TALK, host) as client:
                assert await said(client) == "same"
        traffic = await network.traffic()
        assert await network.unbend(plan.shapes[0]) > 500
    assert min(traffic["lost"], traffic["duplicates"], traffic["overtaken"]) > 3
    assert traffic["bytes"] / traffic["frames"] <= 1_514  # no offload: nothing larger than a packet


@needs_namespaces
async def test_a_reset_breaks_real_connections(tmp_path: Path) -> None:
    """A cut of mode reset breaks an idle connection of two kernels, and refuses a new one."""
    plan = cut(plan_of(4), 0, 1_000, mode="reset")
    fault = plan.cuts[0]
    west, east = fault.groups[0][0], fault.groups[1][-1]  # neighbours in the ring
    async with network_of(plan, tmp_path) as network:
        host = network.listen_address(east).partition(":")[0]
        async with running(network, east, ECHO, host) as server:
            assert await said(server) == "ready"
            async with running(network, west, HOLD, host) as client:
                assert await said(client) == "open"
                assert await network.apply(fault) == 2
                assert await said(client) == "reset"
                assert await said(client) == "refused"
                assert (await network.lift(fault)).connections >= 2


@needs_namespaces
async def test_a_node_sees_its_own_network_alone(tmp_path: Path) -> None:
    """A node has its own cards, can't reach the machine's loopback, can't listen to the wire."""
    # Root stays root in its own namespaces, and there alone.
    expected = "may listen" if os.geteuid() == 0 else "may not listen"
    async with network_of(plan_of(3), tmp_path) as network:
        server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        async with server, running(network, "n00", LOOK, str(port)) as process:
            assert await said(process) == "['eth0', 'lo', 'wire']"
            assert await said(process) == "unreached"
            assert await said(process) == expected


@needs_namespaces
async def test_a_switch_that_ends_is_noticed(tmp_path: Path) -> None:
    """A request to a switch that was killed is an error of the harness, with a reason."""
    async with network_of(plan_of(3), tmp_path) as network:
        os.kill(network._client.pid, signal.SIGKILL)
        with pytest.raises(HarnessError, match="the switch does not answer"):
            await network.traffic()


HARNESS = """
import asyncio, sys
from pathlib import Path
from mycelia_sim.plan import load_plan
from mycelia_sim.switch.network import SwitchNetwork

async def main():
    network = SwitchNetwork(load_plan(Path(sys.argv[1])), Path(sys.argv[2]))
    await network.start()
    print(network._client.pid, flush=True)
    await asyncio.sleep(60)

asyncio.run(main())
"""


@needs_namespaces
def test_a_killed_harness_leaves_no_switch(tmp_path: Path) -> None:
    """The switch ends when the harness gets SIGKILL, and with it the namespaces that it holds."""
    plan = tmp_path / "plan.json"
    plan.write_text(plan_of(3).to_json(), "utf-8")
    arguments = [sys.executable, "-c", HARNESS, str(plan), str(tmp_path / "log")]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, env=environment()) as harness:
        assert harness.stdout is not None
        pid = int(harness.stdout.readline())
        harness.kill()
    deadline = time.monotonic() + DEADLINE_S
    while _is_running(pid):
        assert time.monotonic() < deadline, "the switch was left behind"
        time.sleep(0.02)


def _is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


# Forbids user namespaces below it, in one of its own, and then runs the command line.
FORBID = """
import sys
from pathlib import Path
from mycelia_sim.switch.namespaces import enter_user_namespace
enter_user_namespace()
Path("/proc/sys/user/max_user_namespaces").write_text("0", "ascii")
"""


@needs_namespaces
def test_a_machine_without_namespaces_is_told_what_to_do(tmp_path: Path) -> None:
    """Where the kernel refuses, a run ends with code 69, why, and what to do; the probe agrees."""
    program = FORBID + "from mycelia_sim.switch.probe import probe; import json\n"
    program += "print(json.dumps(probe()), flush=True)\n" + PROGRAM
    arguments = ["run", "village", "--backend", "switch", "--quiet", "--out", str(tmp_path)]
    ended = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        check=False,
    )
    ((what, is_ok, advice),) = json.loads(ended.stdout.splitlines()[0])
    assert (what.partition(":")[0], is_ok) == ("user namespaces", False)
    assert "max_user_namespaces" in advice
    assert ended.returncode == 69, ended.stderr
    assert "the switch backend can't run here: no user namespace can be made" in ended.stderr
    assert "sudo sysctl user.max_user_namespaces" in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize(
    ("number", "files", "advice"),
    [
        (errno.EPERM, {"unprivileged_userns_clone": "0"}, "kernel.unprivileged_userns_clone=1"),
        (
            errno.EPERM,
            {"unprivileged_userns_clone": "1", "apparmor_restrict_unprivileged_userns": "1"},
            "kernel.apparmor_restrict_unprivileged_userns=0",
        ),
        (errno.EPERM, {}, "--security-opt seccomp=unconfined"),
        (errno.ENOSPC, {}, "user.max_user_namespaces"),
        (errno.EINVAL, {}, "CONFIG_USER_NS"),
    ],
)
def test_the_advice_fits_the_reason(
    tmp_path: Path, number: int, files: dict[str, str], advice: str
) -> None:
    """Who is refused a namespace is told which setting to change, or what else to take."""
    for name, value in files.items():
        (tmp_path / name).write_text(f"{value}\n", "ascii")
    told = advise(OSError(number, os.strerror(number)), tmp_path)
    assert advice in told
    assert "--backend live" in told
