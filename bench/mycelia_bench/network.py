"""A network of one's own, so that every byte on its loopback is a byte of the job."""

from __future__ import annotations

import fcntl
import socket
import struct
from pathlib import Path
from typing import Final

from mycelia_sim.switch.namespaces import Missing, enter_new_network, enter_user_namespace

_SIOCSIFFLAGS: Final = 0x8914
_UP: Final = 0x1


def enter_own_network() -> str:
    """Move this process, which must have one thread, into an empty network with a loopback.

    Returns:
        "", or why there is none; then it stays where it is, and bytes can't be counted.
    """
    try:
        enter_user_namespace()
        enter_new_network()
        with socket.socket() as any_socket:
            request = struct.pack("16sH14x", b"lo", _UP)
            fcntl.ioctl(any_socket, _SIOCSIFFLAGS, request)
    except (Missing, OSError) as error:
        return error.what if isinstance(error, Missing) else str(error)
    return ""


def bytes_carried() -> int:
    """Return how many bytes the loopback has carried, headers of TCP and IP included."""
    for line in Path("/proc/self/net/dev").read_text("ascii").splitlines():
        name, colon, counts = line.partition(":")
        if colon and name.strip() == "lo":
            return int(counts.split()[0])
    return 0


def free_port() -> int:
    """Return a TCP port that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
