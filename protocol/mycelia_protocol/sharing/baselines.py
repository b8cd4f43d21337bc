"""Six policies to begin with, and to compare others with. Spec: section 8.7.4.

`fifo`, `nearest` and `lottery` are what people do without much thought. `two_choices` is from food
rescue: of the two nearest, the one that has had least. `mechanical` favours short ways and full
loads, and looks good on every figure but fairness. `balanced` is what we propose.

The scales are places to start from: they are of the right order, and members set their own. The
15 L of water are the Sphere handbook's; the carriers' factors are of the order of published tables
of freight emissions, for a car that carries 100 kg, and for an unknown carrier those of a van.
"""

from collections.abc import Mapping
from functools import cache
from typing import Final

from mycelia_protocol.encoding import Value
from mycelia_protocol.sharing.policy import FACTORS, Policy, read_policy, write_policy

_DAY_S: Final = 86_400

# Numbers and tables that all six share, but for what `_DIFFERENCES` says.
_COMMON: Final[Mapping[str, Value]] = {
    "v": 1,
    "epoch": 0,
    "previous": None,
    "mode": "score",
    "urgency": {"now": 1_000, "days": 700, "week": 400, "anytime": 100},
    "floors": [],
    "ecology_floor_pm": 0,
    "distance_max_m": 50_000,
    "distance_unknown_m": 10_000,
    "carbon_cap_mg": 15_000,  # 25 km in a van
    "rescue_horizon_s": 7 * _DAY_S,
    "waiting_cap_s": 14 * _DAY_S,
    "window_s": 30 * _DAY_S,
    "now_max": 10,
    "carriers": {  # mg CO2e per tonne and km
        "bicycle": 0,
        "boat": 30_000,
        "car": 2_000_000,
        "cargo-bicycle": 10_000,
        "foot": 0,
        "train": 30_000,
        "truck": 100_000,
        "unknown": 600_000,
        "van": 600_000,
    },
    "masses": [  # grams per 1,000 base units
        ["*", "1", 500_000],
        ["*", "W.h", 0],
        ["*", "g", 1_000],
        ["*", "mL", 1_000],
        ["*", "min", 0],
        ["energy.heat", "W.h", 250],
        ["food.meal", "1", 600_000],
        ["health.protective", "1", 10_000],
        ["shelter.bedding", "1", 2_000_000],
    ],
    "person_days": [  # base units for one person and one day
        ["*", "1", 1],
        ["*", "W.h", 3_000],
        ["*", "g", 1_500],
        ["*", "mL", 15_000],
        ["*", "min", 60],
        ["energy.heat", "W.h", 10_000],
        ["food.dry", "g", 600],
        ["food.meal", "1", 3],
    ],
}


def _weights(*values: int) -> Mapping[str, Value]:
    return dict(zip(FACTORS, values, strict=True))


_RECALIBRATED: Final = _weights(300, 250, 200, 100, 100, 50)
_DIFFERENCES: Final[Mapping[str, Mapping[str, Value]]] = {
    "fifo": {"name": "First come, first served", "weights": _weights(0, 0, 0, 0, 1_000, 0)},
    "nearest": {"name": "The nearest first", "weights": _weights(0, 0, 0, 1_000, 0, 0)},
    "lottery": {"name": "By lot", "mode": "lottery", "weights": _RECALIBRATED},
    "two_choices": {
        "name": "Of the two nearest, who had least",
        "mode": "two-choices",
        "weights": _RECALIBRATED,
    },
    "mechanical": {"name": "Mechanical", "weights": _weights(150, 0, 0, 400, 0, 450)},
    "balanced": {
        "name": "Balanced",
        "weights": _RECALIBRATED,
        "floors": ["urgent", "ecology"],
        "ecology_floor_pm": 50,
    },
}
BASELINES: Final = tuple(_DIFFERENCES)


def document(name: str) -> dict[str, Value]:
    """Return the document of a baseline, for somebody who wants to change something in it.

    Raises:
        KeyError: no baseline has this name.
    """
    return {**_COMMON, **_DIFFERENCES[name]}


@cache
def baseline(name: str) -> Policy:
    """Return a baseline.

    Raises:
        KeyError: no baseline has this name.
    """
    return read_policy(write_policy(document(name)))
