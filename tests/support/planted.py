"""Defects that tests plant into virtual runs, and small plans to plant them in."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from unittest.mock import patch

from mycelia_sim.plan import Cut, Kill, Plan, Shape, Trouble
from mycelia_sim.planner import draw_plan
from mycelia_sim.scenario import find
from mycelia_sim.scenario_reader import load
from mycelia_sim.streams import Stream
from mycelia_sim.virtual.disk import MemoryStore

SMALL = [
    "nodes.count=4",
    "topology.degree=2",
    "run.duration=8s",
    "run.converge_within=4s",
    "workload.opening=1s",
]


def calm_plan() -> Plan:
    """Return a small plan without any fault or adversary."""
    plan = draw_plan(load(find("village"), [*SMALL, "fault=[]", "adversary=[]"]))
    return replace(plan, backend="virtual", sometimes=())


def killed_plan(kills: int = 3) -> Plan:
    """Return a small plan in which the same node loses power some times."""
    plan = calm_plan()
    times = (1_500, 2_700, 4_100)[:kills]
    return replace(
        plan,
        kills=tuple(
            Kill(f"kill-{n}", at_ms, plan.nodes[1].id, at_ms + 400, "keep", 0)
            for n, at_ms in enumerate(times)
        ),
    )


def planted_plan() -> Plan:
    """Return a small plan with 64 faults of all kinds; kill-0 to kill-2 hit the same node."""
    plan = killed_plan()
    nodes = [node.id for node in plan.nodes]
    pairs = [pair for link in plan.links for pair in ((link.dialer, link.listener),)]
    stream = Stream(1, "planted")
    cuts, shapes, troubles = [], [], []
    times = [stream.integer(200, 6_000) for _ in range(61)]
    for n, at_ms in enumerate(times):
        until_ms = at_ms + stream.integer(100, 1_500)
        link = stream.choice(pairs)
        if n % 3 == 0:
            group = (stream.choice(nodes),)
            rest = tuple(node for node in nodes if node not in group)
            mode = stream.choice(["drop", "delay", "queue", "reset"])
            cuts.append(
                Cut(f"cut-{n}", at_ms, until_ms, mode, False, 300, (group, rest), "isolate", ())
            )
        elif n % 3 == 1:
            shapes.append(Shape(f"shape-{n}", at_ms, until_ms, (link,), 40, 20, 9_000, 0, 0, 0))
        else:
            kind = stream.choice(["pause", "slow", "clock_bump"])
            troubles.append(Trouble(f"t-{n}", kind, at_ms, until_ms, stream.choice(nodes), 700))
    return replace(plan, cuts=tuple(cuts), shapes=tuple(shapes), troubles=tuple(troubles))


@contextmanager
def lying_disks(crashes: int = 3) -> Iterator[None]:
    """Let every disk that has crashed so often say that it writes, and write nothing."""
    crash, write = MemoryStore.crash, MemoryStore._write

    def count_crash(store: Any) -> int:
        store.crashes = getattr(store, "crashes", 0) + 1
        return crash(store)

    def lie(store: Any, record: Any) -> None:
        if getattr(store, "crashes", 0) < crashes:
            write(store, record)

    with (
        patch.object(MemoryStore, "crash", count_crash),
        patch.object(MemoryStore, "_write", lie),
    ):
        yield
