"""What a probe found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        says: what was found, in a few words.
        advice: what to do if it is not well; "" where nothing can be done or has to be.
        is_needed: whether the backend can't work without.
    """

    name: str
    is_ok: bool
    says: str
    advice: str = ""
    is_needed: bool = True


Probe: TypeAlias = Callable[[], list[Finding]]


def tried(name: str, act: Callable[[], str], advice: str) -> Finding:
    """Return what comes of trying something; an error is what was found."""
    try:
        return Finding(name, True, act())
    except Exception as error:  # whatever it is, it is what was found
        return Finding(name, False, f"{type(error).__name__}: {error}", advice)
