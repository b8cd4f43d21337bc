"""What can go wrong in the harness itself, as opposed to what a checker finds in the nodes.

SimError               never raised itself
├── ScenarioError      the scenario, an override or a plan cannot be used: exit 64
├── BackendError       this machine lacks what a backend needs: exit 69
└── HarnessError       the harness could not do its part: exit 70
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from mycelia_protocol.errors import MyceliaError


class SimError(MyceliaError):
    """The root of all errors of the harness; its message says what happened and what to do."""


class ScenarioError(SimError):
    """A scenario, an override or a plan that cannot be used; the message names the place."""


class BackendError(SimError):
    """A backend or a helper that is not to be had here; the message says what to do."""


class HarnessError(SimError):
    """The harness could not start, steer or read its nodes; no verdict follows from this."""


def nearest(word: str, known: Iterable[str]) -> str:
    """Return "; did you mean ...?" with the known name nearest to `word`, or all known names."""
    names = sorted(known)
    close = get_close_matches(word, names, n=1, cutoff=0.5)
    if close:
        return f"; did you mean '{close[0]}'?"
    return f"; known here: {', '.join(names)}" if names else ""
