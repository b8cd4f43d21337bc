"""Says how far a long command is: on stderr, after two seconds, and never to programs."""

import sys
import time

import click

FIRST_S = 2.0
EVERY_S = 0.5  # on a terminal, where the line is written over
SELDOM_S = 10.0  # elsewhere, where each word is a line


class Progress:
    """A line that is renewed while something goes on.

    Args:
        is_quiet: say nothing, since a program reads the answer.
    """

    def __init__(self, is_quiet: bool) -> None:
        self._is_quiet = is_quiet
        self._is_terminal = sys.stderr.isatty()
        self._next_s = time.monotonic() + FIRST_S
        self._width = 0

    def say(self, text: str) -> None:
        """Tell how far it is, if that was not told a moment ago."""
        now_s = time.monotonic()
        if self._is_quiet or now_s < self._next_s:
            return
        self._next_s = now_s + (EVERY_S if self._is_terminal else SELDOM_S)
        if self._is_terminal:
            click.echo(f"\r{text:<{self._width}}", nl=False, err=True)
            self._width = len(text)
        else:
            click.echo(text, err=True)

    def end(self) -> None:
        """Clear the line."""
        if self._width:
            click.echo(f"\r{'':<{self._width}}\r", nl=False, err=True)
            self._width = 0


def size_text(size: int) -> str:
    """Return a number of bytes in the unit that fits."""
    amount = float(size)
    for unit in ("B", "kB", "MB"):
        if amount < 1_000:
            return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1_000
    return f"{amount:.1f} GB"
