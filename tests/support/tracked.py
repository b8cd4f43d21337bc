"""Integers that remember the largest one that came up, so that a bound can be seen to hold."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, ClassVar, Self


@dataclass(slots=True)
class Seen:
    """What a watch has seen: how many results, and the largest absolute value among them."""

    count: int = 0
    largest: int = 0

    def note(self, value: int) -> None:
        """Take one result into account."""
        self.count += 1
        self.largest = max(self.largest, abs(value))


def _traced(name: str) -> Callable[..., Any]:
    plain = getattr(int, name)

    def operate(self: Tracked, *others: int) -> Any:
        result = plain(self, *map(int, others))
        if type(result) is tuple:  # divmod
            return tuple(Tracked(part) for part in result)
        return Tracked(result) if type(result) is int else result

    return operate


class Tracked(int):
    """An integer whose sums, products and so on are such integers too, and are watched."""

    _seen: ClassVar[Seen | None] = None

    def __new__(cls, value: int) -> Self:
        """Make one, and note it."""
        if cls._seen is not None:
            cls._seen.note(int(value))
        return int.__new__(cls, value)

    @classmethod
    @contextmanager
    def watch(cls) -> Iterator[Seen]:
        """Watch all that is calculated inside."""
        cls._seen = Seen()
        try:
            yield cls._seen
        finally:
            cls._seen = None


for _name in ("add", "sub", "mul", "floordiv", "mod", "divmod"):
    for _side in ("", "r"):
        setattr(Tracked, f"__{_side}{_name}__", _traced(f"__{_side}{_name}__"))
for _name in ("__neg__", "__abs__"):
    setattr(Tracked, _name, _traced(_name))
