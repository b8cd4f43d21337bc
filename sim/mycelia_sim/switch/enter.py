"""Runs a command as a member of namespaces that another process made. Standard library only.

    enter.py PID FD COMMAND...

PID is the switch; FD is the descriptor by which it holds the node's network namespace. The command
keeps the caller's user id, and has no right to change its network.
"""

from __future__ import annotations

import ctypes
import os
import sys

CLONE_NEWUSER = 0x1000_0000
CLONE_NEWNET = 0x4000_0000


def main() -> None:
    """Enter the user namespace, which gives the right to enter the other, and become the command.

    Raises: OSError when the switch is gone.
    """
    pid, descriptor, *command = sys.argv[1:]
    libc = ctypes.CDLL(None, use_errno=True)
    for path, kind in (
        (f"/proc/{pid}/ns/user", CLONE_NEWUSER),
        (f"/proc/{pid}/fd/{descriptor}", CLONE_NEWNET),
    ):
        opened = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        if libc.setns(opened, kind) != 0:
            number = ctypes.get_errno()
            raise OSError(number, f"setns: {os.strerror(number)}", path)
        os.close(opened)
    os.execvp(command[0], command)  # noqa: S606  the node's own command line


if __name__ == "__main__":
    main()
