"""What can go wrong in the harness itself, as opposed to what a checker finds in the nodes.

SimError               never raised itself
├── ScenarioError      the scenario, an override or a plan cannot be used: exit 64
│   └── ScenarioErrors several of them at once
├── BackendError       this machine lacks what a backend needs: exit 69
└── HarnessError       the harness could not do its part: exit 70
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from difflib import get_close_matches
from pathlib import Path
from typing import Self, TypeVar, cast

from mycelia_protocol.errors import MyceliaError

T = TypeVar("T")


class SimError(MyceliaError):
    """The root of all errors of the harness; its message says what happened and what to do."""


class ScenarioError(SimError):
    """A scenario, an override or a plan that cannot be used; the message names the place."""

    @property
    def parts(self) -> tuple[ScenarioError, ...]:
        """What is wrong, one by one."""
        return (self,)


class ScenarioErrors(ScenarioError):
    """Several things that are wrong with a scenario at once; the message has a line for each."""

    def __init__(self, parts: Iterable[ScenarioError]) -> None:
        self._parts = tuple(parts)
        super().__init__("\n".join(map(str, self._parts)))

    @property
    def parts(self) -> tuple[ScenarioError, ...]:
        """What is wrong, one by one."""
        return self._parts


class Gathering:
    """Collects what is wrong, so that people are told all of it at once."""

    def __init__(self) -> None:
        self._parts: list[ScenarioError] = []

    def attempt(self, act: Callable[[], T]) -> T:
        """Do something, and keep what is wrong with it.

        What is returned then is None and may not be looked at before `finish` has returned.
        """
        try:
            return act()
        except ScenarioError as error:
            self._parts += error.parts
            return cast("T", None)

    def add(self, error: ScenarioError) -> None:
        """Keep something that is wrong."""
        self._parts += error.parts

    def finish(self) -> None:
        """Complain of everything that was wrong.

        Raises: ScenarioError.
        """
        if len(self._parts) == 1:
            raise self._parts[0]
        if self._parts:
            raise ScenarioErrors(self._parts)


class BackendError(SimError):
    """A backend or a helper that is not to be had here; the message says what to do."""


class HarnessError(SimError):
    """The harness could not start, steer or read its nodes; no verdict follows from this."""

    @classmethod
    def of_folder(cls, folder: Path, error: OSError) -> Self:
        """Return the error that nothing can be written into a folder that somebody chose."""
        why = error.strerror or str(error)
        return cls(f"can't make a folder in {folder}: {why}; choose another one with --out")


def nearest(word: str, known: Iterable[str]) -> str:
    """Return "; did you mean ...?" with the known name nearest to `word`, or all known names."""
    names = sorted(known)
    close = get_close_matches(word, names, n=1, cutoff=0.5)
    if close:
        return f"; did you mean '{close[0]}'?"
    return f"; known here: {', '.join(names)}" if names else ""
