"""The columns of a board as a table: what they are called, and their HXL hashtags.

Source: HXL 1.1, https://hxlstandard.org/standard/1-1final/dictionary/.
"""

from typing import Final

# name -> hashtag. Import takes those that say what something is; the others are told for people.
COLUMNS: Final[dict[str, str]] = {
    "kind": "#meta+kind",
    "what": "#item+name",
    "category": "#item+category",
    "quantity": "#item+quantity+num",
    "unit": "#item+unit",
    "left": "#item+left+num",
    "urgency": "#severity",
    "people": "#inneed+num",
    "lat": "#geo+lat",
    "lon": "#geo+lon",
    "needed by": "#date+due",
    "until": "#date+end",
    "note": "#description",
    "who": "#org+name",
    "status": "#status",
    "posted": "#date+start",
    "id": "#meta+id",
}

FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r")  # what a spreadsheet would run


def disarm(text: str) -> str:
    """Return a text that no spreadsheet takes for a formula; `rearm` gives back what it was."""
    return f"'{text}" if _looks_like_formula(text) else text


def rearm(text: str) -> str:
    """Return a text as it was before `disarm`."""
    return text[1:] if text.startswith("'") and _looks_like_formula(text[1:]) else text


def _looks_like_formula(text: str) -> bool:
    """Return whether a text is a formula, or one with marks of ours before it."""
    return text.lstrip("'").startswith(FORMULA_STARTS)
