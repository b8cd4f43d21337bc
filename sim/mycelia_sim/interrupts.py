"""Ctrl-C, and its polite relatives, while a run goes on or is judged."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Unjudged(KeyboardInterrupt):
    """Somebody interrupted the judging of a run; the message says how to judge it later."""


@contextmanager
def interrupts() -> Iterator[None]:
    """Let SIGTERM and SIGHUP do what Ctrl-C does."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def end(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = {number: signal.signal(number, end) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
