"""What offers and requests have in common: what it is, how much, and until when. Spec: 7.1.3."""

from mycelia_protocol.errors import SchemaError
from mycelia_protocol.limits import (
    CATEGORY_SIZE_MAX,
    INT_MAX,
    NAME_SIZE_MAX,
    QUANTITY_MAX,
    TEXT_SIZE_MAX,
)
from mycelia_protocol.schema import Field

UNITS = ("1", "W.h", "g", "mL", "min")  # UCUM: pieces, watt hours, grams, millilitres, minutes
CATEGORY_CHARACTERS = frozenset("abcdefghijklmnopqrstuvwxyz-")

THING_FIELDS = (
    Field("category", "text", 3, CATEGORY_SIZE_MAX),
    Field("title", "text", 1, NAME_SIZE_MAX),
    Field("quantity", "int", 1, QUANTITY_MAX),
    Field("unit", "text", choices=UNITS),
    Field("note", "text", 0, TEXT_SIZE_MAX, required=False),
    Field("expires_ms", "int", 0, INT_MAX, required=False),
)


def check_category(category: str) -> str:
    """Return a category if it is a two-level code such as `food.water`.

    Raises:
        SchemaError: it is not two words of a-z and - with a dot between (THING-1).
    """
    words = category.split(".")
    if len(words) != 2 or not all(word and CATEGORY_CHARACTERS.issuperset(word) for word in words):
        raise SchemaError(
            f"category {category!r} is not a two-level code such as food.water",
            requirement="THING-1",
        )
    return category
