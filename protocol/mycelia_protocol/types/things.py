"""What offers and requests have in common: what it is, how much, and until when. Spec: 7.1.3."""

from collections.abc import Sequence
from functools import lru_cache

from mycelia_protocol.encoding import Value
from mycelia_protocol.errors import SchemaError
from mycelia_protocol.limits import (
    CATEGORY_SIZE_MAX,
    ID_SIZE,
    INT_MAX,
    NAME_SIZE_MAX,
    QUANTITY_MAX,
    TEXT_SIZE_MAX,
)
from mycelia_protocol.schema import Field

UNITS = ("1", "W.h", "g", "mL", "min")  # UCUM: pieces, watt hours, grams, millilitres, minutes
WORDS_KEPT = 1_024  # of which it is remembered whether they are well made; people use few
WORD_CHARACTERS = frozenset("abcdefghijklmnopqrstuvwxyz-")

THING_FIELDS = (
    Field("category", "text", 3, CATEGORY_SIZE_MAX),
    Field("title", "text", 1, NAME_SIZE_MAX),
    Field("quantity", "int", 1, QUANTITY_MAX),
    Field("unit", "text", choices=UNITS),
    Field("note", "text", 0, TEXT_SIZE_MAX, required=False),
    Field("expires_ms", "int", 0, INT_MAX, required=False),
)


def is_word(text: str) -> bool:
    """Return whether a text is one word of a-z and -, such as `food` or `cargo-bike`."""
    return 0 < len(text) <= CATEGORY_SIZE_MAX and _is_made_of_letters(text)


def is_category(text: str) -> bool:
    """Return whether a text is a two-level code such as `food.water` (THING-1)."""
    return len(text) <= CATEGORY_SIZE_MAX and _is_two_words(text)


@lru_cache(WORDS_KEPT)  # of bounded length: a substitute may fill a whole body
def _is_made_of_letters(text: str) -> bool:
    return WORD_CHARACTERS.issuperset(text)


@lru_cache(WORDS_KEPT)
def _is_two_words(text: str) -> bool:
    words = text.split(".")
    return len(words) == 2 and all(map(is_word, words))


def check_category(category: str) -> str:
    """Return a category.

    Raises:
        SchemaError: it is not two words of a-z and - with a dot between (THING-1).
    """
    if not is_category(category):
        raise SchemaError(
            f"category {category!r} is not a two-level code such as food.water",
            requirement="THING-1",
        )
    return category


def check_keys(items: Sequence[Value], name: str, requirement: str) -> tuple[bytes, ...]:
    """Return a list of keys.

    Raises:
        SchemaError: one is not of 32 bytes, or they are not sorted, each once.
    """
    if not items:
        return ()
    keys = tuple(item for item in items if isinstance(item, bytes) and len(item) == ID_SIZE)
    if len(keys) < len(items) or list(keys) != sorted(set(keys)):
        message = f"{name} holds keys of {ID_SIZE} bytes, sorted, each once"
        raise SchemaError(message, requirement=requirement)
    return keys
