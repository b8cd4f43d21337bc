"""A scenario: what people write in TOML, as values that know no file.

A scenario holds distributions; `planner.py` draws from them once, and the plan is what runs.
Nothing here says how a fault is brought about: every backend reads the same scenario.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from importlib import resources
from pathlib import Path
from typing import Final

from mycelia_sim.errors import ScenarioError, nearest
from mycelia_sim.fault import Fault
from mycelia_sim.grammar.selectors import Selector
from mycelia_sim.plan import Limit, Stop
from mycelia_sim.units import Distribution, Rate

SCHEMA: Final = 1
INVARIANTS: Final = (
    "no_loss",
    "no_forgery",
    "no_overcommit",
    "escrow",
    "conservation",
    "bodies_intact",
    "author_sequence",
    "agreement",
    "explained",
    "well_formed",
    "pruned_rightly",
    "monotone",
    "no_resurrection",
    "equivocation_attributed",
    "gate",
    "bounded",
    "convergence",
    "recovery",
    "grants_settle",
    "fairness",
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
    "bias_seen",
    "rights_spent",
    "loans_returned",
    "lapses_seen",
    "disputes_seen",
    "unsynced_lost",
    "rollback_happened",
    "logs_pruned",
    "newcomers_formed",
)
TOPOLOGIES: Final = (
    "line",
    "ring",
    "grid",
    "star",
    "complete",
    "random_regular",
    "islands",
    "small_world",
)


@dataclass(frozen=True, slots=True)
class Run:
    """Times of the whole run, in ms, the seed of every draw, and what it may run on.

    Attributes:
        warmup_ms: bound for all nodes to agree before the faults begin.
        duration_ms: workload and faults.
        converge_within_ms: bound for all nodes to agree after the workload and the last fault.
        backends: in the order given; the first is taken if nobody chooses.
    """

    seed: int
    warmup_ms: int
    duration_ms: int
    converge_within_ms: int
    backends: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Nodes:
    """How many nodes there are, where they stand and how well their clocks go.

    Attributes:
        source: the packaged listing of sites.
        sides: share of the nodes on each side of the river.
        islands: number of groups of neighbouring districts.
        clock_offset, clock_drift_ppm: how wrong each clock is; None for right clocks.
    """

    count: int
    source: str
    sides: tuple[tuple[str, float], ...]
    islands: int
    clock_offset: Distribution | None
    clock_drift_ppm: Distribution | None


@dataclass(frozen=True, slots=True)
class Topology:
    """The links that the nodes keep.

    Attributes:
        degree: links of each node, for random_regular and small_world.
        crossings_min: links between neighbouring islands, and over the river, at least.
        rewire: share of the far links of small_world that lead anywhere.
    """

    kind: str
    degree: int
    crossings_min: int
    rewire: float


@dataclass(frozen=True, slots=True)
class LinkQuality:
    """What the links of one kind are like; None leaves it to the more general kind."""

    latency: Distribution | None
    jitter: Distribution | None
    loss: Distribution | None
    duplicate: Distribution | None
    reorder: Distribution | None
    rate: Distribution | None


@dataclass(frozen=True, slots=True)
class Burst:
    """For a while some people post much more, of one category if it is given."""

    at_ms: int
    for_ms: int
    rate: Rate
    select: Selector
    kind: str
    category: str | None
    lots: Distribution | None = None


@dataclass(frozen=True, slots=True)
class Workload:
    """What people do: some nodes open with what they have, then posts arrive.

    Attributes:
        rate, per_node: how often all together post, or each active node; one of them is there.
        active: share of the nodes where anybody ever writes.
        opens: share of those that write one offer and one request within the opening.
        lend: share of the offers of tools that are lent in slots, and not given away.
        rights: share of the offers half of which somebody else may grant a little later.
        renew: share of the offers and requests that drop off the list, and are renewed before.
        dispute: share of the requests whose author disputes the first grant that it accepted.
        accept_within_ms: how long grants wait for an answer; None for the time that nodes take.
        policy: by what nodes grant: `fifo`, or `commons` with a record of each decision.
        in_force: the baseline that the founder puts in force, if nodes grant by `commons`.
        preposition: whether nodes give rights ahead of an outage by themselves.
        presence: whether nodes say now and then that they are there.
        before_crash: posts at a node just before it crashes, so that the crash hits writes.
        promised_in_crash: crashes in which somebody is granted what it can't answer.
        meet_in_cut: whether each group of a cut gets offers and requests that fit.
    """

    rate: Rate | None
    per_node: Rate | None
    active: float
    opening_ms: int
    opens: float
    urgent: float
    withdraw: float
    lend: float
    rights: float
    renew: float
    dispute: float
    accept_within_ms: int | None
    receipts: str
    policy: str
    in_force: str
    preposition: bool
    presence: bool
    before_crash: int
    promised_in_crash: int
    meet_in_cut: bool
    bursts: tuple[Burst, ...]


@dataclass(frozen=True, slots=True)
class Growth:
    """What becomes of old parts of logs.

    Attributes:
        checkpoint_after: records by which a log grows before it is summed up; None for never.
        acknowledge_within_ms: how long checkpoints of others wait for each other.
        compact_after_ms: how old a confirmed checkpoint is when what it covers is let go of but
            for its compact form; None for never.
        compacting: share of the nodes that let go.
    """

    checkpoint_after: int | None
    acknowledge_within_ms: int
    compact_after_ms: int | None
    compacting: float


@dataclass(frozen=True, slots=True)
class Adversary:
    """Members with real keys and an own program that sends what it must not.

    Attributes:
        count: how many of them act alike, each with its own key.
        select: whom they turn to.
        key: names its streams, as a fault's does.
    """

    key: str
    count: int
    behaviours: tuple[str, ...]
    select: Selector
    from_ms: int
    until_ms: int | None
    every: Distribution


@dataclass(frozen=True, slots=True)
class Swarm:
    """In a sweep each seed keeps each of these families of faults with this probability."""

    families: tuple[str, ...]
    keep: float


@dataclass(frozen=True, slots=True)
class Scenario:
    """One strict scenario; `link` maps a kind of links to what they are like."""

    name: str
    title: str
    run: Run
    nodes: Nodes
    topology: Topology
    link: dict[str, LinkQuality]
    workload: Workload
    growth: Growth
    faults: tuple[Fault, ...]
    adversaries: tuple[Adversary, ...]
    swarm: Swarm | None
    invariants: tuple[str, ...]
    sometimes: tuple[str, ...]
    limits: tuple[Limit, ...]
    stop: Stop

    def with_seed(self, seed: int) -> Scenario:
        """Return the same scenario with another seed."""
        return replace(self, run=replace(self.run, seed=seed))


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


def hypothesis(path: Path) -> str:
    """Return what a scenario is to show: the text of the comment that its file begins with."""
    lines = []
    for line in path.read_text("utf-8").splitlines():
        if not line.startswith("#"):
            break
        if line.startswith("#:"):  # for editors
            continue
        lines.append(line.lstrip("#").strip())
    return " ".join(lines).removeprefix("Hypothesis:").strip()
