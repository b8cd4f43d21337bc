"""What each backend can do. One that can't bring a fault about refuses it, and says which can.

A harness that left out what it can't do would report that nodes survived what never happened.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from mycelia_sim.errors import ScenarioError

BACKENDS: Final = ("virtual", "live", "switch")  # in order of preference
NODES_MAX: Final = 10_000

CUTS: Final = ("partition", "isolate", "bridge", "flap", "clog", "swizzle_clog")
KILLS: Final = ("crash", "wipe", "restore_old")
AWAY: Final = ("restart", "leave", "join")  # a node stops politely, or comes late
UPSETS: Final = (
    "pause",
    "slow",
    *AWAY,
    "clock_bump",
    "clock_drift",
    "disk_full",
)
CARRY: Final = "carry"  # somebody takes a stick from one node to another; no fault, but of its kind
FAULTS: Final = (*CUTS, "degrade", *KILLS, *UPSETS, CARRY)
MODES: Final = ("drop", "delay", "queue", "reset")
DISKS: Final = ("keep", "drop_unsynced", "torn", "bitflip")
SHAPES: Final = ("latency", "jitter", "loss", "duplicate", "reorder", "rate")
FORGERIES: Final = ("forge_author", "alter_body", "break_chain")  # what they do if nothing is said
BEHAVIOURS: Final = (
    *FORGERIES,
    "forge_signature",
    "equivocate",
    "replay",
    "flood",
    "withhold",
    "lie_digest",
    "overdraw",
    "future_time",
    "misdecide",
    "oversize",
    "garbage",
    "slowloris",
    "eclipse",
    "babble",
    "forge_forms",
    "missum",
)


def _needs(prefix: str, words: Iterable[str]) -> frozenset[str]:
    return frozenset(f"{prefix} {word}" for word in words)


_ALL: Final = (
    _needs("do", (*FAULTS, "drop_unsynced"))
    | _needs("mode", MODES)
    | _needs("disk", DISKS)
    | _needs("link", SHAPES)
    | _needs("behaviour", BEHAVIOURS)
    | _needs("growth", ("checkpoints",))  # daemons count in days when they let go of old records
)

# What can be done to a process, and by members who are in none.
_REAL: Final = (
    _needs("do", ("crash", "pause", *AWAY, CARRY))
    | _needs("disk", ("keep",))
    | _needs("behaviour", BEHAVIOURS)
)

# What a plan or a scenario needs is told in such words; see `needs.py`.
ABILITIES: Final[dict[str, frozenset[str]]] = {
    "virtual": _ALL,
    # Proxies relay TCP, which shows neither loss nor order; daemons share the machine's clock.
    "live": (
        _REAL
        | _needs("do", CUTS)
        | _needs("mode", ("drop", "delay", "reset"))
        | _needs("link", ("rate",))
    ),
    # The same daemons, but packets in place of bytes: they can be lost, late, twice, or held.
    "switch": (
        _REAL | _needs("do", (*CUTS, "degrade")) | _needs("mode", MODES) | _needs("link", SHAPES)
    ),
}
NODES_OF: Final = {"virtual": NODES_MAX, "live": 300, "switch": 100}


def able(needs: Iterable[str], nodes: int) -> tuple[str, ...]:
    """Return the backends that can do all of this with so many nodes, in order of preference."""
    wanted = frozenset(needs)
    return tuple(b for b in BACKENDS if wanted <= ABILITIES[b] and nodes <= NODES_OF[b])


def refuse(backend: str, needs: dict[str, str], nodes: int) -> None:
    """Complain of the first thing that a backend can't do.

    Args:
        needs: what is needed -> where it comes from.

    Raises: ScenarioError that names the fault, the backend and those that can.
    """
    for need, place in needs.items():
        if need not in ABILITIES[backend]:
            others = able([need], 0)
            can = f"; {_and(others)} can" if others else ""
            raise ScenarioError(f"{place}: the {backend} backend can't do '{need}'{can}")
    if nodes > NODES_OF[backend]:
        raise ScenarioError(
            f"nodes.count: {nodes} nodes are more than the {NODES_OF[backend]} that the "
            f"{backend} backend runs; {_and(able(needs, nodes)) or 'none'} can"
        )


def _and(names: Iterable[str]) -> str:
    return " and ".join(names)
