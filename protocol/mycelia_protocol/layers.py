"""A dict over a shared one that never changes: what thousands of simulated nodes have in common."""

from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Any, Final, TypeVar

K = TypeVar("K")
V = TypeVar("V")

_NOTHING: Any = object()
_own: Any = dict.get  # past the overriding one


SMALL: Final = 256  # entries that are sooner copied than looked through


def branched(base: dict[K, V]) -> dict[K, V]:
    """Return a dict that begins with all of `base`, which must not change any more."""
    return dict(base) if len(base) <= SMALL else Layered(base)


class Layered(dict[K, V]):
    """Own entries in the dict itself, and those of `base` seen through it.

    Only what State and Logs need is layered.
    """

    def __init__(self, base: Mapping[K, V]) -> None:
        super().__init__()
        self.base = base
        self._gone: set[object] = set()  # entries of the base that are not seen any more

    def __missing__(self, key: K) -> V:
        if key in self._gone:
            raise KeyError(key)
        return self.base[key]

    def __contains__(self, key: object) -> bool:
        return super().__contains__(key) or (key in self.base and key not in self._gone)

    def get(self, key: K, default: Any = None) -> Any:
        """Return the value of a key, own ones first."""
        own = _own(self, key, _NOTHING)
        if own is not _NOTHING:
            return own
        return default if key in self._gone else self.base.get(key, default)

    def pop(self, key: K, default: Any = None) -> Any:
        """Remove a key, and return its value, or the default if there was none."""
        value = self.get(key, default)
        super().pop(key, None)
        self._gone.add(key)
        return value

    def setdefault(self, key: K, default: Any = None) -> Any:
        """Return the value of a key, after making it an own one if there is none."""
        if key in self:
            return self[key]
        self[key] = default
        return default

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __iter__(self) -> Iterator[K]:
        hidden = self.keys_of_its_own() | self._gone
        return chain(super().__iter__(), (key for key in self.base if key not in hidden))

    def keys_of_its_own(self) -> set[object]:
        """Return the keys that are not merely seen through."""
        return set(super().__iter__())

    def values(self) -> Any:
        """Return all values."""
        return {key: self[key] for key in self}.values()

    def items(self) -> Any:
        """Return all items."""
        return {key: self[key] for key in self}.items()
