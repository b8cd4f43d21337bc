"""A canary for each checker: a node with one planted defect, which that checker must report.

Unlike the hand-made stores of `test_checkers.py`, these are whole runs in virtual time: the defect
has to show through the protocol, the faults and what the harness keeps of them. The same run
without the defect passes.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest

from mycelia_protocol import asking, gate, peers, reconcile
from mycelia_protocol.crypto import digest
from mycelia_protocol.engine import Engine
from mycelia_protocol.events import Event, Output, ReadRecords
from mycelia_protocol.publish import Publisher
from mycelia_protocol.record import Record
from mycelia_protocol.state import State
from mycelia_sim.plan import Cut, Kill, Plan
from mycelia_sim.scenario import INVARIANTS
from mycelia_sim.virtual.disk import MemoryStore
from mycelia_sim.virtual.node import VirtualNode
from mycelia_sim.virtual.run import Played, play_virtual
from support.biased import decided, enough, leaves_somebody_out, overlooks_somebody
from support.forgetful import asks_nobody, old_logs
from support.liars import a_plan, attempt
from support.spenders import (
    holder_falls,
    keeps_granting,
    last_soup,
    loses_what_comes_back,
    never_answers,
    never_waits,
    restarted_alone,
    sees_stock_left,
    spends_in_any_log,
    taken_back,
    writes_nonsense,
)

Planted = pytest.MonkeyPatch
CUT = Cut("p", 2_000, 12_000, "drop", False, 0, (("n0", "n1"), ("n2", "n3")), "partition", ())
KILL = Kill("k", 6_000, "n1", 8_000, "keep", 0)


LONELY = replace(CUT, mode="reset", at_ms=5_000, groups=(("n1",), ("n0", "n2", "n3")))


def calm() -> Plan:
    """Return a plan in which nothing goes wrong."""
    return a_plan(nodes=4, duration_ms=20_000)


def cut() -> Plan:
    """Return a plan with one partition that breaks the links."""
    return a_plan(nodes=4, duration_ms=20_000, cuts=(replace(CUT, mode="reset"),))


def killed_alone() -> Plan:
    """Return a plan in which a node that is cut off writes, and then loses its power."""
    kill = replace(KILL, at_ms=10_500, restart_ms=11_000)
    return replace(calm(), cuts=(LONELY,), kills=(kill,))


def killed() -> Plan:
    """Return a plan with one power cut."""
    return replace(calm(), kills=(KILL,))


def rolled_back() -> Plan:
    """Return a plan in which a disk comes back as an old backup while its node is cut off."""
    kill = replace(KILL, at_ms=5_500, restart_ms=6_000, disk="restore_old", rollback=12)
    return replace(calm(), cuts=(LONELY,), kills=(kill,))


def lied_to(behaviour: str) -> Callable[[], Plan]:
    """Return what makes a plan with one adversary."""
    return lambda: a_plan(attempt(behaviour, at_ms=12_000), nodes=4, duration_ms=20_000)


# --- the defects ---


def never_syncs(planted: Planted) -> None:
    """A disk that reports as durable what a power cut takes all the same."""
    crash = MemoryStore.crash

    def forgetful(store: MemoryStore) -> int:
        store.roll_back(2)
        return crash(store)

    planted.setattr(MemoryStore, "crash", forgetful)


def takes_any_signature(planted: Planted) -> None:
    """A node that believes whatever is signed somehow."""
    planted.setattr(Record, "is_signed", lambda record: record.signature is not None)


def spoils_a_body(planted: Planted) -> None:
    """A disk that gives back another body than it was given."""
    write = MemoryStore._write

    def careless(store: MemoryStore, record: Record) -> None:
        assert record.body is not None
        spoilt = record.seq == 3 and record.kind != "vouch"
        write(store, replace(record, body=record.body[::-1]) if spoilt else record)

    planted.setattr(MemoryStore, "_write", careless)


def forgets_its_past(planted: Planted) -> None:
    """A node that writes on in its log after an old backup came back."""
    resume = Publisher.resume

    def stubborn(publisher: Publisher, log: bytes | None) -> None:
        own = publisher.own_logs()
        resume(publisher, own[0][1] if own else log)

    planted.setattr(Publisher, "resume", stubborn)
    planted.setattr(gate.RestoreGate, "shut", lambda self: None)


def loses_the_middle(planted: Planted) -> None:
    """A disk that leaves out one record of each log and appends what follows."""
    write = MemoryStore._write

    def leaky(store: MemoryStore, record: Record) -> None:
        key = (record.author, record.log)
        if record.seq == 2:
            return
        if record.seq > 2:
            store._logs.setdefault(key, []).append(record)
            store._order.append(key)
            return
        write(store, record)

    planted.setattr(MemoryStore, "_write", leaky)
    planted.setattr(MemoryStore, "_fault_of", lambda self, group: None)


def folds_by_arrival(planted: Planted) -> None:
    """A fold whose outcome depends on the order in which records came."""
    planted.setattr(State, "digest", lambda self: digest("state", *self._statements))


def tidies_up(planted: Planted) -> None:
    """A disk that drops the newest record of somebody else's log now and then."""
    end_sync = MemoryStore._end_sync

    def tidy(store: MemoryStore, life: int) -> None:
        end_sync(store, life)
        if store.syncs % 10 == 0 and len(store._order) > 3 and not store._waiting:
            store.roll_back(1)

    planted.setattr(MemoryStore, "_end_sync", tidy)


def makes_no_room(planted: Planted) -> None:
    """A node that lets anybody keep as many unproven links open as they like."""
    planted.setattr(peers.Peers, "_make_room", lambda self: [])


def is_deaf_to_heads(planted: Planted) -> None:
    """A node that never asks for what it lacks."""
    planted.setattr(asking.Asker, "ask", lambda self, link, now_ms: [])


def stays_away(planted: Planted) -> None:
    """A node that, started again, neither dials nor answers."""
    give = VirtualNode.give

    def hermit(node: VirtualNode, event: Event) -> None:
        is_back = node.starts > 1 and type(event).__name__ in ("LinkOpened", "FrameReceived")
        if not is_back:
            give(node, event)

    planted.setattr(VirtualNode, "give", hermit)


def chatters(planted: Planted) -> None:
    """A node that tells all its heads five times a second."""
    planted.setattr(reconcile, "RECONCILE_INTERVAL_MS", 200)


def stumbles(planted: Planted) -> None:
    """A node that ends by an error when it is asked for records."""
    route = Engine._route

    def clumsy(engine: Engine, event: Event, now_ms: int) -> list[Output]:
        outputs = route(engine, event, now_ms)
        if any(isinstance(output, ReadRecords) for output in outputs):
            raise KeyError("a bug")
        return outputs

    planted.setattr(Engine, "_route", clumsy)


@dataclass(frozen=True)
class Canary:
    """A checker, the run in which a defect shows, and what plants it."""

    check: str
    plan: Callable[[], Plan]
    plant: Callable[[Planted], None]


CANARIES = (
    Canary("no_loss", killed_alone, never_syncs),
    Canary("no_forgery", lied_to("forge_signature"), takes_any_signature),
    Canary("no_overcommit", last_soup, sees_stock_left),
    Canary("escrow", holder_falls, spends_in_any_log),
    Canary("conservation", last_soup, loses_what_comes_back),
    Canary("bodies_intact", calm, spoils_a_body),
    Canary("author_sequence", calm, loses_the_middle),
    Canary("agreement", calm, folds_by_arrival),
    Canary("explained", decided, leaves_somebody_out),
    Canary("well_formed", last_soup, writes_nonsense),
    Canary("pruned_rightly", old_logs, asks_nobody),
    Canary("monotone", calm, tidies_up),
    Canary("no_resurrection", taken_back, keeps_granting),
    Canary("equivocation_attributed", rolled_back, forgets_its_past),
    Canary("gate", restarted_alone, never_waits),
    Canary("bounded", lied_to("slowloris"), makes_no_room),
    Canary("convergence", cut, is_deaf_to_heads),
    Canary("recovery", killed, stays_away),
    Canary("grants_settle", last_soup, never_answers),
    Canary("fairness", enough, overlooks_somebody),
    Canary("quiescence", calm, chatters),
    Canary("no_crash", cut, stumbles),
)


def failures(done: Played) -> set[str]:
    """Return the names of the checks that failed."""
    return {check.name for check in done.checks if check.verdict == "fail"}


@pytest.mark.parametrize("canary", CANARIES, ids=lambda canary: canary.check)
def test_the_canary_is_caught(canary: Canary, monkeypatch: pytest.MonkeyPatch) -> None:
    """The run fails nowhere with sound nodes; with the defect its checker reports it."""
    plan = canary.plan()
    sound = play_virtual(plan)
    assert not failures(sound)
    assert canary.check in {check.name for check in sound.checks if check.verdict == "pass"}
    canary.plant(monkeypatch)
    assert canary.check in failures(play_virtual(plan))


def test_every_checker_has_its_canary() -> None:
    """No checker is without one."""
    assert {canary.check for canary in CANARIES} == set(INVARIANTS)
