"""Progress, a line at a time, for people who wait."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import TypeAlias

Say: TypeAlias = Callable[[str], None]


def say_after(prefix: str) -> Say:
    """Return what prints a line on stderr: the prefix, the seconds since now, the text."""
    begin = time.monotonic()

    def say(text: str) -> None:
        print(f"{prefix} {time.monotonic() - begin:5.0f} s  {text}", file=sys.stderr, flush=True)

    return say
