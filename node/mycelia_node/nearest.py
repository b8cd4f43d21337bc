"""The nearest known name to a mistyped one, for every message that says "unknown"."""

from collections.abc import Iterable


def hint(name: str, known: Iterable[str]) -> str:
    """Return "Did you mean 'x'?" if some known name is near, else the list of known names."""
    import difflib

    names = sorted(known)
    same = [known for known in names if known.casefold() == name.casefold()]
    close = same or difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    if close:
        return f"Did you mean {close[0]!r}?"
    return f"Known are: {', '.join(names)}." if names else ""
