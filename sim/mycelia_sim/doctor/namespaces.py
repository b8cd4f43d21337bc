"""What Linux lets an ordinary user do with networks, tried in a process of its own.

Everything is made in namespaces that the process makes for itself, and is gone with it.

    python -m mycelia_sim.doctor.namespaces    prints what each step came to, as JSON
"""

from __future__ import annotations

import ctypes
import fcntl
import json
import os
import socket
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

CLONE_NEWUSER: Final = 0x1000_0000
CLONE_NEWNET: Final = 0x4000_0000
TIMEOUT_S: Final = 20

_REQUEST_ACK_CREATE_EXCLUSIVE: Final = 0x1 | 0x4 | 0x400 | 0x200
_NEWLINK, _NEWQDISC = 16, 36
_INFO_KIND, _IFNAME, _LINKINFO = 1, 3, 18
_TCA_KIND, _TCA_OPTIONS = 1, 2
_TC_ROOT: Final = 0xFFFF_FFFF
_ETH_P_ALL: Final = 3
_TUNSETIFF: Final = 0x4004_54CA
_IFF_TAP, _IFF_NO_PI = 0x0002, 0x1000


def tried_apart() -> dict[str, str]:
    """Try every step in a child process; return step -> "" or what went wrong.

    What comes after the namespaces can't be tried without them and is left out then.
    """
    try:
        done = subprocess.run(  # noqa: S603 - this very module, by this interpreter
            [sys.executable, "-m", __name__],
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
            check=False,
        )
        found = json.loads(done.stdout)
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        return {"namespaces": f"the probe itself failed: {error}"}
    return {str(step): str(said) for step, said in found.items()}


def enter() -> None:
    """Go into namespaces of users and of networks that are this process's own.

    Raises: OSError.
    """
    user, group = os.getuid(), os.getgid()
    _unshare(CLONE_NEWUSER | CLONE_NEWNET)
    Path("/proc/self/setgroups").write_text("deny", "ascii")
    Path("/proc/self/uid_map").write_text(f"0 {user} 1", "ascii")
    Path("/proc/self/gid_map").write_text(f"0 {group} 1", "ascii")


def _unshare(flags: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(flags):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def packet_sockets() -> None:
    """Open a socket that sees whole frames."""
    socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(_ETH_P_ALL)).close()


def veth() -> None:
    """Make a pair of network cards."""
    info = _attribute(_LINKINFO, _attribute(_INFO_KIND, b"veth"))
    header = struct.pack("=BxHiII", 0, 0, 0, 0, 0)
    _ask_kernel(_NEWLINK, header + _attribute(_IFNAME, b"probe0\0") + info)


def tun() -> None:
    """Make a network card whose frames this process reads."""
    request = struct.pack("16sH22x", b"probe1", _IFF_TAP | _IFF_NO_PI)
    with open("/dev/net/tun", "r+b", buffering=0) as file:
        fcntl.ioctl(file, _TUNSETIFF, request)


def netem() -> None:
    """Let the kernel lose packets on this namespace's loopback."""
    options = _attribute(_TCA_OPTIONS, struct.pack("=6I", 0, 1_000, 0, 0, 0, 0))
    header = struct.pack("=BxxxiIII", 0, 1, 0, _TC_ROOT, 0)
    _ask_kernel(_NEWQDISC, header + _attribute(_TCA_KIND, b"netem\0") + options)


def _attribute(kind: int, data: bytes) -> bytes:
    size = 4 + len(data)
    return struct.pack("=HH", size, kind) + data + bytes(-size % 4)


def _ask_kernel(what: int, body: bytes) -> None:
    """Send one request to the kernel's routing and wait for its answer.

    Raises: OSError with what the kernel says.
    """
    size = 16 + len(body)
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0) as kernel:
        kernel.settimeout(5)
        kernel.bind((0, 0))
        kernel.send(struct.pack("=IHHII", size, what, _REQUEST_ACK_CREATE_EXCLUSIVE, 1, 0) + body)
        answer = kernel.recv(65_536)
    (number,) = struct.unpack_from("=i", answer, 16)
    if number:
        raise OSError(-number, os.strerror(-number))


STEPS: Final[tuple[tuple[str, Callable[[], None]], ...]] = (
    ("namespaces", enter),
    ("packet sockets", packet_sockets),
    ("veth", veth),
    ("tun", tun),
    ("netem", netem),
)


def _try_all() -> dict[str, str]:
    found: dict[str, str] = {}
    for name, step in STEPS:
        try:
            step()
            found[name] = ""
        except (OSError, AttributeError) as error:  # AttributeError: not on this system
            found[name] = str(error)
            if name == "namespaces":
                break
    return found


if __name__ == "__main__":
    sys.stdout.write(json.dumps(_try_all()))
