"""What belongs to no backend: memory, disk, processors."""

from __future__ import annotations

import os
import platform
import shutil
from pathlib import Path
from typing import Final

MIB: Final = 1 << 20
_MEMINFO: Final = Path("/proc/meminfo")


def memory_mib() -> int | None:
    """Return how much memory is free for new processes, None where nobody tells."""
    try:
        for line in _MEMINFO.read_text("ascii").splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) // 1024
    except (OSError, ValueError, IndexError):
        pass
    return None


def disk_free_mib(path: Path) -> int:
    """Return how much a disk has left.

    Raises: OSError.
    """
    return shutil.disk_usage(path).free // MIB


def describe() -> str:
    """Return in one line what machine this is."""
    memory = memory_mib()
    room = "unknown memory" if memory is None else f"{memory:,} MiB of memory free"
    cores = os.cpu_count() or 1
    plural = "" if cores == 1 else "s"
    system = f"{platform.system()} {platform.release()}, {platform.machine()}"
    return f"{system}, {cores} processor{plural}, {room}, {disk_free_mib(Path()):,} MiB of disk"
