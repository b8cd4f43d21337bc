"""The keys of every table of a scenario but faults, which have `faults.py`."""

from __future__ import annotations

from typing import Final

from mycelia_protocol.sharing.baselines import BASELINES
from mycelia_sim.backends import BACKENDS, BEHAVIOURS, FAULTS, FORGERIES, NODES_MAX
from mycelia_sim.grammar.kinds import Choice, Choices, Flag, Inner, Integer, Name, Share, Text
from mycelia_sim.grammar.measures import (
    BITS,
    NUMBER,
    OFFSET,
    SHARE,
    TIME,
    Drawn,
    Duration,
    Often,
)
from mycelia_sim.grammar.selectors import Select
from mycelia_sim.scenario import INVARIANTS, SCHEMA, SOMETIMES, SOMETIMES_DEFAULT, TOPOLOGIES
from mycelia_sim.sites import SIDES
from mycelia_sim.tables import Key
from mycelia_sim.workload import AMOUNTS

CROSSINGS_MAX: Final = 1_000
FAMILIES: Final = (*FAULTS, "clock", "link", "adversary", *BEHAVIOURS)
POLICIES: Final = ("fifo", "commons")
STOPS: Final = ("converged", "quiescent", "duration", "first_violation")

TOP: Final = (
    Key("schema", Integer(SCHEMA, SCHEMA), "version of this grammar"),
    Key("name", Name(), "name of the scenario; its runs lie in a folder of that name"),
    Key("title", Text(), "what happens, in one line", ""),
)
# Taken care of when the file is read, before its tables are.
EXTENDS: Final = Key("extends", Text(), "a shipped scenario, or a file beside this one", None)
RUN: Final = (
    Key("seed", Integer(0, 2**53 - 1), "seed of every draw", 1),
    Key(
        "warmup", Duration(), "bound for all to agree before the faults begin", "30 s", "warmup_ms"
    ),
    Key("duration", Duration(1_000), "workload and faults", into="duration_ms"),
    Key(
        "converge_within",
        Duration(),
        "bound for all to agree after the workload and the last fault",
        "60 s",
        "converge_within_ms",
    ),
    Key(
        "backend",
        Choices(BACKENDS, least=1),
        "what it may run on, the usual one first; all that can, if left out",
        None,
        "backends",
    ),
)
_SIDES: Final = tuple(Key(side, Share(), "share of the nodes there", None) for side in SIDES)
_CLOCK: Final = (
    Key("offset", Drawn(OFFSET), "how far each clock is off", None),
    Key("drift_ppm", Drawn(NUMBER), "how fast each clock runs, in millionths", None),
)
NODES: Final = (
    Key("count", Integer(2, NODES_MAX), "how many nodes", 30),
    Key("source", Choice(("twin-cities-2020",)), "listing of sites", "twin-cities-2020"),
    Key("sides", Inner(_SIDES), "share of the nodes on each side of the river", None),
    Key("islands", Integer(1, 1_000), "groups of neighbouring districts: island:0 ...", 1),
    Key("clock", Inner(_CLOCK), "how wrong the clocks are", None),
)
TOPOLOGY: Final = (
    Key("kind", Choice(TOPOLOGIES), "the shape of the links", "random_regular"),
    Key("degree", Integer(2, 64), "links of each node", 6),
    Key("crossings_min", Integer(1, CROSSINGS_MAX), "links between neighbouring islands", 2),
    Key("rewire", Share(), "small_world: share of the far links that lead anywhere", 0.1),
)
QUALITIES: Final = (
    Key("latency", Drawn(TIME), "time that each message takes", None),
    Key("jitter", Drawn(TIME), "up to so much more, drawn for each message", None),
    Key("loss", Drawn(SHARE), "share of packets that are lost", None),
    Key("duplicate", Drawn(SHARE), "share of packets that come twice", None),
    Key("reorder", Drawn(SHARE), "share of packets that are overtaken", None),
    Key("rate", Drawn(BITS), "bits a second", None),
)
# From the most general to the most special; the last that says something counts.
LINKS: Final = ("default", "within", "across", *(f"{a}->{b}" for a in SIDES for b in SIDES))
WORKLOAD: Final = (
    Key("kind", Choice(("offers_and_requests",)), "what people do", "offers_and_requests"),
    Key("rate", Often(), "how often all nodes together post: 'poisson(2 / s)' if left out", None),
    Key("per_node", Often(), "instead of rate: how often each active node posts", None),
    Key("active", Share(), "share of the nodes where anybody ever writes", 1),
    Key("opening", Duration(), "time in which nodes open", "5 s", "opening_ms"),
    Key("opens", Share(), "share of the active nodes that open with what they have", 1),
    Key("urgent", Share(), "share of requests that are urgent: now or within days", 0.3),
    Key("withdraw", Share(), "share of posts that are taken back later", 0.03),
    Key("lend", Share(), "share of the offers of tools that are lent in slots", 0),
    Key("rights", Share(), "share of the offers half of which another node may grant", 0),
    Key("renew", Share(), "share of offers and requests that end soon, and are renewed before", 0),
    Key("dispute", Share(), "share of requests whose author disputes what it was granted", 0),
    Key(
        "accept_within",
        Duration(1_000),
        "how long grants wait for an answer; else as long as nodes let them",
        None,
        "accept_within_ms",
    ),
    Key("receipts", Choice(("auto", "ask")), "who confirms hand-overs: nodes or people", "auto"),
    Key("policy", Choice(POLICIES), "by what nodes grant: who asked first, or as decided", "fifo"),
    Key("in_force", Choice(BASELINES), "policy of the commons, where that decides", "balanced"),
    Key("preposition", Flag(), "nodes give rights ahead of an outage by themselves", False),
    Key("presence", Flag(), "nodes say now and then that they are there", False),
    Key("before_crash", Integer(0, 4), "posts at a node just before it crashes", 4),
    Key(
        "promised_in_crash",
        Integer(0, 8),
        "crashes in which somebody is granted what it can't answer",
        0,
    ),
    Key("meet_in_cut", Flag(), "give each group of a cut something to share", True),
)
GROWTH: Final = (
    Key("checkpoint_after", Integer(1, 1_000_000), "records after which a log is summed up", None),
    Key(
        "acknowledge_within",
        Duration(),
        "how long checkpoints of others wait for each other",
        "1 s",
        "acknowledge_within_ms",
    ),
    Key(
        "compact_after",
        Duration(1),
        "how old what is confirmed is when only its compact form is kept; else nothing is let go",
        None,
        "compact_after_ms",
    ),
    Key("compacting", Share(), "share of the nodes that let go; the others keep all", 1),
)
BURST: Final = (
    Key("at", Duration(), "when it begins", into="at_ms"),
    Key("for", Duration(1), "how long it lasts", into="for_ms"),
    Key("rate", Often(), "how often they post"),
    Key("select", Select(), "who", "all"),
    Key("kind", Choice(("request", "offer", "any")), "what they post", "any"),
    Key("category", Choice(tuple(sorted(AMOUNTS))), "of what; else of what they have", None),
    Key("lots", Drawn(NUMBER, low=1), "how many lots of it; else as many as is usual", None),
)
ADVERSARY: Final = (
    Key("name", Name(), "names its streams; else what stands here does", None),
    Key("count", Integer(1, 100), "how many act alike, each with a key of its own", 1),
    Key(
        "behaviour", Choices(BEHAVIOURS, 1), "what they do, in turn", list(FORGERIES), "behaviours"
    ),
    Key("select", Select(), "whom they turn to", "all"),
    Key("from", Duration(), "when they begin", "0 s", "from_ms"),
    Key("until", Duration(), "when they end; else with the workload", None, "until_ms"),
    Key("every", Drawn(TIME, low=100), "the pause between two attempts", "3 s"),
)
SWARM: Final = (
    Key("families", Choices(FAMILIES, 1), "what a seed may lack; all there is, if left out", None),
    Key("keep", Share(), "how likely a seed keeps each of them", 0.5),
)
CHECK: Final = (
    Key("invariants", Choices(INVARIANTS), "what must hold", list(INVARIANTS)),
    Key("sometimes", Choices(SOMETIMES), "what must have been seen", list(SOMETIMES_DEFAULT)),
)
STOP: Final = (
    Key("when", Choice(STOPS), "when a run may end before its bounds", "converged"),
    Key("quiet_for", Duration(), "for quiescent: nothing new for so long", "10 s", "quiet_for_ms"),
    Key("max_events", Integer(1, 10**12), "virtual: end after so many", 10**9),
)

# Metric -> what it is measured in, for [check.limits].
METRICS: Final = {
    **dict.fromkeys(("latency.p50", "latency.p90", "latency.p99", "latency.max"), TIME),
    **dict.fromkeys(("stretch.p50", "stretch.p90", "stretch.p99", "stretch.max"), NUMBER),
    "heal_excess": TIME,
    "converged_after_heal": TIME,
    "redundancy": NUMBER,
    "redundancy_warm": NUMBER,
    "granted_in_cut": NUMBER,
    "overcommitted_in_cut": NUMBER,
    "set_full.stale": NUMBER,
    "set_full.after_p99": TIME,
    "set_full.after_max": TIME,
    "control_bytes": NUMBER,
    "bytes_per_difference": NUMBER,
    "verifications_per_record": NUMBER,
}
