"""Namespaces that a process makes for itself, without privileges. Linux only.

One user namespace, in which the caller keeps its own user id and gains the right to configure the
network namespaces that it makes inside. Nothing is mounted, nothing outside changes, and all of it
is gone with the last process that is in it or holds it open.

Source: user_namespaces(7), network_namespaces(7).
"""

from __future__ import annotations

import ctypes
import errno
import os
import sys
from pathlib import Path
from typing import Final

CLONE_NEWUSER: Final = 0x1000_0000
CLONE_NEWNET: Final = 0x4000_0000

_KERNEL: Final = Path("/proc/sys/kernel")
_OTHERWISE: Final = "or take --backend live or virtual"
_SWITCHES: Final = (  # file, the value that forbids, what to do
    ("unprivileged_userns_clone", "0", "sudo sysctl kernel.unprivileged_userns_clone=1"),
    (
        "apparmor_restrict_unprivileged_userns",
        "1",
        "sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0",
    ),
)


class Missing(Exception):
    """This machine lacks something that the switch needs.

    Attributes:
        what: what is missing, and why.
        advice: what to do about it.
    """

    def __init__(self, what: str, advice: str) -> None:
        super().__init__(f"{what}; {advice}")
        self.what = what
        self.advice = advice


def enter_user_namespace() -> None:
    """Move this process, which must have one thread, into a new user namespace of its own.

    Raises: Missing.
    """
    if sys.platform != "linux":
        raise Missing("network namespaces are a thing of Linux", "take --backend live or virtual")
    user, group = os.geteuid(), os.getegid()
    try:
        unshare(CLONE_NEWUSER)
        Path("/proc/self/setgroups").write_text("deny", "ascii")
        Path("/proc/self/uid_map").write_text(f"{user} {user} 1", "ascii")
        Path("/proc/self/gid_map").write_text(f"{group} {group} 1", "ascii")
    except OSError as error:
        raise Missing(f"no user namespace can be made ({error.strerror})", advise(error)) from None


def enter_new_network() -> None:
    """Move this process into a new, empty network namespace.

    Raises: Missing.
    """
    try:
        unshare(CLONE_NEWNET)
    except OSError as error:
        raise Missing(
            f"no network namespace can be made ({error.strerror})", advise(error)
        ) from None


def present_network() -> int:
    """Return a descriptor that keeps this process's network namespace alive."""
    return os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC)


def unshare(kind: int) -> None:
    """Leave a namespace for a new one.

    Raises: OSError.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(kind) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def advise(error: OSError, kernel: Path = _KERNEL) -> str:
    """Return what to do when the kernel refuses a namespace."""
    if error.errno == errno.ENOSPC:
        more = "user.max_user_namespaces=10000 user.max_net_namespaces=10000"
        return f"sudo sysctl {more}, {_OTHERWISE}"
    if error.errno in (errno.EINVAL, errno.ENOSYS):
        return f"use a kernel with CONFIG_USER_NS and CONFIG_NET_NS, {_OTHERWISE}"
    for name, forbidding, command in _SWITCHES:
        try:
            value = (kernel / name).read_text("ascii").strip()
        except OSError:
            continue
        if value == forbidding:
            return f"{command}, {_OTHERWISE}"
    return f"in a container, start that with --security-opt seccomp=unconfined, {_OTHERWISE}"
