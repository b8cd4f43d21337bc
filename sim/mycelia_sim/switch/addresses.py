"""The addresses of the nodes inside the run's own network, which nobody outside can reach."""

from __future__ import annotations

from typing import Final

NODE_PORT: Final = 7946
_NETWORK: Final = "10.77"
_OUTSIDE: Final = "10.77.255.254"


def address_of(number: int | None) -> str:
    """Return the IPv4 address of the node with this number, or of the harness itself (None)."""
    if number is None:
        return _OUTSIDE
    assert 0 <= number < 0xFF00
    high, low = divmod(number + 1, 256)
    return f"{_NETWORK}.{high}.{low}"
