"""A scenario: what people write in TOML, as values that know no file.

A scenario holds distributions; `plan.py` draws from them once, and the plan is what runs. The
table shapes leave room for a second backend: nothing here says how a fault is brought about.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Final, TypeAlias

from mycelia_sim.errors import ScenarioError, nearest
from mycelia_sim.units import Distribution, Rate

SCHEMA: Final = 1
NODES_MAX: Final = 300  # real daemons; at 25 MiB each of their own
FAULTS: Final = ("partition", "crash")
MODES: Final = ("drop", "delay", "reset")
BEHAVIOURS: Final = ("forge_author", "alter_body", "break_chain")
INVARIANTS: Final = (
    "no_loss",
    "no_forgery",
    "no_overcommit",
    "bodies_intact",
    "author_sequence",
    "agreement",
    "monotone",
    "no_resurrection",
    "equivocation_attributed",
    "bounded",
    "convergence",
    "recovery",
    "quiescence",
    "no_crash",
)
SOMETIMES_DEFAULT: Final = (
    "partition_fired",
    "kills_fired",
    "forger_tried",
    "both_sides_active",
    "faults_fired",
)
SOMETIMES: Final = (  # those that are no default hold in some seeds only
    *SOMETIMES_DEFAULT,
    "conflicting_grants",
    "surplus_grants",
    "equivocation_seen",
    "overdraft_seen",
    "unsynced_lost",
    "rollback_happened",
)


@dataclass(frozen=True, slots=True)
class Run:
    """Times of the whole run, in ms, and the seed of every draw."""

    seed: int
    warmup_ms: int  # bound for all nodes to agree before the faults begin
    duration_ms: int  # workload and faults
    converge_within_ms: int  # bound for all nodes to agree after the workload and the last fault


@dataclass(frozen=True, slots=True)
class Nodes:
    """How many nodes there are and which sites of the packaged listing they stand for."""

    count: int
    source: str
    sides: tuple[tuple[str, float], ...]


@dataclass(frozen=True, slots=True)
class Topology:
    """The links that the nodes keep: random regular, connected within each side."""

    kind: str
    degree: int
    crossings_min: int


@dataclass(frozen=True, slots=True)
class Workload:
    """What people do: every node opens with what it has, then posts arrive at `rate`."""

    rate: Rate
    opening_ms: int
    urgent: float
    withdraw: float
    receipts: str


@dataclass(frozen=True, slots=True)
class Partition:
    """No link works between two groups of nodes for a while."""

    at_ms: int
    for_ms: int
    groups: tuple[tuple[str, ...], ...]
    mode: str
    oneway: bool
    delay_ms: int


@dataclass(frozen=True, slots=True)
class Crash:
    """Some daemons get SIGKILL and are started again later."""

    at_ms: int
    any: int
    source: str
    restart_after: Distribution


Fault: TypeAlias = Partition | Crash


@dataclass(frozen=True, slots=True)
class Adversary:
    """A member with a real key and an own program that sends what it must not."""

    behaviours: tuple[str, ...]
    from_ms: int
    every: Distribution


@dataclass(frozen=True, slots=True)
class Scenario:
    """One strict scenario; `link` holds the default latency and those between two named sides."""

    name: str
    title: str
    run: Run
    nodes: Nodes
    topology: Topology
    link: dict[str, Distribution]
    workload: Workload
    faults: tuple[Fault, ...]
    adversaries: tuple[Adversary, ...]
    invariants: tuple[str, ...]
    sometimes: tuple[str, ...]


def shipped() -> dict[str, Path]:
    """Return the scenarios that come with the harness: name -> file."""
    folder = Path(str(resources.files("mycelia_sim") / "scenarios"))
    return {path.stem: path for path in sorted(folder.glob("*.toml"))}


def find(name: str) -> Path:
    """Return the file of a shipped scenario's name or of a path.

    Raises: ScenarioError when there is neither.
    """
    known = shipped()
    if name in known:
        return known[name]
    path = Path(name)
    if path.suffix == ".toml":
        if path.is_file():
            return path
        raise ScenarioError(f"there is no scenario file {path}")
    raise ScenarioError(f"there is no scenario '{name}'{nearest(name, known)}")
