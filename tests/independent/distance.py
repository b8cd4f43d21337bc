"""Section 8.6: arithmetic and distance, with the integers of Python alone."""

import re
from pathlib import Path

SPEC = Path(__file__).parents[2] / "spec.md"


def cosines() -> list[int]:
    """Return the table as it stands in the specification."""
    section = SPEC.read_text(encoding="utf-8").split("C[0] to C[90] are")[1]
    return [int(number) for number in re.findall(r"\d+", section.split("```")[1])]


C = cosines()


def isqrt(n: int) -> int:
    """Return the largest r with r * r <= n, found bit by bit."""
    root = 0
    for bit in reversed(range(27)):
        if (root + (1 << bit)) ** 2 <= n:
            root += 1 << bit
    return root


def distance(a: dict[str, int], b: dict[str, int]) -> dict[str, int]:
    """Return the metres between two places, and all that comes before."""
    lat_a, lat_b = (min(p["lat_e7"] + p["cell_e7"] // 2, 900_000_000) for p in (a, b))
    lon_a, lon_b = (p["lon_e7"] + p["cell_e7"] // 2 for p in (a, b))
    turn = abs(lon_a - lon_b) % 3_600_000_000
    turn = min(turn, 3_600_000_000 - turn)
    north = abs(lat_a - lat_b) * 111_195 // 10_000_000
    along = turn * 111_195 // 10_000_000
    mid = abs(lat_a + lat_b) // 2
    d, rest = mid // 10_000_000, mid % 10_000_000
    cosine = 0 if d == 90 else (C[d] * (10_000_000 - rest) + C[d + 1] * rest) // 10_000
    east = along * cosine // 10_000_000
    return {
        "turn": turn,
        "north": north,
        "along": along,
        "mid": mid,
        "cosine": cosine,
        "east": east,
        "metres": min(isqrt(north * north + east * east), 20_000_000),
    }
