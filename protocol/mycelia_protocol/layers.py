"""A dict over a shared one that never changes: what thousands of simulated nodes have in common."""

from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Any, TypeVar

K = TypeVar("K")
V = TypeVar("V")

_NOTHING: Any = object()
_own: Any = dict.get  # past the overriding one


class Layered(dict[K, V]):
    """Own entries in the dict itself, and those of `base` seen through it.

    Only what State and Logs need is layered; an entry of the base can be replaced, not removed.
    """

    def __init__(self, base: Mapping[K, V]) -> None:
        super().__init__()
        self.base = base

    def __missing__(self, key: K) -> V:
        return self.base[key]

    def __contains__(self, key: object) -> bool:
        return super().__contains__(key) or key in self.base

    def get(self, key: K, default: Any = None) -> Any:
        """Return the value of a key, own ones first."""
        own = _own(self, key, _NOTHING)
        return self.base.get(key, default) if own is _NOTHING else own

    def setdefault(self, key: K, default: Any = None) -> Any:
        """Return the value of a key, after making it an own one if there is none."""
        if key in self:
            return self[key]
        self[key] = default
        return default

    def __len__(self) -> int:
        return super().__len__() + sum(key not in self.keys_of_its_own() for key in self.base)

    def __iter__(self) -> Iterator[K]:
        own = self.keys_of_its_own()
        return chain(own, (key for key in self.base if key not in own))

    def keys_of_its_own(self) -> set[K]:
        """Return the keys that are not merely seen through."""
        return set(super().__iter__())

    def values(self) -> Any:
        """Return all values."""
        return {key: self[key] for key in self}.values()

    def items(self) -> Any:
        """Return all items."""
        return {key: self[key] for key in self}.items()
