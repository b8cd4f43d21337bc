"""Figures of an audit for people: unknown is said, never shown as 0."""

from typing import Any


def per_mille(value: int | None) -> str:
    """Return a share."""
    return "unknown" if value is None else f"{value} ‰"


def span(seconds: int | None) -> str:
    """Return a wait: "40 s", "12 min", "3.5 h", "2.1 d"."""
    if seconds is None:
        return "unknown"
    for size, unit in ((86_400, "d"), (3_600, "h")):
        if seconds >= size:
            tenths = seconds * 10 // size
            return f"{tenths // 10}.{tenths % 10} {unit}"
    return f"{seconds // 60} min" if seconds >= 60 else f"{seconds} s"


def amount(milli_person_days: int) -> str:
    """Return a worth in person-days, with three digits after the point below ten."""
    sign, value = "\N{MINUS SIGN}" if milli_person_days < 0 else "", abs(milli_person_days)
    whole, rest = divmod(value, 1_000)
    return f"{sign}{whole:,}.{rest:03}" if whole < 10 else f"{sign}{whole:,}"


def approval(override: dict[str, Any]) -> str:
    """Return who approved an override, and whether they said so themselves."""
    name = override["approver"]
    if override["approved"]:
        return f"{name} agreed to it"
    alone = "" if override["approved"] is None else ", and did not say so itself"
    return f"{name} is named as approver{alone}"
