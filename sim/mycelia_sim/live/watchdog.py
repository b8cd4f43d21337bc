"""A tiny process that outlives the harness by a moment, to end daemons that it left behind.

The harness ends its daemons itself, also on Ctrl-C and on its own errors. But nothing can run in a
process that gets SIGKILL. So it tells this one through a pipe which process groups it started and
which ended. When the pipe breaks, those that are left get SIGKILL, and the temporary folder of
their homes (the one argument) is removed. Standard library only: it starts in some milliseconds.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys


def main() -> None:
    """Read "+pid" and "-pid" lines until the end of the input, then end what is left."""
    # The terminal's Ctrl-C is for the harness; this process ends when the harness does.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    alive: set[int] = set()
    for line in sys.stdin:
        pid = int(line[1:])
        if line[0] == "+":
            alive.add(pid)
        else:
            alive.discard(pid)
    for pid in sorted(alive):
        try:
            os.killpg(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
    if alive:
        shutil.rmtree(sys.argv[1], ignore_errors=True)


if __name__ == "__main__":
    main()
