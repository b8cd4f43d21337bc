"""Short ids and harmless texts. Kept apart so that the command line can use them cheaply."""

from collections.abc import Iterable

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
SHORT_SIZE = 10  # characters after the "1": 50 bits, unique among millions of records


def short(text: str, size: int = SHORT_SIZE) -> str:
    """Return the beginning of a text id; the node takes it wherever an id is asked for."""
    prefix, _, rest = text.partition("1")
    return f"{prefix}1{rest[:size]}"


def unique_size(texts: Iterable[str]) -> int:
    """Return how many characters after the "1" tell these ids apart, at least SHORT_SIZE."""
    different = set(texts)
    size = SHORT_SIZE
    while len({short(text, size) for text in different}) < len(different):
        size += 1
    return size


def printable(text: str) -> str:
    """Return a text without control characters: others' names must not steer a terminal."""
    return "".join(c if c.isprintable() else REPLACEMENT for c in text)


def count(number: int, noun: str) -> str:
    """Return a number with its noun, in the plural unless it is one."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
