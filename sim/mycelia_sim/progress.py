"""Progress on stderr: one live line on a terminal, sparse plain lines elsewhere.

Elsewhere (a pipe, a CI log) lines come at growing intervals, so that a long run stays readable.
NO_COLOR and TERM=dumb are honoured; --quiet says nothing.
"""

from __future__ import annotations

import os
import shutil
import sys
import time
from typing import Final, TextIO

LIVE_INTERVAL_S: Final = 0.2
PLAIN_INTERVAL_S: Final = 2.0  # the first pause; each is half as long again as the one before
PLAIN_INTERVAL_MAX_S: Final = 30.0


class Progress:
    """Says where a run is."""

    def __init__(self, *, is_quiet: bool = False, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stderr
        self._is_quiet = is_quiet
        self._is_live = self._stream.isatty() and os.environ.get("TERM") != "dumb"
        self._is_colored = self._is_live and not os.environ.get("NO_COLOR")
        self._begin_s = time.monotonic()
        self._shown_s = 0.0
        self._interval_s = PLAIN_INTERVAL_S
        self._has_line = False
        self._phase = ""

    def phase(self, text: str) -> None:
        """Begin a phase; it is always said."""
        self._phase = text
        if not self._is_live:
            self._interval_s = PLAIN_INTERVAL_S
        self._show(text, force=True)

    def update(self, text: str) -> None:
        """Say how far the phase is; left out when the last word was a moment ago."""
        self._show(f"{self._phase} | {text}", force=False)

    def line(self, text: str) -> None:
        """Say how far the run is in the caller's own words; left out as `update` is."""
        self._show(text, force=False)

    def event(self, text: str) -> None:
        """Say something that happened and should stay on the screen."""
        if self._is_quiet:
            return
        self._clear()
        self._write(f"{self._clock()}  {self._bold(text)}\n")

    def end(self) -> None:
        """Leave the screen clean for the result."""
        self._clear()

    def _show(self, text: str, *, force: bool) -> None:
        now_s = time.monotonic()
        interval_s = LIVE_INTERVAL_S if self._is_live else self._interval_s
        if self._is_quiet or (not force and now_s - self._shown_s < interval_s):
            return
        self._shown_s = now_s
        if self._is_live:
            width = shutil.get_terminal_size().columns - 1
            self._write(f"\r\x1b[2K{self._clock()}  {text}"[: width + len("\r\x1b[2K")])
            self._has_line = True
        else:
            if not force:
                self._interval_s = min(self._interval_s * 1.5, PLAIN_INTERVAL_MAX_S)
            self._write(f"{self._clock()}  {text}\n")

    def _clear(self) -> None:
        if self._has_line:
            self._write("\r\x1b[2K")
            self._has_line = False

    def _clock(self) -> str:
        seconds = int(time.monotonic() - self._begin_s)
        return f"{seconds // 60}:{seconds % 60:02}"

    def _bold(self, text: str) -> str:
        return f"\x1b[1m{text}\x1b[0m" if self._is_colored else text

    def _write(self, text: str) -> None:
        try:
            self._stream.write(text)
            self._stream.flush()
        except BrokenPipeError:
            self._is_quiet = True
