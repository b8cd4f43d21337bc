"""Categories between people and records: everyday words become codes, slips get the nearest one.

The list is a help and no rule (spec appendix C.4): with `as_is` any two-level code is taken.
"""

from mycelia_node.errors import NodeError
from mycelia_protocol.sharing.categories import (
    BY_CODE,
    GROUPS,
    Category,
    find,
    is_code,
    suggest,
)


class CategoryError(NodeError):
    """A category that is neither known nor meant to be new."""

    code_default = "category"


def read_category(text: str, as_is: bool = False) -> str:
    """Return the code that a person meant by a code, a name or an everyday word.

    Args:
        text: what was typed.
        as_is: take a two-level code that is not in the list.

    Raises:
        CategoryError: not known; the action names the nearest codes. With `as_is`: no such code.
    """
    if as_is:
        if not is_code(text):
            message = f"{text!r} can't be a category."
            raise CategoryError(message, "Write two words, such as music.strings.")
        return text
    category = find(text)
    if category is not None:
        return category.code
    near = [f"{each.code} ({each.name})" for each in suggest(text)]
    action = (
        f"Did you mean {' or '.join(near)}?"
        if near
        else f"Groups are: {', '.join(GROUPS)}. `mycelia categories` lists all."
    )
    if is_code(text):
        action += " A code of your own needs --new-category."
    raise CategoryError(f"Unknown category {text!r}.", action)


def unit_hint(code: str, unit: str) -> str:
    """Return a friendly word if a base unit is unusual for a category, else ""."""
    category = BY_CODE.get(code)
    if category is None or unit in category.units:
        return ""
    return f"{category.name}: usually in {units_text(category)}; this is in {_name(unit)}."


def units_text(category: Category) -> str:
    """Return the units of a category for people."""
    return " or ".join(_name(unit) for unit in category.units)


def _name(unit: str) -> str:
    return {"1": "pieces", "W.h": "Wh"}.get(unit, unit)
